"""What a person is to answer next: offered when she writes, now or later."""

from datetime import timedelta

from bot.turns import gate, starting
from bot.turns.desk import Desk, Sender
from bot.turns.starting import class_name, class_of, give
from flows.consent import Yes, agreed, stale
from flows.messages import Menu, Part, Phrase
from storage.talk import consents
from storage.talk.conversations import AssignmentRow, PersonRow, children_by_id
from storage.talk.starts import classes_of

WEEK = timedelta(days=7)


def offer(desk: Desk, sender: Sender, *before: Part) -> bool:
    """Offer her what is due most, now or later; False if nothing is."""
    person = sender.person
    if person is None or sender.live is not None:
        return False
    _ensure_class_screens(desk, person)
    row = _next_due(desk, person)
    if row is None:
        return False
    if row.form_id == "enrolment":
        return starting.start(desk, sender, row)
    if row.form_id == "learner" and _week_is_full(desk, person):
        desk.say(sender, *before, Phrase(key="offer.week"))
        return True
    values = _subject(desk, row)
    desk.ask_menu(sender, "offer", row.id, ("now", "later"))
    desk.say(
        sender,
        *before,
        Phrase(key=f"offer.{row.form_id}", values=values),
        Menu(ref=f"m.{row.id}", options=(("now", "offer.now"), ("later", "offer.later"))),
    )
    return True


def answer_offer(desk: Desk, sender: Sender, assignment: str, choice: str) -> None:
    """She said now or later to an offer."""
    sender.address.open_prompt = None
    rows = desk.assignments.get(sender.address.person_id or "", [])
    row = next((r for r in rows if r.id == assignment and r.state in ("due", "withdrawn")), None)
    if choice != "now":
        desk.say(sender, Phrase(key="offer.deferred"))
    elif row is None or not (row.state == "due" and starting.start(desk, sender, row)):
        ended = (_over(desk, row),) if row is not None and row.form_id == "learner" else ()
        if not ended or not offer(desk, sender, *ended):
            desk.say(sender, *(ended or (Phrase(key="idle.welcome"),)))


def _next_due(desk: Desk, person: PersonRow) -> AssignmentRow | None:
    """What is due most among what may be asked; consent is read once for all of it."""
    due = [row for row in desk.assignments.get(person.id, []) if row.state == "due"]
    guarded = {r.child_id for r in due if r.child_id and gate.is_guarded(r.form_id, r.child_id)}
    entries = [entry for entry in gate.entries(desk, guarded) if entry.purpose == "help"]
    asked_again = stale(entries, gate.words(desk.world), person=person.id) if entries else {}
    for row in due:
        child = row.child_id
        if child not in guarded or child is None:
            return row
        if row.form_id == gate.CAREGIVER and child in asked_again:
            return row
        found = gate.may(desk.world, entries, row.form_id, child=child, person=person.id)
        if isinstance(found, Yes):
            return row
    return None


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
    since = desk.now - WEEK
    begun = [
        row
        for row in desk.assignments.get(person.id, [])
        if row.form_id == "learner" and row.offered_at is not None and row.offered_at > since
    ]
    return len(begun) >= desk.world.site.learners_a_week


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
