"""What a send's result becomes; sends that hang, raise, or belong to no channel."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.app import make_world
from bot.channels.base import (
    Accepted,
    Destination,
    Lookup,
    Refused,
    Retry,
    SendResult,
    Unknown,
    Unreachable,
)
from bot.content.library import load
from bot.sending.delivery import ACCOUNT_PAUSE, ASK_AFTER, AT_ONCE, Delivery
from bot.sending.envelopes import dump_outbound
from bot.settings import Settings
from bot.site import read_site
from bot.turns.queue import TurnQueue
from flows.messages import LIMITS, ChannelName, Limits, Outbound
from storage.database import Database
from storage.schema import addresses, outbox, tasks
from storage.talk.outbox import LEASE, MAX_ATTEMPTS, recover

Results = list[SendResult | Exception]


@dataclass(slots=True)
class FakeChannel:
    """Keeps what it sent and answers as told: what is queued first, then that it is accepted."""

    results: Results = field(default_factory=list)
    lookups: list[Lookup | Exception] = field(default_factory=list)
    sent: list[tuple[str, Outbound, Destination]] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)
    gate: asyncio.Event | None = None
    names: tuple[ChannelName, ...] = ("sms", "whatsapp")
    paths: tuple[str, ...] = ()

    def limits(self, channel: ChannelName) -> Limits:
        return LIMITS[channel]

    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        self.sent.append((key, message, to))
        if self.gate is not None:
            await self.gate.wait()
        result = self.results.pop(0) if self.results else Accepted(provider_id=f"P{key}")
        if isinstance(result, Exception):
            raise result
        return result

    async def look_up(
        self, message: Outbound, to: Destination, *, since: datetime, key: str
    ) -> Lookup:
        self.asked.append(since)
        found = self.lookups.pop(0) if self.lookups else Lookup(known=True)
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class Office:
    """A queue with a delivery, and a clock that a test moves."""

    database: Database
    queue: TurnQueue
    delivery: Delivery
    channel: FakeChannel
    at: datetime
    count: int = 0

    async def put(self, *, channel: str = "sms", **changes: object) -> str:
        self.count += 1
        address, row_id = f"a{self.count:031d}", f"b{self.count:031d}"
        vault = self.queue.world.vault
        body = vault.seal(
            dump_outbound(Outbound(text="hello")), table="outbox", column="body", row=row_id
        )
        values = {
            "id": row_id,
            "address_id": address,
            "key": row_id,
            "message_class": "reply",
            "priority": 2,
            "seq": self.count,
            "state": "queued",
            "body": body,
            "not_before": self.at,
            "expires_at": self.at + timedelta(hours=1),
            "created_at": self.at,
        }
        where = {
            "id": address,
            "channel": channel,
            "account": "+27600000001",
            "blind": address,
            "value": vault.seal("+2782", table="addresses", column="value", row=address),
            "language": "en",
            "created_at": self.at,
        }
        await self.database.write(
            lambda c: (
                c.execute(insert(addresses).values(where)),
                c.execute(insert(outbox).values({**values, **changes})),
            )
        )
        return row_id

    async def work(self) -> None:
        """Everything due is sent and noted."""
        self.queue.poke()
        for _ in range(4):
            await self.queue.drain()
            await self.delivery.drain()

    async def after(self, wait: timedelta) -> None:
        self.at += wait
        await self.work()

    async def row(self, row_id: str) -> tuple[str, str | None, int]:
        found = select(outbox.c.state, outbox.c.error, outbox.c.attempts)
        row = await self.database.read(
            lambda c: c.execute(found.where(outbox.c.id == row_id)).one()
        )
        return row.state, row.error, row.attempts

    async def task_kinds(self) -> Sequence[str]:
        return await self.database.read(lambda c: c.execute(select(tasks.c.kind)).scalars().all())


@pytest.fixture
async def office(sqlite_url: str, now: datetime) -> AsyncIterator[Office]:
    site, _ = read_site(None)
    assert site is not None
    world = make_world(Settings(_env_file=None, demo=True), site, load(languages=["en"]))
    database = Database.open(sqlite_url)
    channel = FakeChannel()

    def clock() -> datetime:
        return made.at

    queue = TurnQueue(database, world, clock=clock, me="test")
    delivery = Delivery(queue, {"sms": channel, "whatsapp": channel}, clock=clock)
    queue.attach(delivery)
    made = Office(database, queue, delivery, channel, now)
    yield made
    await made.work()
    await database.close()


async def test_a_message_is_handed_over_with_what_the_channel_needs(office: Office) -> None:
    row_id = await office.put()
    await office.work()
    ((key, message, to),) = office.channel.sent
    assert (key, message.text, to.address, to.account) == (row_id, "hello", "+2782", "+27600000001")
    assert to.valid_s == 3600
    assert await office.row(row_id) == ("accepted", None, 1)


@pytest.mark.parametrize(("age_h", "is_open"), [(None, False), (23, True), (24, False)])
async def test_the_window_for_free_messages_closes_after_a_day(
    office: Office, age_h: int | None, is_open: bool
) -> None:
    await office.put(channel="whatsapp")
    if age_h is not None:
        since = office.at - timedelta(hours=age_h)
        await office.database.write(
            lambda c: c.execute(update(addresses).values(last_inbound_at=since))
        )
    await office.work()
    assert office.channel.sent[0][2].window_open is is_open


async def test_what_did_not_arrive_is_tried_three_times_and_later_each_time(
    office: Office,
) -> None:
    office.channel.results = [Retry(reason="unreachable x")] * MAX_ATTEMPTS
    row_id = await office.put()
    await office.work()
    await office.after(timedelta(seconds=4.9))
    assert len(office.channel.sent) == 1
    await office.after(timedelta(seconds=1.2))
    await office.after(timedelta(seconds=9.9))
    assert len(office.channel.sent) == 2
    await office.after(timedelta(seconds=2.2))
    assert await office.row(row_id) == ("dead", "unreachable x", MAX_ATTEMPTS)
    assert await office.task_kinds() == ["dead_letter"]
    assert office.channel.asked == []


async def test_429_uses_no_attempt(office: Office) -> None:
    office.channel.results = [Retry(reason="rate", after_s=10, counts=False)] * 5
    row_id = await office.put()
    await office.work()
    for _ in range(4):
        await office.after(timedelta(seconds=10))
        assert await office.row(row_id) == ("queued", "rate", 0)
    await office.after(timedelta(seconds=10))
    assert await office.row(row_id) == ("accepted", None, 1)


async def test_an_unknown_outcome_rests_then_is_asked_about_from_the_first_attempt(
    office: Office,
) -> None:
    office.channel.results = [Unknown(reason="timeout")]
    office.channel.lookups = [Unreachable("later"), Lookup(known=True, provider_id="SM9")]
    row_id = await office.put()
    first = office.at
    await office.work()
    await office.after(ASK_AFTER - timedelta(seconds=1))
    assert office.channel.asked == []
    await office.after(timedelta(seconds=1))
    assert await office.row(row_id) == ("queued", "unknown", 1)
    await office.after(ASK_AFTER)
    assert (await office.row(row_id))[0] == "accepted"
    assert office.channel.asked == [first, first]
    assert len(office.channel.sent) == 1


@pytest.mark.parametrize(("known", "sends"), [(True, 3), (False, 2)])
async def test_sends_that_leave_no_trace_end_as_a_dead_letter(
    office: Office, known: bool, sends: int
) -> None:
    office.channel.results = [Unknown(reason="timeout")] * 9
    office.channel.lookups = [Lookup(known=known)] * 9
    row_id = await office.put()
    await office.work()
    for _ in range(6):
        await office.after(ASK_AFTER)
    assert len(office.channel.sent) == sends
    assert (await office.row(row_id))[:2] == ("dead", "unknown")
    assert await office.task_kinds() == ["dead_letter"]


@pytest.mark.parametrize(
    ("result", "mark"),
    [
        (Refused(reason="opted_out 21610", scope="address"), "opted_out_at"),
        (Refused(reason="bad_address 21614", scope="address"), "bad_at"),
        (Refused(reason="content 21617"), None),
    ],
)
async def test_a_refusal_is_final_and_marks_what_it_is_about(
    office: Office, result: Refused, mark: str | None
) -> None:
    office.channel.results = [result]
    row_id = await office.put()
    await office.work()
    assert await office.row(row_id) == ("refused", result.reason, 1)
    marks = select(addresses.c.opted_out_at, addresses.c.bad_at)
    row = await office.database.read(lambda c: c.execute(marks).mappings().one())
    assert {name for name, at in row.items() if at is not None} == ({mark} if mark else set())


async def test_our_own_accounts_trouble_is_waited_out(office: Office) -> None:
    office.channel.results = [Refused(reason="account 20003", scope="account")]
    row_id = await office.put()
    await office.work()
    assert await office.row(row_id) == ("queued", "account 20003", 0)
    await office.after(ACCOUNT_PAUSE)
    assert (await office.row(row_id))[0] == "accepted"
    assert len(office.channel.sent) == 2


async def test_who_left_gets_replies_but_no_reminder(office: Office) -> None:
    reply = await office.put()
    reminder = await office.put(message_class="reminder")
    await office.database.write(
        lambda c: c.execute(update(addresses).values(opted_out_at=office.at))
    )
    await office.work()
    assert [key for key, _, _ in office.channel.sent] == [reply]
    assert (await office.row(reminder))[:2] == ("refused", "withheld")


async def test_without_a_channel_it_waits_and_a_broken_seal_is_refused(office: Office) -> None:
    nobody = await office.put(channel="telegram")
    broken = await office.put(body=b"damaged")
    await office.work()
    assert office.channel.sent == []
    assert (await office.row(nobody))[:2] == ("queued", "no_channel")
    assert (await office.row(broken))[:2] == ("refused", "sealed")


async def test_a_channel_that_raises_leaves_an_unknown_outcome(office: Office) -> None:
    office.channel.results = [RuntimeError("a fault of ours")] * 9
    row_id = await office.put()
    await office.work()
    assert (await office.row(row_id))[0] == "sending"
    for _ in range(MAX_ATTEMPTS):
        office.at += LEASE + timedelta(seconds=1)
        await office.database.write(lambda c: recover(c, now=office.at))
        await office.work()
    assert len(office.channel.sent) == MAX_ATTEMPTS
    assert (await office.row(row_id))[:2] == ("dead", "unknown")
    assert await office.task_kinds() == ["dead_letter"]


async def test_a_worker_that_wakes_too_late_is_not_heard(office: Office) -> None:
    office.channel.gate = asyncio.Event()
    office.channel.results = [Accepted(provider_id="late")]
    row_id = await office.put()
    office.queue.poke()
    await office.queue.drain()
    office.at += LEASE + timedelta(seconds=1)
    rest = office.at + ASK_AFTER
    await office.database.write(lambda c: recover(c, now=office.at, ask_at=rest))
    before = await office.row(row_id)
    office.channel.gate.set()
    await office.work()
    assert await office.row(row_id) == before == ("queued", "unknown", 1)
    office.channel.lookups = [Lookup(known=True, provider_id="late")]
    await office.after(ASK_AFTER)
    assert (await office.row(row_id))[0] == "accepted"
    assert len(office.channel.sent) == 1


async def test_it_takes_no_more_than_it_can_send_at_once(office: Office) -> None:
    office.channel.gate = asyncio.Event()
    for _ in range(AT_ONCE + 3):
        await office.put()
    office.queue.poke()
    await office.queue.drain()
    await asyncio.sleep(0)
    assert (len(office.channel.sent), office.delivery.room()) == (AT_ONCE, 0)
    office.channel.gate.set()
    await office.work()
    assert len(office.channel.sent) == AT_ONCE + 3
    assert office.delivery.room() == AT_ONCE


async def test_a_destination_never_lives_longer_than_its_message(office: Office) -> None:
    await office.put(expires_at=office.at + timedelta(seconds=90))
    await office.work()
    to = office.channel.sent[0][2]
    assert to == replace(to, valid_s=90)
