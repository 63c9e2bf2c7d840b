"""Known answers, worked out by hand: every rule file has a file of them."""

import csv
from fractions import Fraction
from pathlib import Path

import pytest

from scoring.model import DOMAINS
from tests.scoring.samples import ROOT, scored

VECTORS = Path(__file__).parent / "vectors"


def rows() -> list[dict[str, str]]:
    with (VECTORS / "default.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["case"])
def test_known_answer(row: dict[str, str]) -> None:
    profile = scored(row["answers"])
    if row["scale"] == "caregiver":
        assert profile.caregiver == row["band"]
        return
    result = next(profile.domains[name] for name in DOMAINS if name == row["scale"])
    assert result.band == row["band"]
    assert result.score == (float(Fraction(row["score"])) if row["score"] else None)
    assert result.range == (float(Fraction(row["low"])), float(Fraction(row["high"])))
    assert result.disagree == (row["disagree"] == "yes")


def test_every_rule_file_has_known_answers() -> None:
    rule_files = {path.stem for path in (ROOT / "scoring/rules").rglob("*.yaml")}
    assert {*rule_files, "growth"} == {path.stem for path in VECTORS.glob("*.csv")}


def test_the_known_answers_cover_every_scale_and_band() -> None:
    seen = {(row["scale"], row["band"]) for row in rows()}
    bands = ("low", "moderate", "high")
    assert {(name, "high") for name in (*DOMAINS, "caregiver")} <= seen
    assert {(name, "moderate") for name in (*DOMAINS, "caregiver")} <= seen
    assert {band for _, band in seen} == {*bands, "unknown"}
