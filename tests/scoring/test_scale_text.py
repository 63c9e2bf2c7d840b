"""Scale files: what they say, and every fault they can have, with its line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.rule_text import RuleErrorCode
from scoring.scale_model import Cutoff
from scoring.scale_rows import ItemRow, ScaleFile
from scoring.scale_text import read_scale, read_scales
from tests.scoring.samples import ROOT
from tests.scoring.scale_samples import FOLDER, SMALL, made, shipped

GUIDE = (ROOT / "docs/scoring.md").read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    assert old in SMALL, old
    return SMALL.replace(old, new, 1)


def faults(text: str) -> list[tuple[RuleErrorCode, str]]:
    """Code of each fault, and what stands on the line it names."""
    scale, errors = read_scale(text, file="folder/small.yaml")
    assert (scale is None) == bool(errors)
    lines = text.splitlines()
    return [(error.code, lines[error.line - 1].strip()) for error in errors]


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("scale: small", "scale: [small", "BAD_YAML", "title: A small scale"),
        ("scale: small", "scale: small\nscale: a", "DUPLICATE_KEY", "scale: a"),
        ("scale: small", "scale: tiny", "WRONG_VALUE", "scale: tiny"),
        ("method: sum", "method: product", "WRONG_VALUE", "method: product"),
        ("recall: today\n", "", "MISSING", "scale: small"),
        ("recall: today", "recall: today\nwords: How are you?", "UNKNOWN_KEY",
         "words: How are you?"),
        ("https://example.org", "example.org", "WRONG_VALUE",
         "source: {citation: Ourselves., url: example.org/small}"),
        ("item: c, options: how", "item: b, options: how", "DUPLICATE",
         "- {item: b, options: how, when: {gate: [yes]}}"),
        ("{item: a, options: how}", "{item: a, options: when}", "OPTIONS",
         "- {item: a, options: when}"),
        ("{item: a, options: how}", "{item: a}", "OPTIONS", "- {item: a}"),
        ("{item: a, options: how}", "{item: a, options: how, number: [0, 2]}", "OPTIONS",
         "- {item: a, options: how, number: [0, 2]}"),
        ("{item: a, options: how}", "{item: a, number: [2, 2]}", "POINTS",
         "- {item: a, number: [2, 2]}"),
        ("how: {no: 0, some: 1, yes: 2}", "how: {no: 1, some: 1, yes: 1}", "POINTS",
         "- {item: a, options: how}"),
        ("when: {gate: [yes]}", "when: {door: [yes]}", "ITEM",
         "- {item: c, options: how, when: {door: [yes]}}"),
        ("when: {gate: [yes]}", "when: {gate: [true]}", "CODE",
         "- {item: c, options: how, when: {gate: [true]}}"),
        ("items: [a, b]", "items: [a, gate]", "ITEM", "front:"),
        ("items: [a, b]", "items: [a, z]", "ITEM", "front:"),
        ("items: [a, b]", "items: [a, a]", "DUPLICATE", "front:"),
        ("recall: today", "recall: today\ntotal: [a, z]", "ITEM", "total: [a, z]"),
        ("recall: today", "recall: today\ngiven_total: z", "ITEM", "given_total: z"),
        ("missing: {fill: mean", "missing: {fill: none", "MINIMUM",
         "missing: {fill: none, most: 2, source: Ours.}"),
        ("most: 2", "most: 3", "MINIMUM", "scale: small"),
        ("most_missing: 1", "most_missing: 2", "MINIMUM", "front:"),
        ("fill: mean", "fill: zero", None, ""),
        ("{item: a, options: how}", "{item: a, number: [0, 3]}", "POINTS",
         "missing: {fill: mean, most: 2, source: Ours.}"),
        ("bands: {low: 0, high: 2}", "bands: {low: 0, high: 5}", "THRESHOLDS",
         "- {id: any, bands: {low: 0, high: 5}, confirmed: yes, source: Ours.}"),
        ("bands: {low: 0, high: 2}", "bands: {low: 1, high: 2}", "THRESHOLDS",
         "- {id: any, bands: {low: 1, high: 2}, confirmed: yes, source: Ours.}"),
        ("middle: 2, high: 4", "middle: 4, high: 4", "THRESHOLDS",
         "- {id: any, bands: {low: 0, middle: 4, high: 4}, confirmed: yes, source: Ours.}"),
        ("    when: {sex: f, ages: [6, 7], language: zu, country: ZA}\n", "", "DUPLICATE",
         "- {id: any, bands: {low: 0, middle: 2, high: 4}, confirmed: yes, source: Ours.}"),
        ("confirmed: no", "confirmed: perhaps", "WRONG_VALUE", "confirmed: perhaps"),
    ],
)  # fmt: skip
def test_each_fault_has_its_code_and_line(old: str, new: str, code: str | None, line: str) -> None:
    found = faults(changed(old, new))
    if code is None:
        assert found == []
    else:
        assert (code, line) in found
        assert {each for each, _ in found} == {code}


def test_a_scale_in_which_nothing_counts_is_refused() -> None:
    text = re.sub(r"(item: [abc], options: how)", r"\1, counts: no", SMALL)
    found = faults(text)
    assert ("ITEM", "items:") in found


def test_gaps_may_count_nothing_only_where_an_item_can() -> None:
    text = changed("how: {no: 0, some: 1, yes: 2}", "how: {no: 1, some: 2, yes: 3}")
    text = text.replace("fill: mean", "fill: zero")
    assert ("POINTS", "missing: {fill: zero, most: 2, source: Ours.}") in faults(text)


def test_one_difficulty_is_no_mean() -> None:
    text = changed("method: sum", "method: any").replace("middle: 2, high: 4", "high: 1")
    assert ("POINTS", "missing: {fill: mean, most: 2, source: Ours.}") in faults(text)


def test_a_condition_can_only_name_answers_of_a_list() -> None:
    text = changed(
        "{item: gate, options: yes_no, counts: no}", "{item: gate, number: [0, 1], counts: no}"
    )
    scale, (error,) = read_scale(text, file="small.yaml")
    assert scale is None
    assert (error.code, error.found) == ("CODE", "gate has no answer yes")


def test_the_digest_follows_the_content_and_not_the_layout() -> None:
    same = made("# a comment\n\n" + SMALL, "elsewhere/small.yaml")
    other = made(changed("middle: 2", "middle: 3"))
    assert same == made(SMALL)
    assert same.digest == made(SMALL).digest != other.digest
    assert len(same.digest) == 12


def test_two_scales_are_told_apart_by_their_files_and_from_questionnaires() -> None:
    scales, errors = read_scales({"small.yaml": SMALL, "x/other.yaml": "scale: other"})
    assert list(scales) == ["small"]
    assert {error.file for error in errors} == {"x/other.yaml"}
    scales, (error,) = read_scales({"small.yaml": SMALL}, taken=["small"])
    assert scales == {}
    assert (error.code, error.found) == ("DUPLICATE", "small is a questionnaire")


@given(st.text(max_size=60) | st.sampled_from(["", "- a", "a: {b: c}", "\ud800", "[[[["]))
def test_any_other_text_is_refused_with_a_reason(text: str) -> None:
    scale, errors = read_scale(text, file="r.yaml")
    assert scale is None
    assert errors
    assert all(error.found and error.fix and error.line >= 1 for error in errors)


# What ships.


def test_the_scales_of_the_plan_ship() -> None:
    assert set(shipped()) == {
        "psc17", "sdq_parent", "sdq_teacher", "phq2", "phq4", "phq8", "gad2", "cesd10", "who5",
        "hhs", "cchip", "lpi", "cfm", "cfm_tv", "cyrm_r_child", "cyrm_r_child_5pt", "cyrm_r_pmk",
        "cyrm_r_pmk_5pt",
    }  # fmt: skip


@pytest.mark.parametrize("scale_id", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_the_guide_tells_of_each_scale_and_each_of_its_sources(scale_id: str) -> None:
    scale = shipped()[scale_id]
    section = GUIDE.partition(f"`{scale_id}`**")[2].partition("\n**")[0]
    assert section, f"no section on {scale_id}"
    assert f"{scale.verdict}" in section.splitlines()[0]
    every: list[Cutoff] = [c for part in (scale.total, *scale.parts) for c in part.cutoffs]
    for cutoff in scale.total.cutoffs:
        for _, start in cutoff.bands[1:]:
            assert re.search(rf"\b{start}\b", section), (cutoff.id, start)
    if any(not cutoff.confirmed for cutoff in every):
        assert "unconfirmed" in section
    assert scale.url in section


def test_unconfirmed_cutoffs_are_marked() -> None:
    marked = {
        (scale.id, cutoff.id)
        for scale in shipped().values()
        for part in (scale.total, *scale.parts)
        for cutoff in part.cutoffs
        if not cutoff.confirmed
    }
    assert marked == {
        ("cesd10", "zulu"), ("cesd10", "afrikaans"), ("cesd10", "xhosa"), ("cfm_tv", "plan"),
    }  # fmt: skip


@pytest.mark.parametrize("key", sorted(ScaleFile.model_fields))
def test_the_guide_explains_every_key(key: str) -> None:
    assert f"`{key}`" in GUIDE.partition("### The file of a scale")[2]


def test_no_words_of_an_instrument_are_in_the_files() -> None:
    """An item is a code and how it is answered: there is no place for its words."""
    assert set(ItemRow.model_fields) == {
        "item", "options", "number", "reverse", "counts", "when",
    }  # fmt: skip
    for path in FOLDER.glob("*.yaml"):
        assert "?" not in path.read_text(encoding="utf-8"), path.name
