"""The clock: APScheduler only says "now"; what is due stands in our rows.

A tick that raises is logged and counted and comes again; two workers ticking at once do no harm,
since every effect has a key or a lock.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Connection

from bot.care import accounts, invitations, lapses, later, monthly, nudges, resend
from bot.metrics import TICK_FAILURES
from bot.policy import JOB, Place, may
from bot.rights import retention
from bot.rights.retention import table_of
from bot.turns.queue import TurnQueue
from bot.turns.world import World
from storage.database import Database
from storage.rights.purge import purge_strangers
from storage.talk import dialogs, outbox
from storage.talk.receipts import adopt_orphans

Sweep = Callable[[Connection, World, datetime], int]
Tick = Callable[[], Awaitable[int]]
log = structlog.get_logger(__name__)


class Clock:
    """All ticks of one process. `tick` runs each once, for tests and for catching up."""

    def __init__(
        self,
        database: Database,
        world: World,
        queue: TurnQueue,
        now: Callable[[], datetime],
        *,
        more: Mapping[str, tuple[float, Tick]] | None = None,
    ) -> None:
        """Made once at start; nothing runs before `start`.

        Args:
            database: Where the rows are.
            world: What sweeps know.
            queue: Is poked when something became due.
            now: The clock.
            more: Ticks that need more than these: name, seconds between, what to do.
        """
        self._database = database
        self._world = world
        self._queue = queue
        self._now = now
        self._scheduler: AsyncIOScheduler | None = None
        self.ticks: dict[str, tuple[float, Tick]] = {
            "due": (1, self._poke),
            "waiting": (5, queue.retry_waiting),
            "leases": (15, self._leases),
            "alerts": (10, partial(self._sweep, resend.sweep)),
            "nudges": (60, partial(self._sweep, nudges.sweep)),
            "pauses": (60, partial(self._sweep, nudges.paused)),
            "to_call": (600, partial(self._sweep, nudges.to_call)),
            "later": (60, partial(self._sweep, later.sweep)),
            "invitations": (60, partial(self._sweep, invitations.sweep)),
            "lapses": (600, partial(self._sweep, lapses.sweep)),
            "accounts": (600, partial(self._sweep, accounts.sweep)),
            "who_looked": (3600, partial(self._sweep, monthly.sweep)),
            "strangers": (3600, self._purge),
            "retention": (3600, partial(self._sweep, retention.sweep)),
            **(more or {}),
        }

    def start(self) -> None:
        """Begin ticking."""
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for name, (seconds, tick) in self.ticks.items():
            self._scheduler.add_job(self._safely, "interval", (name, tick), seconds=seconds)
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking; a tick under way ends by itself."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    async def tick(self) -> dict[str, int]:
        """Run every tick once, in order; returns what each did."""
        return {name: await self._run(name, tick) for name, (_, tick) in self.ticks.items()}

    async def _safely(self, name: str, tick: Tick) -> None:
        try:
            await self._run(name, tick)
        except asyncio.CancelledError:
            raise
        except Exception:
            TICK_FAILURES.labels(tick=name).inc()
            log.exception("tick_failed", tick=name)

    async def _run(self, name: str, tick: Tick) -> int:
        """Run one, if the policy has it as a job of ours."""
        place = Place(section="jobs", name=name)
        if may(self._world.policy, JOB, "run", place) != "allow":
            raise PermissionError(f"policy.yaml does not let {name} run as a job")
        return await tick()

    async def _poke(self) -> int:
        self._queue.poke()
        return 0

    async def _sweep(self, sweep: Sweep) -> int:
        now = self._now()
        count = await self._database.write(lambda c: sweep(c, self._world, now))
        if count:
            self._queue.poke()
        return count

    async def _leases(self) -> int:
        now = self._now()
        return await self._database.write(
            lambda c: (
                outbox.recover(c, now=now)
                + outbox.expire(c, now=now)
                + adopt_orphans(c, now=now)
                + dialogs.purge(c, now=now)
            )
        )

    async def _purge(self) -> int:
        now = self._now()
        days = table_of(self._world.site)["strangers"].days
        if days is None:
            return 0
        before = now - timedelta(days=days)
        return await self._database.write(
            lambda c: purge_strangers(c, before=before, now=now, vault=self._world.vault)
        )
