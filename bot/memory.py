"""What is made while starting stays: the garbage collector need not look through it.

A start makes some hundred thousand objects that live as long as the process. Looking for garbage
among them took a tenth of a start, and afterwards a sixth of each turn (docs/performance.md).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

BATCH_OBJECTS = 50_000
"""More than the largest batch makes: what it makes lives until its commit and then goes by itself,
so that looking for garbage in the midst of it finds nothing."""


@contextmanager
def lasting() -> Iterator[None]:
    """Nothing that the block makes is looked through, now or later; after it, looks are rare."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(BATCH_OBJECTS, *gc.get_threshold()[1:])
        gc.enable()
