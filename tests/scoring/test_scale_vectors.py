"""Known answers of published scales, worked by hand from the rule each file names."""

import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from scoring.scale_model import Score
from tests.scoring.scale_samples import FOLDER, result_of, shipped

VECTORS = Path(__file__).parent / "vectors"
SCALES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text_of(scale_id: str) -> list[str]:
    return (VECTORS / f"{scale_id}.csv").read_text(encoding="utf-8").splitlines()


def rows(scale_id: str) -> list[dict[str, str]]:
    lines = [line for line in text_of(scale_id) if not line.startswith("#")]
    return list(csv.DictReader(lines, strict=True))


def every_row() -> Iterator[tuple[str, dict[str, str]]]:
    return ((scale_id, row) for scale_id in SCALES for row in rows(scale_id))


def parts_of(row: dict[str, str]) -> Iterator[tuple[str, Fraction | None, str | None]]:
    for word in row["parts"].split():
        name, _, rest = word.partition("=")
        value, _, band = rest.partition("/")
        yield name, Fraction(value) if value else None, band or None


@pytest.mark.parametrize(
    ("scale_id", "row"), [pytest.param(s, r, id=f"{s}: {r['case']}") for s, r in every_row()]
)
def test_known_answer(scale_id: str, row: dict[str, str]) -> None:
    result = result_of(scale_id, row["answers"], row["facts"])
    total = result.total
    assert total.value == (Fraction(row["value"]) if row["value"] else None)
    assert total.range == (Fraction(row["low"]), Fraction(row["high"]))
    assert (total.filled, total.band) == (row["filled"], row["band"] or None)
    for name, value, band in parts_of(row):
        part: Score = result.parts[name]
        assert (name, part.value, part.band) == (name, value, band)


@pytest.mark.parametrize("scale_id", SCALES)
def test_a_scale_names_the_source_of_its_known_answers(scale_id: str) -> None:
    first, second = text_of(scale_id)[:2]
    assert first.startswith("# Source: ")
    assert second.startswith("# Worked by hand")


@pytest.mark.parametrize("scale_id", SCALES)
def test_known_answers_reach_every_band_and_one_that_is_insufficient(scale_id: str) -> None:
    scale = shipped()[scale_id]
    seen: set[tuple[str, str | None]] = set()
    insufficient = False
    for row in rows(scale_id):
        seen |= {("total", row["band"] or None), *((n, band) for n, _, band in parts_of(row))}
        insufficient |= not row["value"]
    for part in (scale.total, *scale.parts):
        wanted = {band for cutoff in part.cutoffs for band, _ in cutoff.bands}
        assert wanted <= {band for name, band in seen if name == part.name}, part.name
    assert insufficient


def test_every_scale_has_known_answers() -> None:
    assert SCALES
    assert set(SCALES) <= {path.stem for path in VECTORS.glob("*.csv")}
