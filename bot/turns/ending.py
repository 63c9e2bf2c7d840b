"""Ending what is asked about a child whose consent ended: for whoever asks, whatever they were at.

Used by a message of hers (`bot.turns.consenting`) and by what staff write down
(`bot.consent.consents`).
"""

from collections.abc import Collection
from datetime import datetime

import structlog

from bot.turns import gate
from bot.turns.desk import Desk, Live
from bot.turns.talk import carry_on_quietly
from flows.calendar import add_working_days, next_allowed
from flows.consent import Entry, Yes, may_write
from flows.messages import LIMITS, ChannelName, Phrase, Prompt
from flows.rendering import render
from flows.sessions import Stopped
from storage.errors import SealBroken
from storage.schema import addresses, assignments, tasks
from storage.talk import consents, underway
from storage.talk.conversations import (
    AddressRow,
    AssignmentRow,
    SessionRow,
    children_by_id,
    lock_addresses_by_id,
    lock_persons,
    unlink,
)

log = structlog.get_logger(__name__)


def lock_others(desk: Desk, children: Collection[str]) -> None:
    """Let everybody who is being asked about these children finish the message under way.

    Their addresses come after the sender's, out of the order of a batch: in the worst case the
    database sees a deadlock, and one of the two batches is run again.
    """
    known = {address.id for address in desk.addresses.values()}
    others = underway.waiting_addresses(desk.conn, children) - known
    if others:
        found = lock_addresses_by_id(desk.conn, others)
        desk.addresses = found | desk.addresses
        theirs = {row.person_id for row in found.values() if row.person_id}
        desk.persons = lock_persons(desk.conn, theirs - set(desk.persons)) | desk.persons


def end_questions(desk: Desk, children: Collection[str], *, by: str) -> set[str]:
    """End every questionnaire about these children that the ledger does not carry any more.

    Args:
        desk: What the batch collected is written already, the ledger's new rows too, and
            `lock_others` was called.
        children: About whom.
        by: The person whose word it was; she hears of it from whoever calls this.

    Returns:
        Ids of the sessions and assignments that ended.
    """
    entries = consents.about(desk.conn, children)
    way = underway.under_way(desk.conn, children)
    ended = [row for row in way.sessions if not _goes_on(desk, entries, row, by)]
    dropped = [row for row in way.assignments if not _stays(desk, entries, row)]
    for given in dropped:
        _drop(desk, given)
    underway.withhold(
        desk.conn,
        address_ids={row.address_id for row in ended},
        keys=[
            *(f"nudge:{row.id}:{number}" for row in ended for number in (1, 2)),
            *(f"invite:{row.id}{again}" for row in dropped for again in ("", ":again")),
        ],
        now=desk.now,
    )
    for row in ended:
        _end(desk, row, tell=row.person_id != by)
    return {row.id for row in ended} | {row.id for row in dropped}


def _goes_on(desk: Desk, entries: list[Entry], row: SessionRow, by: str) -> bool:
    if not gate.is_guarded(row.form_id, row.child_id):
        return row.person_id != by  # joining asks for consent itself: only her own is over
    found = gate.may(
        desk.world, entries, row.form_id, child=row.child_id or "", person=row.person_id
    )
    return isinstance(found, Yes) or found.reason == "old_text"


def _stays(desk: Desk, entries: list[Entry], row: AssignmentRow) -> bool:
    child = row.child_id or ""
    if not gate.is_guarded(row.form_id, row.child_id):
        return may_write(entries, child=child, person=row.person_id)
    found = gate.may(desk.world, entries, row.form_id, child=child, person=row.person_id)
    return isinstance(found, Yes) or found.reason == "old_text"


def _drop(desk: Desk, row: AssignmentRow) -> None:
    desk.writes.change(assignments, row.id, state="withdrawn", ended_at=desk.now)
    for known in desk.assignments.get(row.person_id, []):
        if known.id == row.id:
            known.state = "withdrawn"


def begin_again(desk: Desk, children: Collection[str]) -> None:
    """A yes after a no: what people were to answer about these children is due as before.

    Whether it may be put to each of them the gate says when it is offered.
    """
    for assignment_id in underway.dropped(desk.conn, children):
        desk.writes.change(assignments, assignment_id, state="due", ended_at=None)


def release(desk: Desk, address: AddressRow, person_id: str) -> None:
    """An address is hers no longer: who has it now is nobody we know."""
    vault = desk.world.vault
    address.value = vault.reseal(
        address.value, table="addresses", column="value", row=address.id, key=vault.key_for(None)
    )
    address.person_id = address.key_id = None
    desk.writes.change(addresses, address.id, person_id=None, key_id=None, value=address.value)
    desk.writes.flush(desk.conn)
    unlink(desk.conn, person_id=person_id, address_id=address.id, now=desk.now)


def _end(desk: Desk, row: SessionRow, *, tell: bool) -> None:
    """Stop one session; what was said before counts as after STOP. One that does not open rests."""
    was_open = row.status == "open"
    try:
        live = desk.open_session(row)
        carry_on_quietly(desk, live, Stopped())
    except (KeyError, ValueError, SealBroken):
        log.exception("session_not_readable")
        return
    if row.child_id and row.wave_id and gate.is_guarded(row.form_id, row.child_id):
        desk.touched.add((row.child_id, row.wave_id))
    at = next((a for a in desk.addresses.values() if a.id == row.address_id), None)
    if at is None:
        return
    if at.open_prompt is not None and at.open_prompt.get("ref") == row.id:
        at.open_prompt = None
        desk.writes.change(addresses, at.id, open_prompt=None)
    if tell and was_open:
        _tell(desk, at, live)


def _tell(desk: Desk, at: AddressRow, live: Live) -> None:
    """A neutral sentence to whoever was answering, at an hour at which we may write."""
    row, world = live.row, desk.world
    if row.form_id == "learner":
        number = live.session.context.get("list_number", "")
        phrase = Phrase(key="over.learner", values={"list_number": number})
    else:
        phrase = Phrase(key="over.caregiver", values={"who": world.site.who_calls})
    when = next_allowed(desk.now, zone=world.zone, hours=world.hours(desk.now))
    notice(desk, at, phrase, language=live.session.language, key=f"over:{row.id}", not_before=when)


def notice(
    desk: Desk, at: AddressRow, phrase: Phrase, *, language: str, key: str, not_before: datetime
) -> None:
    """Put one sentence into the outbox as a notice."""
    channel: ChannelName = at.channel  # type: ignore[assignment]
    (message,) = render(
        Prompt(parts=(phrase,)),
        questionnaire=None,
        session=None,
        lexicon=desk.world.library.lexicon(language),
        limits=LIMITS[channel],
    )
    desk.post(at, message, message_class="notice", key=key, not_before=not_before)


def task(
    desk: Desk, kind: str, children: Collection[str], person_id: str, address_id: str | None
) -> None:
    """Staff learn that consent ended: what follows for help and for partners is theirs to do."""
    world, now = desk.world, desk.now
    due = add_working_days(
        now, world.site.working_days_to_call, zone=world.zone, hours=world.hours(now)
    )
    for child in children_by_id(desk.conn, children).values():
        desk.writes.offer(
            tasks,
            id=desk.new_id(),
            key=f"{kind}:{child.id}:{person_id}:{now:%Y%m%dT%H%M%S}",
            kind=kind,
            school_id=child.school_id,
            child_id=child.id,
            person_id=person_id,
            address_id=address_id,
            owner_id=None,
            ref=None,
            state="open",
            opened_at=now,
            due_at=due,
            closed_at=None,
        )
