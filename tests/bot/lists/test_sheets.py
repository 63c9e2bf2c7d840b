from datetime import date

import pytest

from bot.lists.sheets import ImportRefusedError, Line, Problem, Sheet, read_sheet

COLUMNS = {"required": ("school", "number"), "optional": ("name",)}


def _line(value: str) -> Line:
    return Line(number=7, cells={"cell": value})


def _read(text: str) -> tuple[list[dict[str, str]], list[str]]:
    lines, sheet = read_sheet(text, "list.csv", **COLUMNS)
    return [dict(line.cells) for line in lines], [str(problem) for problem in sheet.problems]


@pytest.mark.parametrize(
    "text",
    [
        "school,number\nNorth,1\n",
        "school;number\r\nNorth;1\r\n",
        "\ufeffSchool;Number\nNorth;1",
        "\n".join(["school,number", "", ",", "North,1", ""]),
        "school,number\n'North,'1\n",
        'school,number\n" North ","1"\n',
        "school,number,name\nNorth,1\n",
    ],
)
def test_files_of_all_spreadsheets_are_read(text: str) -> None:
    lines, problems = _read(text)
    assert problems == []
    assert [{key: line[key] for key in ("school", "number")} for line in lines] == [
        {"school": "North", "number": "1"}
    ]


def test_lines_keep_their_number_in_the_file() -> None:
    lines, _ = read_sheet('school,number\n\n"North\nHigh",1\nSouth,2\n', "f", **COLUMNS)
    assert [line.number for line in lines] == [4, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("school\nNorth\n", "list.csv:1: number: found no such column; add the column number"),
        ("school,number,nmae\nN,1,x\n", "found column 'nmae'; did you mean name?"),
        ("school,number,zzz\nN,1,x\n", "the columns are school, number, name"),
        ("school,number,school\nN,1,N\n", "school: found the column twice; keep one"),
        ("school,number\nN,1,2\n", "list.csv:2: found 3 cells, but 2 columns; put quotes"),
        ("school,number\n", "found no line below the column names"),
        ("", "add the column school"),
        ('school,number\n"' + "x" * 200_000 + '",1\n', "field larger than field limit"),
    ],
)
def test_what_is_wrong_with_the_whole_is_said(text: str, said: str) -> None:
    _, problems = _read(text)
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("found", "address"),
    [
        ("+27821234567", "sms:+27821234567"),
        ("082 123 4567", "sms:+27821234567"),
        ("(082) 123-4567", "sms:+27821234567"),
        ("27821234567", "sms:+27821234567"),
        ("821234567", "sms:+27821234567"),
        ("sms:+27821234567", "sms:+27821234567"),
        ("whatsapp:+27821234567", "whatsapp:+27821234567"),
        ("WhatsApp: 082 123 4567", "whatsapp:+27821234567"),
        ("+1 202 555 0143", "sms:+12025550143"),
        ("telegram:12345", "telegram:12345"),
    ],
)
def test_addresses_are_understood_as_people_write_them(found: str, address: str) -> None:
    sheet = Sheet("f")
    assert str(sheet.address(_line(found), "cell")) == address
    assert sheet.problems == []


@pytest.mark.parametrize(
    ("found", "fix"),
    [
        ("", "write a phone number"),
        ("ask her sister", "write a phone number"),
        ("082 123", "count them"),
        ("082 123 456", "count them"),
        ("082 123 45678", "count them"),
        ("+1 202 555", "count them"),
        ("2.78E+10", "format the column as text"),
        ("2,78e10", "format the column as text"),
        ("telegram:@thandi", "telegram:12345"),
        ("telegram:-5", "telegram:12345"),
        ("mail:a@b.c", "whatsapp:+27..."),
    ],
)
def test_what_is_no_address_is_refused_with_the_right_form(found: str, fix: str) -> None:
    sheet = Sheet("f")
    assert sheet.address(_line(found), "cell") is None
    (problem,) = sheet.problems
    assert fix in problem.fix
    assert (problem.line, problem.column, problem.warning) == (7, "cell", False)


@pytest.mark.parametrize(
    ("found", "doubt"), [("011 555 1234", "landline"), ("+27999999999", "no network")]
)
def test_a_doubtful_number_is_taken_with_a_warning(found: str, doubt: str) -> None:
    sheet = Sheet("f")
    assert sheet.address(_line(found), "cell") is not None
    (problem,) = sheet.problems
    assert problem.warning
    assert doubt in problem.fix


@pytest.mark.parametrize("found", ["0", "-1", "1.0", "x", "", "1000", "١"])
def test_other_than_whole_numbers_in_range_are_refused(found: str) -> None:
    sheet = Sheet("f")
    assert sheet.whole(_line(found), "cell", most=999) is None
    assert "from 1 to 999" in sheet.problems[0].fix


@pytest.mark.parametrize("found", ["2019-13", "2019-3", "Mar-19", "2019", "2019-03-01", ""])
def test_other_than_months_are_refused(found: str) -> None:
    sheet = Sheet("f")
    assert sheet.month(_line(found), "cell") is None
    assert "2019-03" in sheet.problems[0].fix


@pytest.mark.parametrize("found", ["2026-02-30", "2026-02-03", "01/02/2026", "20260201", ""])
def test_other_than_days_that_have_been_are_refused(found: str) -> None:
    sheet = Sheet("f")
    assert sheet.day(_line(found), "cell", today=date(2026, 2, 2)) is None
    assert len(sheet.problems) == 1


def test_what_is_right_is_given_back() -> None:
    sheet = Sheet("f")
    assert sheet.whole(_line("999"), "cell", most=999) == 999
    assert sheet.month(_line("2019-03"), "cell") == "2019-03"
    assert sheet.day(_line("2026-02-02"), "cell", today=date(2026, 2, 2)) == date(2026, 2, 2)
    assert sheet.text(_line("North   High"), "cell", longest=10) == "North High"
    assert sheet.choice(_line("Social Worker"), "cell", ("social_worker",)) == "social_worker"
    assert sheet.problems == []


def test_words_that_are_missing_or_too_long_are_refused() -> None:
    sheet = Sheet("f")
    assert sheet.text(_line(" "), "cell", longest=5) is None
    assert sheet.text(_line("abcdef"), "cell", longest=5) is None
    assert sheet.choice(_line("x"), "cell", ("m", "f")) is None
    assert sheet.choice(_line("x"), "cell", ("m",)) is None
    assert [problem.fix for problem in sheet.problems] == [
        "fill in the cell", "at most 5", "write m or f", "write m",
    ]  # fmt: skip


def test_a_refusal_lists_every_problem() -> None:
    problems = [
        Problem(file="f", line=n, column="sex", found="'x'", fix="write m or f", warning=n > 2)
        for n in (2, 3)
    ]
    assert str(ImportRefusedError(problems)).splitlines() == [
        "f:2: sex: found 'x'; write m or f",
        "f:3: warning: sex: found 'x'; write m or f",
    ]
