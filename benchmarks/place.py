"""Where the measured programs run: a live bot's environment, processes, processors."""

import base64
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import school
from bot.settings import Settings
from storage.database import Database
from storage.migrate import upgrade

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "a-token-that-signs-what-the-load-sends"  # noqa: S105 - opens nothing
SERVER_CPU = 0
LOAD_CPU = 1
PATIENCE_S = 60.0


def live(folder: Path, port: int) -> dict[str, str]:
    """The environment of a live bot on loopback, with a Twilio account that is invented."""
    return {
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'live.db'}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "a key for the time that this takes, and no longer",
        "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_SMS_FROM": school.ACCOUNT,
        "DEMO": "0",
    }


async def fill(environment: Mapping[str, str], caregivers: int) -> None:
    """Make and fill the database that this environment names."""
    values = {name.lower(): value for name, value in environment.items()}
    settings = Settings(_env_file=None, **values)  # type: ignore[arg-type, call-arg]
    upgrade(settings.url)
    database = Database.open(settings.url)
    world = school.world_of(settings)
    try:
        school.fill(database, world, caregivers, now=datetime.now(UTC))
    finally:
        await database.close()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def process(
    arguments: Sequence[str], environment: Mapping[str, str], *, cpu: int | None = SERVER_CPU
) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python process of ours on one processor; ended afterwards."""
    child = subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with contextlib.suppress(OSError):
        if cpu is not None:
            os.sched_setaffinity(child.pid, {cpu})
    try:
        yield child
    finally:
        child.terminate()
        child.communicate(timeout=PATIENCE_S)


def wait_for(port: int, child: "subprocess.Popen[bytes]") -> float:
    """Seconds until the port answers. Raises RuntimeError if the process ends before."""
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE_S:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return time.perf_counter() - began
        if child.poll() is not None:
            break
        time.sleep(0.005)
    raise RuntimeError("the measured server did not come up")


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
