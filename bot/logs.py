"""Logs: one JSON line each on stderr, allow-listed fields only, nothing a person sent or is."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "logger",
        "attempts",
        "letters",
        "tick",
        "error",
        "exception_type",
        "where",
        "host",
        "port",
        "path",
        "status",
        "demo",
        "channels",
        "offered",
        "count",
        "fix",
    }
)
LOUD = ("httpx", "httpcore", "twilio", "twilio.http_client", "telegram", "aiohttp", "apscheduler")


def only_allowed(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, and turn an exception into its type and place.

    A traceback can hold a message's text; its innermost line and type say enough to find the fault.
    """
    if line.pop("exc_info", None):
        kind, error, trace = sys.exc_info()
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if kind is not None:
            line["exception_type"] = kind.__name__
        if trace is not None and error is not None:
            line["where"] = (
                f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
            )
    return {key: value for key, value in line.items() if key in ALLOWED}


def set_up() -> None:
    """Configure logging for this process; provider libraries are quieted (httpx logs tokens)."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
