"""Logs: one JSON line each on stderr, allow-listed fields only, nothing a person sent or is.

It is an allow list by construction. A field that is not listed is dropped, a value that is not of
its field's kind is replaced by the name of its type, an event that is not a fixed name of ours
becomes `unnamed`, and a long run of digits in words becomes `#`. Libraries' own lines go the same
way: what they say is dropped, who says it and which error they met is kept.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from typing_extensions import override

NUMBERS = frozenset(
    {"attempts", "letters", "port", "status", "demo", "channels", "offered", "count"}
)
"""Fields that hold a number or yes and no."""
WORDS: Mapping[str, int] = {
    "level": 10,
    "timestamp": 40,
    "logger": 80,
    "tick": 40,
    "error": 64,
    "exception_type": 80,
    "where": 120,
    "host": 80,
    "path": 200,
    "head": 400,
    "fix": 200,
}
"""Fields that hold words of ours, with their greatest length."""
ALLOWED = frozenset({"event", *NUMBERS, *WORDS})
AS_THEY_ARE = frozenset({"timestamp", "head"})
"""Fields whose digits are ours: a time, and the head of the audit chain."""
UNNAMED = "unnamed"

_EVENT = re.compile(r"[a-z][a-z0-9_]{1,47}")
_DIGITS = re.compile(r"\+?\d[\d ()-]{4,}\d")
"""As many digits as a phone number may have, however it is written."""
_LINE = re.compile(r"[^\x20-\x7e]+")

LOUD = ("httpx", "httpcore", "twilio", "twilio.http_client", "telegram", "aiohttp", "apscheduler")

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def only_allowed(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, and turn an exception into its type and place.

    A traceback can hold a message's text; its innermost line and type say enough to find the fault.
    """
    given = line.pop("exc_info", None)
    if given:
        line.update(_fault(given if isinstance(given, tuple) else sys.exc_info()))
    return {key: _fit(key, value) for key, value in line.items() if key in ALLOWED}


def _fault(info: ExcInfo) -> dict[str, str]:
    kind, _, trace = info
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    found = {} if kind is None else {"exception_type": kind.__name__}
    if trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        found["where"] = f"{file}:{trace.tb_lineno}"
    return found


def _fit(key: str, value: object) -> object:
    """The value, where it is of its field's kind; else the name of its type."""
    if key == "event":
        return value if isinstance(value, str) and _EVENT.fullmatch(value) else UNNAMED
    if key in NUMBERS:
        return value if isinstance(value, int | float) else type(value).__name__
    if not isinstance(value, str):
        return type(value).__name__
    text = _LINE.sub(" ", value)[: WORDS[key]]
    return text if key in AS_THEY_ARE else _DIGITS.sub("#", text)


class Libraries(logging.Handler):
    """Lines of libraries, and of Python itself: the logger's name and the error, never the words.

    What uvicorn says of an exception is its whole traceback, and a driver's warning may hold a row.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(logging.WARNING)
        self._say = structlog.wrap_logger(
            structlog.PrintLogger(stream), processors=[*PROCESSORS], context_class=dict
        )

    @override
    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        with contextlib.suppress(ValueError):  # closed: nobody reads it, and no send may fail of it
            getattr(self._say, level)("library_says", logger=record.name, exc_info=record.exc_info)


PROCESSORS = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    only_allowed,
    structlog.processors.JSONRenderer(),
)


def set_up() -> None:
    """Configure logging for this process; provider libraries are quieted (httpx logs tokens)."""
    structlog.configure(
        processors=[*PROCESSORS],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[Libraries(sys.stderr)], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
