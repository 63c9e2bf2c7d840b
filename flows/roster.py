"""List numbers that may not be asked about any more while a class screen is open."""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from flows.messages import Correct, Part, Phrase
from flows.questionnaire import Item

ROSTER_TYPE = "select_multiple_from_roster"
PRETEND = tuple(str(number) for number in range(1, 13))
"""The list numbers of the invented class that practice is about."""


class Sifted(Struct, frozen=True, kw_only=True):
    """A reply without the numbers that were left out.

    Attributes:
        values: What is taken of it, by item.
        wrong: Items of which nothing was left, and so nothing is taken.
        told: What she is told beside the next question; nothing where every number counts.
    """

    values: Mapping[str, str]
    wrong: Mapping[str, Correct]
    told: tuple[Part, ...] = ()


def sift(items: Iterable[Item], values: Mapping[str, str], gone: Collection[str]) -> Sifted:
    """Leave the numbers out of a reply that stand for nobody any more; the others go on.

    Args:
        items: What was asked.
        values: What the reply means, by item; list numbers separated by spaces.
        gone: List numbers of her roster without a yes that stands, e.g. "17".
    """
    kept, wrong = dict(values), dict[str, Correct]()
    found: set[str] = set()
    for item in items:
        numbers = kept.get(item.name, "").split()
        out = [number for number in numbers if number in gone]
        if item.type != ROSTER_TYPE or not out:
            continue
        if len(out) == len(numbers):
            del kept[item.name]
            said = {"numbers": " ".join(out)}
            wrong[item.name] = Correct(item=item.name, reason="reject.roster", values=said)
        else:
            kept[item.name] = " ".join(number for number in numbers if number not in gone)
            found.update(out)
    told = {"numbers": " ".join(sorted(found, key=int))}
    return Sifted(
        values=kept,
        wrong=wrong,
        told=(Phrase(key="roster.left_out", values=told),) if found else (),
    )
