"""Waiting for a bot that runs in a process of its own."""

import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
START_S = 60
"""A shared machine may take its time; a hang is found all the same."""


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Come back once it answers; fail with its log if it ends or never does."""
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        try:
            with urlopen(f"{url}healthz", timeout=5):  # noqa: S310 - loopback
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)  # another process is starting: there is nothing to await
    pytest.fail(f"the bot did not start:\n{log.read_text()}")
