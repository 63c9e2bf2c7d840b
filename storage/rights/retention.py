"""What has been kept long enough: counted, and deleted, class by class.

A household under a legal hold is left out of every class that may hold anything of its people.
Strangers and departed households have functions of their own (`storage.rights.purge`,
`storage.rights.erasing`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from storage.rights.retention_waves import (
    MOST,
    assessments_due,
    cut_journals,
    departed_due,
    free_address,
    free_child,
    free_person,
    held_households,
    journals_due,
    let_go,
)
from storage.schema import (
    addresses,
    consents,
    delivery_events,
    disputes,
    exports,
    households,
    inbox,
    join_codes,
    kept,
    login_attempts,
    outbox,
    persons,
    requests,
    tasks,
    timers,
    user_codes,
    user_sessions,
)

KEPT_DAY = "retention_day"
"""Under which name the last day stands in `kept`."""


@dataclass(frozen=True, slots=True)
class Due:
    """What of a class has been kept long enough.

    Attributes:
        rows: How many rows (or texts, or households).
        oldest: When the oldest of them ended; None where nothing is due.
    """

    rows: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Rows of one table that end: `ended` is the moment their days count from.

    `values` empties columns instead of deleting the row. `counted` is False for rows that only go
    with others.
    """

    table: Table
    ended: ColumnElement[Any]
    where: ColumnElement[bool]
    values: Mapping[str, Any] | None = None
    counted: bool = True


def _receipts(_now: datetime) -> list[_Part]:
    orphan = ~delivery_events.c.matched
    return [_Part(table=delivery_events, ended=delivery_events.c.at, where=orphan)]


def _letters(now: datetime) -> list[_Part]:
    handled = and_(
        inbox.c.status != "waiting",
        inbox.c.body.is_not(None),
        free_address(inbox.c.address_id, now),
    )
    return [_Part(table=inbox, ended=inbox.c.done_at, where=handled, values={"body": None})]


def _messages(now: datetime) -> list[_Part]:
    final = and_(outbox.c.final_at.is_not(None), free_address(outbox.c.address_id, now))
    words = and_(delivery_events.c.matched, delivery_events.c.outbox_id.is_not(None))
    return [
        _Part(table=outbox, ended=outbox.c.final_at, where=final),
        _Part(
            table=delivery_events,
            ended=delivery_events.c.at,
            where=and_(words, delivery_events.c.outbox_id.not_in(select(outbox.c.id))),
            counted=False,
        ),
    ]


def _timers(_now: datetime) -> list[_Part]:
    done = and_(timers.c.state != "due", timers.c.done_at.is_not(None))
    return [_Part(table=timers, ended=timers.c.done_at, where=done)]


def _tasks(now: datetime) -> list[_Part]:
    done = and_(
        tasks.c.closed_at.is_not(None),
        free_child(tasks.c.child_id, now),
        free_person(tasks.c.person_id, now),
    )
    return [_Part(table=tasks, ended=tasks.c.closed_at, where=done)]


def _codes(now: datetime) -> list[_Part]:
    unused = and_(join_codes.c.claimed_at.is_(None), free_child(join_codes.c.child_id, now))
    return [_Part(table=join_codes, ended=join_codes.c.expires_at, where=unused)]


def _sign_ins(_now: datetime) -> list[_Part]:
    # A session that was never ended by hand is over hours after it was last seen.
    ended = func.coalesce(user_sessions.c.ended_at, user_sessions.c.seen_at)
    spent = func.coalesce(user_codes.c.used_at, user_codes.c.expires_at)
    return [
        _Part(table=login_attempts, ended=login_attempts.c.at, where=true()),
        _Part(table=user_sessions, ended=ended, where=true()),
        _Part(table=user_codes, ended=spent, where=spent.is_not(None)),
    ]


def _files(now: datetime) -> list[_Part]:
    gone = and_(
        exports.c.gone_at.is_not(None),
        or_(exports.c.household_id.is_(None), exports.c.household_id.not_in(held_households(now))),
    )
    return [_Part(table=exports, ended=exports.c.gone_at, where=gone)]


def _requests(now: datetime) -> list[_Part]:
    decided = and_(
        requests.c.decided_at.is_not(None),
        requests.c.state.in_(("granted", "part", "refused")),
        or_(
            requests.c.household_id.is_(None), requests.c.household_id.not_in(held_households(now))
        ),
        ~select(disputes.c.id).where(disputes.c.request_id == requests.c.id).exists(),
        ~select(exports.c.id).where(exports.c.request_id == requests.c.id).exists(),
    )
    return [_Part(table=requests, ended=requests.c.decided_at, where=decided)]


