"""Signed webhooks over HTTP: the real application beside a signed echo that commits one row.

The bot answers what it is sent, and hears of each answer that it was delivered: a webhook as well.
"""

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import load, place, school
from benchmarks.figures import MS, Aim, head, percentile, say, spread
from benchmarks.provider import Callbacks, calling_back

AIM_RATIO = 0.40
AIM_P99_MS = 40
BUSY = 32
US = 1_000_000
NAMES = ("limit", "bot")


@dataclass(slots=True, kw_only=True)
class Series:
    """One server at one number of connections, over all rounds."""

    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    turns: list[float] = field(default_factory=list)

    def add(self, found: load.Load, cpu_s: float, *, seconds: float, callbacks: int = 0) -> None:
        """Keep a round. Raises RuntimeError where a request was refused."""
        if found.refused:
            raise RuntimeError(f"{found.refused} requests were refused")
        messages = len(found.latencies)
        self.rates.append((messages + callbacks) / seconds)
        self.turns.append(messages / seconds)
        self.cpu_us.append(US * cpu_s / (messages + callbacks))
        self.p50.append(MS * percentile(found.latencies, 0.5))
        self.p99.append(MS * percentile(found.latencies, 0.99))


async def measure(folder: Path, *, rounds: int, requests: dict[int, int]) -> bool:
    """Print webhooks a second and their latency; returns whether the aims are met.

    Args:
        folder: Where databases go.
        rounds: How often each is measured, in turn.
        requests: How many requests a round, by connections.
    """
    head("Signed webhooks over HTTP, answered after the commit (SQLite, synchronous=FULL)")
    port, bare_port = place.free_port(), place.free_port()
    environment = place.live(folder, port)
    caregivers = 40 + rounds * sum(requests.values()) // len(school.SHORT)
    await place.fill(environment, caregivers)
    messages = school.conversations(caregivers, open_at_once=4 * BUSY)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {place.LOAD_CPU})
    found = {(name, c): Series() for c in requests for name in NAMES}
    with (
        place.process(["-m", "benchmarks.server"], environment) as bot,
        place.process(["-m", "benchmarks.echo", str(bare_port), str(folder / "e.db")], {}) as bare,
    ):
        place.wait_for(port, bot)
        place.wait_for(bare_port, bare)
        at = 0
        async with calling_back(bot, port) as told:
            for _ in range(rounds):
                for connections, count in requests.items():
                    part = messages[at : at + count]
                    at += count
                    wire = [load.request(m, bare_port) for m in part]
                    cpu = place.cpu_seconds(bare.pid)
                    took = await load.put(wire, bare_port, connections=connections)
                    cpu = place.cpu_seconds(bare.pid) - cpu
                    found["limit", connections].add(took, cpu, seconds=took.seconds)
                    await _round(
                        found["bot", connections], part, (port, bot.pid), told, connections
                    )
    for (name, connections), series in found.items():
        say(
            f"{name:5} {connections:3} connections: {spread(series.rates)}/s, "
            f"p50 {median(series.p50):.1f} ms, p99 {spread(series.p99, 1)} ms, "
            f"{median(series.cpu_us):,.0f} us CPU a request"
        )
        if name == "bot":
            say(
                f"      of these {spread(series.turns)} messages/s; the others are status callbacks"
            )
    ratios = {c: median(found["bot", c].rates) / median(found["limit", c].rates) for c in requests}
    say("; ".join(f"ratio at {c}: {ratio:.0%}" for c, ratio in ratios.items()))
    aims = [
        Aim(text=f">= {AIM_RATIO:.0%} of the limit at {BUSY}", met=ratios[BUSY] >= AIM_RATIO),
        Aim(
            text=f"p99 < {AIM_P99_MS} ms at {BUSY}",
            met=median(found["bot", BUSY].p99) < AIM_P99_MS,
        ),
    ]
    for aim in aims:
        say(str(aim))
    return all(aim.met for aim in aims)


async def _round(
    series: Series,
    part: Sequence[school.Message],
    bot: tuple[int, int],
    told: Callbacks,
    connections: int,
) -> None:
    """Send the messages to the bot (port, process) and wait for the last callback, too."""
    port, pid = bot
    wire = [load.request(m, port) for m in part]
    before, cpu, began = told.answered, place.cpu_seconds(pid), time.perf_counter()
    took = await load.put(wire, port, connections=connections)
    await told.quiet()
    seconds = told.last_at - began
    if told.refused:
        raise RuntimeError(f"{told.refused} callbacks were refused")
    cpu = place.cpu_seconds(pid) - cpu
    series.add(took, cpu, seconds=max(seconds, took.seconds), callbacks=told.answered - before)
