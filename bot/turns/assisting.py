"""A helper takes a person through her own questionnaire: by phone, face to face, from a sheet.

It is the same session, the same engine and the same judging as by chat; only what is said comes
back to be read aloud, and nothing is sent to her phone. Her next word by chat finds the question
that stands then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection

from bot.turns import closing, danger, gate, talk
from bot.turns.batch import load_for_ended
from bot.turns.desk import Desk, Letter, Live, Sender, Spoken
from bot.turns.judge import judge
from bot.turns.world import World
from flows.consent import FORM, Yes
from flows.crisis import typed_in_crisis
from flows.messages import Ask, Inbound
from flows.sessions import Assisted, Event, Replied
from storage.care import assisting
from storage.schema import addresses
from storage.scope import Scope
from storage.talk import consents
from storage.talk.conversations import SessionRow, lock_addresses_by_id, lock_persons


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What the helper entered, and where the questionnaire stood on her page.

    Attributes:
        person_id: Whose answer it is.
        session_id: The questionnaire.
        rev: Its revision then; at another one the answer is not taken.
        item: What was asked.
        mode: One of `flows.sessions.MODES`.
        helper: Id of the person who helps.
        event: Her reply, that she skips it, or that she goes back.
    """

    person_id: str
    session_id: str
    rev: int
    item: str
    mode: str
    helper: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is to be read to her after an entry.

    Attributes:
        spoken: All that was said, in order, the next question left out.
        taken: Whether the entry counted; False where the conversation had moved on meanwhile.
        over: Whether the questionnaire has ended.
    """

    spoken: Sequence[Spoken]
    taken: bool
    over: bool = False


def standing(
    conn: Connection, world: World, scope: Scope, person_id: str, now: datetime
) -> Live | None:
    """The questionnaire that a helper may go on with now: the newest that may be asked.

    Joining is left out (consent that staff hear is written down on its own), and so are practice,
    lessons, and whatever the ledger does not carry today.
    """
    desk = Desk(conn=conn, world=world, now=now)
    for row in assisting.begun_by(conn, scope, person_id):
        if row.form_id != FORM and row.form_id not in world.library.learning and _may(desk, row):
            live = desk.open_session(row)
            if live.session.asking:
                return live
    return None


def enter(
    conn: Connection, world: World, scope: Scope, entered: Entered, now: datetime
) -> Heard | None:
    """Take an entry: one turn in its own transaction. None where nothing may be asked of her."""
    person_id = entered.person_id
    found = standing(conn, world, scope, person_id, now)
    if found is None:
        return None
    desk = Desk(conn=conn, world=world, now=now)
    desk.addresses = lock_addresses_by_id(conn, [found.row.address_id])
    desk.persons = lock_persons(conn, [person_id])
    # Read again under the lock: she may have written just now.
    found = standing(conn, world, scope, person_id, now)
    address = next(iter(desk.addresses.values()))
    person = desk.persons.get(person_id)
    if found is None or person is None or found.row.address_id != address.id:
        return None
    if (found.row.id, found.session.rev) != (entered.session_id, entered.rev):
        return Heard(spoken=(), taken=False)
    world.vault.ensure([person.household_id])
    live = desk.open_session(found.row)
    spoken: list[Spoken] = []
    sender = Sender(
        letter=_letter(live, entered, now), address=address, person=person, live=live, aloud=spoken
    )
    prompt = address.open_prompt
    if (live.session.mode, live.session.helper) != (entered.mode, entered.helper):
        talk.carry_on(desk, sender, live, Assisted(mode=entered.mode, helper=entered.helper))
        spoken.clear()  # the page that was filled in has asked it already
    taken = live.session.asking[:1] == (entered.item,)
    if taken:
        _take(desk, sender, live, entered.event)
    over = live.session.status != "open"
    ended = over and prompt is not None and prompt.get("ref") == live.row.id
    # What a digit of hers answers by chat stays as it is, unless that has ended.
    desk.writes.change(addresses, address.id, open_prompt=None if ended else prompt)
    desk.writes.flush(conn)
    judge(desk)
    desk.writes.flush(conn)
    return Heard(spoken=_but_the_question(spoken), taken=taken, over=over)


def _take(desk: Desk, sender: Sender, live: Live, event: Event) -> None:
    """The entry itself; words of danger are raised as if she had typed them."""
    if typed_in_crisis(sender.letter.inbound, desk.world.library.crisis):
        danger.raise_once(desk, sender, live.row)
    if isinstance(event, Replied):
        event = replace(event, left_out=gate.left_out(desk, live))
    talk.carry_on(desk, sender, live, event)
    if desk.ended:
        # What she did counts before what follows from it is looked up.
        load_for_ended(desk)
    while desk.ended:
        closing.finish(desk, desk.ended.pop(0))


def _may(desk: Desk, row: SessionRow) -> bool:
    """Whether the ledger carries its questions now, whenever it began."""
    if row.child_id is None or not gate.is_guarded(row.form_id, row.child_id):
        return True
    entries = consents.about(desk.conn, [row.child_id])
    found = gate.may(desk.world, entries, row.form_id, child=row.child_id, person=row.person_id)
    return isinstance(found, Yes)


def _letter(live: Live, entered: Entered, now: datetime) -> Letter:
    """What stands in for a message of hers; none of it is stored."""
    event = entered.event
    inbound = Inbound(
        channel=live.session.channel,
        account="",
        address="",
        message_id="",
        text=event.text if isinstance(event, Replied) else "",
        received_at=now,
    )
    return Letter(inbound=inbound, blind="", digest="", inbox_id="")


def _but_the_question(spoken: Sequence[Spoken]) -> list[Spoken]:
    """The page asks what stands by itself, with its answers to choose from."""
    out = []
    for one in spoken:
        parts = tuple(part for part in one.parts if not isinstance(part, Ask))
        out += [Spoken(parts=parts, session=one.session)] if parts else []
    return out
