"""Doors into enrolment, and what its end means: person, household, consent, or nothing at all."""

from bot.turns import consenting, gate, learning, starting, talk, upnext, whose
from bot.turns.desk import Desk, Live, Sender
from bot.turns.ending import begin_again
from bot.turns.promising import helplines
from flows.consent import ASKED, FORM, Yes
from flows.messages import Phrase
from flows.sessions import Resumed
from storage.schema import (
    addresses,
    child_caregiver,
    children,
    join_codes,
    person_address,
    persons,
    sessions,
)
from storage.schema import consents as ledger
from storage.talk import consents
from storage.talk.conversations import (
    AssignmentRow,
    ChildRow,
    PersonRow,
)
from storage.talk.joining import JoinRow, release_codes
from storage.talk.starts import cares_for


def join(desk: Desk, sender: Sender, code: str) -> None:
    """JOIN and a code: open the enrolment of that child, once."""
    row = desk.joins.get(desk.world.vault.blind("join", code))
    if row is None or row.expires_at <= desk.now:
        desk.say(sender, Phrase(key="join.unknown"))
        return
    if row.claimed_by is not None and row.claimed_by != sender.address.id:
        talk.add_task(
            desk,
            sender,
            "code_claimed_twice",
            key=f"code_claimed_twice:{row.id}:{sender.address.id}",
            school_id=row.child.school_id,
            child_id=row.child.id,
        )
        desk.say(sender, Phrase(key="join.claimed"))
        return
    learning.leave(desk, sender)
    if sender.live is not None:
        again = sender.live.row.child_id == row.child.id
        before = () if again else (Phrase(key="join.busy"),)
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel), *before)
        return
    known = row.claimed_by is not None and sender.person is not None
    if known and not _begins_anew(desk, sender, row.child.id):
        if not upnext.offer(desk, sender):
            desk.say(sender, Phrase(key="idle.welcome"))
        return
    _claim(desk, sender, row)
    invited = _invited(desk, sender, row.child.id)
    if invited is None or not starting.start(desk, sender, invited):
        starting.open_enrolment(desk, sender, row.child, school=row.school)


def _invited(desk: Desk, sender: Sender, child_id: str) -> AssignmentRow | None:
    """What staff invited her to for this child: her slip is another door to the same."""
    rows = desk.assignments.get(sender.address.person_id or "", [])
    mine = (r for r in rows if r.form_id == FORM and r.child_id == child_id)
    return next((r for r in mine if r.state == "due"), None)


def _begins_anew(desk: Desk, sender: Sender, child_id: str) -> bool:
    """After STOP, and after her yes was taken back, JOIN is a first word again."""
    if upnext.was_stopped(desk, sender, child_id):
        return True
    return sender.person is not None and not upnext.has_said_yes(desk, sender.person, child_id)


def _claim(desk: Desk, sender: Sender, row: JoinRow) -> None:
    for one in desk.joins.values():
        if one.child.id == row.child.id:
            one.claimed_by = one.claimed_by or sender.address.id
    desk.writes.change(join_codes, row.id, claimed_at=desk.now, claimed_by=sender.address.id)


def finish(desk: Desk, sender: Sender, live: Live, child: ChildRow) -> None:
    """Enrolment is complete: act on her words, and on nothing she did not say."""
    if live.session.context.get("again"):
        consenting.answered_again(desk, sender, live)
        return
    said = {name: answer.value for name, answer in live.session.answers.items()}
    language = said.get("language") or sender.language
    sender.address.language = language
    desk.writes.change(addresses, sender.address.id, language=language)
    told = live.session.context.get("told", "").split()
    if said.get("consent_help") != "yes" and "help" not in told:
        release_codes(desk.conn, address_id=sender.address.id, child_id=child.id)
        if sender.person is not None:
            consenting.refuse(desk, sender, live, [child.id])
        key = "again.refused" if sender.person else "enrol.refused"
        desk.say(sender, Phrase(key=key), *helplines(desk.world.site))
        return
    person = _person(desk, sender, child, said, language)
    desk.writes.change(sessions, live.row.id, person_id=person.id)
    capacity = said.get("capacity") or consenting.capacity_of(
        consents.said_by(desk.conn, [person.id]), child.id
    )
    rows = _consents(desk, live, person, child, {**said, "capacity": capacity})
    if not cares_for(desk.conn, person_id=person.id, child_id=child.id):
        desk.writes.insert(
            child_caregiver,
            child_id=child.id,
            person_id=person.id,
            capacity=capacity,
            from_at=desk.now,
            until_at=None,
        )
    _go_on(desk, sender, child, person, rows)


