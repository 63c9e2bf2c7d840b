from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.model import DOMAINS
from scoring.rules import RuleErrorCode, check_rules, item_codes, read_rules
from scoring.ruleset import SCALES
from tests.scoring.samples import DEFAULT, ROOT, catalogue, default_rules


def changed(old: str, new: str) -> str:
    assert DEFAULT.count(old) >= 1, old
    return DEFAULT.replace(old, new, 1)


def faults(text: str) -> list[tuple[RuleErrorCode, str]]:
    """Code of each fault, and what stands on the line it names."""
    rules, errors = read_rules(text, file="r.yaml")
    assert (rules is None) == bool(errors)
    lines = text.splitlines()
    return [(error.code, lines[error.line - 1].strip()) for error in errors]


def misfits(old: str, new: str) -> list[tuple[RuleErrorCode, str]]:
    text = changed(old, new)
    rules, errors = read_rules(text, file="r.yaml")
    assert rules, errors
    lines = text.splitlines()
    return [(e.code, lines[e.line - 1].strip()) for e in check_rules(rules, catalogue())]


def test_the_default_rules_fit_the_default_questionnaires() -> None:
    assert check_rules(default_rules(), catalogue()) == ()


def test_every_core_item_of_the_questionnaires_is_scored() -> None:
    scored = set(default_rules().by_item)
    asked = {item for item in catalogue() if item.startswith(("learner/", "class_screen/"))}
    assert asked <= scored


def test_codes_that_yaml_reads_as_booleans_stay_words() -> None:
    money = default_rules().by_item["caregiver/money"][0]
    assert money.points == {"yes": 0, "sometimes": 2, "no": 6}


def test_an_item_may_count_in_two_scales() -> None:
    scales = [i.scale for i in default_rules().by_item["caregiver/heavy"]]
    assert scales == ["psychosocial", "caregiver"]


def test_every_scale_has_thresholds_and_a_plan() -> None:
    rules = default_rules()
    assert tuple(rules.scales) == SCALES
    assert all(rules.plan[name]["high"] and rules.plan[name]["moderate"] for name in SCALES)


def test_the_version_follows_the_content_and_not_the_layout() -> None:
    same, _ = read_rules("# a comment\n\n" + DEFAULT, file="elsewhere.yaml")
    other, _ = read_rules(changed("high: 0.6}", "high: 0.61}"), file="r.yaml")
    assert same
    assert other
    assert same.version == default_rules().version
    assert other.version != default_rules().version
    assert len(same.version) == 12
    assert same == replace(default_rules(), file="elsewhere.yaml")


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("rules: default", "rules: [default", "BAD_YAML", "note: >-"),
        ("rules: default", "rules: &a default", "BAD_YAML", "rules: &a default"),
        ("rules: default", "rules: a\nrules: b", "DUPLICATE_KEY", "rules: b"),
        ("rules: default", "rules: a\n'': b", "STRUCTURE", "'': b"),
        ("rules: default", "rules: Default!", "WRONG_VALUE", "rules: Default!"),
        ("    gate: yes\n", "    gate: perhaps\n", "WRONG_VALUE", "gate: perhaps"),
        ("rules: default\n", "rules: default\nrule: b\n", "UNKNOWN_KEY", "rule: b"),
        ("moderate: 0.25, high: 0.6}", "high: 0.6}", "MISSING",
         "material: {minimum: 2, high: 0.6}"),
        ("  material: {minimum: 2, moderate: 0.25, high: 0.6}\n", "", "MISSING", "domains:"),
        ("points: {yes: 0, no: 2}", "points: {yes: 0, no: -2}", "WRONG_VALUE",
         "points: {yes: 0, no: -2}"),
        ("points: {yes: 0, no: 2}", "points: {yes: 1, no: 2}", "POINTS",
         "- item: caregiver/grant_paid"),
        ("points: {yes: 0, no: 2}", "points: {yes: 0, no: 0}", "POINTS",
         "- item: caregiver/grant_paid"),
        ("points: {yes: 0, no: 2}", "points: {}", "POINTS", "- item: caregiver/grant_paid"),
        ("item: caregiver/work", "item: caregiver/money", "DUPLICATE", "- item: caregiver/money"),
        ("follow_up: food", "follow_up: foods", "FOLLOW_UP", "- item: caregiver/ate_today"),
        ("id: sick_no_care", "id: no_food_today", "DUPLICATE", "- id: no_food_today"),
        ("id: sick_no_care", "id: high", "DUPLICATE", "- id: high"),
    ],
)  # fmt: skip
def test_each_fault_has_its_code_and_line(old: str, new: str, code: str, line: str) -> None:
    (found,) = faults(changed(old, new))
    assert found == (code, line)


def test_of_two_that_are_the_same_the_second_is_named() -> None:
    text = changed("item: caregiver/work", "item: caregiver/money")
    _, (error,) = read_rules(text, file="r.yaml")
    assert text.splitlines()[: error.line].count("  - item: caregiver/money") == 2


