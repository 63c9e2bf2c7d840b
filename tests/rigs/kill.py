"""The kill rig: a real `main.py run`, killed at random moments while providers talk to it.

Families enrol and answer over signed webhooks, several at once; what gets no 2xx is delivered again
with the same id, as providers do, and some of what got one is delivered again, too. At the end
every message that was answered with 2xx must stand exactly once, every session must be the fold of
its events, every critical answer must have its alert, and no message may have gone out more often
than once and once more for each time its outcome was unknown.

    make kill ARGS="--rounds 50 --seed 7"
"""

import argparse
import asyncio
import os
import random
import signal
import socket
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import Connection, func, select

from bot.content.library import load
from storage.database import Database
from storage.invariants import problems
from storage.keyring.keys import KeyStore
from storage.keyring.vault import Vault
from storage.migrate import upgrade
from storage.schema import alerts, answers, inbox, inbox_seen, outbox
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio
from tests.live import SMS, environment, refold, seed_school, sms_request, status_request

ROOT = Path(__file__).parents[2]
WORDS = ("JOIN", "1 1 2 1 2 3", "1 1 1", "1 1 1", "1 1 1", "1 1 1", "3")
"""Joining, the consents, four packs of the core, and: no food today. Seven messages a family."""
AT_ONCE = 8
READY_S = 30.0
QUIET_S = 60.0
AGAIN_S = 0.05
"""A provider waits longer before it delivers again; here the next attempt should meet a start."""


@dataclass(slots=True)
class Report:
    """What a run did and every promise it found broken."""

    seed: int
    kills: int = 0
    families: int = 0
    acknowledged: int = 0
    repeated: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    sends: int = 0
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report for a reader."""
        return [
            f"seed {self.seed}: {self.kills} kills, {self.families} families, "
            f"{self.acknowledged} messages acknowledged, {self.repeated} delivered again, "
            f"{self.sends} sends, {sum(self.unknown.values())} outcomes unknown",
            *(self.problems or ["every promise held"]),
        ]


class PunctualTwilio(FakeTwilio):
    """Dates each message by the real clock, as the bot in its own process does."""

    def holds(self, *, to: str, body: str, at: datetime, direction: str = "outbound-api") -> str:
        return super().holds(to=to, body=body, at=datetime.now(UTC), direction=direction)


class Process:
    """`main.py run`, started and killed by its own process id and no other."""

    def __init__(self, env: dict[str, str], base: str, folder: Path) -> None:
        self._env = {**env, "PATH": os.environ.get("PATH", ""), "PORT": base.rpartition(":")[2]}
        self._base = base
        self._log = folder / "run.log"
        self._running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it serves."""
        with self._log.open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                sys.executable, "main.py", "run", cwd=ROOT, env=self._env, stdout=log, stderr=log
            )
        async with httpx.AsyncClient(base_url=self._base) as client, asyncio.timeout(READY_S):
            while True:
                if self._running.returncode is not None:
                    raise RuntimeError(f"the bot ended by itself, see {self._log}")
                try:
                    if (await client.get("/readyz")).is_success:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(AGAIN_S)

    async def end(self, how: signal.Signals) -> None:
        """End it; nothing happens if it runs no more."""
        if self._running is None or self._running.returncode is not None:
            return
        self._running.send_signal(how)
        await self._running.wait()


