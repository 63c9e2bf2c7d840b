"""The benchmarks run from end to end; how fast is nobody's business here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("part", ["sealing", "turns", "webhooks", "process"])
def test_every_part_prints_its_figure_beside_its_limit(part: str) -> None:
    if part != "turns" and not Path("/proc/self/statm").exists():
        pytest.skip("processes are measured through /proc")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "benchmarks", "--quick", "--only", part],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        capture_output=True,
        timeout=120,
        check=False,
    )
    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert "aim " in text
    word = {"turns": "ratio", "webhooks": "ratio at 32", "process": "importing"}
    assert word.get(part, "AESGCM.decrypt alone") in text
