"""What was agreed to about a child, and whether we may ask: a pure reading of the consent ledger.

The ledger only grows: a yes, a no and a withdrawal are entries. What stands between a person and a
child for one purpose is the newest of them; nothing is ever undone, a later yes is a new yes.
About a child we ask only where a parent or guardian has said yes, where no parent or guardian has
said no or taken a yes back, and where the yes was given to words that still stand.

Source: POPIA s11 and s34-35 (prior consent of a competent person; withdrawal at any time).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Literal

Purpose = Literal["help", "partners", "research", "contact"]
"""help: we ask about the child and the team helps; partners: named partners may be told; research:
answers without names may be used; contact: we may write to her first."""
Word = Literal["yes", "no", "withdrawn"]
Reason = Literal["none", "not_guardian", "refused", "withdrawn", "old_text"]

ASKED: tuple[Purpose, ...] = ("help", "partners", "research")
"""The purposes that joining asks about, in order."""
COMPETENT = "parent_or_guardian"
"""The capacity in which somebody can consent for a child."""
FORM = "enrolment"
"""The questionnaire whose words are consented to."""
ITEMS: Mapping[Purpose, tuple[str, ...]] = {
    "help": ("who_we_are", "who_sees", "consent_help"),
    "partners": ("who_sees", "consent_partners"),
    "research": ("who_sees", "consent_research"),
}
"""What a yes to each purpose was a yes to: items of the joining questionnaire."""
_RANK: Mapping[Word, int] = {"yes": 0, "no": 1, "withdrawn": 2}
"""Of two words at the same moment the more careful one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger.

    Attributes:
        id: The row's id.
        person: Who said it.
        child: About whom.
        purpose: For what.
        word: yes, no, or withdrawn (a yes taken back).
        capacity: As what she said it (`COMPETENT` or another).
        text: Digest of the words she read; empty where it is not known.
        language: Tag of the language she read them in.
        partners: Version of the list of named partners; empty where none was named.
        at: When she said it (aware).
        known_at: When we learnt it: later than `at` for paper.
    """

    id: str
    person: str
    child: str
    purpose: Purpose
    word: Word
    capacity: str
    text: str
    language: str
    partners: str = ""
    at: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The words of consent as they are now.

    Attributes:
        current: Digest of the words by (language, purpose).
        same: Digests of older words of which the data officer said that they mean the same.
        partners: Version of today's list of named partners.
    """

    current: Mapping[tuple[str, str], str] = field(default_factory=dict)
    same: frozenset[str] = frozenset()
    partners: str = ""

    def fit(self, entry: Entry) -> bool:
        """Whether she agreed to the words, and for partners to the list, that stand now."""
        if entry.purpose not in ITEMS:
            return True
        if entry.purpose == "partners" and entry.partners != self.partners:
            return False
        now = self.current.get((entry.language, entry.purpose))
        return entry.text == now or entry.text in self.same


