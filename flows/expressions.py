"""Rules in a questionnaire: ODK XPath expressions (`${age} >= 6 and selected(${x}, 'a')`).

elementpath reads the grammar; what a value means is ours, because forms differ from XML: an
unanswered item is "", a blank never compares, an ISO date counts as a day, and an evaluation
never raises. Source: ODK XForms Specification, "XPath Functions" (getodk.github.io/xforms-spec).
"""

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from elementpath import ElementPathError, XPath1Parser
from elementpath.tdop import Parser
from elementpath.xpath_tokens import XPathToken

MAX_LENGTH = 2000
"""The longest expression, in characters."""
MAX_DEPTH = 100
"""The deepest nesting; each `and` of a chain is one level."""

Value = str | float | bool

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - dates are read as they stand on the wall
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9].*)?")
_SPLIT = re.compile(r"""('[^']*'|"[^"]*")|\$\{([^}]*)\}""")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CALL = re.compile(r"([A-Za-z_][\w.-]*)\s*\(")
_WORDS = frozenset({"and", "or", "div", "mod"})
_ALL = 1e9  # more characters than any text has
_REPEATED_REPEAT = re.compile(r"\([^()]*[*+}][^()]*\)[*+{]")


class ExpressionError(ValueError):
    """An expression that cannot be used: `found` is what stands there, `fix` what to do."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(f"{found}. {fix}")
        self.found = found
        self.fix = fix


class UnknownFunctionError(ExpressionError):
    """An expression that calls a function we do not have."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one evaluation sees."""

    values: Mapping[str, str]
    own: str
    now: datetime


_Rule = Callable[[_Scope, tuple[Value, ...]], Value]
_Run = Callable[[_Scope], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A rule, read once and evaluated often.

    Attributes:
        source: The author's text.
        refs: Names it mentions as `${name}`, each once, in order.
        run: The rule ready to evaluate; not part of its identity.
    """

    source: str
    refs: tuple[str, ...]
    run: _Run = field(compare=False, repr=False)

    def value(self, values: Mapping[str, str], *, own: str = "", now: datetime) -> str:
        """The result as text; never raises.

        Args:
            values: Answers and context by name; a name that is missing counts as unanswered.
            own: The value of the item the rule belongs to (`.`).
            now: The moment, in the zone whose calendar counts (aware).

        Returns:
            "true" or "false", a number with a point and no exponent, or text; "" where the result
            is not known (a blank in a sum, a division by zero).
        """
        return _text(self.run(_Scope(values, own, now)))

    def holds(self, values: Mapping[str, str], *, own: str = "", now: datetime) -> bool:
        """Whether the rule is true; never raises. Arguments as in `value`."""
        return _truth(self.run(_Scope(values, own, now)))


def compile_expression(text: str) -> Expression:
    """Read an expression.

    Raises:
        UnknownFunctionError: It calls a function that is not in `FUNCTIONS`.
        ExpressionError: It is no expression, or too long or too deep. Show both parts to the
            author.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"an expression of {len(text)} characters",
            f"Keep it within {MAX_LENGTH}: put a part of it into a calculate item.",
        )
    refs: list[str] = []
    token = _parse(_translate(text, refs), text)
    return Expression(source=text, refs=tuple(dict.fromkeys(refs)), run=_compile(token, 1))


def references(text: str) -> tuple[str, ...]:
    """What stands in `${...}` in a text, each once, in order; an unclosed one counts too."""
    found = re.findall(r"\$\{([^}]*)\}?", text)
    return tuple(dict.fromkeys(name.strip() for name in found))


def _translate(text: str, refs: list[str]) -> str:
    """The text in the parser's terms, `refs` filled, functions checked outside of quotes."""

    def swap(match: re.Match[str]) -> str:
        if match[1] is not None:
            return "''"
        name = match[2].strip()
        if not _NAME.fullmatch(name):
            raise ExpressionError(f"${{{match[2]}}}", "Write the name of an item: ${age}.")
        refs.append(name)
        return ""

    bare = _SPLIT.sub(swap, text)
    if "$" in bare:
        raise ExpressionError("a $ on its own", "Write ${name} for an answer.")
    for name in _CALL.findall(bare):
        if name not in _FUNCTIONS and name not in _WORDS:
            raise _unknown(name)
    # The prefix keeps an item called `min` apart from the function, the space an item from `-1`.
    return _SPLIT.sub(lambda m: m[1] or f"$q_{m[2].strip()} ", text)


def _unknown(name: str) -> UnknownFunctionError:
    near = difflib.get_close_matches(name, FUNCTIONS) or FUNCTIONS
    return UnknownFunctionError(f"the function {name}()", f"Use one of: {', '.join(near)}.")


