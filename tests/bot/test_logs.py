"""One JSON line each, allowed fields only, and in them only what is of the field's kind."""

import io
import json
import logging
import subprocess
import sys

import pytest

from bot.logs import ALLOWED, AS_THEY_ARE, NUMBERS, UNNAMED, WORDS, Libraries, only_allowed

SCRIPT = """
import logging
from bot.logs import set_up
set_up()
print([logging.getLogger(n).level for n in ("httpx", "twilio.http_client", "telegram")])
logging.getLogger("httpx").info("POST https://api/bot123:SECRET/sendMessage")
logging.getLogger("sqlalchemy").warning("row SECRET")
import warnings; warnings.warn("SECRET")
try:
    raise RuntimeError("SECRET")
except RuntimeError:
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application SECRET")
"""


def test_fields_that_are_not_on_the_list_are_dropped() -> None:
    line = {"event": "seen", "level": "info", "text": "hi", "address": "+27821234567"}
    assert only_allowed(None, "info", line) == {"event": "seen", "level": "info"}


def test_an_exception_becomes_its_type_and_place() -> None:
    try:
        int("+27 82 123 4567")
    except ValueError:
        found = only_allowed(None, "error", {"event": "x", "exc_info": True})
    assert found["exception_type"] == "ValueError"
    assert str(found["where"]).startswith("test_logs.py:")
    assert "4567" not in str(found)


def test_an_exception_that_is_over_says_nothing() -> None:
    assert only_allowed(None, "error", {"event": "seen", "exc_info": True}) == {"event": "seen"}


@pytest.mark.parametrize(
    "event",
    ["Amina wrote", "amina wrote: he hurt me", "+27821234567", "", "a" * 60, "Not_stored", None, 7],
)
def test_an_event_is_a_fixed_name(event: object) -> None:
    assert only_allowed(None, "info", {"event": event}) == {"event": UNNAMED}


@pytest.mark.parametrize("field", sorted(NUMBERS))
def test_a_number_field_takes_no_words(field: str) -> None:
    assert only_allowed(None, "info", {field: 3}) == {field: 3}
    assert only_allowed(None, "info", {field: "he hurt me"}) == {field: "str"}


@pytest.mark.parametrize("field", sorted(WORDS))
def test_a_word_field_takes_no_object_and_nothing_long(field: str) -> None:
    assert only_allowed(None, "info", {field: {"text": "he hurt me"}}) == {field: "dict"}
    told = only_allowed(None, "info", {field: "x" * 999})
    assert len(told[field]) == WORDS[field]


@pytest.mark.parametrize(
    "number", ["+27821234567", "082 123 4567", "082-123-4567", "(082) 1234567"]
)
@pytest.mark.parametrize("field", sorted(set(WORDS) - AS_THEY_ARE))
def test_no_phone_number_stands_in_words(field: str, number: str) -> None:
    told = only_allowed(None, "info", {field: f"to {number}"})
    assert not [digit for digit in "1234" if digit in str(told[field])]


def test_a_line_stays_one_line_of_plain_letters() -> None:
    told = only_allowed(None, "info", {"error": "a\nlevel\x1b[31m \u202e b"})
    assert told == {"error": "a level [31m   b"}


def test_a_librarys_words_are_dropped_and_its_error_is_named() -> None:
    stream = io.StringIO()
    handler = Libraries(stream)
    try:
        int("he hurt me")
    except ValueError:
        info = sys.exc_info()
    words = "said %s to +27821234567"
    record = logging.LogRecord("uvicorn.error", 40, "x.py", 1, words, ("he hurt me",), info)
    handler.emit(record)
    told = json.loads(stream.getvalue())
    assert told.pop("timestamp")
    assert told.pop("where").startswith("test_logs.py:")
    assert told == {
        "event": "library_says",
        "level": "error",
        "logger": "uvicorn.error",
        "exception_type": "ValueError",
    }


@pytest.mark.parametrize("name", ["text", "body", "address", "person", "name", "value", "token"])
def test_nothing_a_person_sent_or_is_is_on_the_list(name: str) -> None:
    assert name not in ALLOWED


def test_libraries_that_log_tokens_are_quiet() -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[30, 30, 30]"
    assert "SECRET" not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["logger"] for line in lines] == ["sqlalchemy", "py.warnings", "uvicorn.error"]
    assert lines[2]["exception_type"] == "RuntimeError"


def test_a_stream_that_is_gone_makes_nothing_fail() -> None:
    stream = io.StringIO()
    handler = Libraries(stream)
    stream.close()
    handler.emit(logging.makeLogRecord({"levelno": logging.ERROR, "name": "uvicorn"}))
    assert stream.closed
