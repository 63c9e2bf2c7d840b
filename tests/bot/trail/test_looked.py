"""Who looked without an assignment: what each look rested on at its moment, and the month."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.trail.looked import (
    WHYS,
    MonthError,
    Story,
    Why,
    as_document,
    as_lines,
    month_before,
    span_of,
    summed,
    why,
)
from storage.trail.looked import Look, Office, Turn, Work

ZONE = ZoneInfo("Africa/Johannesburg")
NOON = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOOK = Look(
    at=NOON,
    login="ann",
    role="coordinator",
    person_id="ann-person",
    schools=frozenset({"s"}),
    kind="alerts",
    object_id="alert",
    code="A7F3K2",
    school_id="s",
    school="Hill",
    purpose="care",
)
STORY = Story(turns={}, work={}, offices={}, everywhere={"data_officer"})
NUMBER = replace(LOOK, kind="addresses", object_id="address", code="")


def had(*turns: tuple[int, str | None]) -> Story:
    """Who had the alert from how many hours before noon."""
    return replace(STORY, turns={"alert": [Turn(at=NOON - h * HOUR, owner=o) for h, o in turns]})


def worked(closed: int | None, owner: str | None) -> Story:
    """A task opened an hour before noon and closed so many hours after it."""
    end = None if closed is None else NOON + closed * HOUR
    return replace(
        STORY, work={"address": [Work(opened_at=NOON - HOUR, closed_at=end, owner=owner)]}
    )


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (STORY, "open"),
        (had((2, "ann-person")), "hers"),
        (had((2, "bob-person")), "others"),
        (had((-1, "bob-person")), "open"),
        (had((3, "bob-person"), (2, None)), "open"),
        (had((3, "ann-person"), (2, None), (1, "bob-person")), "others"),
        (had((3, "bob-person"), (2, None), (1, "ann-person")), "hers"),
    ],
)
def test_an_alert_is_hers_open_or_somebody_elses(story: Story, reason: Why) -> None:
    assert why(LOOK, story) == reason


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (worked(None, None), "open"),
        (worked(1, "ann-person"), "hers"),
        (worked(1, "bob-person"), "open"),
        (worked(0, "bob-person"), "open"),
        (worked(-1, "ann-person"), "others"),
        (STORY, "others"),
    ],
)
def test_a_number_is_for_the_task_that_names_it(story: Story, reason: Why) -> None:
    assert why(NUMBER, story) == reason


def test_somebody_without_a_person_never_has_anything() -> None:
    look = replace(NUMBER, person_id=None)

    assert why(look, worked(1, None)) == "open"


def test_glass_and_office_are_told_apart_from_no_role() -> None:
    abroad = replace(LOOK, school_id="other")
    held = Office(from_at=NOON - HOUR, until_at=NOON + HOUR)
    past = replace(held, until_at=NOON)
    key = ("ann-person", "other")

    assert why(replace(abroad, purpose="break_glass"), STORY) == "break_glass"
    assert why(replace(abroad, role="data_officer"), STORY) == "office"
    assert why(abroad, STORY) == "no_role"
    assert why(abroad, replace(STORY, offices={key: [held]})) == "open"
    assert why(abroad, replace(STORY, offices={key: [past]})) == "no_role"
    assert why(replace(abroad, school_id=None), STORY) == "no_role"


def test_the_month_is_told_by_person_and_by_thing() -> None:
    looks: list[tuple[Look, Why]] = [
        (LOOK, "hers"),
        (LOOK, "others"),
        (replace(LOOK, at=NOON + HOUR), "others"),
        (replace(NUMBER, login="bob", object_id="0" * 26 + "abcdef"), "no_role"),
    ]
    made = summed("2026-11", looks)

    assert [(p.login, p.total, p.counts["others"]) for p in made.people] == [
        ("ann", 3, 2),
        ("bob", 1, 0),
    ]
    assert [(w.login, w.code, w.why, w.times, w.last_at) for w in made.without] == [
        ("ann", "A7F3K2", "others", 2, NOON + HOUR),
        ("bob", "ABCDEF", "no_role", 1, NOON),
    ]
    document = as_document(made, ZONE)
    assert document["people"][0] == {  # type: ignore[index]
        "login": "ann",
        "role": "coordinator",
        **dict.fromkeys(WHYS, 0),
        "hers": 1,
        "others": 2,
    }
    assert document["without_assignment"][0]["last_at"] == "2026-11-03T13:00+02:00"  # type: ignore[index]
    assert as_lines(made, ZONE) == [
        "2026-11: 4 looks by 2 people.",
        "ann (coordinator): her own 1, somebody else's 2",
        "bob (coordinator): not on that team 1",
        "Without an assignment: 2 things.",
        "ann  alerts A7F3K2  Hill  somebody else's  2 times, last 2026-11-03 13:00",
        "bob  addresses ABCDEF  Hill  not on that team  1 times, last 2026-11-03 12:00",
    ]


def test_a_month_begins_and_ends_in_the_programmes_zone() -> None:
    start, end = span_of("2026-12", ZONE)

    assert start.astimezone(UTC) == datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
    assert end.astimezone(UTC) == datetime(2026, 12, 31, 22, 0, tzinfo=UTC)
    assert month_before(datetime(2026, 12, 31, 21, 59, tzinfo=UTC), ZONE) == "2026-11"
    assert month_before(datetime(2026, 12, 31, 22, 0, tzinfo=UTC), ZONE) == "2026-12"


@pytest.mark.parametrize("text", ["", "november", "2026-13", "2026-11-01", "26-11"])
def test_what_is_no_month_is_said(text: str) -> None:
    with pytest.raises(MonthError, match="no month"):
        span_of(text, ZONE)
