"""Forms: the version says what an answer means, and a stored form comes back equal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.authoring import dump, load, messages, read
from flows.forms import Form
from tests.flows.test_authoring import GOOD, LESSON, good


def version_of(text: str) -> str:
    return good(text).questionnaire.version


def test_a_version_is_sixteen_hex_digits() -> None:
    version = version_of(GOOD)
    assert len(version) == 16
    assert int(version, 16) >= 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("survey:", "# A remark.\n\nsurvey:"),
        ("name: age, label: How old is your child?", "label: How old is your child?, name: age"),
        ("form_title: A visit", "form_title: Another title"),
        ("licence: CC-BY-4.0", "licence: MIT"),
        ("source: Our own words.", "source: Somebody."),
        ("[roster, school]", "[school, roster]"),
    ],
)
def test_what_means_nothing_keeps_the_version(old: str, new: str) -> None:
    assert old in GOOD
    assert version_of(GOOD.replace(old, new)) == version_of(GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("form_id: visit", "form_id: visit2"),
        ("informant: caregiver", "informant: teacher"),
        ("default_language: en", "default_language: zu"),
        ("How old is your child?", "How old is she?"),
        (". <= 8", ". <= 9"),
        ("${age} > 6", "${age} > 7"),
        ("${age} >= 8", "${age} > 8"),
        ("required: yes", "required: no"),
        ("about: household", "about: child"),
        ("yep|sure", "yep"),
        ("label: Yes", "label: Yes please"),
        ("name: pair", "name: both"),
        ("{type: integer, name: two", "{type: select_one yes_no, name: two"),
        ("[roster, school]", "[roster, school, channel]"),
    ],
)
def test_what_means_something_changes_the_version(old: str, new: str) -> None:
    assert old in GOOD
    assert version_of(GOOD.replace(old, new)) != version_of(GOOD)


def test_the_order_of_choices_counts() -> None:
    first, second = GOOD.splitlines()[-2:]
    assert version_of(GOOD.replace(f"{first}\n{second}", f"{second}\n{first}")) != version_of(GOOD)


def test_a_lesson_is_stored_with_its_audience_and_others_as_before_there_was_one() -> None:
    lesson = good(LESSON)
    assert load(dump(lesson)) == lesson
    assert json.loads(dump(lesson))["audience"] == ["teacher", "staff"]
    assert "audience" not in json.loads(dump(good()))


def test_for_whom_a_lesson_is_keeps_its_version() -> None:
    assert version_of(LESSON.replace("teacher, staff", "staff")) == version_of(LESSON)


def test_a_stored_form_comes_back_equal() -> None:
    form = good()
    again = load(dump(form))
    assert again == form
    assert again.questionnaire.version == form.questionnaire.version
    assert dump(again) == dump(form)
    assert again.questionnaire["two"].relevant == form.questionnaire["two"].relevant


def test_a_stored_form_keeps_the_version_it_was_published_with() -> None:
    stored = json.loads(dump(good()))
    stored["version"] = "0123456789abcdef"
    assert load(json.dumps(stored)).questionnaire.version == "0123456789abcdef"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"form_id": 1}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load(text)


def test_messages_carry_line_address_and_source_text() -> None:
    found = messages(good())
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)
    assert (14, "visit/eats:label", "At ${school}, did your child eat at ${age}?") in found
    assert ("visit/yes_no/no:label", "No") in [(address, text) for _, address, text in found]
    assert len(found) == len(good().texts)


CODES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1).map(
    lambda text: json.dumps("x" + text.replace("$", ""), ensure_ascii=False)
)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Questionnaires of a few items of every kind, as an author could write them."""
    rows = []
    for name in draw(st.lists(CODES, min_size=1, max_size=6, unique=True)):
        kind = draw(st.sampled_from(["integer", "decimal", "text", "date", "note", "select_one l"]))
        label = draw(TEXTS)
        about = draw(st.sampled_from(["child", "household", "caregiver", "class", "self"]))
        rows.append(f"  - {{type: {kind}, name: {name}, label: {label}, about: {about}}}")
    text = "\n".join(
        [
            "settings: {form_id: f, form_title: F, informant: nurse, default_language: zu,",
            "  source: Ours, licence: MIT}",
            "survey:",
            *rows,
            "choices: {l: [{name: a, label: A}, {name: b, label: B, accept: bee}]}",
        ]
    )
    form, faults = read(text, file="f.yaml")
    assert form is not None, faults
    return form


@given(forms())
def test_any_form_comes_back_equal(form: Form) -> None:
    assert load(dump(form)) == form
