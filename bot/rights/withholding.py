"""What a person is given of her file, and what is kept back until a data officer decides.

Pure rules. Four kinds of things are kept back by themselves: what other people told us, the child's
own words, answers on protection, and whatever belongs to an open alert that may have to be reported
under the Children's Act s110. The officer may give what is kept back (an open s110 matter never),
and each step has its ground from `GROUNDS`.

Source: POPIA s23 (access, proof of identity; s23(4) brings in PAIA's grounds of refusal), s14, s24;
PAIA s34/s63 (privacy of a third party), s37/s65 (confidence), s38/s66 (safety); Children's Act
s110. Which PAIA chapter applies (public or private body) is for the programme's lawyer.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["access", "correction", "erasure", "objection", "restriction"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Withheld = Literal["s110", "child_words", "others", "protection", "other_people"]
"""Classes of what is kept back, the strongest first: a piece is in the first that fits.

s110: part of an open matter that may have to be reported. child_words: told by the child.
others: told by another informant, or made from it. protection: an answer on protection and care.
other_people: about somebody else than her and the children she cares for.
"""
CLASSES: tuple[Withheld, ...] = get_args(Withheld)
Choice = Literal["give", "withhold", "hold"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
Outcome = Literal["granted", "part", "refused", "held"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

DEFAULTS: Mapping[Withheld, tuple[Choice, str]] = {
    "s110": ("hold", "report_open"),
    "child_words": ("withhold", "child_confidence"),
    "others": ("withhold", "third_party"),
    "protection": ("withhold", "safety"),
    "other_people": ("withhold", "third_party"),
}
"""What happens to each class where nobody decided otherwise, and the ground that is recorded."""

TO_KEEP = (
    "third_party",
    "child_confidence",
    "safety",
    "report_open",
    "health_harm",
    "not_competent",
)
"""Grounds for keeping a class back."""
TO_GIVE = ("with_consent", "hers_already", "best_interest")
"""Grounds for giving a class that is kept back by default."""
FOR_OUTCOME: Mapping[Outcome, tuple[str, ...]] = {
    "granted": ("lawful", "no_data"),
    "part": ("lawful",),
    "refused": ("not_identified", "not_competent", "law_keeps", "legal_hold", "safety", "repeated"),
    "held": ("not_identified", "report_open", "legal_hold", "asked_back"),
}
"""Grounds for the whole of a request, by how it is decided."""
GROUNDS = tuple(
    dict.fromkeys([*TO_KEEP, *TO_GIVE, *(each for own in FOR_OUTCOME.values() for each in own)])
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One thing of a file, as far as the rules look at it.

    Attributes:
        informant: Who told it: caregiver, teacher, child, nurse; empty where nobody told it.
        hers: Whether the person who asks told it, or it was said to her alone.
        about_hers: Whether it is about her or a child she cares for.
        protection: Whether it is about protection and care.
        matter: Whether it belongs to an open matter that may have to be reported.
    """

    informant: str = ""
    hers: bool = False
    about_hers: bool = True
    protection: bool = False
    matter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What was decided about one class, and on which ground."""

    choice: Choice
    ground: str


def classify(piece: Piece) -> Withheld | None:
    """The class a piece is kept back in; None for what is simply hers."""
    if piece.matter:
        return "s110"
    if piece.informant == "child":
        return "child_words"
    if not piece.hers:
        return "others" if piece.about_hers else "other_people"
    if not piece.about_hers:
        return "other_people"
    return "protection" if piece.protection else None


def is_matter(
    *, state: str, level: str, protection: bool, reportable: str | None, reported: bool
) -> bool:
    """Whether an alert is an open matter that may have to be reported (Children's Act s110).

    As long as nobody has said whether it must be, an open alert that is urgent or about protection
    counts: nothing of it leaves. One that must be reported stays a matter until it was.
    """
    if reportable == "yes":
        return state != "closed" or not reported
    if reportable == "no":
        return False
    return state != "closed" and (level == "urgent" or protection)


def from_others(sources: Iterable[str], hers: Collection[str]) -> bool:
    """Whether a band rests on anybody but her: then it tells what the other one said."""
    return any(source not in hers for source in sources)


def given(found: Withheld | None, rulings: Mapping[Withheld, Ruling]) -> bool:
    """Whether a piece of this class is given; a class without a ruling has its default."""
    if found is None:
        return True
    ruling = rulings.get(found)
    choice = ruling.choice if ruling is not None else DEFAULTS[found][0]
    return choice == "give" and found != "s110"


def by_default(present: Iterable[Withheld]) -> dict[Withheld, Ruling]:
    """The rulings for the classes that are there before anybody decides."""
    found = set(present)
    return {
        each: Ruling(choice=DEFAULTS[each][0], ground=DEFAULTS[each][1])
        for each in CLASSES
        if each in found
    }


def faults(
    outcome: str, ground: str, rulings: Mapping[Withheld, Ruling], present: Collection[Withheld]
) -> tuple[str, ...]:
    """What is wrong with a decision on access, as codes; empty if it may stand.

    Args:
        outcome: How the whole is decided.
        ground: Ground of the whole.
        rulings: What is decided for each class.
        present: The classes that the file has.
    """
    found = whole_faults(outcome, ground)
    if outcome in ("refused", "held"):
        return found
    for each in CLASSES:
        if each in present:
            found += _ruling_faults(each, rulings.get(each))
    kept = any(not given(each, rulings) for each in present)
    if outcome == "granted" and kept:
        found += ("granted_but_kept",)
    if outcome == "part" and not kept:
        found += ("part_but_all",)
    return found


def whole_faults(outcome: str, ground: str) -> tuple[str, ...]:
    """What is wrong with outcome and ground of any request; empty if they fit."""
    fitting = {name: grounds for name, grounds in FOR_OUTCOME.items() if name == outcome}
    if not fitting:
        return ("outcome",)
    return () if any(ground in grounds for grounds in fitting.values()) else ("ground",)


def _ruling_faults(each: Withheld, ruling: Ruling | None) -> tuple[str, ...]:
    if ruling is None or ruling.choice not in CHOICES:
        return (f"{each}:choice",)
    if ruling.choice == "give":
        if each == "s110":
            return ("s110:open",)
        return () if ruling.ground in TO_GIVE else (f"{each}:ground",)
    return () if ruling.ground in TO_KEEP else (f"{each}:ground",)


def needs_two(kind: str, outcome: str) -> bool:
    """Whether a second person must confirm before it counts: erasing cannot be undone."""
    return kind == "erasure" and outcome in ("granted", "part")
