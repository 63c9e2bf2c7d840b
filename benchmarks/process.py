"""What `run` costs before anybody writes: start-up and memory above its libraries' own.

Usage of the children: python -m benchmarks.process modules | open COUNT
"""

import asyncio
import compileall
import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import place, school, turns
from benchmarks.figures import Aim, head, rss_mb, say, spread
from bot.settings import Settings
from storage.database import Database
from storage.keyring.vault import MOST

AIM_MB = 25
AIM_S = 0.5
AIM_OPEN_MB = 1.0
OURS = ("bot", "flows", "scoring", "storage", "main", "locales", "benchmarks", "__main__")
KEPT_OPEN = ("hi", "1", "4 4 4")
"""Greeting, offer, first pack: then she is in the middle of it."""


async def measure(folder: Path, *, rounds: int, conversations: int) -> bool:
    """Print start-up time, resident memory and memory per open conversation."""
    head("A process that waits for its first message")
    port = place.free_port()
    environment = place.live(folder, port)
    await place.fill(environment, conversations + 2 * MOST)
    for room in OURS[:4]:  # as an installation does: the first start is not what is measured
        compileall.compile_dir(place.ROOT / room, quiet=1)
    names = _child("modules", environment)
    (folder / "modules.json").write_text(names, encoding="utf-8")
    seconds: list[tuple[float, float]] = []
    memory: list[tuple[float, float]] = []
    for _ in range(rounds):
        bare = json.loads(_importing(folder / "modules.json"))
        began = time.perf_counter()
        with place.process(["main.py", "run"], environment, cpu=None) as bot:
            place.wait_for(port, bot)
            up = time.perf_counter() - began
            memory.append((rss_mb(bot.pid), bare["mb"]))
        seconds.append((up, bare["seconds"]))
    say(f"modules that are not ours: {len(json.loads(names))}")
    say(
        f"start until the port answers: {spread([s for s, _ in seconds], 2)} s; "
        f"importing the same libraries: {spread([s for _, s in seconds], 2)} s"
    )
    say(
        f"resident: {spread([m for m, _ in memory], 1)} MB; "
        f"importing the same libraries: {spread([m for _, m in memory], 1)} MB"
    )
    more_s = median(ours - bare for ours, bare in seconds)
    more_mb = median(ours - bare for ours, bare in memory)
    opened = json.loads(_child("open", environment, str(conversations)))
    each = 1000 * opened["mb"] / conversations
    say(f"{conversations:,} conversations left open: {each:.2f} MB per 1,000")
    aims = [
        Aim(text=f"<= {AIM_S} s above importing ({more_s:.2f} s)", met=more_s <= AIM_S),
        Aim(text=f"<= {AIM_MB} MB above importing ({more_mb:.1f} MB)", met=more_mb <= AIM_MB),
        Aim(text=f"<= {AIM_OPEN_MB} MB per 1,000 open conversations", met=each <= AIM_OPEN_MB),
    ]
    for aim in aims:
        say(str(aim))
    return all(aim.met for aim in aims)


def _child(what: str, environment: dict[str, str], *more: str) -> str:
    """The last line a child printed."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "benchmarks.process", what, *more],
        cwd=place.ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout.decode().strip().splitlines()[-1]


def _importing(names: Path) -> bytes:
    """What a process says that imports the same and nothing of ours."""
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "benchmarks/importing.py", str(names), repr(time.perf_counter())],
        cwd=place.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    ).stdout


async def _modules() -> list[str]:
    """What the running bot has loaded besides itself."""
    import uvicorn  # noqa: PLC0415 - as `run` does

    from bot.app import application, start  # noqa: PLC0415 - as `run` does

    bot = await start(Settings(_env_file=None))  # type: ignore[call-arg]
    server = uvicorn.Server(
        uvicorn.Config(application(bot), port=bot.settings.port, log_level="error")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.01)
    found = [name for name in sys.modules if name.split(".")[0] not in OURS]
    server.should_exit = True
    await serving
    return found


async def _open(count: int) -> float:
    """MB that `count` conversations in the middle add to a bot that has warmed up."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    world = school.world_of(settings)
    database = Database.open(settings.url)

    def messages(first: int, last: int) -> list[school.Message]:
        return [
            school.Message(caregiver, turn, text)
            for turn, text in enumerate(KEPT_OPEN)
            for caregiver in range(first, last)
        ]

    # The ring of ciphers is full before: it holds so many however many conversations are open.
    warm = 2 * MOST
    turns.drive(database, world, messages(0, warm), 64)
    before = await _settled(database)
    turns.drive(database, world, messages(warm, warm + count), 64)
    after = await _settled(database)
    await database.close()
    return after - before


async def _settled(database: Database) -> float:
    """Resident MB without garbage, SQLite's page cache and what the allocator keeps."""
    await database.write(lambda c: c.exec_driver_sql("pragma shrink_memory") and None)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return rss_mb()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["modules"]:
            say(json.dumps(asyncio.run(_modules())))
        case ["open", number]:
            say(json.dumps({"mb": asyncio.run(_open(int(number)))}))
        case _:
            sys.exit(2)
