"""Doors into enrolment, and what its end means: person, household, consent, or nothing at all."""

from bot.turns import starting, talk, upnext
from bot.turns.desk import Desk, Live, Sender
from flows.messages import Phrase
from flows.sessions import Resumed
from storage.conversations import ChildRow, JoinRow, PersonRow, release_codes
from storage.schema import (
    addresses,
    child_caregiver,
    children,
    consents,
    join_codes,
    person_address,
    persons,
    sessions,
)
from storage.starts import cares_for

PURPOSES = {"help": "consent_help", "partners": "consent_partners", "research": "consent_research"}


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
    if sender.live is not None:
        again = sender.live.row.child_id == row.child.id
        before = () if again else (Phrase(key="join.busy"),)
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel), *before)
        return
    known = row.claimed_by is not None and sender.person is not None
    if known and not upnext.was_stopped(desk, sender, row.child.id):
        if not upnext.offer(desk, sender):
            desk.say(sender, Phrase(key="idle.welcome"))
        return
    _claim(desk, sender, row)
    starting.open_enrolment(desk, sender, row.child, school=row.school)


def _claim(desk: Desk, sender: Sender, row: JoinRow) -> None:
    row.claimed_by = sender.address.id
    desk.writes.change(join_codes, row.id, claimed_at=desk.now, claimed_by=sender.address.id)


def finish(desk: Desk, sender: Sender, live: Live, child: ChildRow) -> None:
    """Enrolment is complete: act on her words, and on nothing she did not say."""
    said = {name: answer.value for name, answer in live.session.answers.items()}
    language = said.get("language") or sender.language
    sender.address.language = language
    desk.writes.change(addresses, sender.address.id, language=language)
    if said.get("consent_help") != "yes":
        release_codes(desk.conn, address_id=sender.address.id, child_id=child.id)
        desk.say(sender, Phrase(key="enrol.refused"))
        return
    person = _person(desk, sender, child, said, language)
    desk.writes.change(sessions, live.row.id, person_id=person.id)
    _consents(desk, live, person, child, said)
    capacity = said.get("capacity", "")
    if not cares_for(desk.conn, person_id=person.id, child_id=child.id):
        desk.writes.insert(
            child_caregiver,
            child_id=child.id,
            person_id=person.id,
            capacity=capacity,
            from_at=desk.now,
            until_at=None,
        )
    if capacity != "parent_or_guardian":
        _ask_staff(desk, sender, child)
        return
    starting.begin_caregiver(desk, sender, child)


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
        if person.household_id and person.household_id != child.household_id:
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
    )
    desk.writes.change(addresses, sender.address.id, person_id=person.id)
    sender.address.person_id = person.id
    sender.person = desk.persons[person.id] = person
    return person


def _consents(
    desk: Desk, live: Live, person: PersonRow, child: ChildRow, said: dict[str, str]
) -> None:
    """One ledger row a purpose, yes or no, with the version of the words she read."""
    for purpose, item in PURPOSES.items():
        desk.writes.insert(
            consents,
            id=desk.new_id(),
            person_id=person.id,
            child_id=child.id,
            purpose=purpose,
            granted=said.get(item) == "yes",
            capacity=said.get("capacity", ""),
            text_version=live.row.version,
            language=live.session.language,
            channel=live.session.channel,
            mode=live.session.mode,
            witness_id=None,
            at=desk.now,
            withdrawn_at=None,
        )


def _ask_staff(desk: Desk, sender: Sender, child: ChildRow) -> None:
    """A carer who is not the guardian: no question about the child; staff call her in time."""
    talk.add_task(
        desk,
        sender,
        "carer_not_guardian",
        key=f"carer_not_guardian:{child.id}:{sender.address.person_id}",
        school_id=child.school_id,
        child_id=child.id,
    )
    desk.say(
        sender,
        Phrase(
            key="enrol.carer",
            values={"who": desk.world.site.who_calls, "day": talk.call_day(desk)},
        ),
    )
