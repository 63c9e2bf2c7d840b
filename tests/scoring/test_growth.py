"""Growth: known answers of WHO's reference, and what holds for any measurement at all."""

import csv
import math
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.content.growth_tables import growth_tables
from scoring.growth import (
    HEIGHTS_CM,
    INDICATORS,
    PLAUSIBLE,
    WEIGHTS_KG,
    Curve,
    Growth,
    Indicator,
    Measured,
    Reference,
    growth,
)
from scoring.scale_model import Sex

VECTORS = Path(__file__).parent / "vectors" / "growth.csv"
sexes = st.sampled_from(("m", "f"))
ages = st.floats(61, 228)
heights = st.floats(*HEIGHTS_CM)
weights = st.floats(*WEIGHTS_KG)
anything = st.none() | st.floats()


@cache
def who() -> Reference:
    return growth_tables()


def of(
    *,
    sex: Sex = "m",
    age: float = 100.0,
    height: float | None = None,
    weight: float | None = None,
    oedema: bool = False,
    previous: float | None = None,
    reference: Reference | None = None,
) -> Growth:
    measured = Measured(
        sex=sex,
        age_months=age,
        height_cm=height,
        weight_kg=weight,
        oedema=oedema,
        previous_height_cm=previous,
    )
    return growth(measured, reference or who())


def straight(*, median: float, spread: float) -> Reference:
    """A reference that does not change with age, with L = 1."""
    curve = Curve(first=61, rows=((1.0, median, spread),) * 168)
    return {(name, sex): curve for name in INDICATORS for sex in ("m", "f")}


# Known answers.


def rows() -> list[dict[str, str]]:
    with VECTORS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(cell: str) -> float | None:
    return float(cell) if cell else None


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["case"])
def test_known_answer(row: dict[str, str]) -> None:
    found = of(
        sex="m" if row["sex"] == "m" else "f",
        age=float(row["age_months"]),
        height=number(row["height_cm"]),
        weight=number(row["weight_kg"]),
        oedema=row["oedema"] == "y",
        previous=number(row["previous_height_cm"]),
    )
    tolerance = float(row["tolerance"]) + 1e-9
    for name, z in (("haz", found.haz), ("waz", found.waz), ("baz", found.baz)):
        if row[name] != "any":
            wanted = number(row[name])
            assert z == (None if wanted is None else pytest.approx(wanted, abs=tolerance)), name
    if row["flags"] != "any":
        assert set(found.flags) == set(row["flags"].split())


def test_every_known_answer_names_its_source() -> None:
    assert [row["case"] for row in rows() if len(row["source"]) < 10] == []


# Rounding, flags, limits.


@pytest.mark.parametrize(("height", "z"), [(65, 0.13), (63, -0.13), (64, 0.0), (67, 0.38)])
def test_halves_are_rounded_away_from_zero(height: float, z: float) -> None:
    assert of(height=height, reference=straight(median=64, spread=0.125)).haz == z


def test_no_minus_stands_before_a_zero() -> None:
    z = of(height=99.99, reference=straight(median=100, spread=0.04)).haz
    assert z is not None
    assert math.copysign(1, z) == 1


@pytest.mark.parametrize(
    ("sd", "flags"),
    [
        (-6.01, {"implausible_haz"}),
        (-6.0, {"stunted", "severely_stunted"}),
        (-3.01, {"stunted", "severely_stunted"}),
        (-3.0, {"stunted"}),
        (-2.01, {"stunted"}),
        (-2.004, set()),
        (6.0, set()),
        (6.01, {"implausible_haz"}),
    ],
)
def test_flags_of_height(sd: float, flags: set[str]) -> None:
    found = of(height=100 + 5 * sd, reference=straight(median=100, spread=0.05))
    assert set(found.flags) == {*flags, "no_weight"}


@pytest.mark.parametrize(
    ("sd", "flags"),
    [
        (-5.01, {"implausible_baz"}),
        (-5.0, {"thin", "severely_thin"}),
        (-3.0, {"thin"}),
        (-2.0, set()),
        (1.0, set()),
        (1.01, {"overweight"}),
        (2.0, {"overweight"}),
        (2.01, {"overweight", "obese"}),
        (5.0, {"overweight", "obese"}),
        (5.01, {"implausible_baz"}),
    ],
)
def test_flags_of_bmi(sd: float, flags: set[str]) -> None:
    # At 100 cm the weight is the BMI; after 120 months nothing else is judged by it.
    reference = {
        **straight(median=100, spread=0.05),
        ("baz", "m"): Curve(first=61, rows=((1.0, 20.0, 0.1),) * 168),
        ("waz", "m"): Curve(first=61, rows=((1.0, 20.0, 0.1),) * 60),
    }
    found = of(age=130, height=100, weight=20 + 2 * sd, reference=reference)
    assert (found.haz, found.waz, set(found.flags)) == (0, None, flags)


