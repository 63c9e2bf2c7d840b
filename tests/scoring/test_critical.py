import pytest

from flows.authoring import read
from flows.crisis import matches
from flows.lexicon import Lexicon
from flows.phrases import source_lexicon
from scoring.critical import critical, names_of_critical
from scoring.model import CriticalHit
from tests.scoring.samples import ROOT, default_rules


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


@pytest.fixture(scope="module")
def named() -> dict[str, bool]:
    """What a message means that is read without knowing the question, in two languages."""
    source = (ROOT / "flows/questionnaires/caregiver.yaml").read_text(encoding="utf-8")
    form, errors = read(source, file="caregiver.yaml")
    assert form, errors
    zulu = Lexicon(
        language="zu",
        name="isiZulu",
        phrases={},
        texts={"caregiver/ate_today/no_food:label": "Cha, akukho ukudla namuhla"},
    )
    words = names_of_critical(
        default_rules(), form.questionnaire, [source_lexicon(form.texts), zulu]
    )
    said = (
        "No, no food today",
        "there is no food in the house",
        "Yes, no care yet",
        "cha akukho ukudla namuhla",
        "Many times",
        "yes",
        "no",
        "3",
        "Later, we have food",
        "Sometimes",
    )
    return {text: matches(text, words) for text in said}


def test_names_that_only_a_critical_answer_has_are_known_without_the_question(
    named: dict[str, bool],
) -> None:
    assert [text for text, found in named.items() if found] == [
        "No, no food today",
        "there is no food in the house",
        "Yes, no care yet",
        "cha akukho ukudla namuhla",
        "Many times",
    ]
