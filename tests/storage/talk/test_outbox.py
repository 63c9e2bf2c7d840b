"""The outbox on both databases: leases and fences, the line of each address, what is given up."""

import asyncio
import itertools
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, Row, func, insert, select, update

from storage.database import Database
from storage.families.people import add_address, add_person
from storage.families.programmes import ensure_programme, ensure_school
from storage.keyring.vault import Vault
from storage.schema import addresses, outbox, tasks
from storage.talk.outbox import LEASE, MAX_ATTEMPTS, Claimed, Outcome, claim, expire, note, recover

SECOND = timedelta(seconds=1)


class Box:
    """Addresses of two people and messages to them."""

    def __init__(self, database: Database, vault: Vault, now: datetime) -> None:
        self.database, self.vault, self.now = database, vault, now
        self.count = itertools.count(1)
        self.school = ""

    async def address(self, value: str) -> str:
        def make(conn: Connection) -> str:
            programme = ensure_programme(conn, name="P", now=self.now)
            self.school = ensure_school(conn, programme_id=programme, name="S", now=self.now)
            person = add_person(
                conn,
                kind="caregiver",
                programme_id=programme,
                school_id=self.school,
                now=self.now,
                vault=self.vault,
            )
            return add_address(
                conn,
                person_id=person,
                channel="sms",
                account="+27600000001",
                value=value,
                vault=self.vault,
                now=self.now,
            )

        return await self.database.write(make)

    async def put(self, address: str, **changes: object) -> str:
        number = next(self.count)
        row_id = f"{number:032x}"

        def write(conn: Connection) -> None:
            person = conn.execute(
                select(addresses.c.person_id).where(addresses.c.id == address)
            ).scalar_one()
            row = {
                "id": row_id,
                "address_id": address,
                "person_id": person,
                "key": f"k{number}",
                "message_class": "reply",
                "priority": 2,
                "seq": number,
                "state": "queued",
                "body": b"sealed",
                "not_before": self.now,
                "expires_at": self.now + timedelta(hours=24),
                "created_at": self.now,
            }
            conn.execute(insert(outbox).values({**row, **changes}))

        await self.database.write(write)
        return row_id

    async def claim(self, at: datetime, *, most: int = 10, me: str = "one") -> list[Claimed]:
        return (await self.claim_all(at, most=most, me=me))[0]

    async def claim_all(
        self, at: datetime, *, most: int = 10, me: str = "one"
    ) -> tuple[list[Claimed], list[Claimed]]:
        return await self.database.write(lambda c: claim(c, me=me, now=at, most=most))

    async def note(self, at: datetime, *outcomes: Outcome) -> None:
        await self.database.write(lambda c: note(c, outcomes, now=at))

    async def row(self, row_id: str) -> Row:
        return await self.database.read(
            lambda c: c.execute(select(outbox).where(outbox.c.id == row_id)).one()
        )

    async def tasks(self) -> list[Row]:
        return await self.database.read(lambda c: list(c.execute(select(tasks)).all()))


@pytest.fixture
def box(database: Database, vault: Vault, now: datetime) -> Box:
    return Box(database, vault, now)


def accepted(message: Claimed, provider_id: str = "SM1") -> Outcome:
    return Outcome(id=message.id, fence=message.fence, state="accepted", provider_id=provider_id)


def again(message: Claimed, at: datetime, error: str = "unreachable", **changes: bool) -> Outcome:
    return Outcome(
        id=message.id, fence=message.fence, state="queued", error=error, retry_at=at, **changes
    )


def dead(message: Claimed) -> Outcome:
    return Outcome(id=message.id, fence=message.fence, state="dead", error="unreachable")


async def test_what_is_accepted_is_final_and_its_body_is_gone(box: Box, now: datetime) -> None:
    row_id = await box.put(await box.address("+1"))
    (message,) = await box.claim(now)
    assert (message.id, message.attempts, message.fence) == (row_id, 1, 1)
    assert (await box.row(row_id)).lease_owner == "one"
    await box.note(now + SECOND, accepted(message))
    row = await box.row(row_id)
    assert (row.state, row.provider_id, row.body, row.lease_owner) == (
        "accepted",
        "SM1",
        None,
        None,
    )
    assert row.final_at == now + SECOND


