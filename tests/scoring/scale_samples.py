"""What the tests of published scales share: the scales that ship, and answers on one line."""

from collections.abc import Iterable, Mapping
from functools import cache

from scoring.scale_model import Facts, PublishedScale, ScaleResult
from scoring.scale_text import read_scale, read_scales
from scoring.scales import applies, score_scale
from tests.scoring.samples import ROOT

FOLDER = ROOT / "scoring/rules/scales"

SMALL = """\
scale: small
title: A small scale
version: first
about: child
informant: caregiver
age: [6, 8]
recall: today
method: sum
worse: high
source: {citation: Ourselves., url: https://example.org/small}
licence: {verdict: ship, note: Ours.}
options:
  how: {no: 0, some: 1, yes: 2}
  yes_no: {no: 0, yes: 1}
items:
  - {item: a, options: how}
  - {item: b, options: how, reverse: yes}
  - {item: gate, options: yes_no, counts: no}
  - {item: c, options: how, when: {gate: [yes]}}
parts:
  front:
    items: [a, b]
    most_missing: 1
    cutoffs:
      - {id: any, bands: {low: 0, high: 2}, confirmed: yes, source: Ours.}
missing: {fill: mean, most: 2, source: Ours.}
cutoffs:
  - id: girls
    when: {sex: f, ages: [6, 7], language: zu, country: ZA}
    bands: {low: 0, high: 1}
    confirmed: no
    source: Ours.
  - {id: any, bands: {low: 0, middle: 2, high: 4}, confirmed: yes, source: Ours.}
"""


def made(text: str, file: str = "small.yaml") -> PublishedScale:
    scale, errors = read_scale(text, file=file)
    assert scale, [str(error) for error in errors]
    return scale


@cache
def shipped() -> Mapping[str, PublishedScale]:
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yaml"))}
    scales, errors = read_scales(texts)
    assert not errors, [str(error) for error in errors]
    return scales


def answers_of(scale: PublishedScale, words: Iterable[str]) -> dict[str, str | None]:
    """`item=code item= rest=code`: a code, nothing for skipped; `rest` is what else applies."""
    given: dict[str, str | None] = {}
    for word in words:
        item, _, code = word.partition("=")
        given[item] = code or None
    rest = given.pop("rest", None)
    for name, item in scale.items.items():
        if rest is None or name in given or name == scale.given:
            continue
        if applies(item, given):
            ends = {"LEAST": item.low, "MOST": item.high}
            codes = [c for c, p in item.points.items() if rest == c or p == ends.get(rest)]
            if codes:
                given[name] = codes[0]
    return given


def facts_of(text: str) -> Facts:
    told = dict(word.split("=", 1) for word in text.split())
    age = told.get("age")
    return Facts(language=told.get("language", ""), age=int(age) if age else None)


def result_of(scale_id: str, answers: str, facts: str = "") -> ScaleResult:
    scale = shipped()[scale_id]
    return score_scale(scale, answers_of(scale, answers.split()), {}, facts_of(facts))
