"""A questionnaire as text: what it becomes, and every fault with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.authoring import ContentError, ErrorCode, Form, read
from flows.expressions import FUNCTIONS
from flows.rows import TYPES, Choice, Row, Settings

SETTINGS = """\
settings:
  form_id: visit
  form_title: A visit
  informant: caregiver
  default_language: en
  source: Our own words.
  licence: CC-BY-4.0
  context: [roster, school]
"""
SURVEY = """\
survey:
  - {type: integer, name: age, label: How old is your child?, constraint: . >= 6 and . <= 8,
     constraint_message: "6, 7 or 8 please.", required: yes, hint: In years}
  - type: select_one yes_no
    name: eats
    label: At ${school}, did your child eat at ${age}?
    about: household
    relevant: ${age} > 6
  - {type: calculate, name: late, calculation: "${age} >= 8"}
  - {type: note, name: thanks, label: Thank you., relevant: "${late}"}
  - {type: begin_group, name: pair, appearance: field-list, relevant: "${eats} = 'no'"}
  - {type: select_one yes_no, name: one, label: One?}
  - {type: integer, name: two, label: Two?, relevant: "${one} = 'yes'"}
  - {type: end_group}
  - {type: select_multiple_from_file roster, name: hungry, label: Who?, about: class}
"""
CHOICES = """\
choices:
  yes_no:
    - {name: yes, label: Yes, accept: yep|sure}
    - {name: no, label: No}
"""
GOOD = SETTINGS + SURVEY + CHOICES
TOP = len(SETTINGS.splitlines()) + 1
"""The line of `survey:`."""


def good(text: str = GOOD) -> Form:
    form, faults = read(text, file="visit.yaml")
    assert faults == ()
    assert form is not None
    return form


def faults_of(text: str, reserved: frozenset[str] = frozenset()) -> list[tuple[ErrorCode, int]]:
    return [(fault.code, fault.line) for fault in read(text, file="f.yaml", reserved=reserved)[1]]


def survey(*rows: str) -> str:
    """A file whose rows begin one line below `TOP`."""
    return SETTINGS + "survey:\n" + "".join(f"  - {row}\n" for row in rows) + CHOICES


def choices(*rows: str) -> str:
    """A file whose list `l` begins at line `TOP + 3` and its choices a line below."""
    row = "  - {type: select_one l, name: a, label: A}\n"
    listed = "".join(f"    - {row}\n" for row in rows)
    return f"{SETTINGS}survey:\n{row}choices:\n  l:\n{listed}"


LESSON = survey(
    "{type: note, name: idea, label: An idea.}",
    "{type: select_one yes_no, name: a, label: A?}",
    "{type: note, name: why, label: Why., relevant: \"${a} != 'yes'\"}",
).replace("informant: caregiver", "informant: lesson\n  audience: [teacher, staff]")


def test_a_lesson_is_about_nobody_and_its_title_is_translated() -> None:
    form = good(LESSON)
    assert form.audience == ("teacher", "staff")
    assert {item.about for item in form.questionnaire.items} == {"self"}
    assert (form.texts["visit/menu:title"], form.lines["visit/menu:title"]) == ("A visit", 3)
    assert "visit/menu:title" not in good().texts


def test_items_are_what_the_author_wrote() -> None:
    questionnaire = good().questionnaire
    assert [item.name for item in questionnaire.items] == [
        *("age", "eats", "late", "thanks", "one", "two", "hungry")
    ]
    age, eats, one = questionnaire["age"], questionnaire["eats"], questionnaire["one"]
    assert (age.type, age.required, age.about) == ("integer", True, "child")
    assert age.constraint is not None
    assert age.constraint.source == ". >= 6 and . <= 8"
    assert (eats.list_name, eats.choices, eats.required) == ("yes_no", ("yes", "no"), False)
    assert (eats.about, eats.pack, eats.line) == ("household", "", TOP + 3)
    assert (one.pack, questionnaire["hungry"].pack) == ("pair", "")
    assert questionnaire["hungry"].type == "select_multiple_from_roster"
    assert questionnaire["hungry"].list_name == ""
    assert questionnaire["late"].calculation is not None
    assert (questionnaire.form_id, questionnaire.informant) == ("visit", "caregiver")
    assert questionnaire.context == ("roster", "school")


def test_the_rule_of_a_group_is_anded_into_its_items() -> None:
    questionnaire = good().questionnaire
    one, two = questionnaire["one"].relevant, questionnaire["two"].relevant
    assert one is not None
    assert one.source == "${eats} = 'no'"
    assert two is not None
    assert two.source == "(${eats} = 'no') and (${one} = 'yes')"


def test_texts_stand_under_their_addresses_with_lines() -> None:
    form = good()
    assert form.texts["visit/age:label"] == "How old is your child?"
    assert form.texts["visit/age:hint"] == "In years"
    assert form.texts["visit/age:constraint_message"] == "6, 7 or 8 please."
    assert form.texts["visit/yes_no/yes:accept"] == "yep|sure"
    assert form.lines["visit/eats:label"] == TOP + 5
    assert "visit/late:label" not in form.texts
    assert (form.title, form.default_language) == ("A visit", "en")
    assert (form.source, form.licence) == ("Our own words.", "CC-BY-4.0")


def test_a_survey_may_do_without_choices_and_context() -> None:
    text = SETTINGS.replace("  context: [roster, school]\n", "") + "choices:\n" + "survey:\n"
    assert good(text + "  - {type: text, name: a, label: A}\n").questionnaire["a"].type == "text"


def test_a_fault_reads_as_one_line() -> None:
    fault = ContentError(
        file="f.yaml", line=3, code=ErrorCode.BAD_CODE, found="the name 'A'", fix="Write a."
    )
    assert str(fault) == "f.yaml:3: BAD_CODE the name 'A'. Fix: Write a."


A = "{type: integer, name: a, label: A}"
PACK = "{type: begin_group, name: g, appearance: field-list}"
PACKED = "{type: integer, name: b, label: B}"
END = "{type: end_group}"

CASES = [
    # the document
    (ErrorCode.BAD_YAML, TOP, SETTINGS + "survey: a: b\n"),
    (ErrorCode.BAD_YAML, 1, "a: \x00"),
    (ErrorCode.BAD_YAML, 1, "a: \ud800"),
    (ErrorCode.BAD_YAML, 2, "a: 1\nb: !!python/object:os.system x\n"),
    (ErrorCode.BAD_YAML, 1, "a: &x 1\nb: *x\n"),
    (ErrorCode.BAD_YAML, 1, "[" * 9 + "]" * 9),
    (ErrorCode.BAD_YAML, 1, "[" * 100_000),
    (ErrorCode.DUPLICATE_KEY, TOP, SETTINGS + "settings: {}\n" + SURVEY + CHOICES),
    (ErrorCode.STRUCTURE, 1, ""),
    (ErrorCode.STRUCTURE, 1, "- a\n"),
    (ErrorCode.STRUCTURE, 1, SETTINGS),
    (ErrorCode.STRUCTURE, TOP, SETTINGS + "survey: []\n"),
    (ErrorCode.STRUCTURE, TOP + 1, survey("just words")),
    (ErrorCode.STRUCTURE, TOP + 1, survey("{type: integer, name: a, label: A, hint: {en: A}}")),
    (ErrorCode.STRUCTURE, TOP + 1, survey("{type: integer, name: a, label: A, [x]: y}")),
    (ErrorCode.STRUCTURE, TOP, SETTINGS + f"choices: none\nsurvey: [{A}]\n"),
    (ErrorCode.STRUCTURE, TOP + 3, choices().replace("  l:\n", "  l: none\n")),
    (ErrorCode.STRUCTURE, 8, survey(A).replace("[roster, school]", "roster")),
    (ErrorCode.UNKNOWN_KEY, TOP, SETTINGS + "surveys: []\n" + SURVEY + CHOICES),
    (ErrorCode.UNKNOWN_KEY, 8, survey(A).replace("  context:", "  contxt:")),
    (ErrorCode.UNKNOWN_KEY, TOP + 1, survey("{type: integer, name: a, label: A, relevnt: b}")),
    # settings
    (ErrorCode.MISSING_VALUE, 1, GOOD.replace("  form_title: A visit\n", "")),
    (ErrorCode.MISSING_VALUE, 6, GOOD.replace("source: Our own words.", "source:")),
    (ErrorCode.BAD_VALUE, 4, GOOD.replace("caregiver", "parent")),
    (ErrorCode.MISSING_VALUE, 1, LESSON.replace("  audience: [teacher, staff]\n", "")),
    (ErrorCode.MISSING_VALUE, 1, LESSON.replace("[teacher, staff]", "[]")),
    (ErrorCode.BAD_VALUE, 5, LESSON.replace("[teacher, staff]", "[parent]")),
    (ErrorCode.MISPLACED, 5, LESSON.replace("informant: lesson", "informant: nurse")),
    (ErrorCode.MISPLACED, TOP + 3, LESSON.replace("label: A?", "label: A?, about: child")),
    (ErrorCode.BAD_VALUE, 5, GOOD.replace("language: en", "language: English")),
    (ErrorCode.BAD_CODE, 2, GOOD.replace("visit", "A-Visit", 1)),
    (ErrorCode.BAD_CODE, 8, GOOD.replace("school]", "school, My School]")),
    # rows
    (ErrorCode.BAD_CODE, TOP + 1, survey("{type: integer, name: A, label: A}")),
    (ErrorCode.BAD_CODE, TOP + 1, survey("{type: integer, name: '', label: A}")),
    (ErrorCode.MISSING_VALUE, TOP + 1, survey("{type: integer, label: A}")),
    (ErrorCode.MISSING_VALUE, TOP + 1, survey("{name: a, label: A}")),
    (ErrorCode.BAD_VALUE, TOP + 1, survey("{type: integer, name: a, label: A, about: dog}")),
    (ErrorCode.BAD_VALUE, TOP + 1, survey("{type: integer, name: a, label: A, required: x}")),
    (ErrorCode.DUPLICATE_NAME, TOP + 2, survey(A, A)),
    (ErrorCode.DUPLICATE_NAME, TOP + 1, survey("{type: integer, name: school, label: A}")),
    (ErrorCode.UNKNOWN_TYPE, TOP + 1, survey("{type: integr, name: a, label: A}")),
    (ErrorCode.UNKNOWN_TYPE, TOP + 1, survey("{type: integer x, name: a, label: A}")),
    (ErrorCode.UNKNOWN_TYPE, TOP + 3, survey(PACK, A, "{type: end_group g}")),
    (ErrorCode.MISPLACED, TOP + 1, survey("{type: note, name: a, label: A, required: yes}")),
    (ErrorCode.MISPLACED, TOP + 1, survey("{type: text, name: a, label: A, calculation: 1}")),
    (
        ErrorCode.MISPLACED,
        TOP + 1,
        survey("{type: text, name: a, label: A, constraint_message: Why?}"),
    ),
    (ErrorCode.MISSING_LABEL, TOP + 1, survey("{type: integer, name: a}")),
    (ErrorCode.MISSING_CALCULATION, TOP + 1, survey("{type: calculate, name: a}")),
    (ErrorCode.UNKNOWN_LIST, TOP + 1, survey("{type: select_one yesno, name: a, label: A}")),
    (ErrorCode.UNKNOWN_LIST, TOP + 1, survey("{type: select_multiple, name: a, label: A}")),
    (
        ErrorCode.UNKNOWN_LIST,
        TOP + 1,
        survey("{type: select_multiple_from_file x.csv, name: a, label: A}"),
    ),
    (
        ErrorCode.UNKNOWN_LIST,
        TOP + 1,
        SETTINGS + "survey:\n  - {type: select_one l, name: a, label: A}\n",
    ),
    (ErrorCode.NO_ROSTER, TOP + 14, GOOD.replace("[roster, ", "[")),
    # rules and placeholders
    (ErrorCode.BAD_EXPRESSION, TOP + 1, survey("{type: text, name: a, label: A, constraint: (}")),
    (ErrorCode.UNKNOWN_FUNCTION, TOP + 1, survey("{type: calculate, name: a, calculation: f(1)}")),
    (
        ErrorCode.UNKNOWN_REFERENCE,
        TOP + 2,
        survey(A, "{type: text, name: b, label: B, relevant: '${aa} = 1'}"),
    ),
    (
        ErrorCode.UNKNOWN_REFERENCE,
        TOP + 2,
        survey(
            "{type: note, name: a, label: A}", "{type: text, name: b, label: B, relevant: '${a}'}"
        ),
    ),
    (
        ErrorCode.FORWARD_REFERENCE,
        TOP + 1,
        survey("{type: text, name: b, label: B, relevant: '${a} = 1'}", A),
    ),
    (
        ErrorCode.FORWARD_REFERENCE,
        TOP + 1,
        survey("{type: integer, name: a, label: A, constraint: '${a} > 1'}"),
    ),
    (
        ErrorCode.FORWARD_REFERENCE,
        TOP + 1,
        survey(PACK.replace("}", ", relevant: '${b} = 1'}"), PACKED, END),
    ),
    (
        ErrorCode.FORWARD_REFERENCE,
        TOP + 3,
        survey(PACK, A, "{type: integer, name: b, label: 'After ${a}?'}", END),
    ),
    (
        ErrorCode.UNKNOWN_PLACEHOLDER,
        TOP + 1,
        survey("{type: text, name: a, label: 'Is ${nobody} there?'}"),
    ),
    (ErrorCode.UNKNOWN_PLACEHOLDER, TOP + 1, survey("{type: text, name: a, label: '${'}")),
    (
        ErrorCode.UNKNOWN_CODE,
        TOP + 2,
        survey(
            "{type: select_one yes_no, name: a, label: A}",
            "{type: text, name: b, label: B, relevant: \"${a} = 'maybe'\"}",
        ),
    ),
    (
        ErrorCode.UNKNOWN_CODE,
        TOP + 2,
        survey(
            "{type: select_multiple yes_no, name: a, label: A}",
            "{type: text, name: b, label: B, relevant: 'selected(${a}, \"maybe\")'}",
        ),
    ),
    # groups
    (ErrorCode.BAD_GROUP, TOP + 1, survey(END)),
    (ErrorCode.BAD_GROUP, TOP + 1, survey(PACK, A)),
    (
        ErrorCode.BAD_GROUP,
        TOP + 2,
        survey(PACK, PACK.replace("g,", "h,"), A, END, PACKED, END),
    ),
    (ErrorCode.BAD_VALUE, TOP + 1, survey("{type: begin_group, name: g}", A, END)),
    (ErrorCode.GROUP_SIZE, TOP + 2, survey(A, PACK, END)),
    (
        ErrorCode.GROUP_SIZE,
        TOP + 1,
        survey(PACK, *(A.replace(" a,", f" a{i},") for i in range(7)), END),
    ),
    (ErrorCode.GROUP_TYPE, TOP + 2, survey(PACK, "{type: text, name: a, label: A}", END)),
    # choices
    (ErrorCode.BAD_CODE, TOP + 5, choices("{name: a, label: A}", "{name: B, label: B}")),
    (
        ErrorCode.BAD_CODE,
        TOP + 3,
        choices("{name: a, label: A}", "{name: b, label: B}")
        .replace("  l:", "  L:")
        .replace("one l", "one L"),
    ),
    (ErrorCode.DUPLICATE_NAME, TOP + 5, choices("{name: a, label: A}", "{name: a, label: B}")),
    (ErrorCode.MISSING_LABEL, TOP + 5, choices("{name: a, label: A}", "{name: b}")),
    (ErrorCode.MISSING_VALUE, TOP + 5, choices("{name: a, label: A}", "{label: B}")),
    (ErrorCode.CHOICE_COUNT, TOP + 3, choices("{name: a, label: A}")),
    (
        ErrorCode.CHOICE_COUNT,
        TOP + 3,
        choices(*(f"{{name: a{i}, label: Choice {i}}}" for i in range(11))),
    ),
    (ErrorCode.SAME_WORDS, TOP + 5, choices("{name: a, label: Oft}", "{name: b, label: OFT.}")),
    (
        ErrorCode.SAME_WORDS,
        TOP + 5,
        choices("{name: a, label: A, accept: x|y}", "{name: b, label: B, accept: Y}"),
    ),
    (ErrorCode.SAME_WORDS, TOP + 4, choices("{name: a, label: '2'}", "{name: b, label: B}")),
    (
        ErrorCode.UNKNOWN_PLACEHOLDER,
        TOP + 5,
        choices("{name: a, label: A}", "{name: b, label: 'In ${town}'}"),
    ),
]


@pytest.mark.parametrize(("code", "line", "text"), CASES)
def test_a_fault_is_found_at_its_line(code: ErrorCode, line: int, text: str) -> None:
    assert faults_of(text) == [(code, line)]


@pytest.mark.parametrize(
    "row",
    ["{name: stop, label: S}", "{name: a, label: STOP!}", "{name: a, label: A, accept: b|Stop}"],
)
def test_a_command_is_no_choice(row: str) -> None:
    text = choices(row, "{name: z, label: Z}")
    assert faults_of(text) == []
    reserved = frozenset({"stop", "help"})
    assert faults_of(text, reserved) == [(ErrorCode.RESERVED_WORD, TOP + 4)]


def test_every_code_has_a_case() -> None:
    assert {code for code, _, _ in CASES} | {ErrorCode.RESERVED_WORD} == set(ErrorCode)


def test_every_fault_is_named_at_once() -> None:
    text = survey(
        "{type: integer, name: a, label: A, relevnt: 1, constraint: (}",
        "{type: integer, name: b, label: 'B ${x}', about: dog}",
        "words",
        "{name: c, label: C}",
        "{type: text, name: d, label: D, relevant: '${c} = 1'}",
    )
    assert faults_of(text.replace("form_id: visit", "form_id: V")) == [
        (ErrorCode.BAD_CODE, 2),
        (ErrorCode.BAD_EXPRESSION, TOP + 1),
        (ErrorCode.UNKNOWN_KEY, TOP + 1),
        (ErrorCode.BAD_VALUE, TOP + 2),
        (ErrorCode.UNKNOWN_PLACEHOLDER, TOP + 2),
        (ErrorCode.STRUCTURE, TOP + 3),
        (ErrorCode.MISSING_VALUE, TOP + 4),
    ]


def test_missing_settings_are_named_one_by_one() -> None:
    found = faults_of(SURVEY.replace("${school}", "school").replace("_from_file roster", " yes_no"))
    assert [code for code, _ in found].count(ErrorCode.MISSING_VALUE) == 6


def test_a_shared_choice_is_named_once() -> None:
    text = choices("{name: a, label: A}", "{name: b, label: 'In ${town}'}")
    text = text.replace("choices:", "  - {type: select_one l, name: b, label: B}\nchoices:")
    assert faults_of(text) == [(ErrorCode.UNKNOWN_PLACEHOLDER, TOP + 6)]


def test_a_joined_rule_may_grow_too_long() -> None:
    long = " + ".join(["${a}"] * 180)
    text = survey(
        A,
        PACK.replace("}", f", relevant: '{long} > 1'}}"),
        f"{{type: integer, name: b, label: B, relevant: '{long} > 2'}}",
        END,
    )
    assert ErrorCode.BAD_EXPRESSION in [code for code, _ in faults_of(text)]


def test_the_fix_names_what_is_near() -> None:
    _, faults = read(survey("{type: integr, name: a, label: A}"), file="f.yaml")
    assert faults[0].fix.startswith("Use one of: integer")
    _, faults = read(survey("{type: zzz, name: a, label: A}"), file="f.yaml")
    assert "begin_group, calculate" in faults[0].fix


def test_a_harmless_fault_still_shows_the_form() -> None:
    form, faults = read(survey("{type: integer, name: a}"), file="f.yaml")
    assert form is not None
    assert len(faults) == 1
    form, _ = read(survey("{type: integr, name: a, label: A}"), file="f.yaml")
    assert form is None


PIECES = st.sampled_from(
    [
        *(GOOD.splitlines(keepends=True)),
        "\n",
        "  ",
        "- ",
        "{",
        "}",
        "'",
        ": ",
        "${",
        "&a",
        "*a",
        "[x]",
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)))
def test_any_text_is_read_or_explained(text: str) -> None:
    form, faults = read(text, file="f.yaml")
    assert form is not None or faults
    assert all(fault.line >= 1 and fault.found and fault.fix for fault in faults)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from(["", "x", "'", "{", "}", ":", "\n", "$"]))
def test_any_slip_is_read_or_explained(place: int, slip: str) -> None:
    form, faults = read(GOOD[:place] + slip + GOOD[place + 1 :], file="f.yaml")
    assert form is not None or faults


DOCS = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")


def test_the_first_example_of_the_docs_is_ten_lines_without_a_fault() -> None:
    example = DOCS.split("```yaml\n")[1].split("```")[0]
    assert len(example.splitlines()) <= 10
    assert [item.name for item in good(example).questionnaire.items] == ["meals", "well"]


@pytest.mark.parametrize(
    "heading", [*Settings.model_fields, *Row.model_fields, *Choice.model_fields]
)
def test_every_column_is_in_the_docs(heading: str) -> None:
    assert f"\n| `{heading}` |" in DOCS


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_in_the_docs(kind: str) -> None:
    assert f"\n| `{kind}" in DOCS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_in_the_docs(name: str) -> None:
    assert f"\n| `{name}(" in DOCS


@pytest.mark.parametrize("code", ErrorCode)
def test_every_fault_is_in_the_docs(code: ErrorCode) -> None:
    assert f"\n| `{code}` |" in DOCS
