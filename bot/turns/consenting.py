"""A yes taken back, a no, and a yes asked for once more: what follows, and what she hears.

What follows is the same however it was said: nothing more is asked about the child by anybody the
ledger does not allow, what waited to go out is withheld, staff get a task. Alerts, and what the law
makes us report, stay as they are.
"""

from collections.abc import Collection, Mapping

import structlog

from bot.turns import gate, starting, talk, upnext
from bot.turns.desk import Desk, Live, Sender
from bot.turns.ending import end_questions, lock_others, task
from bot.turns.promising import helplines
from flows.consent import (
    ASKED,
    Entry,
    No,
    Purpose,
    Word,
    Yes,
    agreed,
    digests,
    partners_version,
    stale,
)
from flows.keywords import Action
from flows.messages import Menu, Part, Phrase
from flows.routing import (
    AnswerTo,
    Called,
    Change,
    Command,
    Intent,
    Join,
    MenuReply,
    Opened,
    RestartReply,
    SwitchLanguage,
    Unreadable,
)
from flows.sessions import Lapsed, Resumed, Stopped
from storage.schema import assignments
from storage.talk import consents
from storage.talk.conversations import ChildRow, children_by_id

EVERYTHING: tuple[Purpose, ...] = (*ASKED, "contact")
IN_PART: tuple[Purpose, ...] = ("partners", "research")
"""What can be taken back alone; without `help` the rest means nothing."""
GOES_ON: tuple[Action, ...] = ("help", "back", "skip", "join", "call")
"""Key words that are answered with the open question."""

log = structlog.get_logger(__name__)


def given(desk: Desk, live: Live, person_id: str, *, capacity: str) -> consents.Given:
    """How consent was given in a joining questionnaire that has ended."""
    session, library = live.session, desk.world.library
    named = session.context.get("partners", "")
    return consents.Given(
        person_id=person_id,
        capacity=capacity,
        version=live.row.version,
        texts=digests(library.lexicon(session.language, live.row.version).texts),
        language=session.language,
        channel=session.channel,
        mode=session.mode,
        partners=partners_version(named.split(", ")) if named else "",
        at=desk.now,
        now=desk.now,
    )


def ask(desk: Desk, sender: Sender) -> None:
    """TAKE BACK: which part of her yes; after STOP all of it, since she may not hear a menu."""
    yes = _agreed(desk, sender)
    if not yes:
        _go_on(desk, sender, Phrase(key="withdraw.none"))
        return
    if sender.address.opted_out_at is not None:
        take_back(desk, sender, "all")
        return
    options = ("all", *(p for p in IN_PART if p in yes), "nothing")
    desk.ask_menu(sender, "withdraw", "withdraw", options)
    menu = Menu(ref="m.withdraw", options=tuple((o, f"withdraw.{o}") for o in options))
    desk.say(sender, Phrase(key="withdraw.ask"), menu)


def take_back(desk: Desk, sender: Sender, choice: str) -> None:
    """Her choice: everything, a part, or nothing. One confirmation, and then as before."""
    sender.address.open_prompt = None
    yes = _agreed(desk, sender)
    purposes: tuple[Purpose, ...] = tuple(p for p in EVERYTHING if choice in ("all", p))
    if not purposes or not any(p in yes for p in purposes):
        _go_on(desk, sender, Phrase(key="withdraw.kept" if yes else "withdraw.none"))
        return
    _withdraw(desk, sender, {p: yes[p] for p in purposes if p in yes})
    if choice == "all":
        desk.say(sender, Phrase(key="withdraw.done"))
    else:
        _go_on(desk, sender, Phrase(key=f"withdraw.{choice}_done"))


