import pytest

from scoring.ruleset import Scale


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0.0, "low"),
        (0.2499, "low"),
        (0.25, "moderate"),
        (0.5999, "moderate"),
        (0.6, "high"),
        (1.0, "high"),
    ],
)
def test_a_band_begins_exactly_at_its_threshold(score: float, band: str) -> None:
    assert Scale(name="health", minimum=2, moderate=0.25, high=0.6).band(score) == band
