"""One transaction for everything that waits: statuses, outcomes, letters in rounds, a claim.

Locks are taken in one order everywhere: provider ids, addresses, people, sessions, then the
children that are judged; each kind sorted. A person's messages are folded one a round, so the
second is read against the state after the first.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bot.care.recipients import told_roles
from bot.sending.envelopes import dump_inbound
from bot.turns import acts, closing, dialling, gate, guarding, learning, whose
from bot.turns.desk import Desk, Letter, Live, Sender
from bot.turns.judge import judge
from bot.turns.leasing import lease_replies
from bot.turns.strangers import greet
from bot.turns.twins import recognise
from bot.turns.world import World
from flows.routing import AlertList, AlertReply, Intent, Join, route
from storage.care.raising import offered_to
from storage.errors import KeyGone
from storage.keyring.reindex import lock_by_either
from storage.schema import addresses, inbox
from storage.talk.conversations import (
    AddressRow,
    assignments_of,
    children_by_id,
    lock_addresses,
    lock_persons,
    mark_seen,
    still_waiting,
    unfinished_sessions,
)
from storage.talk.joining import joins
from storage.talk.outbox import Claimed, Outcome, StatusRow, claim, note
from storage.talk.receipts import adopt_orphans, note_statuses
from storage.talk.starts import current_waves


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one commit carries.

    Attributes:
        letters: Messages of people, in order of arrival.
        outcomes: What became of sends.
        statuses: Providers' words on sends.
        claim: How many due messages to lease; 0 for none.
        me: This worker's name on leases.
    """

    letters: Sequence[Letter] = ()
    outcomes: Sequence[Outcome] = ()
    statuses: Sequence[StatusRow] = ()
    claim: int = 0
    me: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a commit gave back: leased messages, and how many letters were new."""

    claimed: list[Claimed] = field(default_factory=list)
    withheld: list[Claimed] = field(default_factory=list)
    fresh: int = 0


def run(conn: Connection, work: Work, *, world: World, now: datetime) -> Done:
    """Do the work. Called inside a transaction; may be called again if it lost a race."""
    note(conn, work.outcomes, now=now)
    adopt_orphans(conn, [o.provider_id for o in work.outcomes if o.provider_id], now=now)
    note_statuses(conn, work.statuses, now=now)
    fresh = _fresh(conn, work.letters)
    mine: list[Claimed] = []
    if fresh:
        desk = Desk(conn=conn, world=world, now=now, me=work.me)
        _meet(desk, fresh)
        rounds = _rounds(fresh)
        # Where she wrote twice, the second message may still take back what answers the first.
        most = work.claim if len(rounds) == 1 else 0
        for letters in rounds:
            _round(desk, letters)
            mine += lease_replies(desk, me=work.me, most=most)
            desk.writes.flush(conn)
        judge(desk)
        desk.writes.flush(conn)
    room = work.claim - len(mine)
    claimed, withheld = claim(conn, me=work.me, now=now, most=room) if room > 0 else ([], [])
    return Done(claimed=[*mine, *claimed], withheld=withheld, fresh=len(fresh))


def _fresh(conn: Connection, letters: Sequence[Letter]) -> list[Letter]:
    """Letters never seen before, or tried again; a repeated delivery is dropped here."""
    keys = {(x.inbound.channel, x.inbound.account, x.digest) for x in letters if x.again is None}
    new = mark_seen(conn, keys)
    # Two workers may try the same stored message: whoever comes second finds it handled.
    waiting = still_waiting(conn, [x.inbox_id for x in letters if x.again is not None])
    out = []
    for letter in letters:
        if letter.again is not None:
            out += [letter] if letter.inbox_id in waiting else []
        elif letter.digest in new:
            new.discard(letter.digest)
            out.append(letter)
    return out


def _meet(desk: Desk, letters: Sequence[Letter]) -> None:
    """Lock and load everybody who wrote; strangers get an address row."""
    conn = desk.conn
    find = lock_by_either if desk.world.vault.rotating else lock_addresses
    desk.addresses = find(conn, map(_key, letters))
    greet(desk, letters)
    desk.writes.flush(conn)
    recognise(desk, letters)
    known = {a.person_id for a in desk.addresses.values() if a.person_id}
    desk.persons = lock_persons(conn, known)
    desk.world.vault.ensure(person.household_id for person in desk.persons.values())
    for row in unfinished_sessions(conn, known, (a.id for a in desk.addresses.values())):
        with suppress(KeyGone):  # of a stranger who was forgotten: she begins anew
            desk.open_session(row)


def _key(letter: Letter) -> tuple[str, str, str]:
    return letter.inbound.channel, letter.inbound.account, letter.blind


def _rounds(letters: Sequence[Letter]) -> list[list[Letter]]:
    """One message a person and round, in order of arrival."""
    rounds: list[list[Letter]] = []
    seen: dict[str, int] = {}
    for letter in letters:
        place = seen.get(letter.blind, 0)
        seen[letter.blind] = place + 1
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(letter)
    return rounds


def _round(desk: Desk, letters: Sequence[Letter]) -> None:
    begun = _begun(desk)
    senders = [_sender(desk, letter, begun) for letter in letters]
    _load_staff(desk, senders)
    routed = [(s, _intent(desk, s)) for s in senders if not _queues_behind(desk, s)]
    _load_for(desk, routed)
    for sender, intent in routed:
        if guarding.lets_in(desk, sender, intent):
            acts.act(desk, sender, intent)
            guarding.note(sender, intent)
    load_for_ended(desk)
    while desk.ended:
        closing.finish(desk, desk.ended.pop(0))
    for sender, _ in routed:
        if sender.channel == "ussd":
            dialling.show(desk, sender)
        _close_letter(desk, sender)


def _begun(desk: Desk) -> dict[str, list[Live]]:
    """Unfinished sessions by address and by person, oldest first."""
    begun: dict[str, list[Live]] = {}
    for live in desk.live.values():
        if live.row.status in ("open", "lapsed"):
            for owner in {live.row.address_id, live.row.person_id or ""}:
                begun.setdefault(owner, []).append(live)
    return begun


def _sender(desk: Desk, letter: Letter, begun: Mapping[str, list[Live]]) -> Sender:
    address = desk.addresses[letter.blind]
    person = desk.persons.get(address.person_id or "")
    mine = [*begun.get(address.id, ()), *(begun.get(person.id, ()) if person else ())]
    asked = address.open_prompt["ref"] if address.open_prompt else ""
    newest = max(mine, key=lambda live: live.row.id, default=None)
    live = next((x for x in mine if x.row.id == asked), newest)
    return Sender(letter=letter, address=address, person=person, live=live)


def _queues_behind(desk: Desk, sender: Sender) -> bool:
    """Behind a message of hers that is being retried, later ones wait their turn."""
    if sender.address.stuck == 0 or sender.letter.again is not None:
        return False
    _store(desk, sender.letter, sender.address, status="waiting", retry_at=desk.now)
    return True


def _load_staff(desk: Desk, senders: Sequence[Sender]) -> None:
    staff = {s.person.id for s in senders if s.person and s.person.kind == "staff"}
    if staff:
        offered = offered_to(desk.conn, staff, roles=told_roles(desk.world.policy))
        for sender in senders:
            if sender.person is not None:
                sender.staff_alerts = offered.get(sender.person.id, ())


def _intent(desk: Desk, sender: Sender) -> Intent:
    library = desk.world.library
    return route(
        sender.conversation(),
        sender.letter.inbound,
        keywords=library.keywords,
        lexicons=[library.lexicons[tag] for tag in library.offered],
        crisis=library.crisis,
    )


def _load_for(desk: Desk, routed: Sequence[tuple[Sender, Intent]]) -> None:
    """What the intents of this round need: JOIN codes, and what idle people are to answer."""
    desk.ledger.clear()  # the round before may have written to it
    blind = desk.world.vault.blind
    codes = [blind("join", i.code) for _, i in routed if isinstance(i, Join)]
    desk.joins.update(joins(desk.conn, codes))
    idle = {
        s.person.id
        for s, i in routed
        if s.person is not None
        and (s.live is None or learning.is_one(desk, s.live) or whose.matters(desk, s, i))
        and not isinstance(i, AlertReply | AlertList)
    }
    _load_assignments(desk, idle)


def load_for_ended(desk: Desk) -> None:
    """What the closing words of questionnaires that ended need to know."""
    if not desk.ended:
        return
    wanted = {e.live.row.child_id for e in desk.ended} - {None} - set(desk.children)
    desk.children.update(children_by_id(desk.conn, [c for c in wanted if c]))
    _load_assignments(desk, {e.sender.person.id for e in desk.ended if e.sender.person})
    about = (desk.children.get(e.live.row.child_id or "") for e in desk.ended)
    missing = {child.programme_id for child in about if child} - set(desk.waves)
    if missing:
        desk.waves.update(current_waves(desk.conn, missing, desk.now))


def _load_assignments(desk: Desk, person_ids: set[str]) -> None:
    """Assignments of these people with the children they are about and the open waves."""
    if not person_ids:
        return
    for person_id in person_ids:
        desk.assignments[person_id] = []
    for row in assignments_of(desk.conn, person_ids):
        desk.assignments[row.person_id].append(row)
    due = [r for p in person_ids for r in desk.assignments[p] if r.state in ("due", "open")]
    wanted = {r.child_id for r in due if r.child_id} - set(desk.children)
    desk.children.update(children_by_id(desk.conn, wanted))
    gate.read(
        desk, {r.child_id for r in due if r.child_id and gate.is_guarded(r.form_id, r.child_id)}
    )
    programmes = {desk.persons[p].programme_id for p in person_ids if p in desk.persons}
    missing = programmes - set(desk.waves)
    if missing:
        desk.waves.update(current_waves(desk.conn, missing, desk.now))


def _close_letter(desk: Desk, sender: Sender) -> None:
    """The message is handled: it rests in the inbox, and her address remembers the moment."""
    letter, address = sender.letter, sender.address
    address.last_inbound_at = letter.inbound.received_at
    desk.writes.change(
        addresses,
        address.id,
        last_inbound_at=address.last_inbound_at,
        open_prompt=address.open_prompt,
        guard=address.guard,
        bad_at=None,
    )
    if letter.again is None:
        kept = sender.for_staff
        _store(desk, letter, address, status="done", done_at=desk.now, for_staff=kept)
    else:
        desk.writes.change(
            inbox,
            letter.inbox_id,
            status="done",
            done_at=desk.now,
            retry_at=None,
            for_staff=sender.for_staff,
        )
        address.stuck = max(0, address.stuck - 1)
        desk.writes.change(addresses, address.id, stuck=address.stuck)


def _store(
    desk: Desk,
    letter: Letter,
    address: AddressRow,
    *,
    status: str,
    done_at: datetime | None = None,
    retry_at: datetime | None = None,
    for_staff: bool = False,
) -> None:
    if status == "waiting":
        address.stuck += 1
        desk.writes.change(addresses, address.id, stuck=address.stuck)
    inbound = letter.inbound
    desk.writes.insert(
        inbox,
        id=letter.inbox_id,
        address_id=address.id,
        channel=inbound.channel,
        account=inbound.account,
        status=status,
        attempts=0,
        body=desk.world.vault.seal(
            dump_inbound(inbound),
            table="inbox",
            column="body",
            row=letter.inbox_id,
            key=desk.key_of(address),
        ),
        error=None,
        for_staff=for_staff,
        sent_at=inbound.sent_at,
        received_at=inbound.received_at,
        retry_at=retry_at,
        done_at=done_at,
    )


def park(conn: Connection, letter: Letter, *, world: World, now: datetime) -> None:
    """A message whose handling raised: kept as waiting, to be tried again by the clock."""
    desk = Desk(conn=conn, world=world, now=now)
    if not _fresh(conn, [letter]):
        return
    find = lock_by_either if world.vault.rotating else lock_addresses
    desk.addresses = find(conn, [_key(letter)])
    greet(desk, [letter])
    address = desk.addresses[letter.blind]
    desk.persons = lock_persons(conn, [address.person_id] if address.person_id else [])
    _store(desk, letter, address, status="waiting", retry_at=now)
    desk.writes.flush(conn)
