"""Correcting what is kept about a person, or marking an answer as disputed (POPIA s24).

The old value stays, sealed, in the request's note. What a child's profile rests on is never edited:
answers are what was said, so one that is called wrong is marked, and the mark is shown with it. A
corrected birth month or sex judges the child anew from the stored answers.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.lists.sheets import phone
from bot.rights.deciding import RequestError, add_note, inform
from bot.turns.desk import Desk
from bot.turns.judge import judge
from bot.turns.world import World
from flows.messages import ChannelName
from storage.families import people
from storage.ids import new_id
from storage.rights import correcting, subjects
from storage.rights.requests import RequestRow
from storage.rights.subjects import Cared
from storage.scope import Scope
from storage.trail import audit

MONTH = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])")
CAPACITIES = ("parent_or_guardian", "carer")
HOURS = ("morning", "midday", "evening")
LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is to be corrected.

    Attributes:
        field: One of `FIELDS`.
        value: The right value, as typed.
        child: Code of the child, for a child's field and `capacity`.
        before: For `number`: the number or chat that is wrong; empty where she has only one.
    """

    field: str
    value: str
    child: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class _Case:
    """One correction under way."""

    conn: Connection
    world: World
    scope: Scope
    row: RequestRow
    asked: Correction
    person_id: str
    now: datetime


def correct(
    conn: Connection,
    world: World,
    scope: Scope,
    row: RequestRow,
    asked: Correction,
    *,
    now: datetime,
) -> str:
    """Correct one value. The old one goes into the request's sealed note; she is to be told.

    Returns:
        What it was before.

    Raises:
        RequestError: It cannot be corrected so; `codes` say why.
    """
    if row.person_id is None:
        raise RequestError("nobody")
    if row.identity_at is None:
        raise RequestError("unproved")
    if asked.field not in FIELDS:
        raise RequestError("field")
    if len(asked.value) > LONGEST:
        raise RequestError("value")
    case = _Case(conn, world, scope, row, asked, row.person_id, now)
    before = FIELDS[asked.field](case)
    _write_down(case, f"{asked.field}: {before or '-'} -> {asked.value.strip()}")
    return before


def dispute(
    conn: Connection,
    world: World,
    scope: Scope,
    row: RequestRow,
    *,
    session_id: str,
    item: str,
    now: datetime,
) -> None:
    """Mark an answer of hers, or about a child of hers, as disputed. Raises RequestError."""
    if row.person_id is None:
        raise RequestError("nobody")
    if row.identity_at is None:
        raise RequestError("unproved")
    mine = {child.id for child in subjects.cared_for(conn, scope, row.person_id)}
    found = correcting.answer_of(conn, session_id=session_id, item=item)
    if found is None or not (found.child_id in mine or found.person_id == row.person_id):
        raise RequestError("answer")
    done = correcting.mark_disputed(
        conn,
        new_id(now),
        session_id=session_id,
        item=item,
        child_id=found.child_id,
        request_id=row.id,
        now=now,
    )
    if not done:
        raise RequestError("disputed")
    case = _Case(
        conn, world, scope, row, Correction(field="answer", value=item), row.person_id, now
    )
    _write_down(case, f"answer {item}: marked as disputed")


def rejudge(conn: Connection, world: World, child_id: str, *, now: datetime) -> int:
    """Judge a child anew in every wave it has a profile of; returns how many."""
    waves = correcting.judged_waves(conn, child_id)
    desk = Desk(conn=conn, world=world, now=now)
    desk.touched |= {(child_id, wave) for wave in waves}
    count = len(desk.touched)
    judge(desk)
    desk.writes.flush(conn)
    return count


def _write_down(case: _Case, text: str) -> None:
    scope, row, now = case.scope, case.row, case.now
    if scope.actor_id is None:
        raise RequestError("nobody")
    add_note(case.conn, case.world.vault, row, text, by=scope.actor_id, now=now)
    entry = audit.row(
        scope, "corrected", "requests", row.id, id=new_id(now), at=now, school_id=row.school_id
    )
    audit.record(case.conn, [entry])
    inform(case.conn, row, what=f"{case.asked.field}:{now:%Y%m%dT%H%M%S}", now=now)


def _child(case: _Case) -> Cared:
    mine = subjects.cared_for(case.conn, case.scope, case.person_id)
    code = case.asked.child.strip().upper()
    found = [child for child in mine if not code or child.code.upper() == code]
    if len(found) != 1:
        raise RequestError("child")
    return found[0]


