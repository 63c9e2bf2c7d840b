"""What a person is to answer next: offered when she writes, now or later."""

from datetime import timedelta

from bot.turns import gate, starting, whose
from bot.turns.desk import Desk, Sender
from bot.turns.starting import class_name, class_of, give
from flows.consent import FORM, Yes, agreed, stale
from flows.messages import Menu, Part, Phrase
from storage.talk import consents
from storage.talk.conversations import AssignmentRow, ChildRow, PersonRow, children_by_id
from storage.talk.starts import classes_of

WEEK = timedelta(days=7)


def offer(desk: Desk, sender: Sender, *before: Part) -> bool:
    """Offer her what is due most, now or later; False if nothing is."""
    person = sender.person
    if person is None or sender.live is not None or sender.aloud is not None:
        return False  # whoever is helped is offered what is next once she writes herself
    _ensure_class_screens(desk, person)
    due = may_be_asked(desk, person)
    row = due[0] if due else None
    if row is None or row.form_id == gate.CAREGIVER:
        return _offer_children(desk, sender, _about_children(desk, person, due), *before)
    if row.form_id == "enrolment":
        return starting.start(desk, sender, row, *before, *_after_another(desk, sender, row))
    if row.form_id == "learner" and _week_is_full(desk, person):
        desk.say(sender, *before, Phrase(key="offer.week"))
        return True
    _put(desk, sender, row, Phrase(key=f"offer.{row.form_id}", values=_subject(desk, row)), *before)
    return True


def _after_another(desk: Desk, sender: Sender, row: AssignmentRow) -> tuple[Phrase, ...]:
    """Whom she is to join for, if we know her: a stranger may have a wrong number, and hears less.

    Without it she would take the questions for ones about the child before.
    """
    known = desk.assignments.get(row.person_id, [])
    child = desk.children.get(row.child_id or "")
    known_to_us = any(r.form_id == gate.CAREGIVER and r.state != "due" for r in known)
    return (whose.named(desk, sender, child),) if known_to_us and child is not None else ()


def ask_which(desk: Desk, sender: Sender) -> bool:
    """Let her choose the child that the next questions are about; False if there is no choice."""
    rows = _choices(desk, sender)
    if len(rows) > 1:
        whose.ask(desk, sender, rows)
    return len(rows) > 1


def has_choice(desk: Desk, sender: Sender) -> bool:
    """Whether there is more than one child she may be asked about now."""
    return len(_choices(desk, sender)) > 1


def first_words(desk: Desk, sender: Sender, child: ChildRow) -> tuple[Phrase, ...]:
    """Whom the next questions are about, where they may be about another child as well."""
    others = (row for row in _choices(desk, sender) if row.child_id != child.id)
    return (whose.named(desk, sender, child),) if next(others, None) is not None else ()


def _choices(desk: Desk, sender: Sender) -> list[AssignmentRow]:
    person = sender.person
    return _about_children(desk, person, may_be_asked(desk, person)) if person is not None else []


def _offer_children(desk: Desk, sender: Sender, rows: list[AssignmentRow], *before: Part) -> bool:
    """Offer a caregiver what is due or under way; of several children she chooses one."""
    if not rows:
        return False
    if len(rows) > 1:
        whose.ask(desk, sender, rows, *before)
    else:
        key = "offer.caregiver" if rows[0].state == "due" else "offer.go_on"
        _put(desk, sender, rows[0], Phrase(key=key), *before)
    return True


def _about_children(desk: Desk, person: PersonRow, due: list[AssignmentRow]) -> list[AssignmentRow]:
    """What a caregiver may answer now, a row a child: what is under way first."""
    begun = whose.begun(desk, person)
    known = desk.assignments.get(person.id, [])
    under_way = [row for row in known if row.id in begun and row.state == "open"]
    return [*under_way, *(row for row in due if row.form_id == gate.CAREGIVER)]


def _put(desk: Desk, sender: Sender, row: AssignmentRow, words: Phrase, *before: Part) -> None:
    """Ask whether she wants to answer this now or later."""
    desk.ask_menu(sender, "offer", row.id, ("now", "later"))
    options = (("now", "offer.now"), ("later", "offer.later"))
    desk.say(sender, *before, words, Menu(ref=f"m.{row.id}", options=options))


def answer_offer(desk: Desk, sender: Sender, assignment: str, choice: str) -> None:
    """She said now or later to an offer, or chose a child to be asked about now."""
    chose = (sender.address.open_prompt or {}).get("kind") == whose.KIND
    sender.address.open_prompt = None
    rows = desk.assignments.get(sender.address.person_id or "", [])
    row = next((r for r in rows if r.id == assignment and r.state in ("due", "withdrawn")), None)
    if choice != "now":
        desk.say(sender, Phrase(key="offer.deferred"))
    elif row is None or not _start(desk, sender, row, named=chose):
        ended = (_over(desk, row),) if row is not None and row.form_id == "learner" else ()
        if not ended or not offer(desk, sender, *ended):
            desk.say(sender, *(ended or (Phrase(key="idle.welcome"),)))


