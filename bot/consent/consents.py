"""Consent as staff write it down: on paper or in person, with a witness, or taken back.

What follows from a word is the same as by chat (`bot.turns.ending`): nothing more is asked that the
ledger does not carry, and the person hears of a withdrawal once, in her language.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import get_args

from sqlalchemy import Connection

from bot.consent.consent_people import (
    SCOPE,
    ConsentError,
    child_of,
    known_at,
    seal,
    whose,
    witnessed_by,
)
from bot.consent.proving import Told, check_mode, check_proof
from bot.turns import gate
from bot.turns.desk import Desk
from bot.turns.ending import begin_again, end_questions, lock_others, notice, task
from bot.turns.judge import judge
from bot.turns.starting import give
from bot.turns.world import World
from flows.calendar import next_allowed
from flows.consent import ASKED, Entry, No, Purpose, Word, Yes, agreed, may_ask
from flows.messages import ChannelName, Phrase
from storage.families.learners import invite_caregiver
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.talk import consent_words, consents
from storage.talk.consents import NOWHERE, Given, Line, Subject
from storage.talk.conversations import ChildRow, children_by_id, lock_addresses_by_id, lock_persons
from storage.talk.starts import current_waves
from storage.trail import audit

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
CAPACITIES = ("parent_or_guardian", "carer")
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the ledger says about a child now.

    Attributes:
        lines: Every row, oldest first.
        verdicts: Whether the family's consent carries each purpose; "yes" or the reason why not.
    """

    lines: tuple[Line, ...]
    verdicts: Mapping[str, str]


def show(conn: Connection, world: World, code: str) -> Standing:
    """The ledger about a child, and what it carries now."""
    child = child_of(conn, code)
    found = consents.lines(conn, SCOPE, child.id, vault=world.vault)
    entries = [line.entry for line in found]
    words = gate.words(world)
    verdicts: dict[str, str] = {
        purpose: _verdict(may_ask(entries, purpose, words, child=child.id)) for purpose in ASKED
    }
    return Standing(lines=tuple(found), verdicts=verdicts)


def record(
    conn: Connection,
    world: World,
    code: str,
    *,
    words: Mapping[Purpose, bool],
    capacity: str,
    language: str,
    told: Told,
    now: datetime,
    address: str = "",
    text: Mapping[Purpose, str] | None = None,
) -> int:
    """Write down what somebody said on paper or in person; returns how many rows that made.

    Args:
        conn: Open transaction.
        world: What a turn may know.
        code: The child's public code.
        words: Yes or no by purpose.
        capacity: As what she said it.
        language: In which she read the words.
        told: How we know.
        now: Aware, UTC.
        address: Where she is reached; empty for the child's only caregiver, or somebody without
            a phone.
        text: Digests of the words on the paper; None for today's.

    Raises:
        ConsentError: Something does not fit; nothing is written.
    """
    child = child_of(conn, code)
    if told.at > now:
        raise ConsentError("--at: that is still to come. Fix: give the moment she agreed.")
    if language not in world.library.lexicons:
        known = ", ".join(world.library.lexicons)
        raise ConsentError(f"--lang: there is no language {language!r}. There are: {known}")
    if capacity not in CAPACITIES:
        raise ConsentError(f"--capacity: write {' or '.join(CAPACITIES)}.")
    check_proof(conn, world, told)
    person_id = whose(conn, world, child, address, language=language, now=now)
    how = _given(
        conn,
        world,
        child,
        person_id,
        capacity=capacity,
        language=language,
        told=told,
        texts=text or {p: world.library.consent[language, p] for p in ASKED},
        now=now,
    )
    said: dict[Purpose, Word] = {p: "yes" if yes else "no" for p, yes in words.items()}
    consents.link_carer(conn, child_id=child.id, person_id=person_id, capacity=capacity, now=now)
    desk = Desk(conn=conn, world=world, now=now)
    apply(desk, child.id, person_id, how, said)
    if said.get("help") == "yes":
        _offer_to_all(desk, child)
    _note(conn, "recorded", child, now)
    return len(said)


