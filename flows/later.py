"""The private questions, put off at their gate: whether they were, and when to ask again.

She may say at the gate that she is not alone. Then they are offered again on a later day, in the
hour she named as safe, twice at most, with words that say nothing about them; never on a channel
whose messages others read.
"""

from datetime import datetime, time, timedelta, tzinfo

from flows.calendar import Hours, next_allowed, window
from flows.messages import ChannelName
from flows.sessions import Session

FORM, ITEM, WAIT = "caregiver", "alone", "wait"
"""The questionnaire, its gate, and the answer that puts the rest off."""
CHATS: tuple[ChannelName, ...] = ("whatsapp", "telegram")
TRIES = 2
OPTIONS = (("now", "offer.now"), ("later", "offer.later"))
"""What she can say to the offer: code and phrase."""


def put_off(session: Session) -> bool:
    """Whether a session stands at the end with its private questions put off."""
    answer = session.answers.get(ITEM)
    at_gate = session.form_id == FORM and session.channel in CHATS
    return at_gate and answer is not None and answer.value == WAIT


def another_day(
    at: datetime, *, zone: tzinfo, hours: Hours, safe_hour: str | None = None
) -> datetime:
    """The first allowed moment of a later local day, in her safe hour.

    Args:
        at: Aware.
        zone: The programme's time zone.
        hours: The site's hours and holidays.
        safe_hour: morning, midday, evening or None.

    Returns:
        Aware, in the zone of `at`.

    Raises:
        ValueError: The hours allow nothing for three weeks.
    """
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    begins = datetime.combine(tomorrow, time(0), tzinfo=zone)
    found = next_allowed(begins, zone=zone, hours=hours, safe_hour=safe_hour)
    return found.astimezone(at.tzinfo)


def until_closing(
    at: datetime, *, zone: tzinfo, hours: Hours, safe_hour: str | None = None
) -> timedelta:
    """How long from an allowed moment her hour still lasts: a message of ours is of use so long.

    Args:
        at: Aware.
        zone: The programme's time zone.
        hours: The site's hours and holidays.
        safe_hour: morning, midday, evening or None.

    Returns:
        Zero where nothing is allowed on that day.
    """
    local = at.astimezone(zone)
    span = window(local.date(), hours, safe_hour)
    if span is None:
        return timedelta(0)
    return max(timedelta(0), datetime.combine(local.date(), span[1], tzinfo=zone) - local)
