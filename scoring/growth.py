"""Growth at 5 to 19 years: height-, weight- and BMI-for-age as WHO's own software gives them.

The tables are arguments: `bot.content.growth_tables` hands them over.

Source: WHO Reference 2007 for 5-19 years (de Onis et al., Bull World Health Organ 2007;85:660-7);
"Computation of centiles and z-scores for height-for-age, weight-for-age and BMI-for-age" (WHO).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeAlias

from scoring.scale_model import Sex

Indicator = Literal["haz", "waz", "baz"]
"""Height-for-age, weight-for-age, BMI-for-age."""
INDICATORS: tuple[Indicator, ...] = ("haz", "waz", "baz")
Flag = Literal[
    "age_out_of_range",
    "no_height",
    "no_weight",
    "oedema",
    "implausible_haz",
    "implausible_waz",
    "implausible_baz",
    "stunted",
    "severely_stunted",
    "underweight",
    "thin",
    "severely_thin",
    "overweight",
    "obese",
    "shorter_than_last_time",
]
HEIGHTS_CM = (20.0, 250.0)
"""Outside is no height of a person but a slip, such as metres for centimetres. Ours."""
WEIGHTS_KG = (2.0, 250.0)
"""The same for weights, such as grams for kilograms. Ours."""
PLAUSIBLE: Mapping[Indicator, tuple[float, float]] = {
    "haz": (-6, 6),
    "waz": (-6, 5),
    "baz": (-5, 5),
}
"""A z-score outside is taken for a wrong measurement. Source: WHO AnthroPlus manual (2009)."""
RESTRICTED = 3
"""Beyond so many SD of a weight-based indicator one SD is as wide as the last one before."""
_CENT = Decimal("0.01")
_Lms: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One indicator of one sex by age.

    Attributes:
        first: The whole month of the first row.
        rows: L (power, not 0), M (median) and S (coefficient of variation) a month, without a gap.
    """

    first: int
    rows: tuple[_Lms, ...]

    def at(self, age_months: float) -> _Lms | None:
        """L, M and S at an age, straight between whole months; None where there is no table."""
        place = age_months - self.first
        if not 0 <= place <= len(self.rows) - 1:
            return None
        month = int(place)
        before, after = self.rows[month], self.rows[min(month + 1, len(self.rows) - 1)]
        part = place - month
        power, median, spread = (a + part * (b - a) for a, b in zip(before, after, strict=True))
        return power, median, spread


Reference: TypeAlias = Mapping[tuple[Indicator, Sex], Curve]
"""All curves: every indicator of both sexes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a nurse measured.

    Attributes:
        sex: Of the child.
        age_months: Age in months, with decimals: days / 30.4375.
        height_cm: Standing, without shoes; None where not measured.
        weight_kg: In light clothes; None where not measured.
        oedema: Swelling of both feet: the weight says nothing about feeding then.
        previous_height_cm: Height at an earlier time, where there is one.
    """

    sex: Sex
    age_months: float
    height_cm: float | None
    weight_kg: float | None
    oedema: bool = False
    previous_height_cm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What the measurements say.

    Attributes:
        haz: Height-for-age in SD, two decimals; None where it cannot be said.
        waz: Weight-for-age, to 120 months.
        baz: BMI-for-age.
        flags: In the order of `Flag`. The severe one stands beside the plain one, so that counting
            `thin` gives WHO's share of thinness.
    """

    haz: float | None
    waz: float | None
    baz: float | None
    flags: tuple[Flag, ...]


def growth(measured: Measured, reference: Reference) -> Growth:
    """Z-scores and flags of one child at one time. Never raises, whatever the numbers.

    An implausible z-score is told and flagged, but not judged: the child is to be measured again.

    Source: cut-offs of WHO for 5-19 years: BMI-for-age < -2 thin, < -3 severely thin, > +1
        overweight, > +2 obese; height-for-age < -2 stunted, < -3 severely stunted; weight-for-age
        < -2 underweight. They are asked of the rounded z-score, as WHO's software does.
    """
    height = _of_a_person(measured.height_cm, HEIGHTS_CM)
    weight = _of_a_person(measured.weight_kg, WEIGHTS_KG)
    previous = _of_a_person(measured.previous_height_cm, HEIGHTS_CM)
    values = _values(height, None if measured.oedema else weight)
    known: dict[Indicator, float | None] = {}
    sound: dict[Indicator, float | None] = {}
    for name in INDICATORS:
        lms = reference[name, measured.sex].at(measured.age_months)
        value = values[name]
        known[name] = sound[name] = None
        if lms is not None and value is not None:
            known[name] = z = _rounded(_z(value, lms, is_weight_based=name != "haz"))
            sound[name] = _of_a_person(z, PLAUSIBLE[name])
    found: Mapping[Flag, bool] = {
        "age_out_of_range": reference["haz", measured.sex].at(measured.age_months) is None,
        "no_height": height is None,
        "no_weight": weight is None,
        "oedema": measured.oedema,
        "implausible_haz": known["haz"] != sound["haz"],
        "implausible_waz": known["waz"] != sound["waz"],
        "implausible_baz": known["baz"] != sound["baz"],
        "stunted": _is_below(sound["haz"], -2),
        "severely_stunted": _is_below(sound["haz"], -3),
        "underweight": _is_below(sound["waz"], -2),
        "thin": _is_below(sound["baz"], -2),
        "severely_thin": _is_below(sound["baz"], -3),
        "overweight": _is_above(sound["baz"], 1),
        "obese": _is_above(sound["baz"], 2),
        "shorter_than_last_time": previous is not None and _is_below(height, previous),
    }
    return Growth(
        haz=known["haz"],
        waz=known["waz"],
        baz=known["baz"],
        flags=tuple(name for name, holds in found.items() if holds),
    )


def _values(height: float | None, weight: float | None) -> Mapping[Indicator, float | None]:
    """What is looked up of each indicator: cm, kg, and kg per square metre."""
    bmi = None if height is None or weight is None else weight / (height / 100) ** 2
    return {"haz": height, "waz": weight, "baz": bmi}


def _of_a_person(value: float | None, limits: tuple[float, float]) -> float | None:
    """The value, or None where it is none or outside of the limits."""
    return value if value is not None and limits[0] <= value <= limits[1] else None


def _z(value: float, lms: _Lms, *, is_weight_based: bool) -> float:
    """The distance from the median in SD.

    Source: the LMS method (Cole & Green, Stat Med 1992;11:1305-19), for weight and BMI restricted
        to -3..+3 SD as in WHO's computation of z-scores, 2007.
    """
    power, median, spread = lms
    if is_weight_based:
        for end, before in ((RESTRICTED, RESTRICTED - 1), (-RESTRICTED, 1 - RESTRICTED)):
            edge, inner = _at_z(end, lms), _at_z(before, lms)
            if (value - edge) * end > 0:
                return end + (value - edge) / abs(edge - inner)
    return float(((value / median) ** power - 1) / (power * spread))


def _at_z(z: float, lms: _Lms) -> float:
    """The measurement that lies z SD from the median."""
    power, median, spread = lms
    return float(median * (1 + power * spread * z) ** (1 / power))


def _rounded(z: float) -> float:
    """Two decimals, halves away from zero; no minus before a zero."""
    return float(Decimal(repr(z)).quantize(_CENT, rounding=ROUND_HALF_UP)) + 0.0


def _is_below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def _is_above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit
