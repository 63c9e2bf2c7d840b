from datetime import date

import pytest

from bot.lists.roster_files import RosterRow, parse_roster
from bot.lists.sheets import ContactAddress, Problem

TODAY = date(2026, 2, 2)
HEADER = (
    "school,grade,class,number,sex,birth_month,teacher_address,name,caregiver_address,agreed_on"
)
GOOD = "Umthombo Primary,1,A,1,f,2019-03,whatsapp:+27821234567,,,"


def _parse(*lines: str, header: str = HEADER) -> tuple[list[RosterRow], list[Problem]]:
    return parse_roster("\n".join([header, *lines]), "roster.csv", today=TODAY)


def test_a_learner_is_read() -> None:
    rows, problems = _parse(GOOD)
    assert problems == []
    assert rows == [
        RosterRow(
            line=2,
            school="Umthombo Primary",
            grade="1",
            class_name="A",
            number=1,
            sex="f",
            birth_month="2019-03",
            teacher=ContactAddress(channel="whatsapp", value="+27821234567"),
        )
    ]


def test_the_optional_columns_may_be_missing() -> None:
    header = HEADER.partition(",name")[0]
    rows, problems = _parse(GOOD.removesuffix(",,,"), header=header)
    assert (len(rows), problems) == (1, [])


def test_a_caregiver_who_agreed_is_read() -> None:
    rows, problems = _parse(GOOD.replace(",,,", ",,083 123 4567,2026-01-20"))
    assert problems == []
    assert rows[0].caregiver == ContactAddress(channel="sms", value="+27831234567")
    assert rows[0].agreed_on == date(2026, 1, 20)


@pytest.mark.parametrize(
    ("change", "column", "fix"),
    [
        (("Umthombo Primary", ""), "school", "fill in the school"),
        ((",1,A,1,", ",13,A,1,"), "grade", "write R or 1 to 12"),
        ((",1,A,1,", ",1,,1,"), "class", "fill in the class"),
        ((",1,A,1,", ",1,A,one,"), "number", "whole number from 1 to 999"),
        ((",f,", ",girl,"), "sex", "write m or f"),
        (("2019-03", "2026-03"), "birth_month", "still to come"),
        (("2019-03", "2022-03"), "birth_month", "makes 3 years: learners are 4 to 16"),
        (("2019-03", "2009-02"), "birth_month", "makes 17 years"),
        (("2019-03", "March"), "birth_month", "2019-03"),
        (("+27821234567", "12"), "teacher_address", "count them"),
        ((",,,", ",,082 123 4567,"), "agreed_on", "the day on which she agreed"),
        ((",,,", ",,0,2026-01-20"), "caregiver_address", "phone number"),
        ((",,,", ",,082 123 4567,2026-02-03"), "agreed_on", "a day that has been"),
    ],
)
def test_each_fault_names_line_column_and_fix(
    change: tuple[str, str], column: str, fix: str
) -> None:
    rows, problems = _parse(GOOD.replace(*change, 1))
    assert rows == []
    faults = [problem for problem in problems if not problem.warning]
    assert [(fault.file, fault.line, fault.column) for fault in faults] == [
        ("roster.csv", 2, column)
    ]
    assert fix in faults[0].fix


@pytest.mark.parametrize("month", ["2022-02", "2009-03"])
def test_the_youngest_and_the_oldest_learner_are_taken(month: str) -> None:
    rows, problems = _parse(GOOD.replace("2019-03", month))
    assert (len(rows), problems) == (1, [])


def test_all_faults_are_found_at_once_in_order() -> None:
    _, problems = _parse(
        GOOD.replace(",f,", ",x,").replace("2019-03", "x"), GOOD, GOOD.replace(",A,1,", ",A,0,")
    )
    assert [(problem.line, problem.column) for problem in problems] == [
        (2, "sex"), (2, "birth_month"), (4, "number"),
    ]  # fmt: skip


def test_one_number_twice_in_a_class_is_a_fault_and_in_two_classes_is_none() -> None:
    _, problems = _parse(GOOD, GOOD, GOOD.replace(",A,", ",B,"))
    assert [str(problem) for problem in problems] == [
        "roster.csv:3: number: found 1; grade 1 A has this number in line 2 already"
    ]


def test_grades_and_classes_are_written_in_one_way() -> None:
    rows, problems = _parse(
        GOOD.replace(",1,A,1,", ",Grade R,a,1,"), GOOD.replace(",1,A,1,", ",r,A,2,")
    )
    assert problems == []
    assert {row.group for row in rows} == {("Umthombo Primary", "R", "A")}


def test_a_school_spelt_in_two_ways_is_a_fault() -> None:
    _, problems = _parse(GOOD, GOOD.replace("Primary", "primary").replace(",A,1,", ",A,2,"))
    assert [problem.column for problem in problems if not problem.warning] == ["school"]


def test_a_class_has_one_teacher() -> None:
    other = GOOD.replace(",A,1,", ",A,2,").replace("4567", "4568")
    silent = GOOD.replace(",A,1,", ",A,3,").replace("whatsapp:+27821234567", "")
    rows, problems = _parse(GOOD, other, silent)
    assert len(rows) == 3
    assert [(problem.line, problem.column) for problem in problems] == [(3, "teacher_address")]


def test_a_class_without_a_teacher_is_warned_of_once() -> None:
    silent = GOOD.replace("whatsapp:+27821234567", "")
    rows, problems = _parse(silent, silent.replace(",A,1,", ",A,2,"))
    assert len(rows) == 2
    assert [(problem.line, problem.warning) for problem in problems] == [(2, True)]


def test_a_name_is_left_out_with_a_warning_that_does_not_repeat_it() -> None:
    rows, problems = _parse(GOOD.replace(",,,", ",Nomvula Dlamini,082 123 4567,2026-01-20"))
    (problem,) = problems
    assert problem.warning
    assert "Nomvula" not in str(problem)
    assert "Nomvula" not in repr(rows)
    assert "consented" in problem.fix


def test_an_agreement_without_an_address_invites_nobody() -> None:
    rows, problems = _parse(GOOD.replace(",,,", ",,,2026-01-20"))
    assert rows[0].caregiver is None
    assert rows[0].agreed_on is None
    assert [problem.warning for problem in problems] == [True]


def test_a_channel_that_is_not_set_up_is_a_fault() -> None:
    text = "\n".join([HEADER, GOOD])
    _, problems = parse_roster(text, "roster.csv", today=TODAY, channels=["sms"])
    assert [problem.found for problem in problems] == ["whatsapp:+27821234567"]
    assert parse_roster(text, "roster.csv", today=TODAY, channels=["whatsapp"])[1] == []


def test_without_its_columns_nothing_else_is_said() -> None:
    rows, problems = _parse("x,y", header="school,grade")
    assert rows == []
    assert {problem.line for problem in problems} == {1}
    assert len(problems) == 5
