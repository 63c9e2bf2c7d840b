"""Giving somebody a questionnaire, and starting it with what it needs to know."""

from collections.abc import Mapping, Sequence

from bot.content.spoken import offered_on
from bot.turns import gate, talk
from bot.turns.desk import Desk, Sender
from bot.turns.promising import helplines
from flows.asking import of_the_home
from flows.consent import ASKED, Entry, No, Purpose, agreed
from flows.messages import Part, Phrase
from storage.schema import addresses, assignments
from storage.talk import consents
from storage.talk.conversations import AssignmentRow, ChildRow, PersonRow
from storage.talk.starts import (
    ClassRow,
    classes_by_id,
    known_answers,
    known_at_home,
    school_name,
)

JOIN_SMS = 3
"""What joining costs her by SMS: JOIN CODE, the language, one packed reply. A test counts."""
CORE_SMS = 4
"""What the twelve core questions cost her by SMS. A test counts."""
FIRST = {"class_screen": 0, "caregiver": 0, "enrolment": 0, "learner": 5}
"""Priority of a questionnaire among what a person is to answer; learners by how often named."""


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


def start(desk: Desk, sender: Sender, row: AssignmentRow, *before: Part) -> bool:
    """Start what was offered; False where it cannot start (no consent stands any more).

    A caregiver who agreed to words that have changed since is asked for her consent again first.
    """
    if row.form_id == "class_screen":
        return _start_class_screen(desk, sender, row)
    child = desk.children.get(row.child_id or "")
    if child is None:
        return False
    if gate.is_guarded(row.form_id, row.child_id):
        entries = gate.entries(desk, [child.id])
        if row.form_id == gate.CAREGIVER and ask_again(desk, sender, child, entries):
            return True
        found = gate.may(desk.world, entries, row.form_id, child=child.id, person=row.person_id)
        if isinstance(found, No):
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
        open_enrolment(desk, sender, child, school=school, assignment_id=row.id, before=before)
    else:
        _start_caregiver(desk, sender, row, child, before=before)
    return True


def ask_again(desk: Desk, sender: Sender, child: ChildRow, entries: Sequence[Entry]) -> bool:
    """Ask her for consent once more where its words have changed; False where they have not."""
    person = sender.person
    if person is None:
        return False
    again = gate.to_ask_again(desk, entries, child=child.id, person=person.id)
    if again:
        school = school_name(desk.conn, child.school_id)
        open_enrolment(desk, sender, child, school=school, again=again)
    return bool(again)


def begin_caregiver(desk: Desk, sender: Sender, child: ChildRow, *before: Part) -> None:
    """Consent stands: the core starts in the same breath."""
    wave = desk.waves.get(child.programme_id)
    if wave is None or sender.person is None:
        desk.say(sender, Phrase(key="done.other"), *helplines(desk.world.site))
        return
    row = give(desk, sender.person, "caregiver", wave_id=wave, child=child)
    _start_caregiver(desk, sender, row, child, before=(Phrase(key="enrol.done"), *before))


def open_enrolment(
    desk: Desk,
    sender: Sender,
    child: ChildRow,
    *,
    school: str,
    assignment_id: str | None = None,
    again: Sequence[Purpose] = (),
    before: tuple[Part, ...] = (),
) -> None:
    """Start the enrolment questionnaire for a child; `again`: purposes whose words changed."""
    if sender.address.opted_out_at is not None:
        sender.address.opted_out_at = None
        desk.writes.change(addresses, sender.address.id, opted_out_at=None)
    talk.start(
        desk,
        sender,
        "enrolment",
        context={
            "channel": sender.channel,
            "offered": " ".join(offered_on(desk.world.library, sender.channel, "enrolment")),
            "programme": desk.world.site.programme,
            "school": school,
            "who_calls": desk.world.site.who_calls,
            "partners": ", ".join(desk.world.site.partners),
            "again": " ".join(again),
            "told": "" if again else " ".join(_told_staff(desk, sender, child)),
            "sms_join_cost": str(JOIN_SMS),
            "sms_core_cost": str(CORE_SMS),
        },
        before=before,
        assignment_id=assignment_id,
        child_id=child.id,
        household_id=child.household_id,
    )


def _told_staff(desk: Desk, sender: Sender, child: ChildRow) -> list[Purpose]:
    """What she has answered on paper or in a call, and so is not asked once more by chat."""
    if sender.person is None:
        return []
    told = consents.told_staff(desk.conn, person_id=sender.person.id, child_id=child.id)
    now = gate.words(desk.world)
    stands = {p: e for p, e in told.items() if e.word == "no" or (e.word == "yes" and now.fit(e))}
    helped = stands.get("help")
    if helped is None or helped.word != "yes":
        return []
    return [purpose for purpose in ASKED if purpose in stands]


def _start_caregiver(
    desk: Desk,
    sender: Sender,
    row: AssignmentRow,
    child: ChildRow,
    before: tuple[Part, ...] = (),
) -> None:
    _open_assignment(desk, row)
    own = known_answers(
        desk.conn, person_id=row.person_id, wave_id=row.wave_id, form_id="caregiver"
    )
    known = {**_said_at_home(desk, row, child), **own}
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


def _said_at_home(desk: Desk, row: AssignmentRow, child: ChildRow) -> Mapping[str, str]:
    """What is asked once a home and wave, and another adult whose yes stands has answered."""
    others = consents.carers(desk.conn, child.id).keys() - {row.person_id}
    if not others:
        return {}
    entries = consents.about(desk.conn, [child.id], purpose="help")
    return known_at_home(
        desk.conn,
        child_id=child.id,
        others=[p for p in others if child.id in agreed(entries, person=p).get("help", ())],
        wave_id=row.wave_id,
        form_id=gate.CAREGIVER,
        items=of_the_home(desk.world.library.newest(gate.CAREGIVER)),
    )


def _start_class_screen(desk: Desk, sender: Sender, row: AssignmentRow) -> bool:
    class_row = class_of(desk, row.class_id or "")
    roster = consents.listed_children(desk.conn, class_row.id, gate.words(desk.world))
    if not roster:
        return False
    _open_assignment(desk, row)
    talk.start(
        desk,
        sender,
        "class_screen",
        context={
            "roster": " ".join(map(str, sorted(roster))),
            "class_name": class_name(class_row),
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


def class_of(desk: Desk, class_id: str) -> ClassRow:
    """A class by its id."""
    return classes_by_id(desk.conn, [class_id])[class_id]


def class_name(row: ClassRow) -> str:
    """What people call it: 1A."""
    return f"{row.grade}{row.name}"
