"""`make bench`: every figure beside its limit, measured in the same run. About four minutes.

`--quick` tries every part once with few messages: it shows that they work, not how fast.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks import process, sealing, turns, webhooks
from benchmarks.figures import say
from benchmarks.school import world_of
from bot.memory import lasting

FULL = {1: 60, 16: 250, 64: 900}
QUICK = {1: 5, 16: 12, 64: 30}
"""Caregivers a round, by batch size."""


async def main(*, quick: bool, only: str) -> int:
    """Run the parts; 0 although an aim is missed, since a rate says nothing about this machine."""
    say(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.machine()}")
    rounds = 1 if quick else 3
    sizes = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        root = Path(name)
        if only in ("", "sealing"):
            sealing.measure(
                _folder(root, "sealing"), rounds=2 * rounds, repeats=5 if quick else 100
            )
        with lasting():  # as `run` does
            world = world_of(turns.demo_settings(root))
        if only in ("", "turns"):
            await turns.measure(
                turns.Sqlite(_folder(root, "sqlite")), world, sizes=sizes, rounds=rounds
            )
        if only in ("", "postgres"):
            with turns.server(_folder(root, "postgres")) as uri:
                if uri:
                    await turns.measure(turns.Postgres(uri), world, sizes=sizes, rounds=rounds)
        if only in ("", "webhooks"):
            requests = {1: 20, 32: 100} if quick else {1: 300, 32: 2000}
            await webhooks.measure(_folder(root, "webhooks"), rounds=rounds, requests=requests)
        if only in ("", "process"):
            await process.measure(
                _folder(root, "process"), rounds=rounds, conversations=100 if quick else 2000
            )
    return 0


def _folder(root: Path, name: str) -> Path:
    """A folder of its own for each part."""
    made = root / name
    made.mkdir()
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="try every part once, at once")
    parser.add_argument(
        "--only", default="", choices=["", "sealing", "turns", "postgres", "webhooks", "process"]
    )
    told = parser.parse_args()
    sys.exit(asyncio.run(main(quick=told.quick, only=told.only)))