def test_an_intervention_has_the_same_words_everywhere() -> None:
    text = changed("grants with the family", "grants")
    ((code, line),) = faults(text)
    assert (code, line.partition(",")[0]) == (RuleErrorCode.WORDS, "- {id: grant_check")


def test_all_faults_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = changed("rules: default", "rules: default\nextra: 1").replace("high: 0.55", "high: x")
    rules, errors = read_rules(text, file="r.yaml")
    assert rules is None
    assert [error.code for error in errors] == ["UNKNOWN_KEY", *["WRONG_VALUE"] * 3]
    assert [error.line for error in errors] == sorted(error.line for error in errors)
    assert str(errors[0]) == (
        "r.yaml:4: UNKNOWN_KEY extra. Fix: remove it; docs/scoring.md lists the keys"
    )


@given(st.text(max_size=60) | st.sampled_from(["", "- a", "a: {b: c}", "x" * 9, "\ud800", "[[[["]))
def test_any_other_text_is_refused_with_a_reason(text: str) -> None:
    rules, errors = read_rules(text, file="r.yaml")
    assert rules is None
    assert all(error.found and error.fix and error.line >= 1 for error in errors)
    assert errors


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("item: caregiver/money\n", "item: caregiver/coins\n",
         [("ITEM", "- item: caregiver/coins")]),
        ("item: class_screen/screen_sad", "item: class_screen/screen_glad",
         [("ITEM", "- item: class_screen/screen_glad")]),
        ("points: {yes: 0, sometimes: 2, no: 6}", "points: {yes: 0, maybe: 2, no: 6}",
         [("CODE", "- item: caregiver/money")]),
        ("codes: [no_food]", "codes: [no_meal]", [("CODE", "- id: no_food_today")]),
        ("caregiver/alone: [yes]", "caregiver/alone: [true]", [("CODE", "private:")]),
        ("moderate: 0.25, high: 0.6}", "moderate: 0.6, high: 0.6}",
         [("THRESHOLDS", "material: {minimum: 2, moderate: 0.6, high: 0.6}")]),
        ("moderate: 0.25, high: 0.6}", "moderate: 0, high: 0.6}",
         [("THRESHOLDS", "material: {minimum: 2, moderate: 0, high: 0.6}")]),
        ("moderate: 0.25, high: 0.6}", "moderate: 0.25, high: 1.1}",
         [("THRESHOLDS", "material: {minimum: 2, moderate: 0.25, high: 1.1}")]),
        ("{minimum: 2, moderate: 0.25, high: 0.6}", "{minimum: 7, moderate: 0.25, high: 0.6}",
         [("MINIMUM", "material: {minimum: 7, moderate: 0.25, high: 0.6}")]),
        ("  minimum: 1\n", "  minimum: 4\n", [("MINIMUM", "caregiver:")]),
    ],
)  # fmt: skip
def test_each_misfit_has_its_code_and_line(
    old: str, new: str, expected: list[tuple[str, str]]
) -> None:
    assert misfits(old, new) == expected


def test_a_minimum_as_large_as_one_form_is_reachable() -> None:
    assert misfits("{minimum: 2, moderate: 0.25, high: 0.6}",
                   "{minimum: 6, moderate: 0.25, high: 0.6}") == []  # fmt: skip


def test_an_unknown_code_names_the_codes_there_are() -> None:
    rules, _ = read_rules(changed("codes: [no_food]", "codes: [no_meal]"), file="r.yaml")
    assert rules
    (error,) = check_rules(rules, catalogue())
    assert error.fix == "use a code the item offers: yes, food_later, no_food"


def test_item_codes_lists_what_is_asked_and_leaves_out_notes() -> None:
    codes = catalogue()
    assert codes["caregiver/ate_today"] == ("yes", "food_later", "no_food")
    assert codes["class_screen/screen_sad"] == ()
    assert "class_screen/how_to" not in codes
    assert item_codes([]) == {}


def test_the_words_of_every_indicator_name_the_informant_and_no_child() -> None:
    for indicator in default_rules().indicators:
        assert indicator.words.endswith(".")
        if indicator.scale in DOMAINS:
            assert indicator.words.partition(":")[0] in {"Caregiver", "Teacher", "Class screen"}


def test_the_guide_explains_every_fault_and_prints_the_thresholds() -> None:
    guide = (ROOT / "docs/scoring.md").read_text(encoding="utf-8")
    for code in RuleErrorCode:
        assert f"| `{code}` |" in guide
    for scale in default_rules().scales.values():
        row = f"| {scale.name} | {scale.minimum} | {scale.moderate:g} | {scale.high:g} |"
        assert row in guide
    for rule in default_rules().critical:
        assert f"| `{rule.id}` | `{rule.item}` |" in guide


def test_the_guide_prints_the_points_of_every_item() -> None:
    guide = (ROOT / "docs/scoring.md").read_text(encoding="utf-8")
    for indicator in default_rules().indicators:
        points = ", ".join(f"{code} {added}" for code, added in indicator.points.items())
        when = "named in the screen" if indicator.screen else indicator.follow_up or "always"
        assert f"| {indicator.scale} | `{indicator.item}` | {when} | {points} |" in guide