def _start(desk: Desk, sender: Sender, row: AssignmentRow, *, named: bool) -> bool:
    """Start what she said yes to; where she chose a child, say first who is meant."""
    child = desk.children.get(row.child_id or "")
    first = (whose.named(desk, sender, child),) if named and child is not None else ()
    return row.state == "due" and starting.start(desk, sender, row, *first)


def may_be_asked(desk: Desk, person: PersonRow) -> list[AssignmentRow]:
    """What is due and may be asked, most urgent first; consent is read once for all of it."""
    due = [row for row in desk.assignments.get(person.id, []) if row.state == "due"]
    due.sort(key=lambda row: row.form_id != FORM)  # joining comes before anything else
    guarded = {r.child_id for r in due if r.child_id and gate.is_guarded(r.form_id, r.child_id)}
    entries = [entry for entry in gate.entries(desk, guarded) if entry.purpose == "help"]
    asked_again = stale(entries, gate.words(desk.world), person=person.id) if entries else {}

    def may(row: AssignmentRow) -> bool:
        child = row.child_id
        if child not in guarded or child is None:
            return True
        if row.form_id == gate.CAREGIVER and child in asked_again:
            return True
        found = gate.may(desk.world, entries, row.form_id, child=child, person=person.id)
        return isinstance(found, Yes)

    return [row for row in due if may(row)]


def _over(desk: Desk, row: AssignmentRow) -> Phrase:
    """The questions about a learner are over; why is nobody's business but the family's."""
    child = children_by_id(desk.conn, [row.child_id or ""]).get(row.child_id or "")
    number = str(child.list_number or "") if child else ""
    return Phrase(key="over.learner", values={"list_number": number})


def was_stopped(desk: Desk, sender: Sender, child_id: str) -> bool:
    """Whether she began the questions about a child and said STOP: JOIN asks for consent anew."""
    rows = desk.assignments.get(sender.address.person_id or "", [])
    return sender.live is None and any(
        row.child_id == child_id and row.form_id == "caregiver" and row.state == "open"
        for row in rows
    )


def has_said_yes(desk: Desk, person: PersonRow, child_id: str) -> bool:
    """Whether her yes to questions about a child stands; if not, JOIN asks for it anew."""
    entries = consents.about(desk.conn, [child_id], purpose="help")
    return child_id in agreed(entries, person=person.id).get("help", ())


def _week_is_full(desk: Desk, person: PersonRow) -> bool:
    """At most so many learners in any seven days: her time is short."""
    return len(_of_the_week(desk, person)) >= desk.world.site.learners_a_week


def _of_the_week(desk: Desk, person: PersonRow) -> list[AssignmentRow]:
    since = desk.now - WEEK
    return [
        row
        for row in desk.assignments.get(person.id, [])
        if row.form_id == "learner" and row.offered_at is not None and row.offered_at > since
    ]


def week_progress(desk: Desk, sender: Sender) -> tuple[Phrase, ...]:
    """How far she is with the learners of this week; nothing where there is only one.

    A learner whose questions are over for another reason counts for nothing.
    """
    person = sender.person
    if person is None:
        return ()
    begun = [row for row in _of_the_week(desk, person) if row.state in ("open", "done")]
    due = [row for row in may_be_asked(desk, person) if row.form_id == "learner"]
    most = max(desk.world.site.learners_a_week, len(begun))
    whole = min(len(begun) + len(due), most)
    done = sum(row.state == "done" for row in begun)
    if whole < 2:  # noqa: PLR2004 - one learner needs no count
        return ()
    return (Phrase(key="progress.learners", values={"done": str(done), "of": str(whole)}),)


def _ensure_class_screens(desk: Desk, person: PersonRow) -> None:
    """A teacher has one class screen a class and wave, from the moment she writes."""
    if person.kind != "teacher":
        return
    for row in classes_of(desk.conn, [person.id]):
        wave = desk.waves.get(row.programme_id)
        if wave is not None and consents.listed_children(desk.conn, row.id, gate.words(desk.world)):
            give(desk, person, "class_screen", wave_id=wave, class_id=row.id)


def _subject(desk: Desk, row: AssignmentRow) -> dict[str, str]:
    """What an offer may say about its subject: a list number or a class, never a name."""
    if row.form_id == "learner":
        child = desk.children[row.child_id or ""]
        return {"list_number": str(child.list_number or "")}
    if row.form_id == "class_screen":
        return {"class_name": class_name(class_of(desk, row.class_id or ""))}
    return {}
