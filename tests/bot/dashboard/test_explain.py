"""Why a child is flagged, as sentences: what decided, what would change it, what is not known."""

import json
from typing import Any

from bot.dashboard.explain import explain
from bot.dashboard.page import as_coded
from scoring.model import DOMAINS, Submission
from scoring.plans import suggest
from scoring.profile import profile
from scoring.report import to_document
from scoring.rules import read_rules
from tests.bot.dashboard.house import document


def domain(**changes: Any) -> Any:
    body: Any = document()
    body["domains"]["education"] |= changes
    return explain(json.dumps(body), as_coded, {}).flagged[0]


def test_the_worst_domain_comes_first_and_all_six_are_there() -> None:
    body: Any = document()
    body["domains"]["material"] |= {"band": "low", "score": 0.1}
    body["domains"]["psychosocial"] = body["domains"]["education"] | {"band": "moderate"}

    why = explain(json.dumps(body), as_coded, {})

    assert [view.name for view in why.flagged] == ["education", "psychosocial"]
    assert [view.name for view in why.others] == [
        "material",
        "health",
        "nutrition",
        "protection",
    ]


def test_points_stand_beside_the_threshold() -> None:
    total = domain().totals[0]

    assert (total.source, total.points, total.most) == ("Caregiver", 6, 9)
    assert (total.share, total.threshold) == (0.6667, 0.6)


def test_fewer_points_that_fall_just_below_the_threshold_are_counted() -> None:
    reasons = [document()["domains"]["education"]["reasons"][0] | {"points": 9}]  # type: ignore[index]
    source = {"informant": "caregiver", "band": "high", "score": 1.0, "answered": 3, "of": 3}
    found = domain(score=1.0, reasons=reasons, sources=[source | {"as_of": None}], range=[1.0, 1.0])

    assert found.change == ("Caregiver: 4 points fewer would make it moderate.",)


def test_two_sources_at_the_band_must_both_change() -> None:
    data: Any = document()["domains"]["education"]  # type: ignore[index]
    teacher = data["sources"][0] | {"informant": "teacher"}
    reasons = [data["reasons"][0], data["reasons"][0] | {"informant": "teacher"}]

    found = domain(sources=[data["sources"][0], teacher], reasons=reasons, disagree=False)

    assert found.change == (
        "Caregiver: 1 point fewer would make it moderate.",
        "Teacher: 1 point fewer would make it moderate.",
        "Every source at High would have to change for the domain to change.",
        "With the questions still open, it could lie anywhere between 40 % and 80 %.",
    )
    assert found.disagree == ""


def test_a_moderate_domain_is_measured_at_the_lower_threshold() -> None:
    data: Any = document()["domains"]["education"]  # type: ignore[index]
    source = data["sources"][0] | {"band": "moderate", "score": 0.5}
    reasons = [data["reasons"][0] | {"points": 3}]

    found = domain(band="moderate", score=0.5, sources=[source], reasons=reasons)

    assert (found.totals[0].most, found.totals[0].threshold) == (6, 0.25)
    assert found.change[0] == "Caregiver: 2 points fewer would make it low."


def test_placeholders_of_a_question_are_filled_or_left_out() -> None:
    def asked(item: str, answer: str) -> tuple[str, str]:
        return "Was learner ${list_number} sad in ${month}?", answer

    why = explain(json.dumps(document()), asked, {"list_number": "17"})

    assert why.flagged[0].rows[0].question == "Was learner 17 sad in ...?"


def test_critical_answers_and_ages_are_there() -> None:
    hit = {"rule": "no_food", "item": "caregiver/ate_today", "informant": "caregiver"}
    why = explain(json.dumps(document(critical=[hit | {"words": "No food."}])), as_coded, {})

    assert why.critical == (("ate today", "Caregiver", "No food."),)
    assert why.newest is not None
    assert why.oldest is not None
    assert (why.newest - why.oldest).days == 3


def test_an_informant_without_a_word_of_ours_is_named_by_her_code() -> None:
    data: Any = document()["domains"]["education"]  # type: ignore[index]
    source = data["sources"][0] | {"informant": "aunt_or_uncle"}

    found = domain(sources=[source], reasons=[data["reasons"][0] | {"informant": "aunt_or_uncle"}])

    assert found.sources[0].informant == found.rows[0].source == "Aunt or uncle"


def test_every_profile_of_the_shipped_rules_can_be_explained() -> None:
    from importlib.resources import files  # noqa: PLC0415

    text = (files("scoring") / "rules" / "default.yaml").read_text(encoding="utf-8")
    rules, errors = read_rules(text, file="default.yaml")
    assert rules is not None, errors
    as_of = explain(json.dumps(document()), as_coded, {}).newest
    assert as_of is not None
    for place in range(3):
        answers: dict[str, dict[str, str | None]] = {"caregiver": {}, "learner": {}}
        for indicator in rules.indicators:
            form, _, name = indicator.item.partition("/")
            codes = sorted(indicator.points, key=lambda code: indicator.points[code])
            if form in answers:
                answers[form][name] = codes[min(place, len(codes) - 1) if place < 2 else -1]
        told = [
            Submission(informant=who, questionnaire=form, submitted_at=as_of, answers=answers[form])
            for who, form in (("caregiver", "caregiver"), ("teacher", "learner"))
        ]
        result = profile(rules, told, as_of=as_of)

        why = explain(json.dumps(to_document(result, suggest(rules, result))), as_coded, {})

        assert {v.name for v in (*why.flagged, *why.others)} == set(DOMAINS)
        assert [v.name for v in why.flagged if not v.totals or not v.change] == []