@pytest.mark.parametrize(
    ("sd", "flags"),
    [
        (-6.01, {"implausible_waz"}),
        (-6.0, {"underweight"}),
        (-2.01, {"underweight"}),
        (-2.0, set()),
        (5.0, set()),
        (5.01, {"implausible_waz"}),
    ],
)
def test_flags_of_weight(sd: float, flags: set[str]) -> None:
    found = of(weight=20 + 2 * sd, reference=straight(median=20, spread=0.1))
    assert set(found.flags) == {*flags, "no_height"}


def test_swelling_hides_the_weight_and_not_the_height() -> None:
    dry, swollen = (of(height=125, weight=25, oedema=oedema) for oedema in (False, True))
    assert (swollen.haz, swollen.waz, swollen.baz) == (dry.haz, None, None)
    assert swollen.flags == ("oedema",)


# What holds for any measurement.


@given(
    st.builds(
        Measured,
        sex=sexes,
        age_months=st.floats(),
        height_cm=anything,
        weight_kg=anything,
        oedema=st.booleans(),
        previous_height_cm=anything,
    )
)
def test_nothing_makes_it_fail(measured: Measured) -> None:
    found = growth(measured, who())
    scores: dict[Indicator, float | None] = {
        "haz": found.haz,
        "waz": found.waz,
        "baz": found.baz,
    }
    for name, z in scores.items():
        assert z is None or math.isfinite(z)
        low, high = PLAUSIBLE[name]
        assert (f"implausible_{name}" in found.flags) == (z is not None and not low <= z <= high)
    assert ("age_out_of_range" in found.flags) == (not 61 <= measured.age_months <= 228)


@given(sexes, ages, heights, weights)
def test_every_person_measured_has_her_scores(
    sex: Sex, age: float, height: float, weight: float
) -> None:
    found = of(sex=sex, age=age, height=height, weight=weight)
    assert None not in (found.haz, found.baz)
    assert (found.waz is None) == (age > 120)


@given(sexes, ages, st.tuples(heights, heights).map(sorted))
def test_taller_is_never_less(sex: Sex, age: float, pair: list[float]) -> None:
    low, high = (of(sex=sex, age=age, height=height).haz for height in pair)
    assert low is not None
    assert high is not None
    assert low <= high


@given(sexes, st.floats(61, 120), heights, st.tuples(weights, weights).map(sorted))
def test_heavier_is_never_less(sex: Sex, age: float, height: float, pair: list[float]) -> None:
    low, high = (of(sex=sex, age=age, height=height, weight=weight) for weight in pair)
    assert low.waz is not None
    assert high.waz is not None
    assert low.baz is not None
    assert high.baz is not None
    assert low.waz <= high.waz
    assert low.baz <= high.baz


@given(sexes, st.integers(62, 227), st.floats(90, 190), st.floats(12, 90))
def test_a_birthday_makes_no_jump(sex: Sex, month: int, height: float, weight: float) -> None:
    before, on, after = (
        of(sex=sex, age=month + part, height=height, weight=weight) for part in (-1e-6, 0, 1e-6)
    )
    for other in (before, after):
        assert other.haz == pytest.approx(on.haz, abs=0.011)
        assert other.baz == pytest.approx(on.baz, abs=0.011)


@given(sexes, st.integers(61, 228), st.sampled_from((-3, 3)))
def test_the_two_rules_meet_at_three_sd(sex: Sex, month: int, sd: int) -> None:
    lms = who()["baz", sex].at(month)
    assert lms is not None
    power, median, spread = lms
    edge = median * (1 + power * spread * sd) ** (1 / power)
    inside, outside = (of(sex=sex, age=month, height=100, weight=edge + d) for d in (-1e-4, 1e-4))
    assert inside.baz == pytest.approx(sd, abs=0.011)
    assert outside.baz == pytest.approx(sd, abs=0.011)


@given(sexes, ages)
def test_the_median_is_zero_at_any_age(sex: Sex, age: float) -> None:
    lms = who()["haz", sex].at(age)
    assert lms is not None
    assert of(sex=sex, age=age, height=lms[1]).haz == 0


def test_between_two_months_every_number_lies_on_the_straight_line() -> None:
    curve = Curve(first=61, rows=((1.0, 100.0, 0.04), (2.0, 110.0, 0.05)))
    assert curve.at(61.5) == pytest.approx((1.5, 105.0, 0.045))
    assert curve.at(62) == (2.0, 110.0, 0.05)
    assert (curve.at(60.99), curve.at(62.01), curve.at(math.nan)) == (None, None, None)