def withdraw(
    conn: Connection,
    world: World,
    code: str,
    *,
    purposes: Collection[Purpose],
    told: Told,
    now: datetime,
    address: str = "",
) -> int:
    """Write down that consent was taken back; returns how many yeses that ended.

    Args:
        conn: Open transaction.
        world: What a turn may know.
        code: The child's public code.
        purposes: What is taken back; `help` takes everything else with it.
        told: How we know.
        now: Aware, UTC.
        address: Whose word it is; empty for everybody's who agreed for this child.

    Raises:
        ConsentError: Nobody is there, or nothing stands that could be taken back.
    """
    child = child_of(conn, code)
    wanted = set(PURPOSES if "help" in purposes else purposes)
    entries = consents.about(conn, [child.id])
    people = {e.person for e in entries}
    if address:
        people &= {known_at(conn, world, address).id}
    yes = {p: agreed(entries, person=p) for p in people}
    count = sum(len(set(found) & wanted) for found in yes.values())
    if not count:
        raise ConsentError(f"{code}: no such yes stands. See: consent show {code}")
    for person_id in sorted(people):
        mine = sorted(set(yes[person_id]) & wanted, key=PURPOSES.index)
        if mine:
            last = max((e for e in entries if e.person == person_id), key=lambda e: e.at)
            _withdraw_one(Desk(conn=conn, world=world, now=now), child, last, mine, told)
    _note(conn, "withdrew", child, now)
    return count


def _withdraw_one(
    desk: Desk, child: Subject, last: Entry, purposes: Sequence[Purpose], told: Told
) -> None:
    """Take one person's yeses back; `last` is her newest word, by which we know her."""
    if told.at < last.at:
        raise ConsentError("--at: her yes is younger than that. Fix: write when it was.")
    how = _given(
        desk.conn,
        desk.world,
        child,
        last.person,
        capacity=last.capacity,
        language=last.language,
        told=told,
        texts={},
        now=desk.now,
    )
    apply(desk, child.id, last.person, how, dict.fromkeys(purposes, "withdrawn"))
    _confirm(desk, last.person, purposes, child)


def apply(
    desk: Desk, child_id: str, person_id: str, how: Given, said: Mapping[Purpose, Word]
) -> None:
    """Write a person's words about a child, and end what the ledger does not carry any more.

    Args:
        desk: Of this transaction, with nothing on it.
        child_id: About whom.
        person_id: Whose words.
        how: How we know.
        said: Her word by purpose.
    """
    ends = said.get("help", "yes") != "yes"
    if ends:
        lock_others(desk, [child_id])
    rows = [
        consents.row(how, id=desk.new_id(), child_id=child_id, purpose=p, word=word)
        for p, word in said.items()
    ]
    consents.write(desk.conn, rows)
    if ends or said.get("contact", "yes") != "yes":
        end_questions(desk, [child_id], by=person_id)
    if ends:
        task(desk, "consent_withdrawn", [child_id], person_id, None)
    elif said.get("partners") == "withdrawn":
        task(desk, "partners_withdrawn", [child_id], person_id, None)
    desk.writes.flush(desk.conn)
    judge(desk)
    desk.writes.flush(desk.conn)


def _offer_to_all(desk: Desk, child: Subject) -> None:
    """Who agreed to answer and waited for a guardian's yes is offered the questions now."""
    wave = current_waves(desk.conn, [child.programme_id], desk.now).get(child.programme_id)
    entries = consents.about(desk.conn, [child.id], purpose="help")
    waiting = {e.person for e in entries}
    if isinstance(may_ask(entries, "help", None, child=child.id), Yes):
        begin_again(desk, [child.id])
    row = children_by_id(desk.conn, [child.id])[child.id]
    if wave is not None:
        _let_join(desk, entries, row, wave)
    for person in lock_persons(desk.conn, waiting).values():
        found = gate.may(desk.world, entries, gate.CAREGIVER, child=child.id, person=person.id)
        if wave is not None and isinstance(found, Yes):
            give(desk, person, gate.CAREGIVER, wave_id=wave, child=row)
    desk.writes.flush(desk.conn)


