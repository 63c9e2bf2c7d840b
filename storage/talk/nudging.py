"""Questionnaires that have gone quiet, and what was already done about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select

from flows.messages import ChannelName
from storage.schema import addresses, person_address, persons, sessions, timers

UNWANTED = ("opted_out", "no_consent")
"""Why a nudge was left out because she wants none."""
CALLED = "call"
"""In the place of a number: two nudges were not answered, somebody is to call her."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """An open session nobody has answered for a while."""

    id: str
    address_id: str
    person_id: str | None
    household_id: str | None
    channel: ChannelName
    language: str
    safe_hour: str | None
    opted_out: bool
    changed_at: datetime
    form_id: str = ""
    child_id: str | None = None
    key_id: str | None = None


_QUIET = (
    select(
        sessions.c.id,
        sessions.c.address_id,
        sessions.c.person_id,
        persons.c.household_id,
        addresses.c.channel,
        addresses.c.language,
        persons.c.language.label("own_language"),
        persons.c.safe_hour,
        addresses.c.opted_out_at,
        sessions.c.changed_at,
        sessions.c.form_id,
        sessions.c.child_id,
        addresses.c.key_id,
    )
    .join(addresses, addresses.c.id == sessions.c.address_id)
    .outerjoin(persons, persons.c.id == sessions.c.person_id)
    .where(sessions.c.status == "open")
)


def quiet_sessions(
    conn: Connection,
    *,
    first: datetime,
    second: datetime,
    safe_hours: Collection[str | None],
    limit: int,
    without: Collection[str] = (),
) -> list[Quiet]:
    """Open sessions with a nudge still to come, the longest quiet first.

    Only those it can come to now: with more people waiting than `limit`, those whose hour has not
    come must not stand before the others.

    Args:
        conn: Open transaction.
        first: Unchanged since then and never nudged.
        second: Unchanged since then and not nudged a second time.
        safe_hours: Safe hours in which it is allowed now; None for people who named none.
        limit: The most to return.
        without: Questionnaires of which nobody is reminded.
    """
    named = sorted(hour for hour in safe_hours if hour)
    found = conn.execute(
        _QUIET.where(
            sessions.c.form_id.not_in(sorted(without)),
            or_(
                persons.c.safe_hour.in_(named),
                persons.c.safe_hour.is_(None) if None in safe_hours else false(),
            ),
            # A nudge is noted as a timer: where the second is, nothing is left to do.
            ~_noted(2),
            or_(
                sessions.c.changed_at <= second,
                and_(sessions.c.changed_at <= first, ~_noted(1)),
            ),
        )
        .order_by(sessions.c.changed_at, sessions.c.id)
        .limit(limit)
    )
    return [_quiet(row) for row in found]


def quiet_now(conn: Connection, session_ids: Collection[str]) -> dict[str, Quiet]:
    """These sessions by id, as far as they are open."""
    found = conn.execute(_QUIET.where(sessions.c.id.in_(sorted(set(session_ids)))))
    return {row.id: _quiet(row) for row in found}


def unanswered(
    conn: Connection, *, before: datetime, limit: int, without: Collection[str] = ()
) -> list[Quiet]:
    """Open sessions of people we know that two nudges brought no word of, the longest quiet first.

    A nudge that could not go out counts like one that did, but not where she wants none.

    Args:
        conn: Open transaction.
        before: The second nudge was due until then.
        limit: The most to return.
        without: Questionnaires of which nobody is reminded.
    """
    first, second = timers.alias("first"), timers.alias("second")
    asked = _QUIET
    for number, nudge in enumerate((first, second), 1):
        asked = asked.join(nudge, nudge.c.key == "nudge:" + sessions.c.id + f":{number}").where(
            nudge.c.state != "due",
            nudge.c.done_at >= sessions.c.changed_at,
            or_(nudge.c.reason.is_(None), nudge.c.reason.not_in(UNWANTED)),
        )
    found = conn.execute(
        asked.where(
            sessions.c.person_id.is_not(None),
            sessions.c.form_id.not_in(sorted(without)),
            sessions.c.changed_at <= before,
            second.c.done_at <= before,
            addresses.c.opted_out_at.is_(None),
            ~_noted(CALLED),
        )
        .order_by(sessions.c.changed_at, sessions.c.id)
        .limit(limit)
    )
    return [_quiet(row) for row in found]


def key_of(session_id: str, number: int | str) -> str:
    """The key of a nudge, or of what follows two of them: one for ever."""
    return f"nudge:{session_id}:{number}"


def _quiet(r: Any) -> Quiet:
    return Quiet(
        id=r.id,
        address_id=r.address_id,
        person_id=r.person_id,
        household_id=r.household_id,
        channel=r.channel,
        language=r.own_language or r.language,
        safe_hour=r.safe_hour,
        opted_out=r.opted_out_at is not None,
        changed_at=r.changed_at,
        form_id=r.form_id,
        child_id=r.child_id,
        key_id=r.key_id,
    )


def _noted(number: int | str) -> ColumnElement[bool]:
    key = "nudge:" + sessions.c.id + f":{number}"
    return select(timers.c.key).where(timers.c.key == key).exists()


def used_keys(conn: Connection, keys: Collection[str]) -> set[str]:
    """Which of these deterministic keys are used up."""
    if not keys:
        return set()
    return set(conn.execute(select(timers.c.key).where(timers.c.key.in_(sorted(keys)))).scalars())


def sms_of(conn: Connection, person_id: str | None) -> str | None:
    """A usable SMS address of a person, if she has one."""
    if person_id is None:
        return None
    found = conn.execute(
        select(addresses.c.id)
        .join(person_address, person_address.c.address_id == addresses.c.id)
        .where(
            person_address.c.person_id == person_id,
            person_address.c.until_at.is_(None),
            addresses.c.channel == "sms",
            addresses.c.opted_out_at.is_(None),
            addresses.c.bad_at.is_(None),
        )
        .order_by(addresses.c.id)
        .limit(1)
    )
    return found.scalar_one_or_none()


def to_lapse(conn: Connection, *, before: datetime, limit: int) -> list[tuple[str, str]]:
    """Open sessions so long quiet that they count as lapsed: (session, address)."""
    found = conn.execute(
        select(sessions.c.id, sessions.c.address_id)
        .where(sessions.c.status == "open", sessions.c.changed_at <= before)
        .order_by(sessions.c.changed_at)
        .limit(limit)
    )
    return [(r.id, r.address_id) for r in found]