def refuse(desk: Desk, sender: Sender, live: Live, children: Collection[str]) -> None:
    """Somebody we know said no: her no stands in the ledger, and what she had agreed to ends."""
    person = sender.person
    if person is None:
        return
    desk.writes.flush(desk.conn)
    lock_others(desk, children)
    about = [e for e in consents.said_by(desk.conn, [person.id]) if e.child in children]
    yes = agreed(about, person=person.id)
    how = given(desk, live, person.id, capacity=capacity_of(about))
    rows = [
        consents.row(how, id=desk.new_id(), child_id=child, purpose="help", word="no")
        for child in sorted(children)
    ]
    for purpose in EVERYTHING:
        if purpose != "help":
            rows += _rows(desk, how, purpose, yes.get(purpose, ()), "withdrawn")
    consents.write(desk.conn, rows)
    desk.ledger.clear()
    _leave(sender, end_questions(desk, children, by=person.id))
    if "help" in yes:
        task(desk, "consent_withdrawn", yes["help"], person.id, sender.address.id)


def answered_again(desk: Desk, sender: Sender, live: Live) -> None:
    """She read the new words: her answer counts for all her children with a yes to older ones."""
    person = sender.person
    if person is None:
        return
    said = {name: answer.value for name, answer in live.session.answers.items()}
    asked = live.session.context["again"].split()
    entries = consents.said_by(desk.conn, [person.id])
    if "help" in asked and said.get("consent_help") != "yes":
        refuse(desk, sender, live, {e.child for e in entries if e.child})
        desk.say(sender, Phrase(key="again.refused"), *helplines(desk.world.site))
        return
    rows = []
    for child, purposes in stale(entries, gate.words(desk.world), person=person.id).items():
        how = given(desk, live, person.id, capacity=capacity_of(entries, child))
        for purpose in (p for p in purposes if p in asked):
            word: Word = "yes" if said.get(f"consent_{purpose}") == "yes" else "no"
            rows += _rows(desk, how, purpose, (child,), word)
    consents.write(desk.conn, rows)
    desk.ledger.clear()
    _take_up(desk, sender, live, Phrase(key="again.done"))


def _take_up(desk: Desk, sender: Sender, live: Live, thanks: Part) -> None:
    """Back to what she was asked when the words changed, or to what she wanted to begin."""
    person, child_id = sender.person, live.row.child_id
    mine = [
        one
        for one in desk.live.values()
        if one.row.status in ("open", "lapsed")
        and one.row.form_id == gate.CAREGIVER
        and person is not None
        and one.row.person_id == person.id
    ]
    if mine:
        sender.live = max(mine, key=lambda one: (one.row.child_id == child_id, one.row.id))
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel), thanks)
        return
    rows = desk.assignments.get(person.id if person else "", [])
    wanted = [
        row
        for row in rows
        if row.form_id == gate.CAREGIVER and row.child_id == child_id and row.state == "due"
    ]
    if wanted and starting.start(desk, sender, wanted[0], thanks):
        return
    if not upnext.offer(desk, sender, thanks):
        desk.say(sender, thanks, *helplines(desk.world.site))


def held_back(desk: Desk, sender: Sender, intent: Intent) -> bool:
    """Whether the questionnaire she is in may not go on as it is; then she has been told.

    What began under today's words goes on without a look at the ledger: a withdrawal ends it at
    once. What was left for days, or began under older words, is looked up first.
    """
    live = sender.live
    if live is not None and live.row.status not in ("open", "lapsed"):
        live = sender.live = None  # ended by somebody else's message in this same batch
    if live is None or live.row.child_id is None or not _asks(intent):
        return False
    row, child_id = live.row, live.row.child_id
    older = row.id < desk.world.library.consent_since.get("id", "")
    if not (older or row.status == "lapsed") or not gate.is_guarded(row.form_id, child_id):
        return False
    entries = consents.about(desk.conn, [child_id])
    found = gate.may(desk.world, entries, row.form_id, child=child_id, person=row.person_id)
    if isinstance(found, Yes):
        return False
    child = children_by_id(desk.conn, [child_id])[child_id]
    if found.reason != "old_text" or not _asked_again(desk, sender, live, child, entries):
        _put_off(desk, sender, live, child, found)
    return True


def _asked_again(
    desk: Desk, sender: Sender, live: Live, child: ChildRow, entries: list[Entry]
) -> bool:
    """Her questionnaire rests while she reads the new words."""
    if live.row.form_id != gate.CAREGIVER:
        return False
    if not starting.ask_again(desk, sender, child, entries):
        return False
    if live.row.status == "open":
        talk.carry_on_quietly(desk, live, Lapsed())
    return True


