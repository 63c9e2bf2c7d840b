"""A school of caregivers who all have the SMS core to answer, and what each of them sends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from bot.app import make_world, site_of
from bot.content.library import load
from bot.content.publishing import publish
from bot.settings import Settings
from bot.turns.world import World
from flows.consent import COMPETENT, digests, partners_version
from flows.messages import Inbound
from storage.database import Database
from storage.families import people
from storage.families.people import NewChild
from storage.ids import new_id
from storage.schema import addresses, answers, assignments, persons
from storage.talk import consents

ACCOUNT = "+27600000001"
"""Our own number, which everybody writes to."""
CLASS_SIZE = 40
SHORT = ("hi", "1", "4 4 4", "1 1 1", "1 1 1", "1 1 1")
"""Nothing worries her: the four packs of the core, after the greeting and the offer."""
LONG = ("hi", "1", "2 4 4", "1 1 1", "1 1 1", "1 1 1", "1", "4 4 4")
"""Breakfast is missed on most days: two more questions about food."""
LONG_EVERY = 5
WRONG = "9 maybe"
WRONG_EVERY = 20
"""One reply in twenty is understood by nobody and is asked again."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a caregiver sends, and when among all the others."""

    caregiver: int
    turn: int
    text: str


def phone(caregiver: int) -> str:
    """Her number."""
    return f"+2782{caregiver:07d}"


def script(caregiver: int) -> list[str]:
    """All her messages; those who err do so at the second pack."""
    texts = list(LONG if caregiver % LONG_EVERY == 0 else SHORT)
    if caregiver % 3 == 1:  # about one message in twenty, as scripts have six to eight
        texts.insert(3, WRONG)
    return texts


def conversations(count: int, *, open_at_once: int) -> list[Message]:
    """Everybody's messages, so that about this many conversations are open at any time."""
    length = (len(SHORT) * (LONG_EVERY - 1) + len(LONG)) / LONG_EVERY
    stride = length / open_at_once
    timed = [
        (caregiver * stride + turn, Message(caregiver, turn, text))
        for caregiver in range(count)
        for turn, text in enumerate(script(caregiver))
    ]
    timed.sort(key=lambda pair: (pair[0], pair[1].caregiver))
    return [message for _, message in timed]


def batches(messages: Sequence[Message], size: int) -> Iterator[Sequence[Message]]:
    """The messages in full batches of `size`."""
    for start in range(0, len(messages) - size + 1, size):
        yield messages[start : start + size]


def inbound(message: Message, now: datetime) -> Inbound:
    """The message as a channel would hand it over."""
    return Inbound(
        channel="sms",
        account=ACCOUNT,
        address=phone(message.caregiver),
        message_id=f"SM{message.caregiver:016x}{message.turn:016x}",
        text=message.text,
        received_at=now,
    )


def world_of(settings: Settings) -> World:
    """What turns know, as `run` makes it."""
    site = site_of(settings)
    return make_world(settings, site, load(languages=site.languages, rules=site.rules, drafts=True))


def fill(database: Database, world: World, count: int, *, now: datetime) -> None:
    """Publish the content and enrol `count` caregivers, each with the core to answer."""
    database.write_sync(lambda c: publish(c, world.library, now=now))
    database.write_sync(lambda c: _enrol(c, world, count, now))


def _enrol(conn: Connection, world: World, count: int, now: datetime) -> None:
    programme = people.ensure_programme(conn, name="Programme", now=now)
    school = people.ensure_school(conn, programme_id=programme, name="School", now=now)
    wave = people.ensure_wave(conn, programme_id=programme, number=1, opens_at=now, now=now)
    for first in range(0, count, CLASS_SIZE):
        class_id = people.ensure_class(
            conn, school_id=school, grade="1", name=f"C{first // CLASS_SIZE}", now=now
        )
        numbers = range(first, min(first + CLASS_SIZE, count))
        children = people.add_children(
            conn,
            [
                NewChild(list_number=n - first + 1, sex="mf"[n % 2], birth_month="2019-05")
                for n in numbers
            ],
            programme_id=programme,
            school_id=school,
            class_id=class_id,
            now=now,
        )
        seats = [(n, child, new_id(now)) for n, child in zip(numbers, children, strict=True)]
        world.vault.ensure(child.household_id for _, child, _ in seats)
        conn.execute(
            insert(persons),
            [
                {
                    "id": person,
                    "programme_id": programme,
                    "school_id": school,
                    "household_id": child.household_id,
                    "kind": "caregiver",
                    "language": "en",
                    "created_at": now,
                }
                for _, child, person in seats
            ],
        )
        conn.execute(
            insert(addresses),
            [_address(world, n, person, now) for n, _, person in seats],
        )
        consents.write(conn, [_agreed(world, child.id, person, now) for _, child, person in seats])
        conn.execute(
            insert(assignments),
            [
                {
                    "id": new_id(now),
                    "key": f"caregiver:{wave}:{child.id}:{person}",
                    "person_id": person,
                    "child_id": child.id,
                    "wave_id": wave,
                    "form_id": "caregiver",
                    "state": "due",
                    "priority": 0,
                    "created_at": now,
                }
                for _, child, person in seats
            ],
        )


def _agreed(world: World, child_id: str, person: str, now: datetime) -> dict[str, Any]:
    """Her yes to help, without which nothing is asked about the child."""
    library = world.library
    given = consents.Given(
        person_id=person,
        capacity=COMPETENT,
        version=library.current["enrolment"],
        texts=digests(library.lexicons["en"].texts),
        language="en",
        channel="sms",
        mode="self",
        partners=partners_version(world.site.partners),
        at=now,
        now=now,
    )
    return consents.row(given, id=new_id(now), child_id=child_id, purpose="help", word="yes")


def _address(world: World, caregiver: int, person: str, now: datetime) -> dict[str, object]:
    made, value = new_id(now), phone(caregiver)
    return {
        "id": made,
        "channel": "sms",
        "account": ACCOUNT,
        "blind": world.vault.blind_address("sms", ACCOUNT, value),
        "value": world.vault.seal(value, table="addresses", column="value", row=made),
        "person_id": person,
        "language": "en",
        "created_at": now,
    }


def check(database: Database, turns: int) -> None:
    """Raise RuntimeError unless that many messages left about as many answers as they should."""
    found = database.write_sync(
        lambda c: c.execute(select(func.count()).select_from(answers)).scalar_one()
    )
    if found < turns:
        raise RuntimeError(f"{turns} messages left only {found} answers: this measured no turns")
