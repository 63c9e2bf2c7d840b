"""The private questions put off: whether, until when, and how long an offer is of use."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flows.calendar import Hours
from flows.later import FORM, ITEM, WAIT, another_day, put_off, until_closing
from flows.messages import ChannelName
from flows.notices import NOTICES
from flows.sessions import Answer, Session
from tests.flows.test_content import form

ZONE = ZoneInfo("Africa/Johannesburg")
HOURS = Hours()


def at(day: int, hour: int) -> datetime:
    """A moment of February 2026, whose second is a Monday."""
    return datetime(2026, 2, day, hour, 0, tzinfo=ZONE)


def session(channel: ChannelName = "telegram", form_id: str = FORM, **answers: str) -> Session:
    return Session(
        id="s1",
        form_id=form_id,
        version="v1",
        channel=channel,
        language="en",
        status="completed",
        answers={name: Answer(value) for name, value in answers.items()},
        changed_at=at(2, 9),
    )


def test_they_are_put_off_where_she_said_so_in_a_chat() -> None:
    assert put_off(session(alone=WAIT))
    assert put_off(session("whatsapp", alone=WAIT))


@pytest.mark.parametrize(
    "other",
    [
        session("sms", alone=WAIT),
        session(form_id="learner", alone=WAIT),
        session(alone="yes"),
        session(alone=""),
        session(),
    ],
)
def test_nowhere_else(other: Session) -> None:
    assert not put_off(other)


def test_the_questionnaire_has_this_gate_with_this_answer() -> None:
    assert WAIT in form(FORM).questionnaire[ITEM].choices


@pytest.mark.parametrize(
    ("now", "safe_hour", "then"),
    [
        (at(2, 18), "evening", at(3, 17)),
        (at(2, 9), "morning", at(3, 8)),
        (at(2, 9), None, at(3, 8)),
        (at(6, 18), "evening", at(9, 17)),  # no evening on a Saturday, nothing on a Sunday
        (at(6, 18), None, at(7, 9)),
    ],
)
def test_another_day_is_a_later_one_in_her_hour(
    now: datetime, safe_hour: str | None, then: datetime
) -> None:
    found = another_day(now.astimezone(UTC), zone=ZONE, hours=HOURS, safe_hour=safe_hour)
    assert found == then
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("now", "safe_hour", "hours"),
    [
        (at(3, 17), "evening", 3),
        (at(3, 18), "evening", 2),
        (at(3, 21), "evening", 0),
        (at(7, 9), None, 4),
        (at(8, 9), None, 0),
    ],
)
def test_an_offer_is_of_use_until_her_hour_ends(
    now: datetime, safe_hour: str | None, hours: int
) -> None:
    found = until_closing(now, zone=ZONE, hours=HOURS, safe_hour=safe_hour)
    assert found == timedelta(hours=hours)


def test_the_words_of_the_offer_say_nothing_about_it() -> None:
    offer = NOTICES["later.offer"]
    assert not {"private", "child", "question", "alone", "safe", "answer"} & set(
        offer.lower().replace(".", " ").replace(",", " ").split()
    )
