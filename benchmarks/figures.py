"""Medians of interleaved rounds, and the lines that are printed."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

MS = 1000
PAGE_KIB = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a figure should be: at least, or at most."""

    text: str
    met: bool

    def __str__(self) -> str:
        return f"aim {self.text}: {'met' if self.met else 'MISSED'}"


def say(text: str = "") -> None:
    """A line of the report, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def head(title: str) -> None:
    """The title of a part of the report."""
    say()
    say(title)
    say("-" * len(title))


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median of some rounds with their lowest and highest."""
    low, mid, high = min(values), median(values), max(values)
    return f"{mid:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def rss_mb(pid: int | str = "self") -> float:
    """Resident memory of a process in MB (MiB)."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * PAGE_KIB / 1024
