"""What is made while starting stays: the garbage collector need not look through it.

A start makes some hundred thousand objects that live as long as the process. Looking for garbage
among them took a tenth of a start, and afterwards a sixth of each turn (docs/performance.md).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """Nothing that the block makes is looked through, now or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