def _go_on(
    desk: Desk, sender: Sender, child: ChildRow, person: PersonRow, rows: list[dict[str, object]]
) -> None:
    """What her yes opens: the questions at once, or a call where she alone cannot decide."""
    before = consents.about(desk.conn, [child.id])
    entries = [*before, *map(consents.entry_of, rows)]
    found = gate.may(desk.world, entries, gate.CAREGIVER, child=child.id, person=person.id)
    if isinstance(found, Yes):
        if any(e.purpose == "help" and e.word != "yes" for e in before):
            begin_again(desk, [child.id])
        _begin(desk, sender, child)
    elif found.reason in ("none", "not_guardian"):
        _ask_staff(desk, sender, child, "carer_not_guardian", "enrol.carer")
    elif not starting.ask_again(desk, sender, child, entries):
        _ask_staff(desk, sender, child, "consent_unclear", "enrol.wait")


def _begin(desk: Desk, sender: Sender, child: ChildRow) -> None:
    """Ask about the child, or go on where she was: she may have chosen it from the list before."""
    first = upnext.first_words(desk, sender, child)
    begun = whose.begun(desk, sender.person).values()
    live = next((one for one in begun if one.row.child_id == child.id), None)
    if live is None:
        starting.begin_caregiver(desk, sender, child, *first)
        return
    sender.live = live
    parts = (Phrase(key="enrol.done"), *first)
    talk.carry_on(desk, sender, live, Resumed(channel=sender.channel), *parts)


def _person(
    desk: Desk, sender: Sender, child: ChildRow, said: dict[str, str], language: str
) -> PersonRow:
    """Who she is: herself if we know her already (a second child), else somebody new."""
    person = sender.person
    shared = said["shared_phone"] == "yes" if said.get("shared_phone") else None
    safe_hour = said.get("safe_hour") or None
    facts = {"language": language, "shared_phone": shared, "safe_hour": safe_hour}
    if person is not None:
        desk.writes.change(persons, person.id, **facts)
        person.language = language
        alone = not consents.carers(desk.conn, child.id).keys() - {person.id}
        if alone and person.household_id and person.household_id != child.household_id:
            child.household_id = person.household_id
            desk.writes.change(children, child.id, household_id=person.household_id)
        return person
    person = PersonRow(
        id=desk.new_id(),
        programme_id=child.programme_id,
        school_id=child.school_id,
        household_id=child.household_id,
        kind="caregiver",
        language=language,
        safe_hour=safe_hour,
        shared_phone=shared,
    )
    desk.writes.insert(
        persons,
        id=person.id,
        programme_id=person.programme_id,
        school_id=person.school_id,
        household_id=person.household_id,
        kind=person.kind,
        name=None,
        created_at=desk.now,
        **facts,
    )
    desk.writes.insert(
        person_address,
        person_id=person.id,
        address_id=sender.address.id,
        from_at=desk.now,
        until_at=None,
        key_id=sender.address.key_id,
    )
    address, vault = sender.address, desk.world.vault
    address.person_id, address.key_id = person.id, None
    address.value = vault.reseal(
        address.value,
        table="addresses",
        column="value",
        row=address.id,
        key=vault.key_for(person.household_id),
    )
    desk.writes.change(addresses, address.id, person_id=person.id, key_id=None, value=address.value)
    sender.person = desk.persons[person.id] = person
    return person


def _consents(
    desk: Desk, live: Live, person: PersonRow, child: ChildRow, said: dict[str, str]
) -> list[dict[str, object]]:
    """One ledger row a purpose she was asked about, yes or no, with the words she read."""
    told = live.session.context.get("told", "").split()
    given = consenting.given(desk, live, person.id, capacity=said.get("capacity", ""))
    rows = [
        consents.row(
            given,
            id=desk.new_id(),
            child_id=child.id,
            purpose=purpose,
            word="yes" if said.get(f"consent_{purpose}") == "yes" else "no",
        )
        for purpose in ASKED
        if purpose not in told
    ]
    for row in rows:
        desk.writes.insert(ledger, **row)
    return rows


def _ask_staff(desk: Desk, sender: Sender, child: ChildRow, kind: str, words: str) -> None:
    """No question about the child yet: staff call her in time, and she is told by when.

    She is not the guardian, or somebody else who may decide for the child said no.
    """
    talk.add_task(
        desk,
        sender,
        kind,
        key=f"{kind}:{child.id}:{sender.address.person_id}",
        school_id=child.school_id,
        child_id=child.id,
    )
    who = {"who": desk.world.site.who_calls, "day": talk.call_day(desk)}
    desk.say(sender, Phrase(key=words, values=who), *helplines(desk.world.site))
