"""What a site decides without code."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from bot.site import read_site
from flows.calendar import window


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_ships_is_good() -> None:
    site, problems = read_site(None)
    assert problems == ()
    assert site is not None
    assert (site.languages, site.rules) == ((), "default")


def test_a_site_says_only_what_it_changes(tmp_path: Path) -> None:
    site, problems = read_site(written(tmp_path, "programme: Siyakhula\nlapse_days: 5\n"))
    assert problems == ()
    assert site is not None
    assert (site.programme, site.lapse_days, site.learners_a_week) == ("Siyakhula", 5, 5)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert read_site(written(tmp_path, "")) == read_site(None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lapse_day: 5", "lapse_day: "),
        ("lapse_days: 0", "lapse_days: "),
        ("lapse_days: 0\nprogramme: x", "programme: "),
        ("programme: " + "x" * 25, "programme: "),
        ("quiet: {weekday: [noon, 20:00]}", "quiet.weekday"),
        ("clocks: {urgent: {resend_minutes: 0}, high: {resend_minutes: 1}}", "clocks.urgent"),
        ("- a\n- b", "is not a list of settings"),
        ("a: [", "cannot be read"),
    ],
)
def test_every_problem_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    site, problems = read_site(path)
    assert site is None
    assert all(str(path) in problem and "Fix: " in problem for problem in problems)
    assert any(said in problem for problem in problems)


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    _, problems = read_site(written(tmp_path, "lapse_days: 0\nprogramme: x\nwhat: 1"))
    assert len(problems) == 3


@pytest.mark.parametrize("kind", ["missing", "folder", "binary"])
def test_a_file_that_cannot_be_read_is_a_problem_not_a_crash(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "site.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "binary":
        path.write_bytes(b"\xff\xfe\x00\x81")
    site, (problem,) = read_site(path)
    assert site is None
    assert "cannot be read" in problem


def test_the_calendar_knows_public_holidays_and_the_site_s_own_days(tmp_path: Path) -> None:
    site, _ = read_site(written(tmp_path, "quiet: {closed_on: [2026-03-02]}"))
    assert site is not None
    hours = site.hours((2026,))
    assert window(date(2026, 3, 2), hours, None) is None
    assert window(date(2026, 12, 25), hours, None) is None
    assert window(date(2026, 6, 16), hours, None) is None
    assert window(date(2026, 3, 3), hours, None) == (time(8), time(20))


def test_how_often_an_alert_is_sent_again() -> None:
    site, _ = read_site(None)
    assert site is not None
    assert site.resend_after("urgent") == timedelta(minutes=15)
    assert site.resend_after("high") == timedelta(hours=4)


@pytest.mark.parametrize(("hours", "stands"), [("1", False), ("4", True), ("25", False)])
def test_contact_is_promised_in_whole_hours_of_a_day(
    tmp_path: Path, hours: str, stands: bool
) -> None:
    site, problems = read_site(written(tmp_path, f"contact_hours: {hours}"))
    assert (site is not None) == stands
    assert bool(problems) != stands


def test_the_site_that_ships_promises_no_hours() -> None:
    site, _ = read_site(None)
    assert site is not None
    assert site.contact_hours is None