class Rig:
    """One run of the rig in a folder of its own."""

    def __init__(self, folder: Path, *, rounds: int, seed: int) -> None:
        self.report = Report(seed=seed)
        self._folder = folder
        self._rounds = rounds
        self._chance = random.Random(seed)  # noqa: S311 - a seed must replay
        self._file = folder / "live.db"
        self._vault = Vault.over(KeyStore.open(f"sqlite:///{folder / 'keys.db'}", bytes(range(32))))
        self._over = False
        self._acknowledged: dict[str, str] = {}
        self._finished: list[str] = []

    async def run(self, *, settled: bool) -> Report:
        """Do it all.

        Args:
            settled: Whether to wait at the end until unknown outcomes are cleared up, too.
        """
        async with AsyncExitStack() as stack:
            twilio = await stack.enter_async_context(PunctualTwilio())
            telegram = await stack.enter_async_context(FakeTelegram())
            base = f"http://127.0.0.1:{_free_port()}"
            env = environment(self._folder, base=base, twilio=twilio.url, telegram=telegram.url)
            codes = await self._seed(env["DATABASE_URL"])
            process = Process(env, base, self._folder)
            stack.push_async_callback(process.end, signal.SIGKILL)
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=20))
            await process.start()
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._families(client, base, codes))
                group.create_task(self._statuses(client, base, twilio))
                await self._kill_again_and_again(process)
                self._over = True
            await self._quiet(settled=settled)
            await process.end(signal.SIGTERM)
            await self._judge(env["DATABASE_URL"], twilio, telegram)
        self._vault.close()
        return self.report

    async def _seed(self, url: str) -> list[str]:
        upgrade(url)
        database = Database.open(url)
        now = datetime.now(UTC)
        families = 60 * (self._rounds + 1)
        codes = await database.write(lambda c: seed_school(c, self._vault, now, learners=families))
        await database.close()
        return codes

    async def _kill_again_and_again(self, process: Process) -> None:
        for _ in range(self._rounds):
            await asyncio.sleep(self._chance.uniform(0.02, 1.2))
            await process.end(signal.SIGKILL)
            self.report.kills += 1
            self._note_unknown()
            await process.start()

    def _note_unknown(self) -> None:
        """Nobody saw what became of what was being sent."""
        with closing(sqlite3.connect(self._file)) as conn:
            for (row_id,) in conn.execute("select id from outbox where state = 'sending'"):
                self.report.unknown[row_id] += 1

    async def _families(self, client: httpx.AsyncClient, base: str, codes: list[str]) -> None:
        """One family after the other; the last one begun is finished after the last kill."""
        while codes and not self._over:
            code = codes.pop()
            number = len(codes)
            sender = f"+2782{number:07}"
            for step, word in enumerate(WORDS):
                sid = f"SM{number:016x}{step:016x}"
                text = f"JOIN {code}" if word == "JOIN" else word
                await self._deliver(client, base, sender, text, sid)
                if self._chance.random() < 0.1:
                    self.report.repeated += 1
                    await self._deliver(client, base, sender, text, sid)
            self._finished.append(sender)

    async def _deliver(
        self, client: httpx.AsyncClient, base: str, sender: str, text: str, sid: str
    ) -> None:
        path, headers, body = sms_request(base, sender, text, sid)
        while True:
            try:
                answer = await client.post(path, headers=headers, content=body)
            except httpx.TransportError:
                await asyncio.sleep(AGAIN_S)
                continue
            if answer.is_success:
                self._acknowledged[sid] = sender
                return
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                self.report.problems.append(f"a signed message got {answer.status_code}")
                return
            await asyncio.sleep(AGAIN_S)

    async def _statuses(self, client: httpx.AsyncClient, base: str, twilio: FakeTwilio) -> None:
        """Twilio says of every second message that it arrived; what gets no 2xx is not repeated."""
        told = 0
        while not self._over:
            await asyncio.sleep(AGAIN_S)
            fresh, told = range(told, len(twilio.sent)), len(twilio.sent)
            for number in fresh:
                if number % 2:
                    continue
                row = twilio.sent[number]["StatusCallback"].rpartition("/")[2]
                sid = str(twilio.messages[number]["sid"])
                path, headers, body = status_request(base, sid, "delivered", outbox_id=row)
                try:
                    await client.post(path, headers=headers, content=body)
                except httpx.TransportError:
                    break

    async def _quiet(self, *, settled: bool) -> None:
        """Wait until nothing is left to do, or only what rests before the provider is asked."""
        unsettled = "('queued', 'sending')"
        asked_later = "" if settled else " and coalesce(error, '') <> 'unknown'"
        sql = (
            f"select count(*) from outbox where state in {unsettled}{asked_later}"  # noqa: S608
            " union all select count(*) from inbox where status = 'waiting'"
        )
        try:
            async with asyncio.timeout(QUIET_S):
                while True:
                    with closing(sqlite3.connect(self._file)) as conn:
                        if not any(count for (count,) in conn.execute(sql)):
                            return
                    await asyncio.sleep(AGAIN_S)
        except TimeoutError:
            self.report.problems.append(f"work is left after {QUIET_S:.0f} s")

    async def _judge(self, url: str, twilio: FakeTwilio, telegram: FakeTelegram) -> None:
        report = self.report
        report.families = len(self._finished)
        report.acknowledged = len(self._acknowledged)
        report.sends = len(twilio.sent) + len(telegram.sent)
        sends = Counter(str(f["StatusCallback"]).rpartition("/")[2] for f in twilio.sent)
        report.problems += [
            f"message {row} went out {times} times, {report.unknown[row]} outcomes were unknown"
            for row, times in sends.items()
            if times > 1 + report.unknown[row]
        ]
        database = Database.open(url)
        try:
            report.problems += await database.read(self._broken)
            alerted = await database.read(
                lambda c: c.execute(
                    select(func.count())
                    .select_from(outbox)
                    .where(outbox.c.message_class == "alert")
                ).scalar_one()
            )
        finally:
            await database.close()
        if len(telegram.sent) > alerted + sum(report.unknown.values()):
            report.problems.append(f"{len(telegram.sent)} alerts went out for {alerted} messages")

    def _broken(self, conn: Connection) -> list[str]:
        library = load(languages=["en"], drafts=False)
        return [
            *problems(
                conn,
                now=datetime.now(UTC),
                rules=library.rules,
                vault=self._vault,
                refold=refold(library),
                ticking=True,
            ),
            *self._not_once(conn),
            *self._alerts(conn),
            *_unsound(conn),
        ]

    def _not_once(self, conn: Connection) -> list[str]:
        """Every acknowledged message stands once, and every family's answers are the same."""
        digests = {
            self._vault.blind("message", f"sms|{SMS}|{sid}"): sid for sid in self._acknowledged
        }
        seen = set(conn.execute(select(inbox_seen.c.digest)).scalars())
        found = [f"message {digests[d]} was acknowledged and is lost" for d in set(digests) - seen]
        stored = conn.execute(select(func.count()).select_from(inbox)).scalar_one()
        if stored != len(seen) or len(seen) != len(digests):
            found.append(f"{len(digests)} acknowledged, {len(seen)} seen, {stored} stored")
        given = conn.execute(
            select(
                answers.c.session_id,
                answers.c.form_id,
                answers.c.item,
                answers.c.revision,
                answers.c.value,
            )
        )
        sheets: dict[str, set[tuple[str, str, int, str | None]]] = {}
        for session, *answer in given:
            sheets.setdefault(session, set()).add(tuple(answer))
        kinds = Counter(frozenset(sheet) for sheet in sheets.values())
        if [*kinds.values()] != [len(self._finished)] * 2:
            found.append(f"{len(self._finished)} families left sheets {[*kinds.values()]}")
        return found

    def _alerts(self, conn: Connection) -> list[str]:
        raised = conn.execute(
            select(func.count()).select_from(alerts).where(alerts.c.rule == "no_food_today")
        ).scalar_one()
        families = len(self._finished)
        return [] if raised == families else [f"{families} children go hungry, {raised} alerts"]


def _unsound(conn: Connection) -> list[str]:
    whole = conn.exec_driver_sql("pragma integrity_check").scalars().all()
    keys = conn.exec_driver_sql("pragma foreign_key_check").all()
    return [*(f"integrity: {w}" for w in whole if w != "ok"), *(f"foreign key: {k}" for k in keys)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """The command line; exit code 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="make kill", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="kills (about 4 s each)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill") as folder:
        rig = Rig(Path(folder), rounds=told.rounds, seed=told.seed)
        report = asyncio.run(rig.run(settled=True))
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
