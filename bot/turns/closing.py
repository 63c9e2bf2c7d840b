"""A questionnaire has ended: the closing words, what is judged, what follows from it."""

from bot.turns import enrol, gate, later, learning, talk, upnext, whose
from bot.turns.desk import Desk, Ended, Live, Sender
from bot.turns.promising import helplines, thanks
from bot.turns.starting import FIRST, give
from flows.messages import Part, Phrase
from scoring.screen import named, to_ask
from storage.schema import assignments
from storage.talk import consents
from storage.talk.conversations import ChildRow
from storage.talk.starts import classes_by_id


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
    if learning.is_one(desk, live):
        learning.finish(desk, sender, live)
        return
    touch(desk, live)
    if live.row.form_id == "class_screen":
        _give_learners(desk, sender, live)
    later.schedule(desk, sender, live)
    closing = (*_closing(desk, sender, live), *helplines(desk.world.site))
    if not upnext.offer(desk, sender, *closing):
        desk.say(sender, *closing)


def touch(desk: Desk, live: Live) -> None:
    """Its answers are to be judged at the end of this batch."""
    row = live.row
    if row.child_id and row.wave_id and row.form_id != "enrolment":
        desk.touched.add((row.child_id, row.wave_id))
    if row.class_id and row.wave_id:
        desk.screened.add((row.class_id, row.wave_id))


def _closing(desk: Desk, sender: Sender, live: Live) -> tuple[Part, ...]:
    form = live.row.form_id
    if form == "caregiver":
        far = whose.progress(desk, sender, live.row.wave_id)
        return (thanks(desk, live, day=talk.call_day(desk)), *far)
    if form == "learner":
        number = live.session.context.get("list_number", "")
        far = upnext.week_progress(desk, sender)
        return (Phrase(key="done.learner", values={"list_number": number}), *far)
    return (Phrase(key="done.class_screen" if form == "class_screen" else "done.other"),)


def _end_assignment(desk: Desk, sender: Sender, assignment_id: str) -> None:
    for row in desk.assignments.get(sender.address.person_id or "", []):
        if row.id == assignment_id:
            row.state = "done"
    desk.writes.change(assignments, assignment_id, state="done", ended_at=desk.now)


def _give_learners(desk: Desk, sender: Sender, live: Live) -> None:
    """Learners named twice (or flagged at home) get their twelve items, most named first."""
    person = sender.person
    if person is None or live.row.class_id is None or live.row.wave_id is None:
        return
    consented = consents.listed_children(desk.conn, live.row.class_id, gate.words(desk.world))
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
