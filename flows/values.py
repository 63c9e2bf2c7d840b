"""What a value means in an expression, and the functions over values.

Forms differ from XML: an unanswered item is "", a blank never compares, an ISO date counts as a
day, and nothing here raises. Source: ODK XForms Specification, "XPath Functions"
(getodk.github.io/xforms-spec).
"""

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

Value = str | float | bool

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - dates are read as they stand on the wall
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9].*)?")
_ALL = 1e9  # more characters than any text has


def finite(number: float) -> float:
    """The number, NaN for infinity."""
    return number if math.isfinite(number) else math.nan


def _plain(text: str) -> float:
    return finite(float(text)) if _NUMBER.fullmatch(text) else math.nan


def as_number(value: Value) -> float:
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


def as_text(value: Value) -> str:
    """The value as a form would write it; "" where it is not known."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if math.isnan(value):
        return ""
    # Nine places are more than any answer has, and hide 0.1 + 0.2 = 0.30000000000000004.
    text = format(Decimal(repr(round(value, 9) + 0.0)), "f")
    return text.removesuffix(".0")


def as_truth(value: Value) -> bool:
    """False for "", "false", 0 and what is not known."""
    if value is True or value is False:
        return value
    if isinstance(value, str):
        text = value.strip()
        return text not in ("", "false") and _plain(text) != 0
    return bool(value) and not math.isnan(value)


def are_equal(one: Value, other: Value) -> bool:
    """Texts by their letters, yes and no by their truth, everything else as numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    if isinstance(one, bool) or isinstance(other, bool):
        return as_truth(one) == as_truth(other)
    return as_number(one) == as_number(other)


def calculate(rule: Callable[..., float], *values: Value) -> float:
    """The rule over numbers; NaN where one is not known or the result is none."""
    numbers = [as_number(value) for value in values]
    if any(math.isnan(number) for number in numbers):
        return math.nan
    try:
        return finite(float(rule(*numbers)))
    except (ArithmeticError, ValueError):
        return math.nan


def round_half_up(number: float, places: float = 0) -> float:
    """Half upwards, as XPath does and people expect (Python rounds half to even)."""
    shift = int(places)
    whole = (Decimal(repr(number)).scaleb(shift) + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    return float(whole.scaleb(-shift))


def selected_at(listed: Value, position: Value) -> str:
    """The code at a place of a list, from 0; "" where there is none."""
    codes = as_text(listed).split()
    at = as_number(position)
    return codes[int(at)] if 0 <= at < len(codes) else ""


def substr(value: Value, begin: Value, end: Value = _ALL) -> str:
    """ODK's substr: the first character is number 0."""
    first, last = as_number(begin), as_number(end)
    if math.isnan(first) or math.isnan(last):
        return ""
    return as_text(value)[max(0, int(first)) : max(0, int(last))]


def substring(value: Value, begin: Value, count: Value = _ALL) -> str:
    """XPath's substring: the first character is number 1."""
    first = calculate(round_half_up, begin) - 1
    return substr(value, first, first + calculate(round_half_up, count))


def as_date(value: Value) -> str:
    """The ISO date of so many days since 1970; "" where there is none."""
    days = as_number(value)
    try:
        return (_EPOCH + timedelta(days=days)).date().isoformat()
    except (OverflowError, ValueError):
        return ""
