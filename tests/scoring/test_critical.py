import pytest

from scoring.critical import critical
from scoring.model import CriticalHit
from tests.scoring.samples import default_rules


def hit(item: str, value: str, form_id: str = "caregiver") -> CriticalHit | None:
    return critical(default_rules(), form_id=form_id, item=item, value=value, informant="caregiver")


@pytest.mark.parametrize(
    ("item", "value", "rule"),
    [
        ("ate_today", "no_food", "no_food_today"),
        ("sick_today", "no_care", "sick_no_care"),
        ("hurt", "yes", "child_hurt"),
        ("hurt", "many", "child_hurt"),
        ("afraid", "many", "afraid_at_home"),
        ("want_call", "yes", "wants_call"),
    ],
)
def test_a_critical_answer_is_seen_at_once(item: str, value: str, rule: str) -> None:
    found = hit(item, value)
    assert found
    assert (found.rule, found.item, found.informant) == (rule, f"caregiver/{item}", "caregiver")
    assert found.words.endswith(".")


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("ate_today", "food_later"),
        ("sick_today", "in_care"),
        ("hurt", "no"),
        ("want_call", "no"),
        ("want_call", ""),
        ("breakfast", "none"),
    ],
)
def test_other_answers_are_not_critical(item: str, value: str) -> None:
    assert hit(item, value) is None


def test_the_same_item_name_in_another_form_is_another_item() -> None:
    assert hit("ate_today", "no_food", form_id="learner") is None


def test_one_critical_code_among_several_is_enough() -> None:
    assert hit("hurt", "no many") == hit("hurt", "many")