def _put_off(desk: Desk, sender: Sender, live: Live, child: ChildRow, found: No) -> None:
    """It ends here. Where only the words changed it is due again once the family has said yes."""
    row = live.row
    talk.carry_on_quietly(desk, live, Stopped())
    sender.live, sender.address.open_prompt = None, None
    if row.child_id and row.wave_id:
        desk.touched.add((row.child_id, row.wave_id))
    if row.assignment_id:
        state = "due" if found.reason == "old_text" else "withdrawn"
        desk.writes.change(assignments, row.assignment_id, state=state)
    desk.say(sender, over(desk, row.form_id, child))


def over(desk: Desk, form_id: str, child: ChildRow) -> Phrase:
    """That the questions have ended, and not why."""
    if form_id == "learner":
        return Phrase(key="over.learner", values={"list_number": str(child.list_number or "")})
    return Phrase(key="over.caregiver", values={"who": desk.world.site.who_calls})


def _asks(intent: Intent) -> bool:
    match intent:
        case AnswerTo() | SwitchLanguage() | Join() | Called() | Opened():
            return True
        case Change() | RestartReply() | Unreadable():
            return True
        case MenuReply(choice=choice):
            return choice == "go_on"
        case Command(action=action):
            return action in GOES_ON
        case _:
            return False


def _agreed(desk: Desk, sender: Sender) -> dict[Purpose, tuple[str, ...]]:
    """What she can take back."""
    if sender.person is None:
        return {}
    entries = consents.said_by(desk.conn, [sender.person.id])
    return agreed(entries, person=sender.person.id)


def _withdraw(desk: Desk, sender: Sender, what: Mapping[Purpose, tuple[str, ...]]) -> None:
    person = sender.person
    if person is None:
        return
    children = {child for found in what.values() for child in found}
    desk.writes.flush(desk.conn)
    if "help" in what:
        lock_others(desk, children)
    how = consents.Given(
        person_id=person.id,
        capacity=capacity_of(consents.said_by(desk.conn, [person.id])),
        version=desk.world.library.current["enrolment"],
        texts={},
        language=sender.language,
        channel=sender.channel,
        mode="self",
        partners="",
        at=desk.now,
        now=desk.now,
    )
    rows = [row for p, found in what.items() for row in _rows(desk, how, p, found, "withdrawn")]
    consents.write(desk.conn, rows)
    desk.ledger.clear()
    if "help" in what:
        _leave(sender, end_questions(desk, children, by=person.id))
        task(desk, "consent_withdrawn", what["help"], person.id, sender.address.id)
    elif "partners" in what:
        task(desk, "partners_withdrawn", what["partners"], person.id, sender.address.id)


def _leave(sender: Sender, ended: Collection[str]) -> None:
    """She is in no questionnaire any more that has ended."""
    if sender.live is not None and sender.live.row.id in ended:
        sender.live = None
    asked = sender.address.open_prompt
    if asked is not None and asked.get("ref") in ended:
        sender.address.open_prompt = None


def _rows(
    desk: Desk, how: consents.Given, purpose: Purpose, children: Collection[str], word: Word
) -> list[dict[str, object]]:
    return [
        consents.row(how, id=desk.new_id(), child_id=child, purpose=purpose, word=word)
        for child in sorted(children)
    ]


def capacity_of(entries: Collection[Entry], child: str = "") -> str:
    """As what she spoke last (for a child)."""
    mine = [e for e in entries if not child or e.child == child]
    known = [e for e in mine if e.capacity not in ("", "unknown")]
    return max(known or mine, key=lambda e: e.at).capacity if mine else "unknown"


def _go_on(desk: Desk, sender: Sender, *before: Part) -> None:
    """Say it, and ask again what was open."""
    if sender.live is not None and sender.address.opted_out_at is None:
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel), *before)
    else:
        desk.say(sender, *before)