async def test_a_worker_that_wakes_after_its_lease_changes_nothing(box: Box, now: datetime) -> None:
    address = await box.address("+1")
    row_id = await box.put(address)
    (asleep,) = await box.claim(now)
    later = now + LEASE + SECOND
    assert await box.database.write(lambda c: recover(c, now=later)) == 1
    (awake,) = await box.claim(later, me="two")
    before = await box.row(row_id)
    for late in (
        accepted(asleep, "SM-late"),
        dead(asleep),
        replace(dead(asleep), state="refused", bad_address=True),
        replace(dead(asleep), state="refused", opted_out=True),
        again(asleep, later),
    ):
        await box.note(later, late)
    assert await box.row(row_id) == before
    assert await box.tasks() == []
    marks = select(addresses.c.bad_at, addresses.c.opted_out_at).where(addresses.c.id == address)
    assert tuple(await box.database.read(lambda c: c.execute(marks).one())) == (None, None)
    await box.note(later, accepted(awake, "SM-two"))
    assert (await box.row(row_id)).provider_id == "SM-two"


async def test_a_dead_workers_row_is_unknown_and_not_taken_back_before_its_time(
    box: Box, now: datetime
) -> None:
    row_id = await box.put(await box.address("+1"))
    await box.claim(now)
    assert await box.database.write(lambda c: recover(c, now=now + LEASE)) == 0
    rest = now + LEASE + 20 * SECOND
    assert (
        await box.database.write(lambda c: recover(c, now=now + LEASE + SECOND, ask_at=rest)) == 1
    )
    row = await box.row(row_id)
    assert (row.state, row.error, row.not_before) == ("queued", "unknown", rest)
    assert await box.claim(rest - SECOND) == []
    (message,) = await box.claim(rest)
    assert message.was_unknown
    assert message.tried_at == now


async def test_a_row_nobody_can_send_or_ask_about_is_given_up_in_the_end(
    box: Box, now: datetime
) -> None:
    row_id = await box.put(await box.address("+1"))
    at = now
    for attempt in range(1, MAX_ATTEMPTS + 2):
        (message,) = await box.claim(at)
        assert message.attempts == attempt
        at += LEASE + SECOND
        assert await box.database.write(lambda c, at=at: recover(c, now=at)) == 1
    row = await box.row(row_id)
    assert (row.state, row.body, row.final_at) == ("dead", None, at)
    assert [(t.kind, t.ref) for t in await box.tasks()] == [("dead_letter", row_id)]


async def test_a_dead_letter_is_work_for_her_school_once(box: Box, now: datetime) -> None:
    address = await box.address("+1")
    row_id = await box.put(address)
    (message,) = await box.claim(now)
    await box.note(now, dead(message))
    await box.note(now, dead(message))
    (task,) = await box.tasks()
    assert (task.kind, task.state, task.ref) == ("dead_letter", "open", row_id)
    assert (task.school_id, task.address_id) == (box.school, address)
    assert task.person_id is not None


@pytest.mark.parametrize(
    ("message_class", "kinds"), [("alert", ["alert_unreachable"]), ("reminder", [])]
)
async def test_an_alert_that_is_refused_is_work_for_staff(
    box: Box, now: datetime, message_class: str, kinds: list[str]
) -> None:
    await box.put(await box.address("+1"), message_class=message_class)
    (message,) = await box.claim(now)
    await box.note(
        now, Outcome(id=message.id, fence=message.fence, state="refused", error="template missing")
    )
    assert [task.kind for task in await box.tasks()] == kinds


async def test_the_line_of_an_address_is_kept(box: Box, now: datetime) -> None:
    first, second = await box.address("+1"), await box.address("+2")
    one, two = await box.put(first), await box.put(first)
    other = await box.put(second)
    claimed = await box.claim(now)
    assert [m.id for m in claimed] == [one, other]
    assert await box.claim(now) == []
    await box.note(now, accepted(claimed[0], "SM1"))
    (message,) = await box.claim(now)
    assert message.id == two


async def test_what_was_tried_and_rests_keeps_its_place_but_an_alert_passes(
    box: Box, now: datetime
) -> None:
    address = await box.address("+1")
    first = await box.put(address)
    (message,) = await box.claim(now)
    await box.note(now, again(message, now + 60 * SECOND))
    second = await box.put(address)
    assert await box.claim(now + SECOND) == []
    alert = await box.put(address, message_class="alert", priority=0)
    (passing,) = await box.claim(now + SECOND)
    assert passing.id == alert
    await box.note(now + SECOND, accepted(passing, "SM2"))
    (message,) = await box.claim(now + 60 * SECOND)
    assert message.id == first
    await box.note(now + 60 * SECOND, accepted(message, "SM1"))
    assert [m.id for m in await box.claim(now + 60 * SECOND)] == [second]


