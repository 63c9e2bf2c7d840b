"""A small town for conversations: one school, its people, their phones, and the real bot.

Everything is the real thing (turns, database, content, delivery, clock) but three: the time is a
value that a test moves, ids and codes are seeded, and a `FakeChannel` keeps what was sent.
"""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import cast
from zoneinfo import ZoneInfo

from msgspec import structs
from sqlalchemy import Connection, insert, select

from bot.channels.base import (
    Accepted,
    Destination,
    DialogStep,
    Lookup,
    Refused,
    SendResult,
)
from bot.channels.ussd import NO_DIALOG
from bot.clock import Clock
from bot.content.library import Library, load
from bot.content.publishing import publish
from bot.dialogs import Dialogs
from bot.launch import always_open
from bot.lists.rosters import import_roster
from bot.policy import Policy, shipped
from bot.sending.delivery import Delivery
from bot.site import Site, read_site
from bot.turns.queue import TurnQueue
from bot.turns.world import World
from flows.consent import ASKED, FORM, digests, partners_version
from flows.lexicon import Lexicon
from flows.messages import LIMITS, ChannelName, Inbound, InboundKind, Limits, Outbound
from storage.database import Database
from storage.families import people
from storage.families.learners import Learner, learners
from storage.ids import CROCKFORD
from storage.keyring.vault import Vault
from storage.schema import child_caregiver, classes, consents, schools, waves
from storage.scope import system
from storage.types import to_ms

ZONE = ZoneInfo("Africa/Johannesburg")
SCHOOL = "Umthombo Primary"
CLASS_SIZE = 42
ACCOUNTS: Mapping[ChannelName, str] = {
    "sms": "+27870000000",
    "whatsapp": "+27870000000",
    "telegram": "1000",
    "ussd": "*120*1000#",
}
PAUSE = timedelta(seconds=20)
"""What passes between two messages of a conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message as it reached a phone."""

    channel: str
    address: str
    key: str
    message: Outbound


class FakeChannel:
    """All channels: keeps what it was given, and keeps WhatsApp's rule of 24 hours.

    On USSD it refuses: screens go back with the step they answer (`Town.step`).
    """

    names: tuple[ChannelName, ...] = ("sms", "whatsapp", "telegram", "ussd")
    paths: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def limits(self, channel: ChannelName) -> Limits:
        return LIMITS[channel]

    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        if to.channel == "ussd":
            return Refused(reason=NO_DIALOG)
        closed = to.channel == "whatsapp" and not to.window_open
        if closed and not message.template:
            return Refused(reason="template missing")
        seen = _fixed(message) if closed else structs.replace(message, template="")
        self.sent.append(Sent(channel=to.channel, address=to.address, key=key, message=seen))
        return Accepted(provider_id=f"fake-{key}")

    async def look_up(
        self, message: Outbound, to: Destination, *, since: datetime, key: str
    ) -> Lookup:
        return Lookup(known=False)

    async def close(self) -> None:
        """Nothing to release."""


def _fixed(message: Outbound) -> Outbound:
    """A template has its own words and no buttons of ours."""
    return Outbound(text=message.text, template=message.template)