@dataclass(frozen=True, slots=True, kw_only=True)
class Yes:
    """We may; `entry` is the yes it rests on."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class No:
    """We may not.

    Attributes:
        reason: none (nobody agreed), not_guardian (only people who cannot consent for the child
            agreed), refused, withdrawn, old_text (agreed to words that have changed since).
    """

    reason: Reason


def digest(texts: Mapping[str, str], purpose: Purpose) -> str:
    """What tells one wording of consent from another, in one language.

    Args:
        texts: The joining questionnaire's texts by address (`Lexicon.texts`).
        purpose: One of `ASKED`.

    Returns:
        16 hex digits.
    """
    words = [(item, texts.get(f"{FORM}/{item}:label", "")) for item in ITEMS[purpose]]
    return sha256(repr(words).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def digests(texts: Mapping[str, str]) -> dict[Purpose, str]:
    """The digest of each purpose that joining asks about."""
    return {purpose: digest(texts, purpose) for purpose in ASKED}


def partners_version(names: Iterable[str]) -> str:
    """What tells one list of named partners from another: 16 hex digits, order does not matter."""
    return _version(frozenset(names))


@cache
def _version(names: frozenset[str]) -> str:
    return sha256(repr(sorted(names)).encode("utf-8")).hexdigest()[:16]


def standing(entries: Iterable[Entry]) -> dict[tuple[str, str, Purpose], Entry]:
    """The newest word by (child, person, purpose); in whatever order the entries come."""
    newest: dict[tuple[str, str, Purpose], Entry] = {}
    for entry in entries:
        key = (entry.child, entry.person, entry.purpose)
        known = newest.get(key)
        if known is None or _order(entry) > _order(known):
            newest[key] = entry
    return newest


def may_ask(
    entries: Iterable[Entry],
    purpose: Purpose,
    texts: Texts | None,
    *,
    child: str,
    person: str = "",
) -> Yes | No:
    """Whether something may be asked (or told) about a child for a purpose.

    Args:
        entries: The ledger, at least everything about this child.
        purpose: For what.
        texts: The words as they are now; None where any words will do.
        child: About whom.
        person: Whom we want to ask, where it is somebody who consents for herself too (a
            caregiver); empty for others (a teacher), who need the family's consent alone.
    """
    about = [
        entry
        for (about, _, what), entry in standing(entries).items()
        if about == child and what == purpose
    ]
    own = next((entry for entry in about if entry.person == person), None)
    if person and (own is None or own.word != "yes"):
        return No(reason=_reason(own))
    guardians = sorted((e for e in about if e.capacity == COMPETENT), key=_order)
    against = [entry for entry in guardians if entry.word != "yes"]
    if against:
        return No(reason=_reason(against[-1]))
    if not guardians:
        return No(reason="not_guardian" if about else "none")
    fitting = [entry for entry in guardians if texts is None or texts.fit(entry)]
    if not fitting or (own is not None and texts is not None and not texts.fit(own)):
        return No(reason="old_text")
    return Yes(entry=own or fitting[-1])


def may_write(entries: Iterable[Entry], *, child: str, person: str) -> bool:
    """Whether we may write to her first: she agreed to that, for this child."""
    found = standing(entries).get((child, person, "contact"))
    return found is not None and found.word == "yes"


def may_remind(entries: Iterable[Entry], *, child: str, person: str) -> bool:
    """Whether we may remind her of what she began herself: she never said that we must not."""
    found = standing(entries).get((child, person, "contact"))
    return found is None or found.word == "yes"


def stale(entries: Iterable[Entry], texts: Texts, *, person: str) -> dict[str, tuple[Purpose, ...]]:
    """What she said yes to in words that have changed since: purposes by child, each in order."""
    found: dict[str, list[Purpose]] = {}
    newest = standing(entries)
    for purpose in ASKED:
        for (child, who, what), entry in newest.items():
            old = entry.word == "yes" and not texts.fit(entry)
            if who == person and what == purpose and old:
                found.setdefault(child, []).append(purpose)
    return {child: tuple(purposes) for child, purposes in found.items()}


def agreed(entries: Iterable[Entry], *, person: str) -> dict[Purpose, tuple[str, ...]]:
    """What she can take back: the children her yes stands for, by purpose; empty ones left out."""
    newest = standing(entries)
    found: dict[Purpose, tuple[str, ...]] = {}
    for purpose in (*ASKED, "contact"):
        children = sorted(
            child
            for (child, who, what), entry in newest.items()
            if who == person and what == purpose and entry.word == "yes"
        )
        if children:
            found[purpose] = tuple(children)
    return found


def _order(entry: Entry) -> tuple[datetime, int, str]:
    return entry.at, _RANK[entry.word], entry.id


def _reason(entry: Entry | None) -> Reason:
    if entry is None:
        return "none"
    return "withdrawn" if entry.word == "withdrawn" else "refused"
