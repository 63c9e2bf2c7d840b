import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.plans import suggest
from scoring.report import (
    RequestError,
    ScoreRequest,
    check_request,
    from_document,
    score_text,
    to_document,
)
from tests.scoring.samples import catalogue, default_rules, scored

ANSWERS: dict[str, object] = {"breakfast": "few", "supper_home": "none", "full": None}


def document(**changes: object) -> dict[str, object]:
    return {
        "child": {"sex": "f", "birth_month": "2018-04"},
        "as_of": "2025-03-10",
        "submissions": [
            {
                "informant": "caregiver",
                "questionnaire": "caregiver",
                "submitted_at": "2025-03-09T11:00:00+02:00",
                "answers": ANSWERS,
            }
        ],
        **changes,
    }


def with_submission(**changes: object) -> dict[str, object]:
    whole = document()
    submissions = whole["submissions"]
    assert isinstance(submissions, list)
    return document(submissions=[{**submissions[0], **changes}])


def read(raw: object) -> ScoreRequest:
    request, errors = from_document(json.dumps(raw))
    assert request, errors
    return request


def test_a_request_is_read_with_moments_in_utc() -> None:
    request = read(document())
    assert (request.sex, request.birth_month) == ("f", "2018-04")
    assert request.as_of == datetime(2025, 3, 10, tzinfo=UTC)
    (submission,) = request.submissions
    assert submission.submitted_at == datetime(2025, 3, 9, 9, tzinfo=UTC)
    assert submission.submitted_at.tzinfo is UTC
    assert submission.answers == ANSWERS


def test_the_child_may_be_left_out() -> None:
    raw = document()
    del raw["child"]
    assert (read(raw).sex, read(raw).birth_month) == (None, None)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (2, "2"),
        (2.0, "2"),
        (2.50, "2.5"),
        (1e-7, "0.0000001"),
        (1e21, "1" + "0" * 21),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_become_canonical_text(given: float, text: str) -> None:
    (submission,) = read(with_submission(answers={"height": given})).submissions
    assert submission.answers == {"height": text}


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (document(as_of="2025-03-10T09:00:00"), "as_of"),
        (document(as_of="soon"), "as_of"),
        (document(extra=1), "extra"),
        (document(child={"sex": "x"}), "child.sex"),
        (document(child={"birth_month": "2018-13"}), "child.birth_month"),
        (document(submissions={}), "submissions"),
        (with_submission(informant="neighbour"), "submissions.0.informant"),
        (with_submission(questionnaire="../x"), "submissions.0.questionnaire"),
        (with_submission(answers={"full": True}), "submissions.0.answers.full"),
        (with_submission(answers={"full": ["none"]}), "submissions.0.answers.full"),
        ([], "the document"),
    ],
)
def test_each_fault_says_where_it_is(raw: object, where: str) -> None:
    request, errors = from_document(json.dumps(raw))
    assert request is None
    assert all(error.where.startswith(where) for error in errors)
    assert errors
    assert all(error.fix for error in errors)


def test_text_that_is_no_json_is_refused() -> None:
    request, (error,) = from_document('{"as_of": NaN')
    assert request is None
    assert str(error).startswith("the document: ")


@given(st.text(max_size=40))
def test_any_text_is_a_request_or_refused_with_a_reason(text: str) -> None:
    request, errors = from_document(text)
    assert request is None
    assert errors


def test_items_and_codes_that_no_questionnaire_has_are_told() -> None:
    request = read(with_submission(answers={"brekfast": "few", "full": "never", "play": "most"}))
    assert check_request(request, catalogue()) == (
        RequestError(
            where="submissions.0.answers.brekfast",
            found="no item caregiver/brekfast",
            fix="use the name of an item in that questionnaire",
        ),
        RequestError(
            where="submissions.0.answers.full",
            found="never",
            fix="use one of none, few, most, every, or null",
        ),
    )


def test_an_item_without_codes_takes_any_value() -> None:
    raw = with_submission(questionnaire="class_screen", answers={"screen_sad": "named"})
    assert check_request(read(raw), catalogue()) == ()


def test_score_text_gives_the_document_of_the_profile() -> None:
    found, errors = score_text(json.dumps(document()), default_rules(), catalogue())
    assert errors == ()
    assert found
    assert set(found) == {
        "domains", "caregiver", "urgent", "level", "critical", "plan", "rules", "as_of", "scales",
    }  # fmt: skip
    domains = found["domains"]
    assert isinstance(domains, dict)
    nutrition = domains["nutrition"]
    assert isinstance(nutrition, dict)
    assert (nutrition["band"], nutrition["score"]) == ("high", 0.8333)
    assert nutrition["range"] == [0.4167, 0.9167]
    assert nutrition["thresholds"] == [0.2, 0.55]
    assert nutrition["missing"] == [
        "caregiver/ate_today", "caregiver/full", "caregiver/school_meal", "caregiver/vegetables",
    ]  # fmt: skip
    assert nutrition["sources"] == [
        {
            "informant": "caregiver",
            "band": "high",
            "score": 0.8333,
            "answered": 2,
            "of": 6,
            "as_of": "2025-03-09T09:00:00+00:00",
        }
    ]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("raw", [document(extra=1), with_submission(answers={"brekfast": "few"})])
def test_score_text_refuses_what_it_cannot_read(raw: object) -> None:
    found, errors = score_text(json.dumps(raw), default_rules(), catalogue())
    assert found is None
    assert len(errors) == 1


def test_an_urgent_profile_says_so_with_the_rule_and_the_plan() -> None:
    profile = scored("caregiver/ate_today=no_food learner/hungry=unknown")
    found = to_document(profile, suggest(default_rules(), scored("caregiver/heavy=sometimes")))
    assert found["urgent"] is True
    assert found["level"] == "urgent"
    assert found["critical"] == [
        {
            "rule": "no_food_today",
            "item": "caregiver/ate_today",
            "informant": "caregiver",
            "words": "The caregiver says the child has had no food today and there is none.",
        }
    ]
    assert found["plan"] == [
        {
            "id": "family_programme",
            "words": "Invite the family to the family-strengthening programme.",
            "domains": ["caregiver"],
            "band": "moderate",
        }
    ]
    domains = found["domains"]
    assert isinstance(domains, dict)
    nutrition = domains["nutrition"]
    assert isinstance(nutrition, dict)
    assert nutrition["score"] is None