class Seeded:
    """Ids and codes that are the same at every run."""

    def __init__(self) -> None:
        self._count = 0
        self._dice = random.Random(7)  # noqa: S311 - the point is that it repeats

    def new_id(self, now: datetime) -> str:
        self._count += 1
        return f"{to_ms(now):012x}{self._count:020x}"

    def new_code(self, length: int) -> str:
        while True:
            code = "".join(self._dice.choice(CROCKFORD) for _ in range(length))
            if not code.isdigit() and not code.isalpha():
                return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody of the town.

    Attributes:
        name: As transcripts call her.
        role: caregiver, teacher or coordinator.
        channel: Where she writes from.
        place: Which resident she is, from 1; her number and chat end in it.
        invited_for: List number of the child staff entered her for; 0 for none.
        agreed_on: When she agreed to be written to, `YYYY-MM-DD`.
    """

    name: str
    role: str
    channel: ChannelName
    place: int
    invited_for: int = 0
    agreed_on: str = ""

    def on(self, channel: ChannelName) -> str:
        """Her number or chat on a channel."""
        return f"70000000{self.place}" if channel == "telegram" else f"+2782123000{self.place}"

    @property
    def address(self) -> str:
        """Where she writes from."""
        return self.on(self.channel)

    def has(self, address: str) -> bool:
        """Whether an address is hers, whatever the channel."""
        return address in (self.on("sms"), self.on("telegram"))


@dataclass(slots=True, kw_only=True)
class Town:
    """The running bot and what a test wants to know of it."""

    now: datetime
    database: Database
    world: World
    queue: TurnQueue
    delivery: Delivery
    dialogs: Dialogs
    clock: Clock
    channel: FakeChannel
    residents: Sequence[Resident]
    codes: dict[int, str] = field(default_factory=dict)
    count: int = 0

    async def deliver(self, inbound: Inbound) -> None:
        """One delivery by the provider, with everything that follows from it."""
        await self.queue.submit(inbound)
        await self.settle()

    async def step(self, who: Resident, session: str, path: str) -> str:
        """A step of a USSD session as the network brings it, and the screen it is answered with."""
        dialog = await self.dialogs.answer(
            DialogStep(
                channel="ussd",
                account=ACCOUNTS["ussd"],
                address=who.on("ussd"),
                session=session,
                path=path,
                received_at=self.now,
            )
        )
        await self.settle()
        return f"{'CON' if dialog.open else 'END'} {dialog.screen}"

    async def settle(self) -> None:
        for _ in range(6):
            await self.queue.drain()
            await self.delivery.drain()

    async def wait(self, until: datetime) -> None:
        """Let the clock stand at a later moment and tick once."""
        assert until >= self.now, "time only goes forward"
        self.now = until
        await self.clock.tick()
        await self.settle()

    async def change_words(self) -> None:
        """Other words of consent are published, and the bot starts anew with them."""
        address = f"{FORM}/who_sees:label"
        lexicons = cast("dict[str, Lexicon]", self.world.library.lexicons)
        for tag, (old, new) in NEW_WORDS.items():
            texts = dict(lexicons[tag].texts)
            assert old in texts[address]
            texts[address] = texts[address].replace(old, new)
            lexicons[tag] = replace(lexicons[tag], texts=texts)
        self.now += PAUSE
        await self.database.write(lambda c: publish(c, self.world.library, now=self.now))

    def inbound(
        self,
        who: Resident,
        *,
        text: str = "",
        token: str = "",
        media: tuple[str, ...] = (),
        shown_in: str = "",
        channel: ChannelName | None = None,
        kind: InboundKind = "message",
    ) -> Inbound:
        """A new message of hers, a little after the last one."""
        self.now += PAUSE
        self.count += 1
        on = channel or who.channel
        return Inbound(
            channel=on,
            account=ACCOUNTS[on],
            address=who.on(on),
            message_id=f"in-{self.count}",
            text=text,
            token=token,
            media=media,
            ack=f"tap-{self.count}" if token and on == "telegram" else "",
            shown_in=shown_in,
            sent_at=self.now,
            received_at=self.now,
            kind=kind,
        )


@cache
def library(language: str = "") -> Library:
    """The content that ships, drafts offered as in the demo: English, isiZulu and one more."""
    return load(languages=tuple(dict.fromkeys(("en", "zu", language or "en"))), drafts=True)


NEW_WORDS = {
    "en": ("Our support team sees", "Our support team and the school nurse see"),
    "zu": ("Ithimba lethu libona", "Ithimba lethu nomhlengikazi wesikole babona"),
}
"""What `Town.change_words` does to the words of consent, by language."""


def own_library(language: str = "") -> Library:
    """The content that ships, of which a town may change the words."""
    content = library(language)
    return replace(
        content,
        forms=dict(content.forms),
        lexicons=dict(content.lexicons),
        revisions={},
        old_lexicons={},
        consent=dict(content.consent),
        consent_since={},
    )


def site(**changes: object) -> Site:
    """The decisions that ship, with a site's own over them."""
    decided, problems = read_site(None)
    assert decided is not None, problems
    return decided.model_copy(update=changes)


@asynccontextmanager
async def open_town(
    url: str,
    vault: Vault,
    residents: Sequence[Resident],
    *,
    at: datetime,
    consented: Sequence[int] = (),
    decisions: Site | None = None,
    policy: Policy | None = None,
    language: str = "",
) -> AsyncIterator[Town]:
    """The town with its school, on an empty database that has all tables.

    Args:
        url: The database.
        vault: Seals and blinds.
        residents: Who lives there. Caregivers are strangers until they join, unless invited.
        at: The time it is (aware).
        consented: List numbers of the children whose families joined before.
        decisions: The site's; None for what ships.
        policy: Who may do what; None for the table that ships.
        language: Tag of one that is offered beside English and isiZulu.
    """
    seeded, channel = Seeded(), FakeChannel()
    world = World(
        library=own_library(language),
        site=decisions or site(),
        vault=vault,
        zone=ZONE,
        accounts=ACCOUNTS,
        base_url="https://cwb.example.org",
        mark_drafts=False,
        gate=always_open,
        new_id=seeded.new_id,
        new_code=seeded.new_code,
        policy=policy or shipped(),
    )
    database = Database.open(url)

    def clock() -> datetime:
        return town.now

    queue = TurnQueue(database, world, clock=clock, me="town")
    delivery = Delivery(queue, dict.fromkeys(channel.names, channel), clock=clock)
    queue.attach(delivery)
    town = Town(
        now=at,
        database=database,
        world=world,
        queue=queue,
        delivery=delivery,
        dialogs=Dialogs(database, queue, clock=clock),
        clock=Clock(database, world, queue, clock),
        channel=channel,
        residents=residents,
    )
    await database.write(lambda c: publish(c, world.library, now=at))
    town.codes = await database.write(lambda c: _build(c, vault, residents, at, consented))
    try:
        yield town
    finally:
        await town.settle()
        await database.close()