def _parse(translated: str, text: str) -> XPathToken:
    try:
        # Not XPath1Parser.parse: it evaluates what it can at once, and fails where values lack.
        return Parser.parse(_ODKParser(), translated)
    except RecursionError:
        raise _too_deep() from None
    except (ElementPathError, SyntaxError) as error:
        reason = str(error).partition("] ")[2] or str(error)
        raise ExpressionError(
            f"{text!r} ({reason.replace('q_', '')})",
            "Check brackets, quotes and commas, and how many values each function takes.",
        ) from None


def _too_deep() -> ExpressionError:
    return ExpressionError(
        f"an expression nested more than {MAX_DEPTH} levels",
        "Put a part of it into a calculate item.",
    )


def _compile(token: XPathToken, depth: int) -> _Run:
    """The function that evaluates a token tree."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if not token or token.symbol == "$":
        return _leaf(token)
    if token.symbol == "regex":
        _check_pattern(token[1])
    parts = tuple(_compile(part, depth + 1) for part in token)
    if token.symbol in _QUICK:
        return _quick(token.symbol, *parts)
    rule = _FUNCTIONS[token.symbol][1] if token.symbol in _FUNCTIONS else _OPERATORS[token.symbol]
    return lambda scope: rule(scope, tuple(part(scope) for part in parts))


def _quick(symbol: str, left: _Run, right: _Run) -> _Run:
    """What most rules are made of. No part can fail, so the second need not always be looked at."""
    if symbol == "or":
        return lambda scope: _truth(left(scope)) or _truth(right(scope))
    if symbol == "and":
        return lambda scope: _truth(left(scope)) and _truth(right(scope))
    return lambda scope: _equal(left(scope), right(scope))


def _leaf(token: XPathToken) -> _Run:
    if token.symbol == "$":
        name = str(token[0].value).removeprefix("q_")
        return lambda scope: scope.values.get(name, "")
    if token.symbol == ".":
        return lambda scope: scope.own
    if token.symbol in _FUNCTIONS:
        rule = _FUNCTIONS[token.symbol][1]
        return lambda scope: rule(scope, ())
    if token.symbol in _LITERALS:
        text = str(token.value)
        literal: Value = text if token.symbol == "(string)" else _finite(float(text))
        return lambda _: literal
    raise ExpressionError(
        f"the word {token.value}",
        f"Write ${{{token.value}}} for an answer, '{token.value}' for the code of a choice.",
    )


def _check_pattern(token: XPathToken) -> None:
    """Refuse a pattern that is not fixed, not valid, or takes for ever on a long text."""
    pattern = str(token.value)
    if token.symbol != "(string)":
        raise ExpressionError("regex() with a computed pattern", "Write the pattern in quotes.")
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise ExpressionError(
            f"the pattern {pattern!r} ({error})", "Correct the pattern, for example '[0-9]{4}'."
        ) from None
    if _REPEATED_REPEAT.search(pattern):
        raise ExpressionError(
            f"the pattern {pattern!r}, a repeat inside a repeated group",
            "Repeat only once, for example '[a-z]+' and not '([a-z]+)*'.",
        )


# What a value means.


def _finite(number: float) -> float:
    return number if math.isfinite(number) else math.nan


def _plain(text: str) -> float:
    return _finite(float(text)) if _NUMBER.fullmatch(text) else math.nan


def _number(value: Value) -> float:
    """A number, a date as days since 1970, or NaN where it is neither (a blank)."""
    if not isinstance(value, str):
        return float(value)
    text = value.strip()
    moment = _moment(text)
    return _plain(text) if moment is None else (moment - _EPOCH) / timedelta(days=1)


def _moment(text: str) -> datetime | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        # The wall's time counts: else midnight in Johannesburg would fall on the day before.
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if math.isnan(value):
        return ""
    # Nine places are more than any answer has, and hide 0.1 + 0.2 = 0.30000000000000004.
    text = format(Decimal(repr(round(value, 9) + 0.0)), "f")
    return text.removesuffix(".0")


def _truth(value: Value) -> bool:
    """False for "", "false", 0 and what is not known."""
    if value is True or value is False:
        return value
    if isinstance(value, str):
        text = value.strip()
        return text not in ("", "false") and _plain(text) != 0
    return bool(value) and not math.isnan(value)


def _equal(one: Value, other: Value) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    if isinstance(one, bool) or isinstance(other, bool):
        return _truth(one) == _truth(other)
    return _number(one) == _number(other)


def _calculate(rule: Callable[..., float], *values: Value) -> float:
    """The rule over numbers; NaN where one is not known or the result is none."""
    numbers = [_number(value) for value in values]
    if any(math.isnan(number) for number in numbers):
        return math.nan
    try:
        return _finite(float(rule(*numbers)))
    except (ArithmeticError, ValueError):
        return math.nan


def _round(number: float, places: float = 0) -> float:
    """Half upwards, as XPath does and people expect (Python rounds half to even)."""
    shift = int(places)
    whole = (Decimal(repr(number)).scaleb(shift) + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    return float(whole.scaleb(-shift))


def _selected_at(listed: Value, position: Value) -> str:
    codes = _text(listed).split()
    at = _number(position)
    return codes[int(at)] if 0 <= at < len(codes) else ""


def _substr(value: Value, begin: Value, end: Value = _ALL) -> str:
    """ODK's substr: the first character is number 0."""
    first, last = _number(begin), _number(end)
    if math.isnan(first) or math.isnan(last):
        return ""
    return _text(value)[max(0, int(first)) : max(0, int(last))]