def _proof(_now: datetime) -> list[_Part]:
    """Consents and people that an erasure left; the household's own row stays, which names none."""
    erased = select(persons.c.id).join(households, households.c.id == persons.c.household_id)
    at = (
        select(households.c.erased_at)
        .join(persons, persons.c.household_id == households.c.id)
        .where(persons.c.id == consents.c.person_id)
        .scalar_subquery()
    )
    own = (
        select(households.c.erased_at)
        .where(households.c.id == persons.c.household_id)
        .scalar_subquery()
    )
    gone = erased.where(households.c.erased_at.is_not(None))
    return [
        _Part(table=consents, ended=at, where=consents.c.person_id.in_(gone)),
        _Part(
            table=persons,
            ended=own,
            where=and_(
                own.is_not(None),
                ~select(consents.c.id).where(consents.c.person_id == persons.c.id).exists(),
            ),
            counted=False,
        ),
    ]


PARTS: Mapping[str, Callable[[datetime], list[_Part]]] = {
    "receipts": _receipts,
    "letters": _letters,
    "messages": _messages,
    "timers": _timers,
    "tasks": _tasks,
    "codes": _codes,
    "sign_ins": _sign_ins,
    "files": _files,
    "requests": _requests,
    "proof": _proof,
}
"""Classes that are nothing but rows; in each, what refers comes before what it refers to."""


def due(conn: Connection, name: str, *, before: datetime, now: datetime) -> Due:
    """What of a class ended before a moment. Changes nothing."""
    if name in COUNTS:
        return Due(*conn.execute(COUNTS[name](before, now)).one())
    rows, oldest = 0, []
    for part in PARTS[name](now):
        if part.counted:
            found = _count_part(conn, part, before)
            rows += found.rows
            oldest += [found.oldest] if found.oldest else []
    return Due(rows=rows, oldest=min(oldest, default=None))


def end(conn: Connection, name: str, *, before: datetime, now: datetime) -> int:
    """Delete what of a class ended before a moment; at most `MOST` rows a table and call.

    Returns:
        How many rows (or texts) were let go; 0 when nothing is left.
    """
    if name in ENDS:
        return ENDS[name](conn, before, now)
    return sum(_end_part(conn, part, before) for part in PARTS[name](now))


def last_day(conn: Connection) -> str:
    """The day on which everything due was last let go; empty before the first."""
    return str(conn.execute(select(kept.c.value).where(kept.c.name == KEPT_DAY)).scalar() or "")


def note_day(conn: Connection, day: str, *, now: datetime) -> None:
    """Everything due was let go on this day."""
    conn.execute(delete(kept).where(kept.c.name == KEPT_DAY))
    conn.execute(insert(kept).values(name=KEPT_DAY, value=day, at=now))


def _count_part(conn: Connection, part: _Part, before: datetime) -> Due:
    query = select(func.count(), func.min(part.ended)).select_from(part.table)
    return Due(*conn.execute(query.where(part.where, part.ended < before)).one())


def _end_part(conn: Connection, part: _Part, before: datetime) -> int:
    keys = list(part.table.primary_key.columns)
    found = conn.execute(
        select(*keys).where(part.where, part.ended < before).order_by(*keys).limit(MOST)
    ).all()
    if not found:
        return 0
    (key,) = keys
    hit = key.in_([row[0] for row in found])
    if part.values is not None:
        conn.execute(update(part.table).where(hit).values(part.values))
    else:
        conn.execute(delete(part.table).where(hit))
    return len(found)


def _strangers(before: datetime, _now: datetime) -> Select[int, Any]:
    heard = func.coalesce(addresses.c.last_inbound_at, addresses.c.created_at)
    return select(func.count(), func.min(heard)).where(
        addresses.c.person_id.is_(None),
        addresses.c.opted_out_at.is_(None),
        heard < before,
        addresses.c.created_at < before,
    )


COUNTS: Mapping[str, Callable[[datetime, datetime], Select[int, Any]]] = {
    "journals": journals_due,
    "assessments": assessments_due,
    "departed": departed_due,
    "strangers": _strangers,
}
ENDS: Mapping[str, Callable[[Connection, datetime, datetime], int]] = {
    "journals": cut_journals,
    "assessments": let_go,
}
