"""The growth tables are the ones that were compared with WHO's."""

from hashlib import sha256

from bot.content.growth_tables import growth_tables

COMPARED = "f834953fd663c21c579259caf6fbfed44fcef76a5c8c11173ae56d7d77e0e860"
"""Of the 792 rows that equal WHO's bfawho2007, hfawho2007 and wfawho2007 (anthroplus 799a7de)."""


def test_no_number_differs_from_those_compared_with_who() -> None:
    tables = growth_tables()
    told = repr([(key, tables[key].first, tables[key].rows) for key in sorted(tables)])
    assert sha256(told.encode()).hexdigest() == COMPARED


def test_months_and_powers_are_what_the_reckoning_needs() -> None:
    for (indicator, _), curve in growth_tables().items():
        assert (curve.first, curve.first + len(curve.rows) - 1) == (
            61,
            120 if indicator == "waz" else 228,
        )
        assert all(power != 0 for power, _, _ in curve.rows)
        assert len({power > 0 for power, _, _ in curve.rows}) == 1  # never 0 in between either
