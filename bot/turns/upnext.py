"""What a person is to answer next: offering it, starting it, closing what has ended."""

from datetime import timedelta

from bot.turns import enrol, talk
from bot.turns.desk import Desk, Ended, Live, Sender
from flows.messages import Menu, Part, Phrase
from scoring.screen import named, to_ask
from storage.conversations import AssignmentRow, ChildRow, PersonRow
from storage.schema import assignments
from storage.starts import (
    ClassRow,
    classes_by_id,
    classes_of,
    consented_children,
    known_answers,
    school_name,
)

WEEK = timedelta(days=7)
FIRST = {"class_screen": 0, "caregiver": 0, "enrolment": 0, "learner": 5}
"""Priority of a questionnaire among what a person is to answer; learners by how often named."""


def begin_caregiver(desk: Desk, sender: Sender, child: ChildRow) -> None:
    """Consent stands: the core starts in the same breath."""
    wave = desk.waves.get(child.programme_id)
    if wave is None or sender.person is None:
        desk.say(sender, Phrase(key="done.other"))
        return
    row = give(desk, sender.person, "caregiver", wave_id=wave, child=child)
    _start_caregiver(desk, sender, row, child, before=(Phrase(key="enrol.done"),))


def give(
    desk: Desk,
    person: PersonRow,
    form_id: str,
    *,
    wave_id: str,
    child: ChildRow | None = None,
    class_id: str | None = None,
    reason: str | None = None,
    priority: int | None = None,
) -> AssignmentRow:
    """Give her a questionnaire to answer; the key makes it once a wave."""
    subject = child.id if child else class_id
    key = f"{form_id}:{wave_id}:{subject}:{person.id}"
    known = desk.assignments.setdefault(person.id, [])
    for row in known:
        if row.key == key:
            return row
    row = AssignmentRow(
        id=desk.new_id(),
        key=key,
        person_id=person.id,
        child_id=child.id if child else None,
        class_id=class_id,
        wave_id=wave_id,
        form_id=form_id,
        state="due",
        reason=reason,
        priority=FIRST[form_id] if priority is None else priority,
        created_at=desk.now,
        offered_at=None,
    )
    known.append(row)
    known.sort(key=lambda r: (r.priority, r.id))
    desk.writes.offer(
        assignments,
        **{name: getattr(row, name) for name in AssignmentRow.__slots__},
        ended_at=None,
    )
    return row


def offer(desk: Desk, sender: Sender, *before: Part) -> bool:
    """Offer her what is due most, now or later; False if nothing is."""
    person = sender.person
    if person is None or sender.live is not None:
        return False
    _ensure_class_screens(desk, person)
    row = next((r for r in desk.assignments.get(person.id, []) if r.state == "due"), None)
    if row is None:
        return False
    if row.form_id == "enrolment":
        return _start(desk, sender, row)
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
    row = next((r for r in rows if r.id == assignment and r.state == "due"), None)
    if choice != "now":
        desk.say(sender, Phrase(key="offer.deferred"))
    elif row is None or not _start(desk, sender, row):
        desk.say(sender, Phrase(key="idle.welcome"))


def was_stopped(desk: Desk, sender: Sender, child_id: str) -> bool:
    """Whether she began the questions about a child and said STOP: JOIN asks for consent anew."""
    rows = desk.assignments.get(sender.address.person_id or "", [])
    return sender.live is None and any(
        row.child_id == child_id and row.form_id == "caregiver" and row.state == "open"
        for row in rows
    )


def finish(desk: Desk, ended: Ended) -> None:
    """A questionnaire is complete: close it kindly and see what comes next."""
    sender, live = ended.sender, ended.live
    sender.live = None
    if live.row.assignment_id:
        _end_assignment(desk, sender, live.row.assignment_id)
    if live.row.form_id == "enrolment":
        child = desk.children.get(live.row.child_id or "")
        if child is not None:
            enrol.finish(desk, sender, live, child)
        return
    touch(desk, live)
    if live.row.form_id == "class_screen":
        _give_learners(desk, sender, live)
    closing = _closing(desk, live)
    if not offer(desk, sender, *closing):
        desk.say(sender, *closing)


def touch(desk: Desk, live: Live) -> None:
    """Its answers are to be judged at the end of this batch."""
    row = live.row
    if row.child_id and row.wave_id and row.form_id != "enrolment":
        desk.touched.add((row.child_id, row.wave_id))
    if row.class_id and row.wave_id:
        desk.screened.add((row.class_id, row.wave_id))


def _closing(desk: Desk, live: Live) -> tuple[Part, ...]:
    form = live.row.form_id
    if form == "caregiver":
        words: list[Part] = [Phrase(key="done.caregiver", values={"day": enrol.call_day(desk)})]
        lines = "; ".join(f"{h.name} {h.number}" for h in desk.world.site.helplines)
        if lines:
            words.append(Phrase(key="done.helplines", values={"helplines": lines}))
        return tuple(words)
    if form == "learner":
        number = live.session.context.get("list_number", "")
        return (Phrase(key="done.learner", values={"list_number": number}),)
    return (Phrase(key="done.class_screen" if form == "class_screen" else "done.other"),)


def _end_assignment(desk: Desk, sender: Sender, assignment_id: str) -> None:
    for row in desk.assignments.get(sender.address.person_id or "", []):
        if row.id == assignment_id:
            row.state = "done"
    desk.writes.change(assignments, assignment_id, state="done", ended_at=desk.now)


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
        if wave is not None and consented_children(desk.conn, row.id):
            give(desk, person, "class_screen", wave_id=wave, class_id=row.id)


def _subject(desk: Desk, row: AssignmentRow) -> dict[str, str]:
    """What an offer may say about its subject: a list number or a class, never a name."""
    if row.form_id == "learner":
        child = desk.children[row.child_id or ""]
        return {"list_number": str(child.list_number or "")}
    if row.form_id == "class_screen":
        return {"class_name": _class_name(_class(desk, row.class_id or ""))}
    return {}


def _class(desk: Desk, class_id: str) -> ClassRow:
    return classes_by_id(desk.conn, [class_id])[class_id]


def _class_name(row: ClassRow) -> str:
    return f"{row.grade}{row.name}"


def _start(desk: Desk, sender: Sender, row: AssignmentRow) -> bool:
    """Start what was offered; False where it cannot start (no consent stands any more)."""
    if row.form_id == "class_screen":
        return _start_class_screen(desk, sender, row)
    child = desk.children.get(row.child_id or "")
    if child is None:
        return False
    _open_assignment(desk, row)
    if row.form_id == "learner":
        talk.start(
            desk,
            sender,
            "learner",
            context={"list_number": str(child.list_number), "channel": sender.channel},
            assignment_id=row.id,
            child_id=child.id,
            household_id=child.household_id,
            wave_id=row.wave_id,
        )
    elif row.form_id == "enrolment":
        school = school_name(desk.conn, child.school_id)
        enrol.open_enrolment(desk, sender, child, school=school, assignment_id=row.id)
    else:
        _start_caregiver(desk, sender, row, child)
    return True


def _start_caregiver(
    desk: Desk,
    sender: Sender,
    row: AssignmentRow,
    child: ChildRow,
    before: tuple[Part, ...] = (),
) -> None:
    _open_assignment(desk, row)
    known = known_answers(
        desk.conn, person_id=row.person_id, wave_id=row.wave_id, form_id="caregiver"
    )
    talk.start(
        desk,
        sender,
        "caregiver",
        context={
            "channel": sender.channel,
            "duty_officer": "yes" if desk.world.site.duty_officer else "no",
        },
        known=known,
        before=before,
        assignment_id=row.id,
        child_id=child.id,
        household_id=child.household_id,
        wave_id=row.wave_id,
    )


def _start_class_screen(desk: Desk, sender: Sender, row: AssignmentRow) -> bool:
    class_row = _class(desk, row.class_id or "")
    roster = consented_children(desk.conn, class_row.id)
    if not roster:
        return False
    _open_assignment(desk, row)
    talk.start(
        desk,
        sender,
        "class_screen",
        context={
            "roster": " ".join(map(str, sorted(roster))),
            "class_name": _class_name(class_row),
            "channel": sender.channel,
        },
        assignment_id=row.id,
        class_id=class_row.id,
        wave_id=row.wave_id,
    )
    return True


def _open_assignment(desk: Desk, row: AssignmentRow) -> None:
    row.state, row.offered_at = "open", desk.now
    desk.writes.change(assignments, row.id, state="open", offered_at=desk.now)


def _give_learners(desk: Desk, sender: Sender, live: Live) -> None:
    """Learners named twice (or flagged at home) get their twelve items, most named first."""
    person = sender.person
    if person is None or live.row.class_id is None or live.row.wave_id is None:
        return
    consented = consented_children(desk.conn, live.row.class_id)
    answers = {name: a.value for name, a in live.session.answers.items() if a.value}
    counts = named(answers)
    chosen = to_ask(
        counts,
        flagged=frozenset(),
        consented=frozenset(consented),
        done=frozenset(),
        limit=len(consented),
    )
    for place, number in enumerate(chosen):
        child = desk.children[consented[number].id] = consented[number]
        give(
            desk,
            person,
            "learner",
            wave_id=live.row.wave_id,
            child=child,
            reason="named",
            priority=FIRST["learner"] + place,
        )


def flag_for_teacher(desk: Desk, child: ChildRow, wave_id: str) -> None:
    """Her caregiver's answers worry us: the class teacher is asked about this learner too.

    Nothing is sent: the offer comes when the teacher next writes, and does not say why.
    """
    if child.class_id is None or child.list_number is None:
        return
    teacher = classes_by_id(desk.conn, [child.class_id])[child.class_id].teacher_id
    if teacher is None:
        return
    desk.writes.offer(
        assignments,
        id=desk.new_id(),
        key=f"learner:{wave_id}:{child.id}:{teacher}",
        person_id=teacher,
        child_id=child.id,
        class_id=None,
        wave_id=wave_id,
        form_id="learner",
        state="due",
        reason="flagged",
        priority=FIRST["learner"],
        created_at=desk.now,
        offered_at=None,
        ended_at=None,
    )
