"""One JSON line each, allowed fields only."""

import subprocess
import sys

import pytest

from bot.logs import ALLOWED, only_allowed

SCRIPT = """
import logging
from bot.logs import set_up
set_up()
print([logging.getLogger(n).level for n in ("httpx", "twilio.http_client", "telegram")])
logging.getLogger("httpx").info("POST https://api/bot123:SECRET/sendMessage")
"""


def test_fields_that_are_not_on_the_list_are_dropped() -> None:
    line = {"event": "x", "level": "info", "text": "hi", "address": "+27821234567"}
    assert only_allowed(None, "info", line) == {"event": "x", "level": "info"}


def test_an_exception_becomes_its_type_and_place() -> None:
    try:
        int("+27 82 123 4567")
    except ValueError:
        found = only_allowed(None, "error", {"event": "x", "exc_info": True})
    assert found["exception_type"] == "ValueError"
    assert str(found["where"]).startswith("test_logs.py:")
    assert "4567" not in str(found)


def test_an_exception_that_is_over_says_nothing() -> None:
    assert only_allowed(None, "error", {"event": "x", "exc_info": True}) == {"event": "x"}


@pytest.mark.parametrize("name", ["text", "body", "address", "person", "name", "value", "token"])
def test_nothing_a_person_sent_or_is_is_on_the_list(name: str) -> None:
    assert name not in ALLOWED


def test_libraries_that_log_tokens_are_quiet() -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[30, 30, 30]"
    assert "SECRET" not in done.stderr
