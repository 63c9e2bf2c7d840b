"""Names, numbers, words and tokens never get out: not by logs, metrics, alerts, nudges or files."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.logs import ALLOWED
from tests.bot.canary import CANARIES

ROOT = Path(__file__).parent.parent.parent
ABOUT_A_CHILD = re.compile(
    r"\b(child|learner|risk|food|hungry|hurt|health|Umthombo)\w*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a bad day left behind."""

    sent: list[tuple[str, str]]
    metrics: str
    codes: list[str]
    logs: str
    files: bytes


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    folder = tmp_path_factory.mktemp("canary")
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.bot.canary", str(folder / "x.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = json.loads(done.stdout)
    # With -wal and -shm beside it, should they still be there.
    files = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    return Day(
        sent=[tuple(pair) for pair in told["sent"]],
        metrics=told["metrics"],
        codes=told["codes"],
        logs=done.stderr,
        files=files,
    )


def test_the_day_was_bad_enough(day: Day) -> None:
    events = [json.loads(line)["event"] for line in day.logs.splitlines()]
    told = {"delivery_failed", "batch_taken_apart", "letter_parked", "retry_failed"}
    assert told | {"unread_alert_not_raised"} == set(events)
    assert {"alert", "reminder", "reply"} == {kind for kind, _ in day.sent}


def test_logs_are_json_of_allowed_fields(day: Day) -> None:
    for line in day.logs.splitlines():
        assert set(json.loads(line)) <= ALLOWED


@pytest.mark.parametrize("canary", CANARIES)
def test_no_canary_is_in_logs_metrics_alerts_or_nudges(day: Day, canary: str) -> None:
    assert canary not in day.logs
    assert canary not in day.metrics
    assert not [text for kind, text in day.sent if kind != "reply" and canary in text]


def test_alerts_and_nudges_say_nothing_about_a_child(day: Day) -> None:
    told = [text for kind, text in day.sent if kind != "reply"]
    assert told
    assert not [text for text in told if ABOUT_A_CHILD.search(text)]


@pytest.mark.parametrize("canary", CANARIES)
def test_no_canary_is_readable_in_the_database_file(day: Day, canary: str) -> None:
    assert len(day.files) > 100_000
    assert canary.encode() not in day.files
    assert canary.encode("utf-16-le") not in day.files


def test_no_join_code_is_readable_in_the_database_file(day: Day) -> None:
    assert len(day.codes) == 42
    assert not [code for code in day.codes if code.encode() in day.files]


def test_what_is_public_is_readable_so_the_search_can_find(day: Day) -> None:
    assert b"Umthombo Primary" in day.files
