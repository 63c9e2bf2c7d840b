"""The event loop that serves: uvloop where there is one (not on Windows), else the standard one."""

import asyncio
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run `main` to its end on the fastest loop there is."""
    factory = None
    if find_spec("uvloop"):
        import uvloop  # noqa: PLC0415 - only what serves needs it

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