def _one_of(case: _Case, allowed: tuple[str, ...]) -> str:
    value = case.asked.value.strip().lower()
    if value not in allowed:
        raise RequestError("value")
    return value


def _named(
    case: _Case, table: str, row_id: str, stored: bytes | None, household_id: str | None
) -> tuple[str, bytes | None]:
    """The name before in words, and the right one sealed; an empty one is kept as none."""
    vault, value = case.world.vault, case.asked.value.strip()
    before = vault.open(stored, table=table, column="name", row=row_id) if stored else ""
    if not value:
        return before, None
    key = vault.key_for(household_id)
    return before, vault.seal(value, table=table, column="name", row=row_id, key=key)


def _name(case: _Case) -> str:
    stored = correcting.person(case.conn, case.person_id).name
    before, sealed = _named(case, "persons", case.person_id, stored, case.row.household_id)
    correcting.set_person(case.conn, case.person_id, name=sealed)
    return before


def _child_name(case: _Case) -> str:
    child = _child(case)
    before, sealed = _named(case, "children", child.id, child.name, child.household_id)
    correcting.set_child(case.conn, child.id, name=sealed)
    return before


def _language(case: _Case) -> str:
    value = _one_of(case, case.world.library.offered)
    before = correcting.person(case.conn, case.person_id).language
    correcting.set_person(case.conn, case.person_id, language=value)
    return str(before)


def _shared_phone(case: _Case) -> str:
    value = _one_of(case, ("yes", "no"))
    before = correcting.person(case.conn, case.person_id).shared_phone
    correcting.set_person(case.conn, case.person_id, shared_phone=value == "yes")
    return {None: "", True: "yes", False: "no"}[before]


def _safe_hour(case: _Case) -> str:
    value = _one_of(case, HOURS)
    before = correcting.person(case.conn, case.person_id).safe_hour
    correcting.set_person(case.conn, case.person_id, safe_hour=value)
    return before or ""


def _capacity(case: _Case) -> str:
    child, value = _child(case), _one_of(case, CAPACITIES)
    correcting.set_capacity(case.conn, child_id=child.id, person_id=case.person_id, capacity=value)
    return child.capacity


def _sex(case: _Case) -> str:
    child, value = _child(case), _one_of(case, ("f", "m"))
    correcting.set_child(case.conn, child.id, sex=value)
    rejudge(case.conn, case.world, child.id, now=case.now)
    return child.sex


def _birth_month(case: _Case) -> str:
    child, value = _child(case), case.asked.value.strip()
    this_month = f"{case.now.astimezone(case.world.zone):%Y-%m}"
    if not MONTH.fullmatch(value) or value > this_month:
        raise RequestError("value")
    correcting.set_child(case.conn, child.id, birth_month=value)
    rejudge(case.conn, case.world, child.id, now=case.now)
    return child.birth_month


def _number(case: _Case) -> str:
    """Another number on the same channel: the wrong one is hers no more, the new one is."""
    vault, conn = case.world.vault, case.conn
    mine = {
        vault.open(a.value, table="addresses", column="value", row=a.id): a
        for a in subjects.reached_at(conn, case.person_id)
    }
    wrong = case.asked.before.strip() or (next(iter(mine)) if len(mine) == 1 else "")
    if wrong not in mine:
        raise RequestError("before")
    old = mine[wrong]
    channel: ChannelName = old.channel  # type: ignore[assignment]
    value = _digits(channel, case.asked.value.strip())
    if value in mine:
        raise RequestError("value")
    people.add_address(
        conn,
        person_id=case.person_id,
        channel=channel,
        account=correcting.account_of(conn, old.id),
        value=value,
        vault=vault,
        now=case.now,
        language=correcting.person(conn, case.person_id).language,
    )
    correcting.leave_address(conn, address_id=old.id, person_id=case.person_id, now=case.now)
    return wrong


def _digits(channel: ChannelName, text: str) -> str:
    """A number as we keep it: +27..., or a chat's digits."""
    if channel == "telegram":
        if not text.isascii() or not text.isdecimal():
            raise RequestError("value")
        return text
    found = phone(text)
    if found is None:
        raise RequestError("value")
    return found


FIELDS: Mapping[str, Callable[[_Case], str]] = {
    "name": _name,
    "number": _number,
    "language": _language,
    "shared_phone": _shared_phone,
    "safe_hour": _safe_hour,
    "capacity": _capacity,
    "child_name": _child_name,
    "sex": _sex,
    "birth_month": _birth_month,
}
"""What can be corrected, and how."""