def _substring(value: Value, begin: Value, count: Value = _ALL) -> str:
    """XPath's substring: the first character is number 1."""
    first = _calculate(_round, begin) - 1
    return _substr(value, first, first + _calculate(_round, count))


def _date(value: Value) -> str:
    days = _number(value)
    try:
        return (_EPOCH + timedelta(days=days)).date().isoformat()
    except (OverflowError, ValueError):
        return ""


def _numeric(rule: Callable[..., float]) -> _Rule:
    return lambda _, values: _calculate(rule, *values)


def _compared(rule: Callable[[float, float], bool]) -> _Rule:
    return lambda _, values: rule(_number(values[0]), _number(values[1]))


_OPERATORS: Mapping[str, _Rule] = {
    "(": lambda _, v: v[0],
    "!=": lambda _, v: not _equal(v[0], v[1]),
    "<": _compared(operator.lt),
    "<=": _compared(operator.le),
    ">": _compared(operator.gt),
    ">=": _compared(operator.ge),
    "+": _numeric(lambda *n: math.fsum(n)),
    "-": _numeric(lambda *n: n[0] - n[1] if len(n) > 1 else -n[0]),
    "*": _numeric(operator.mul),
    "div": _numeric(operator.truediv),
    "mod": _numeric(math.fmod),
}

# Each function with how many values it takes: a number, (least, most), or None for one or more.
_FUNCTIONS: Mapping[str, tuple[int | tuple[int, int] | None, _Rule]] = {
    "boolean": (1, lambda _, v: _truth(v[0])),
    "coalesce": (None, lambda _, v: next((x for x in v if _text(x)), "")),
    "concat": (None, lambda _, v: "".join(map(_text, v))),
    "contains": (2, lambda _, v: _text(v[1]) in _text(v[0])),
    "count-selected": (1, lambda _, v: float(sum(c != "0" for c in _text(v[0]).split()))),
    "date": (1, lambda _, v: _date(v[0])),
    "decimal-date-time": (1, lambda _, v: _number(v[0])),
    "false": (0, lambda *_: False),
    "if": (3, lambda _, v: v[1] if _truth(v[0]) else v[2]),
    "int": (1, _numeric(math.trunc)),
    "max": (None, _numeric(lambda *n: max(n))),
    "min": (None, _numeric(lambda *n: min(n))),
    "not": (1, lambda _, v: not _truth(v[0])),
    "now": (0, lambda s, _: s.now.replace(tzinfo=None).isoformat(timespec="seconds")),
    "number": (1, lambda _, v: _number(v[0])),
    "once": (1, lambda s, v: s.own or v[0]),
    "regex": (2, lambda _, v: re.fullmatch(_text(v[1]), _text(v[0])) is not None),
    "round": ((1, 2), _numeric(_round)),
    "selected": (2, lambda _, v: _text(v[1]).strip() in _text(v[0]).split()),
    "selected-at": (2, lambda _, v: _selected_at(v[0], v[1])),
    "starts-with": (2, lambda _, v: _text(v[0]).startswith(_text(v[1]))),
    "string": (1, lambda _, v: _text(v[0])),
    "string-length": (1, lambda _, v: float(len(_text(v[0])))),
    "substr": ((2, 3), lambda _, v: _substr(*v)),
    "substring": ((2, 3), lambda _, v: _substring(*v)),
    "sum": (None, _numeric(lambda *n: math.fsum(n))),
    "today": (0, lambda s, _: s.now.date().isoformat()),
    "true": (0, lambda *_: True),
}

FUNCTIONS: tuple[str, ...] = tuple(sorted(_FUNCTIONS))
"""Every function an expression may call; `docs/authoring.md` explains each."""

_LITERALS = ("(string)", "(integer)", "(decimal)", "(float)")
_QUICK = ("or", "and", "=")
_MARKS = ("(start)", "(end)", "(invalid)", "(unknown)", "(name)", "$", ".", ",", ")")
_GRAMMAR = frozenset((*_MARKS, *_LITERALS, *_OPERATORS, *_QUICK))


class _ODKParser(XPath1Parser):
    """XPath 1.0 without paths, axes and its functions, and with ours."""

    symbol_table = {  # noqa: RUF012 - elementpath wants a plain class attribute
        symbol: token for symbol, token in XPath1Parser.symbol_table.items() if symbol in _GRAMMAR
    }


for _name, (_count, _) in _FUNCTIONS.items():
    _ODKParser.function(_name, nargs=_count)
