"""The queue of turns: whatever arrived while the last batch was committing is the next batch.

Nobody is answered before the commit that carries his message. A batch that raises is taken apart;
the one message that raises alone is kept as waiting and tried again by the clock.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from bot.metrics import BATCH_SIZE, TURN_FAILURES, TURNS
from bot.turns.batch import Done, Work, park, run
from bot.turns.desk import Letter
from bot.turns.waiting import retry_one, stuck
from bot.turns.world import World
from flows.messages import Inbound
from storage.database import Database
from storage.errors import OutcomeUnknown, SealBroken, StorageError
from storage.talk.outbox import Claimed, Outcome, StatusRow

LOOKS = 2
"""Turns of the event loop from a request at the socket to its letter in the queue."""
LARGEST = 128
"""Letters in one commit; group commit gains nothing above it (reference: perf §1b)."""

log = structlog.get_logger(__name__)


class Courier(Protocol):
    """Who sends what a batch leased (`bot.sending.delivery`)."""

    def room(self) -> int:
        """How many more messages it can take now."""
        ...

    def take(self, claimed: Sequence[Claimed], withheld: Sequence[Claimed]) -> None:
        """Messages leased to it in the commit just made."""
        ...


@dataclass(slots=True)
class _Entry:
    letter: Letter
    future: "asyncio.Future[None]"


class TurnQueue:
    """Collects work and commits it in batches, one batch at a time."""

    def __init__(
        self,
        database: Database,
        world: World,
        *,
        clock: Callable[[], datetime],
        me: str,
    ) -> None:
        """Made once at start; `me` names this worker on leases."""
        self.world = world
        self._database = database
        self._clock = clock
        self._me = me
        self._entries: list[_Entry] = []
        self._outcomes: list[Outcome] = []
        self._statuses: list[StatusRow] = []
        self._status_futures: list[asyncio.Future[None]] = []
        self._poked = False
        self._pump: asyncio.Task[None] | None = None
        self._courier: Courier | None = None

    def attach(self, courier: Courier) -> None:
        """Let every commit also lease what the courier has room for."""
        self._courier = courier

    def letter(self, inbound: Inbound) -> Letter:
        """An inbound with its keys."""
        vault = self.world.vault
        key = f"{inbound.channel}|{inbound.account}|{inbound.message_id}"
        return Letter(
            inbound=inbound,
            blind=vault.blind_address(inbound.channel, inbound.account, inbound.address),
            digest=vault.blind("message", key),
            inbox_id=self.world.new_id(inbound.received_at),
        )

    async def submit(self, inbound: Inbound) -> None:
        """Take a message in; returns after the commit that carries it.

        Raises:
            StorageError: It could not be stored; the provider must deliver it again.
        """
        future = asyncio.get_running_loop().create_future()
        self._entries.append(_Entry(self.letter(inbound), future))
        self._go()
        await future

    async def status(self, row: StatusRow) -> None:
        """Take a provider's word on a message in; returns after its commit."""
        future = asyncio.get_running_loop().create_future()
        self._statuses.append(row)
        self._status_futures.append(future)
        self._go()
        await future

    def outcome(self, outcome: Outcome) -> None:
        """Note what became of a send, with the next commit."""
        self._outcomes.append(outcome)
        self._go()

    def poke(self) -> None:
        """Look for due messages although nothing arrived."""
        self._poked = True
        self._go()

    async def retry_waiting(self) -> int:
        """Try stored messages again whose handling raised; returns how many rows were settled."""
        count = 0
        now = self._clock()
        for address_id in await self._database.read(lambda c: stuck(c, now)):
            count += await retry_one(self._database, self.world, address_id, self._clock)
        if count:
            self.poke()
        return count

    async def drain(self) -> None:
        """Wait until nothing is queued here."""
        while self._pump is not None and not self._pump.done():
            await asyncio.wait([self._pump])

    def _go(self) -> None:
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while self._entries or self._outcomes or self._statuses or self._poked:
            await self._gather()
            entries, self._entries = self._entries[:LARGEST], self._entries[LARGEST:]
            outcomes, self._outcomes = self._outcomes, []
            statuses, self._statuses = self._statuses, []
            futures, self._status_futures = self._status_futures, []
            self._poked = False
            work = Work(
                letters=[e.letter for e in entries],
                outcomes=outcomes,
                statuses=statuses,
                claim=self._courier.room() if self._courier else 0,
                me=self._me,
            )
            await self._commit(work, entries, futures)

    async def _gather(self) -> None:
        """Let in what stands at the door: requests that were answered together return together.

        No time is waited: as long as each look at the sockets brings another letter, look again.
        """
        known = -1
        while known < len(self._entries) < LARGEST:
            known = len(self._entries)
            for _ in range(LOOKS):
                await asyncio.sleep(0)

    async def _commit(
        self, work: Work, entries: list[_Entry], futures: "list[asyncio.Future[None]]"
    ) -> None:
        try:
            done = await self._write(work)
        except Exception as error:
            if _refused(error):
                self._outcomes = [*work.outcomes, *self._outcomes]
                self._fail(entries, futures, error)
                await asyncio.sleep(0.05)
                return
            TURN_FAILURES.inc()
            log.exception("batch_taken_apart", letters=len(entries))
            await self._one_by_one(work, entries, futures)
            return
        TURNS.inc(done.fresh)
        BATCH_SIZE.observe(len(entries))
        self._settle(entries, futures)
        if self._courier is not None and (done.claimed or done.withheld):
            self._courier.take(done.claimed, done.withheld)

    async def _write(self, work: Work) -> Done:
        now = self._clock()
        try:
            return await self._database.write(lambda c: run(c, work, world=self.world, now=now))
        except OutcomeUnknown:
            # The keys decide: what was committed is recognised, what was not is done now.
            return await self._database.write(lambda c: run(c, work, world=self.world, now=now))

    async def _one_by_one(
        self, work: Work, entries: list[_Entry], futures: "list[asyncio.Future[None]]"
    ) -> None:
        await self._without_letters(replace(work, letters=(), claim=0), futures)
        for entry in entries:
            try:
                await self._write(Work(letters=[entry.letter], me=self._me))
            except Exception as error:
                if _refused(error):
                    self._fail([entry], [], error)
                    continue
                log.exception("letter_parked")
                await self._park(entry)
            else:
                self._settle([entry], [])
        self._poked = self._poked or bool(entries)

    async def _without_letters(self, work: Work, futures: "list[asyncio.Future[None]]") -> None:
        """Outcomes and statuses of a batch taken apart; nobody hears 2xx for what is not written.

        Outcomes that raise by themselves are dropped: their leases end, and the provider is asked.
        """
        try:
            await self._write(work)
        except Exception as error:
            log.exception("notes_not_written")
            if _refused(error):
                self._outcomes = [*work.outcomes, *self._outcomes]
            self._fail([], futures, error)
        else:
            self._settle([], futures)

    async def _park(self, entry: _Entry) -> None:
        now = self._clock()
        try:
            await self._database.write(lambda c: park(c, entry.letter, world=self.world, now=now))
        except Exception as error:
            log.exception("letter_not_kept")
            self._fail([entry], [], error)
        else:
            self._settle([entry], [])

    @staticmethod
    def _settle(entries: Sequence[_Entry], futures: "Sequence[asyncio.Future[None]]") -> None:
        for future in [*(e.future for e in entries), *futures]:
            if not future.done():
                future.set_result(None)

    @staticmethod
    def _fail(
        entries: Sequence[_Entry], futures: "Sequence[asyncio.Future[None]]", error: Exception
    ) -> None:
        for future in [*(e.future for e in entries), *futures]:
            if not future.done():
                future.set_exception(error)


def _refused(error: Exception) -> bool:
    """Whether the database refused everybody. A row that does not open is one person's trouble."""
    return isinstance(error, StorageError) and not isinstance(error, SealBroken)
