"""Published scales in a score request: what is refused, what is told."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from scoring.report import RequestError, score_text
from scoring.scale_report import age_in_years, listed
from tests.scoring.samples import catalogue, default_rules
from tests.scoring.scale_samples import SMALL, made, shipped

SCALES = {**shipped(), "small": made(SMALL)}
Given = dict[str, object]


def submission(questionnaire: str, informant: str = "caregiver", **more: object) -> Given:
    return {
        "informant": informant,
        "questionnaire": questionnaire,
        "submitted_at": "2025-03-09",
        "answers": {},
        **more,
    }


def scored(
    *submissions: Given, **child: str
) -> tuple[dict[str, JsonValue] | None, tuple[RequestError, ...]]:
    request = {"child": child, "as_of": "2025-03-10", "submissions": submissions}
    return score_text(json.dumps(request), default_rules(), catalogue(), SCALES)


def results(*submissions: Given, **child: str) -> dict[str, JsonValue]:
    document, errors = scored(*submissions, **child)
    assert document, errors
    found = document["scales"]
    assert isinstance(found, dict)
    return found


def refused(*submissions: Given) -> list[tuple[str, str]]:
    document, errors = scored(*submissions)
    assert document is None
    assert all(error.fix for error in errors)
    return [(error.where, error.found) for error in errors]


def test_a_scale_is_scored_beside_the_profile_and_changes_nothing_of_it() -> None:
    plain = submission("caregiver", answers={"money": "no", "work": "no"})
    phq = submission("phq2", answers={"interest": 3, "low_mood": "several_days"})
    with_scale, _ = scored(plain, phq)
    without, _ = scored(plain)
    assert with_scale
    assert without
    assert without["scales"] == {}
    assert {**with_scale, "scales": {}} == without
    assert json.loads(json.dumps(with_scale)) == with_scale


def test_a_result_says_all_of_it() -> None:
    found = results(
        submission(
            "cesd10",
            language="zu-ZA",
            answers={
                "bothered": "some", "concentration": 1, "low_mood": 1, "effort": 1, "hope": 1,
                "fear": 1, "sleep": 1, "happiness": None, "loneliness": 1,
            },
            missing={"happiness": "refused"},
        )
    )  # fmt: skip
    assert found["cesd10"] == {
        "value": 11.25,
        "range": [9, 15],
        "prorated": True,
        "filled": "mean",
        "valid": True,
        "band": "below",
        "bands": ["below", "at_risk"],
        "cutoff": {
            "id": "zulu",
            "bands": {"below": 0, "at_risk": 12},
            "confirmed": False,
            "language": "zu",
            "country": None,
            "ages": None,
            "sex": None,
            "source": SCALES["cesd10"].total.cutoffs[0].source,
        },
        "source": SCALES["cesd10"].total.cutoffs[0].source,
        "missing": {
            "skipped": [],
            "refused": ["happiness"],
            "not_asked": [],
            "not_yet": ["getting_going"],
        },
        "parts": {},
        "in_age": None,
        "worse": "high",
        "informant": "caregiver",
        "as_of": "2025-03-09T00:00:00+00:00",
        "title": SCALES["cesd10"].title,
        "version": SCALES["cesd10"].version,
        "rules": SCALES["cesd10"].digest,
    }


def test_the_child_and_the_place_choose_the_cutoff() -> None:
    given = submission(
        "small",
        language="zu",
        country="ZA",
        answers={"a": "some", "b": "yes", "gate": "no"},
    )
    found = results(given, birth_month="2018-03", sex="f")["small"]
    assert isinstance(found, dict)
    assert (found["band"], found["in_age"]) == ("high", True)
    assert isinstance(found["cutoff"], dict)
    assert (found["cutoff"]["ages"], found["cutoff"]["country"]) == ([6, 7], "ZA")
    assert isinstance(found["parts"], dict)
    assert isinstance(found["parts"]["front"], dict)
    assert found["parts"]["front"]["band"] == "low"
    older = results(given, birth_month="2011-03", sex="f")["small"]
    assert isinstance(older, dict)
    assert (older["value"], older["band"], older["cutoff"], older["in_age"]) == (
        1,
        None,
        None,
        False,
    )
    assert older["source"] == "Ourselves."


def test_the_age_of_a_child_is_nothing_to_a_scale_about_somebody_else() -> None:
    found = results(submission("phq2"), birth_month="2018-03")["phq2"]
    assert isinstance(found, dict)
    assert (found["in_age"], found["valid"], found["value"]) == (None, False, None)


@pytest.mark.parametrize(
    ("born", "age"), [("2018-03", 7), ("2018-04", 6), ("2018-02", 7), ("2025-03", 0), (None, None)]
)
def test_age_is_in_completed_years(born: str | None, age: int | None) -> None:
    assert age_in_years(born, datetime(2025, 3, 9, tzinfo=UTC)) == age


def test_the_newest_sitting_counts_whole() -> None:
    old = submission("phq2", answers={"interest": 3, "low_mood": 3})
    new = submission("phq2", answers={"interest": 0}, submitted_at="2025-03-10")
    for given in ((old, new), (new, old)):
        found = results(*given)["phq2"]
        assert isinstance(found, dict)
        assert (found["value"], found["range"]) == (None, [0, 3])


def test_two_sittings_of_one_moment_are_refused() -> None:
    phq = submission("phq2")
    assert refused(phq, submission("gad2"), phq) == [
        ("submissions.0.submitted_at", "a second phq2 of that moment")
    ]


@pytest.mark.parametrize(
    ("given", "where", "found"),
    [
        (submission("phq2", answers={"sadness": 1}), "answers.sadness", "phq2 has no item sadness"),
        (submission("phq2", answers={"interest": 4}), "answers.interest", "4"),
        (submission("phq2", answers={"interest": "never"}), "answers.interest", "never"),
        (submission("phq2", "teacher"), "informant", "teacher"),
        (submission("phq2", missing={"sadness": "refused"}), "missing.sadness",
         "phq2 has no item sadness"),
        (submission("phq2", answers={"interest": 1}, missing={"interest": "refused"}),
         "missing.interest", "interest has an answer"),
        (submission("hhs", answers={"no_food": "no", "no_food_often": "often"}),
         "answers.no_food_often", "no_food_often is not asked when no_food is no"),
        (submission("hhs", answers={"no_food": "yes", "no_food_often": 1}),
         "answers.no_food_often", "1"),
        (submission("sdq_parent", answers={"total_difficulties": 41}),
         "answers.total_difficulties", "41"),
        (submission("sdq_parent", answers={"emotional": 4, "conduct": 3, "hyperactivity": 6,
                                           "peer": 3, "total_difficulties": 17}),
         "answers.total_difficulties", "17, but the parts come to 16"),
        (submission("sdq_parent", answers={"emotional": 10, "total_difficulties": 9}),
         "answers.total_difficulties", "9, but the parts come to 10 to 40"),
        (submission("caregiver", missing={"money": "refused"}), "missing",
         "reasons for caregiver"),
    ],
)  # fmt: skip
def test_what_a_scale_cannot_use_is_refused(given: Given, where: str, found: str) -> None:
    assert refused(submission("gad2"), given) == [(f"submissions.1.{where}", found)]


@pytest.mark.parametrize(
    "more",
    [
        {"missing": {"interest": "lost"}},
        {"language": "isiZulu"},
        {"country": "za"},
    ],
)
def test_what_is_no_reason_language_or_country_is_refused(more: dict[str, object]) -> None:
    ((where, _),) = refused(submission("phq2", **more))
    assert where.startswith(f"submissions.0.{next(iter(more))}")


def test_a_total_given_that_fits_its_parts_is_taken() -> None:
    given = submission("sdq_parent", answers={"emotional": 4, "total_difficulties": 14})
    found = results(given)["sdq_parent"]
    assert isinstance(found, dict)
    assert (found["value"], found["band"]) == (14, "borderline")


def test_the_list_tells_source_licence_items_and_answers() -> None:
    found = {str(each["id"]): each for each in listed(SCALES.values()) if isinstance(each, dict)}
    assert set(found) == set(SCALES)
    assert found["psc17"]["age"] == [4, 16]
    assert found["phq2"]["age"] is None
    assert found["phq2"]["items"] == {
        name: ["not_at_all", "several_days", "more_than_half", "nearly_every_day"]
        for name in ("interest", "low_mood")
    }
    for each in found.values():
        licence = each["licence"]
        assert isinstance(licence, dict)
        assert licence["verdict"] in ("ship", "ask", "licence")
        assert licence["note"]
        assert "https://" in str(each["source"])
        assert each["missing"]
    assert json.loads(json.dumps(found)) == found
