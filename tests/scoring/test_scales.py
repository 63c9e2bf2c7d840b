"""Scoring with a small scale of our own: gaps, conditions, cut-offs by person."""

from fractions import Fraction

import pytest

from scoring.scale_model import Facts, Score
from scoring.scales import applies, coded, combine, score_scale, span
from tests.scoring.scale_samples import SMALL, made, shipped

SCALE = made(SMALL)
SEVEN = Facts(age=7)


def total(**answers: str | None) -> Score:
    return score_scale(SCALE, answers, {}, SEVEN).total


def test_an_item_the_other_way_round_is_turned() -> None:
    assert SCALE.items["b"].points == {"no": 2, "some": 1, "yes": 0}
    assert total(a="yes", b="no", gate="no").value == 4


def test_an_item_that_does_not_apply_counts_nothing_and_is_not_missing() -> None:
    answers = {"a": "some", "b": "yes", "gate": "no"}
    result = score_scale(SCALE, answers)
    assert (result.total.value, result.total.range) == (1, (1, 1))
    assert not any(result.missing.values())


def test_an_item_that_may_apply_is_missing_and_may_count_nothing() -> None:
    assert applies(SCALE.items["c"], {}) is None
    assert applies(SCALE.items["c"], {"gate": "yes"}) is True
    assert applies(SCALE.items["c"], {"gate": "no", "c": "yes"}) is False
    assert span(SCALE.items["c"], {}) == (0, 2, True)
    assert span(SCALE.items["c"], {"gate": "no", "c": "yes"}) == (0, 0, False)


def test_gaps_take_the_mean_of_the_rest_and_say_so() -> None:
    score = total(a="yes", gate="yes", c="some")
    assert (score.value, score.range, score.filled) == (Fraction(9, 2), (3, 5), "mean")
    assert (score.band, score.bands) == ("high", ("middle", "high"))


@pytest.mark.parametrize("answers", [{}, {"gate": "yes"}])
def test_without_any_answer_there_is_nothing_to_take_the_mean_of(answers: dict[str, str]) -> None:
    score = total(**answers)
    assert (score.value, score.valid, score.band, score.filled) == (None, False, None, "none")
    assert score.bands == ("low", "middle", "high")


def test_a_subscale_may_allow_fewer_gaps_than_the_whole() -> None:
    result = score_scale(SCALE, {"a": "yes", "gate": "yes"}, {}, SEVEN)
    assert result.total.value == 6
    assert (result.parts["front"].value, result.parts["front"].band) == (4, "high")
    less = score_scale(SCALE, {"c": "yes", "gate": "yes"}, {}, SEVEN)
    assert (less.total.value, less.parts["front"].value) == (6, None)


def test_four_reasons_for_a_missing_answer_are_kept_apart() -> None:
    scale = shipped()["phq8"]
    given = {"interest": None, "low_mood": None, "sleep": "several_days"}
    found = score_scale(scale, given, {"low_mood": "refused", "energy": "not_asked"}).missing
    assert found == {
        "skipped": ("interest",),
        "refused": ("low_mood",),
        "not_asked": ("energy",),
        "not_yet": ("appetite", "self_worth", "concentration", "movement"),
    }


@pytest.mark.parametrize(
    ("facts", "cutoff"),
    [
        (Facts(language="zu", country="ZA", age=6, sex="f"), "girls"),
        (Facts(language="zu-ZA", country="ZA", age=7, sex="f"), "girls"),
        (Facts(language="zul", country="ZA", age=7, sex="f"), "any"),
        (Facts(language="zu", country="BW", age=7, sex="f"), "any"),
        (Facts(language="zu", country="ZA", age=8, sex="f"), "any"),
        (Facts(language="zu", country="ZA", age=7, sex="m"), "any"),
        (Facts(language="zu", country="ZA", sex="f"), "any"),
        (Facts(language="zu", age=7, sex="f"), "any"),
        (Facts(), "any"),
        (Facts(age=5), None),
        (Facts(age=9), None),
    ],
)
def test_the_first_cutoff_that_holds_for_the_person_is_used(
    facts: Facts, cutoff: str | None
) -> None:
    answers = {"a": "some", "b": "yes", "gate": "no"}
    result = score_scale(SCALE, answers, {}, facts)
    found = result.total.cutoff
    assert (found.id if found else None) == cutoff
    assert result.total.band == {"girls": "high", "any": "low", None: None}[cutoff]
    assert result.total.value == 1
    assert result.in_age == (None if facts.age is None else facts.age in (6, 7, 8))


def test_a_scale_without_ages_says_nothing_of_age() -> None:
    assert score_scale(shipped()["phq2"], {}, {}, Facts(age=40)).in_age is None


def test_numbers_of_a_form_stand_for_its_answers_before_any_turning() -> None:
    answers = {"a": "2", "b": "2", "c": "yes", "nothing": "1", "gate": None}
    assert coded(SCALE, answers) == {
        "a": "yes", "b": "yes", "c": "yes", "nothing": "1", "gate": None,
    }  # fmt: skip


def test_where_two_answers_count_the_same_a_number_does_not_tell_them_apart() -> None:
    scale = shipped()["hhs"]
    assert scale.items["no_food_often"].numbers == {}
    assert coded(scale, {"no_food_often": "1"}) == {"no_food_often": "1"}


@pytest.mark.parametrize(
    ("method", "value"), [("sum", Fraction(10)), ("mean", Fraction(10, 3)), ("any", Fraction(3))]
)
def test_points_become_one_value(method: str, value: Fraction) -> None:
    found = combine(method, [0, 2, 3], 2 if method != "any" else 1)  # type: ignore[arg-type]
    assert found == value
