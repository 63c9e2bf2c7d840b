"""Rules in a questionnaire: ODK XPath expressions (`${age} >= 6 and selected(${x}, 'a')`).

elementpath reads the grammar; what a value means is ours (`flows.values`), and an evaluation never
raises. Source: ODK XForms Specification, "XPath Functions" (getodk.github.io/xforms-spec).
"""

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from elementpath import ElementPathError, XPath1Parser
from elementpath.tdop import Parser
from elementpath.xpath_tokens import XPathToken
from msgspec import Struct

from flows.values import (
    Value,
    are_equal,
    as_date,
    as_number,
    as_text,
    as_truth,
    calculate,
    finite,
    round_half_up,
    selected_at,
    substr,
    substring,
)

MAX_LENGTH = 2000
"""The longest expression, in characters."""
MAX_DEPTH = 100
"""The deepest nesting; each `and` of a chain is one level."""

_SPLIT = re.compile(r"""('[^']*'|"[^"]*")|\$\{([^}]*)\}""")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CALL = re.compile(r"([A-Za-z_][\w.-]*)\s*\(")
_WORDS = frozenset({"and", "or", "div", "mod"})
_REPEATED_REPEAT = re.compile(r"\([^()]*[*+}][^()]*\)[*+{]")


class ExpressionError(ValueError):
    """An expression that cannot be used: `found` is what stands there, `fix` what to do."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(f"{found}. {fix}")
        self.found = found
        self.fix = fix


class UnknownFunctionError(ExpressionError):
    """An expression that calls a function we do not have."""


class _Scope(Struct, frozen=True):
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
        return as_text(self.run(_Scope(values, own, now)))

    def holds(self, values: Mapping[str, str], *, own: str = "", now: datetime) -> bool:
        """Whether the rule is true; never raises. Arguments as in `value`."""
        return as_truth(self.run(_Scope(values, own, now)))


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
        return _quick(token, *parts)
    rule = _FUNCTIONS[token.symbol][1] if token.symbol in _FUNCTIONS else _OPERATORS[token.symbol]
    return lambda scope: rule(scope, tuple(part(scope) for part in parts))


def _quick(token: XPathToken, left: _Run, right: _Run) -> _Run:
    """What most rules are made of. No part can fail, so the second need not always be looked at."""
    if token.symbol == "=":
        if token[0].symbol == "$" and token[1].symbol == "(string)":
            name, text = _named(token[0]), str(token[1].value)
            return lambda scope: scope.values.get(name, "") == text
        return lambda scope: are_equal(left(scope), right(scope))
    one, other = _as_truth(token[0], left), _as_truth(token[1], right)
    if token.symbol == "or":
        return lambda scope: one(scope) or other(scope)
    return lambda scope: one(scope) and other(scope)


def _as_truth(token: XPathToken, run: _Run) -> _Run:
    return run if token.symbol in _QUICK else lambda scope: as_truth(run(scope))


def _named(token: XPathToken) -> str:
    return str(token[0].value).removeprefix("q_")


def _leaf(token: XPathToken) -> _Run:
    if token.symbol == "$":
        name = _named(token)
        return lambda scope: scope.values.get(name, "")
    if token.symbol == ".":
        return lambda scope: scope.own
    if token.symbol in _FUNCTIONS:
        rule = _FUNCTIONS[token.symbol][1]
        return lambda scope: rule(scope, ())
    if token.symbol in _LITERALS:
        text = str(token.value)
        literal: Value = text if token.symbol == "(string)" else finite(float(text))
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


def _numeric(rule: Callable[..., float]) -> _Rule:
    return lambda _, values: calculate(rule, *values)


def _compared(rule: Callable[[float, float], bool]) -> _Rule:
    return lambda _, values: rule(as_number(values[0]), as_number(values[1]))


_OPERATORS: Mapping[str, _Rule] = {
    "(": lambda _, v: v[0],
    "!=": lambda _, v: not are_equal(v[0], v[1]),
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
    "boolean": (1, lambda _, v: as_truth(v[0])),
    "coalesce": (None, lambda _, v: next((x for x in v if as_text(x)), "")),
    "concat": (None, lambda _, v: "".join(map(as_text, v))),
    "contains": (2, lambda _, v: as_text(v[1]) in as_text(v[0])),
    "count-selected": (1, lambda _, v: float(sum(c != "0" for c in as_text(v[0]).split()))),
    "date": (1, lambda _, v: as_date(v[0])),
    "decimal-date-time": (1, lambda _, v: as_number(v[0])),
    "false": (0, lambda *_: False),
    "if": (3, lambda _, v: v[1] if as_truth(v[0]) else v[2]),
    "int": (1, _numeric(math.trunc)),
    "max": (None, _numeric(lambda *n: max(n))),
    "min": (None, _numeric(lambda *n: min(n))),
    "not": (1, lambda _, v: not as_truth(v[0])),
    "now": (0, lambda s, _: s.now.replace(tzinfo=None).isoformat(timespec="seconds")),
    "number": (1, lambda _, v: as_number(v[0])),
    "once": (1, lambda s, v: s.own or v[0]),
    "regex": (2, lambda _, v: re.fullmatch(as_text(v[1]), as_text(v[0])) is not None),
    "round": ((1, 2), _numeric(round_half_up)),
    "selected": (2, lambda _, v: as_text(v[1]).strip() in as_text(v[0]).split()),
    "selected-at": (2, lambda _, v: selected_at(v[0], v[1])),
    "starts-with": (2, lambda _, v: as_text(v[0]).startswith(as_text(v[1]))),
    "string": (1, lambda _, v: as_text(v[0])),
    "string-length": (1, lambda _, v: float(len(as_text(v[0])))),
    "substr": ((2, 3), lambda _, v: substr(*v)),
    "substring": ((2, 3), lambda _, v: substring(*v)),
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
