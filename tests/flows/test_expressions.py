"""Rules: what they mean, what is refused, and that no answer can make one fail."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from elementpath import XPath1Parser
from hypothesis import given
from hypothesis import strategies as st

from flows.expressions import (
    FUNCTIONS,
    MAX_DEPTH,
    MAX_LENGTH,
    ExpressionError,
    UnknownFunctionError,
    compile_expression,
    references,
)

# One o'clock at night in Johannesburg: still the day before in UTC.
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=timezone(timedelta(hours=2)))
VALUES = {
    "age": "7",
    "picked": "a b",
    "min": "3",
    "if": "1",
    "born": "2019-11-22",
    "no": "false",
    "none": "0",
    "list_number": "7",
    "absent": "3 7 19",
    "words": "hello",
    "long": "9" * 400,
}


def value(text: str, own: str = "") -> str:
    return compile_expression(text).value(VALUES, own=own, now=NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # operators
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("${age}-1", "6"),
        ("-${age}", "-7"),
        ("+${age}", "7"),
        ("7 div 2", "3.5"),
        ("7 mod 4", "3"),
        ("0.1 + 0.2", "0.3"),
        ("1e3", "1000"),
        ("0 * -1", "0"),
        ("1 div 3", "0.333333333"),
        ("10000000000000000 * 1000000", "10000000000000000000000"),
        ("${age} = 7", "true"),
        ("${age} = '7'", "true"),
        ("${age} = '7.0'", "false"),
        ("${age} != 7", "false"),
        ("${age} < 7", "false"),
        ("${age} <= 7", "true"),
        ("${age} > 7", "false"),
        ("${age} >= 6 and selected(${picked}, 'a')", "true"),
        ("${age} > 8 or ${min} = 3", "true"),
        ("${no} = false()", "true"),
        ("true() = ${age}", "true"),
        ("true() + 1", "2"),
        ("'it''s'", "it's"),
        ("${if} = 1", "true"),
        ("'${age}'", "${age}"),
        # a blank is never a number
        ("'' >= 6", "false"),
        ("'' < 6", "false"),
        ("${missing} = ''", "true"),
        ("${missing} != 6", "true"),
        ("${missing} + 1", ""),
        ("sum(1, 2, ${missing})", ""),
        ("min(1, ${missing})", ""),
        ("1 div 0", ""),
        ("5 mod 0", ""),
        ("number('1e5')", ""),
        ("number('abc')", ""),
        ("${long} + 1", ""),
        ("1e308 * 10", ""),
        # functions
        ("boolean('x')", "true"),
        ("boolean(${no})", "false"),
        ("boolean(${none})", "false"),
        ("boolean(0)", "false"),
        ("boolean(1 div 0)", "false"),
        ("coalesce(${missing}, 'k')", "k"),
        ("coalesce(${missing}, '')", ""),
        ("concat('a', 1, true())", "a1true"),
        ("contains(${words}, 'ell')", "true"),
        ("count-selected(${picked})", "2"),
        ("count-selected(${none})", "0"),
        ("date('2026-01-02T10:00')", "2026-01-02"),
        ("date(0)", "1970-01-01"),
        ("date(today() + 7)", "2026-11-29"),
        ("date(1e12)", ""),
        ("date('soon')", ""),
        ("decimal-date-time('1970-01-02')", "1"),
        ("if(${age} > 6, 'y', 'n')", "y"),
        ("if(${age} > 8, 'y', 'n')", "n"),
        ("int(-2.7)", "-2"),
        ("int('')", ""),
        ("max(2, 10)", "10"),
        ("min(2, 10)", "2"),
        ("not(${missing})", "true"),
        ("now()", "2026-11-22T01:00:00"),
        ("number('07')", "7"),
        ("regex('0831234567', '[0-9]{10}')", "true"),
        ("regex('083123456', '[0-9]{10}')", "false"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-2"),
        ("round(2.345, 2)", "2.35"),
        ("round(1, 1e300)", ""),
        ("selected(${absent}, ${list_number})", "true"),
        ("selected(${picked}, '')", "false"),
        ("selected-at(${picked}, 1)", "b"),
        ("selected-at(${picked}, 2)", ""),
        ("selected-at(${picked}, '')", ""),
        ("starts-with(${words}, 'he')", "true"),
        ("string(7.0)", "7"),
        ("string-length(${words})", "5"),
        ("substr(${words}, 1, 3)", "el"),
        ("substr(${words}, 3)", "lo"),
        ("substr(${words}, '')", ""),
        ("substr(${words}, 0, '')", ""),
        ("substring(${words}, 2, 3)", "ell"),
        ("substring(${words}, 2)", "ello"),
        ("sum(1, 2, 3)", "6"),
        ("today()", "2026-11-22"),
        # dates are days
        ("${born} < today()", "true"),
        ("today() - ${born}", "2557"),
        ("now() > today()", "true"),
        ("'2026-02-30' < today()", "false"),
        ("'2026-11-22T09:00:00+02:00' > '2026-11-22'", "true"),
    ],
)
def test_value(text: str, expected: str) -> None:
    assert value(text) == expected


def test_own_value_is_the_dot() -> None:
    assert value(". >= 0 and . <= 20", own="12") == "true"
    assert value(". >= 0 and . <= 20", own="21") == "false"
    assert value("once(5)", own="9") == "9"
    assert value("once(5)") == "5"


@pytest.mark.parametrize(
    ("answer", "holds"),
    [("", False), ("false", False), ("0", False), ("0.0", False), ("a", True), ("1", True)],
)
def test_holds_as_a_person_would_read_it(answer: str, holds: bool) -> None:
    assert compile_expression("${x}").holds({"x": answer}, now=NOW) is holds


def test_references_are_named_once_in_order() -> None:
    rule = compile_expression("${b} = 1 and ${ a } = 2 or ${b} = 3 or '${c}' = ''")
    assert rule.refs == ("b", "a")
    assert references("Learner ${list_number} of ${ school }, ${list_number} ${open") == (
        "list_number",
        "school",
        "open",
    )


def test_equal_when_the_text_is_equal() -> None:
    assert compile_expression("1 + 1") == compile_expression("1 + 1")
    assert compile_expression("1 + 1") != compile_expression("1 + 2")
    assert len({compile_expression("1"), compile_expression("1")}) == 1


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 +", "(", "()", "1, 2", "1 = 2 = 3", "//a", "a/b", "..", "@a", "a[1]", "a::b"),
        *("'open", "${a} ${b}", "selected(${a})", "if(1, 2)", "today(1)", "sum()", "&", "{a}"),
    ],
)
def test_wrong_syntax_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.found
    assert caught.value.fix in str(caught.value)


@pytest.mark.parametrize(
    ("text", "found", "fix"),
    [
        ("age > 6", "the word age", "${age}"),
        ("*", "the word *", "${*}"),
        ("$age", "a $ on its own", "${name}"),
        ("${Age} > 6", "${Age}", "${age}"),
        ("regex(., .)", "computed", "quotes"),
        ("regex(., '(')", "the pattern '('", "[0-9]{4}"),
        ("regex(., 'a{99999999999}')", "the pattern", "[0-9]{4}"),
        ("regex(., '(a+)+')", "a repeat inside a repeated group", "once"),
        ("1" * (MAX_LENGTH + 1), "2001 characters", "calculate"),
        ("-" * 1900 + "1", "nested", "calculate"),
        ("(" * 900 + "1" + ")" * 900, "nested", "calculate"),
        ("+".join("1" * (MAX_DEPTH + 1)), "nested", "calculate"),
    ],
)
def test_what_is_refused_says_how_to_mend_it(text: str, found: str, fix: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert found in caught.value.found
    assert fix in caught.value.fix


def test_an_unknown_function_names_the_nearest() -> None:
    with pytest.raises(UnknownFunctionError, match=r"selectd\(\)") as caught:
        compile_expression("selectd(${x}, 'a')")
    assert "selected" in caught.value.fix
    with pytest.raises(UnknownFunctionError) as caught:
        compile_expression("xyz(1)")
    assert all(name in caught.value.fix for name in FUNCTIONS)


@pytest.mark.parametrize("text", ["doc('a')", "text()", "id('a')", "position()", "count(1)"])
def test_functions_of_xml_are_unknown(text: str) -> None:
    with pytest.raises(UnknownFunctionError):
        compile_expression(text)


def test_the_library_keeps_its_own_grammar() -> None:
    assert XPath1Parser().parse("count(1)").symbol == "count"
    assert "selected" not in XPath1Parser.symbol_table


def test_the_deepest_allowed_is_evaluated() -> None:
    assert value("+".join("1" * MAX_DEPTH)) == str(MAX_DEPTH)


ANSWERS = st.one_of(
    st.text(),
    st.integers().map(str),
    st.floats().map(str),
    st.dates().map(str),
    st.sampled_from(["", "9" * 500, "0001-01-01", "9999-12-31T23:59:59", "-0.0", "a b c"]),
)
CALLS = st.sampled_from(
    [
        *("${a} + ${b}", "${a} - ${b}", "${a} * ${b}", "${a} div ${b}", "${a} mod ${b}"),
        *("${a} < ${b}", "${a} = ${b}", "${a} and not(${b})", "-${a}", "round(${a}, ${b})"),
        *("date(${a} * 1000)", "int(${a})", "substr(${a}, ${b}, .)", "substring(${a}, ${b}, .)"),
        *("selected-at(${a}, ${b})", "count-selected(.)", "max(${a}, ${b}, .)", "sum(${a}, .)"),
        *("regex(., '[a-z]+')", "string-length(.)", "coalesce(${a}, ${b})", "concat(${a}, 1)"),
    ]
)


@given(text=CALLS, a=ANSWERS, b=ANSWERS, own=ANSWERS)
def test_no_answer_makes_a_rule_fail(text: str, a: str, b: str, own: str) -> None:
    rule = compile_expression(text)
    result = rule.value({"a": a, "b": b}, own=own, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert isinstance(result, str)
    assert result not in ("nan", "inf", "-inf") or result in a + b
    assert rule.holds({"a": a, "b": b}, own=own, now=NOW) in (True, False)


FRAGMENTS = st.sampled_from(
    [
        *FUNCTIONS,
        *"()+-*/.,=<>$'\"[]{}@:|&! 1a",
        "${a}",
        " and ",
        " or ",
        " div ",
        "::",
        "!=",
        "'x'",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(FRAGMENTS, max_size=20).map("".join)))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    try:
        outcome = compile_expression(text).value({}, now=NOW)
    except ExpressionError as error:
        outcome = error.fix
    assert isinstance(outcome, str)
