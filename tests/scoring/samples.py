"""What the tests of scoring share: the default rules, and answers written on one line."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from flows.authoring import read
from flows.questionnaire import Questionnaire
from scoring.model import Informant, Profile, Submission
from scoring.profile import profile
from scoring.rules import Rules, item_codes, read_rules

ROOT = Path(__file__).parents[2]
DEFAULT = (ROOT / "scoring/rules/default.yaml").read_text(encoding="utf-8")
NOW = datetime(2025, 3, 10, 9, 0, tzinfo=UTC)
INFORMANT: Mapping[str, Informant] = {
    "caregiver": "caregiver",
    "learner": "teacher",
    "class_screen": "teacher",
}


@cache
def default_rules() -> Rules:
    rules, errors = read_rules(DEFAULT, file="default.yaml")
    assert rules, errors
    return rules


@cache
def questionnaires() -> Mapping[str, Questionnaire]:
    forms = {}
    for path in sorted((ROOT / "flows/questionnaires").glob("*.yaml")):
        form, errors = read(path.read_text(encoding="utf-8"), file=path.name)
        assert form, errors
        forms[form.questionnaire.form_id] = form.questionnaire
    return forms


@cache
def catalogue() -> Mapping[str, tuple[str, ...]]:
    return item_codes(questionnaires().values())


def submission(
    form: str, *, days: int = 0, informant: Informant | None = None, **answers: str | None
) -> Submission:
    return Submission(
        informant=informant or INFORMANT[form],
        questionnaire=form,
        submitted_at=NOW + timedelta(days=days),
        answers=answers,
    )


def parsed(text: str) -> list[Submission]:
    """`form/item=code form/item=` as submissions; nothing after = is a skipped item."""
    forms: dict[str, dict[str, str | None]] = {}
    for word in text.split():
        item, _, code = word.partition("=")
        form, _, name = item.partition("/")
        forms.setdefault(form, {})[name] = code or None
    return [submission(form, **answers) for form, answers in forms.items()]


def scored(submissions: Iterable[Submission] | str) -> Profile:
    given = parsed(submissions) if isinstance(submissions, str) else list(submissions)
    return profile(default_rules(), given, as_of=NOW)