async def test_what_is_planned_for_later_blocks_nothing(box: Box, now: datetime) -> None:
    address = await box.address("+1")
    await box.put(address, not_before=now + timedelta(hours=12), message_class="reminder")
    reply = await box.put(address)
    assert [m.id for m in await box.claim(now)] == [reply]


async def test_an_expired_row_blocks_nothing_even_before_it_is_swept(
    box: Box, now: datetime
) -> None:
    address = await box.address("+1")
    old = await box.put(address, expires_at=now)
    fresh = await box.put(address)
    assert [m.id for m in await box.claim(now)] == [fresh]
    assert await box.database.write(lambda c: expire(c, now=now)) == 1
    row = await box.row(old)
    assert (row.state, row.body, row.final_at) == ("expired", None, now)
    assert await box.database.write(lambda c: expire(c, now=now)) == 0


async def test_a_send_under_way_blocks_although_it_expired(box: Box, now: datetime) -> None:
    address = await box.address("+1")
    await box.put(address, expires_at=now + SECOND)
    await box.claim(now)
    await box.put(address)
    assert await box.claim(now + 2 * SECOND) == []


async def test_a_throttled_send_uses_no_attempt(box: Box, now: datetime) -> None:
    row_id = await box.put(await box.address("+1"))
    at = now
    for _ in range(MAX_ATTEMPTS + 2):
        (message,) = await box.claim(at)
        assert message.attempts == 1
        at += 10 * SECOND
        await box.note(at, again(message, at, "rate 429", counts=False))
    row = await box.row(row_id)
    assert (row.state, row.attempts, row.fence) == ("queued", 0, MAX_ATTEMPTS + 2)


@pytest.mark.parametrize("mark", ["opted_out_at", "bad_at"])
async def test_only_what_must_go_out_goes_to_somebody_who_left(
    box: Box, now: datetime, mark: str
) -> None:
    wanted = {}
    for number, kind in enumerate(("reply", "safety", "alert", "notice", "invitation", "reminder")):
        address = await box.address(f"+{number}")
        wanted[await box.put(address, message_class=kind)] = kind
    await box.database.write(lambda c: c.execute(update(addresses).values({mark: now})))
    go, stay = await box.claim_all(now)
    assert {wanted[m.id] for m in go} == {"reply", "safety", "alert"}
    assert {wanted[m.id] for m in stay} == {"notice", "invitation", "reminder"}


async def test_a_refusal_marks_the_address(box: Box, now: datetime) -> None:
    left, wrong = await box.address("+1"), await box.address("+2")
    await box.put(left)
    await box.put(wrong)
    one, two = await box.claim(now)
    await box.note(
        now,
        Outcome(id=one.id, fence=1, state="refused", error="opted_out 21610", opted_out=True),
        Outcome(id=two.id, fence=1, state="refused", error="bad_address 1", bad_address=True),
    )
    found = select(addresses.c.id, addresses.c.opted_out_at, addresses.c.bad_at)
    rows = {r.id: r for r in await box.database.read(lambda c: c.execute(found).all())}
    assert (rows[left].opted_out_at, rows[left].bad_at) == (now, None)
    assert (rows[wrong].opted_out_at, rows[wrong].bad_at) == (None, now)


async def test_the_urgent_go_first(box: Box, now: datetime) -> None:
    made = [
        await box.put(await box.address(f"+{n}"), message_class=kind, priority=priority)
        for n, (kind, priority) in enumerate([("reminder", 5), ("reply", 2), ("alert", 0)])
    ]
    order = []
    while claimed := await box.claim(now, most=1):
        order.append(claimed[0].id)
    assert order == list(reversed(made))


async def test_two_workers_never_have_the_same_row(box: Box, now: datetime) -> None:
    addresses_of = [await box.address(f"+{n}") for n in range(8)]
    made = [await box.put(a) for _ in range(3) for a in addresses_of]
    got: list[str] = []

    async def work(me: str) -> None:
        while True:
            claimed = await box.claim(now, most=3, me=me)
            if not claimed and await _nothing_left(box):
                return
            got.extend(m.id for m in claimed)
            await box.note(now, *(accepted(m, f"SM{m.id}") for m in claimed))

    await asyncio.gather(work("one"), work("two"))
    assert sorted(got) == sorted(made)
    for address in addresses_of:
        mine = [i for i in got if (await box.row(i)).address_id == address]
        assert mine == sorted(mine)


async def _nothing_left(box: Box) -> bool:
    left = select(func.count()).select_from(outbox).where(outbox.c.final_at.is_(None))
    return await box.database.read(lambda c: c.execute(left).scalar_one()) == 0