def _build(
    conn: Connection,
    vault: Vault,
    residents: Sequence[Resident],
    now: datetime,
    consented: Sequence[int],
) -> dict[int, str]:
    report = import_roster(
        conn,
        _csv(residents),
        file="class-list.csv",
        now=now,
        vault=vault,
        accounts=ACCOUNTS,
        programme="Child Wellbeing",
    )
    school_id = conn.execute(select(schools.c.id)).scalar_one()
    class_id = conn.execute(select(classes.c.id)).scalar_one()
    programme_id = conn.execute(select(schools.c.programme_id)).scalar_one()
    for who in residents:
        if who.role == "coordinator":
            _coordinator(conn, vault, who, now, programme_id=programme_id, school_id=school_id)
    listed = {c.list_number: c for c in learners(conn, system("test"), class_id=class_id)}
    for number in consented:
        _family(conn, vault, listed[number], now, programme_id=programme_id, school_id=school_id)
    assert conn.execute(select(waves.c.id)).scalar_one()
    return {printed.number: printed.code for printed in report.codes}


def _csv(residents: Sequence[Resident]) -> str:
    teacher = next((_contact(r) for r in residents if r.role == "teacher"), "")
    invited = {r.invited_for: r for r in residents if r.invited_for}
    lines = [
        "school,grade,class,number,sex,birth_month,teacher_address,caregiver_address,agreed_on"
    ]
    for number in range(1, CLASS_SIZE + 1):
        guest = invited.get(number)
        entry = f"{_contact(guest)},{guest.agreed_on}" if guest else ","
        sex, month = "fm"[number % 2], f"2018-{number % 12 + 1:02}"
        lines.append(f"{SCHOOL},1,A,{number},{sex},{month},{teacher},{entry}")
    return "\n".join(lines)


def _contact(who: Resident) -> str:
    return who.address if who.channel == "sms" else f"{who.channel}:{who.address}"


def _coordinator(
    conn: Connection,
    vault: Vault,
    who: Resident,
    now: datetime,
    *,
    programme_id: str,
    school_id: str,
) -> None:
    person_id = people.add_person(
        conn,
        kind="staff",
        programme_id=programme_id,
        school_id=school_id,
        name=who.name,
        now=now,
        vault=vault,
    )
    people.add_address(
        conn,
        person_id=person_id,
        channel=who.channel,
        account=ACCOUNTS[who.channel],
        value=who.address,
        vault=vault,
        now=now,
    )
    people.grant_role(conn, person_id=person_id, school_id=school_id, role="coordinator", now=now)


def _family(
    conn: Connection,
    vault: Vault,
    child: Learner,
    now: datetime,
    *,
    programme_id: str,
    school_id: str,
) -> None:
    """A family that joined before: its caregiver agreed to everything."""
    person_id = people.add_person(
        conn,
        kind="caregiver",
        programme_id=programme_id,
        school_id=school_id,
        household_id=child.household_id,
        now=now,
        vault=vault,
    )
    capacity = "parent_or_guardian"
    conn.execute(
        insert(child_caregiver).values(
            child_id=child.id, person_id=person_id, capacity=capacity, from_at=now
        )
    )
    agreed = {
        "person_id": person_id,
        "child_id": child.id,
        "granted": True,
        "capacity": capacity,
        "text_version": library().current["enrolment"],
        "partners_version": partners_version(site().partners),
        "language": "en",
        "channel": "sms",
        "mode": "self",
        "at": now,
    }
    words = digests(library().lexicons["en"].texts)
    conn.execute(
        insert(consents),
        [
            {"id": f"{child.id[:30]}{n:02x}", "purpose": p, "text_digest": words[p], **agreed}
            for n, p in enumerate(ASKED)
        ],
    )