def _let_join(desk: Desk, entries: Sequence[Entry], child: ChildRow, wave: str) -> None:
    """Who has a phone and never joined by chat is asked what paper does not tell.

    Her language and whether her phone is shared come first when she next writes; consent is not
    asked again.
    """
    said = {e.person for e in entries if e.word == "yes"}
    by_chat = consents.joined_by_chat(desk.conn, child_id=child.id)
    for person_id in sorted(consents.reached_at(desk.conn, said).keys() - by_chat):
        invite_caregiver(
            desk.conn, child_id=child.id, person_id=person_id, wave_id=wave, now=desk.now
        )


def _confirm(desk: Desk, person_id: str, purposes: Sequence[Purpose], child: Subject) -> None:
    """One sentence to her, where we may write to her at all, at an hour at which we may."""
    at = consents.reached_at(desk.conn, [person_id]).get(person_id)
    if at is None:
        return
    world = desk.world
    part = purposes[0] if len(purposes) == 1 and purposes[0] in ("partners", "research") else ""
    if not part and "help" not in purposes:
        return
    row = next(iter(lock_addresses_by_id(desk.conn, [at.address_id]).values()))
    shared = lock_persons(desk.conn, [person_id])[person_id].shared_phone
    notice(
        desk,
        row,
        Phrase(
            key="withdraw.noted" if shared else f"withdraw.{part}_done" if part else "withdraw.done"
        ),
        language=at.language,
        key=f"withdrawn:{child.id}:{person_id}:{desk.now:%Y%m%dT%H%M%S}",
        not_before=next_allowed(desk.now, zone=world.zone, hours=world.hours(desk.now)),
    )
    desk.writes.flush(desk.conn)


def agree_to_contact(
    conn: Connection,
    *,
    child_id: str,
    household_id: str,
    person_id: str,
    language: str,
    on: date,
    witness: str,
    vault: Vault,
    accounts: Mapping[ChannelName, str],
    now: datetime,
) -> None:
    """A caregiver agreed on paper that we write to her: what `agreed_on` of a class list says."""
    seen_by, name = witnessed_by(conn, witness, vault=vault, accounts=accounts)
    how = Given(
        person_id=person_id,
        capacity=UNKNOWN,
        version=UNKNOWN,
        texts={},
        language=language,
        channel=NOWHERE,
        mode="paper",
        partners="",
        at=min(datetime.combine(on, time(), tzinfo=UTC), now),
        now=now,
        witness_id=seen_by,
        witness_name=seal(vault, name, household_id),
    )
    row = consents.row(how, id=new_id(now), child_id=child_id, purpose="contact", word="yes")
    consents.write(conn, [row])


def texts(conn: Connection) -> list[tuple[str, str, str, datetime]]:
    """Every published wording: (language, purpose, digest, since), oldest first."""
    seen: dict[tuple[str, str, str], datetime] = {}
    for _, language, marks, at in consent_words.published_texts(conn):
        for purpose, mark in marks.items():
            seen.setdefault((language, purpose, mark), at)
    return [(*key, at) for key, at in seen.items()]


def _given(
    conn: Connection,
    world: World,
    child: Subject,
    person_id: str,
    *,
    capacity: str,
    language: str,
    told: Told,
    texts: Mapping[Purpose, str],
    now: datetime,
) -> Given:
    check_mode(told)
    seen_by, name = witnessed_by(conn, told.witness, vault=world.vault, accounts=world.accounts)
    kept, household = told.kept_at or told.recording, child.household_id
    return Given(
        person_id=person_id,
        capacity=capacity,
        version=world.library.current["enrolment"],
        texts=texts,
        language=language,
        channel=NOWHERE,
        mode=told.mode,
        partners=gate.words(world).partners,
        at=told.at,
        now=now,
        witness_id=seen_by,
        witness_name=seal(world.vault, name, household),
        witness_role=seal(world.vault, told.witness_role, household, "witness_role"),
        proof=seal(world.vault, kept, household, "proof"),
        helper_id=known_at(conn, world, told.helper).id if told.helper else None,
        recorded_by=known_at(conn, world, told.by).id if told.by else None,
    )


def _verdict(found: Yes | No) -> str:
    return found.reason if isinstance(found, No) else "yes"


def _note(conn: Connection, verb: str, child: Subject, now: datetime) -> None:
    entry = audit.row(
        SCOPE, verb, "consents", child.id, id=new_id(now), at=now, school_id=child.school_id
    )
    audit.record(conn, [entry])
