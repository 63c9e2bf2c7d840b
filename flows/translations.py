"""The life of a translated text: who wrote it, who read it, who approved it, what it may be for.

A text begins as a machine's draft, a speaker reads it, somebody approves it. What nobody has signed
is a draft. One comment line above the text in its catalog says so, in exactly this form::

    # state: draft-machine
    # state: reviewed by A. Mokoena on 2026-11-02
    # state: approved by T. Sithole on 2026-11-09, reviewed by A. Mokoena on 2026-11-02

Two older forms are still read: ``approved by A. Mokoena, 2026-11-02`` and ``approved 2026-11-02``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from flows.consent import FORM
from flows.crisis import KEY
from flows.lexicon import SMS

State = Literal["draft-machine", "reviewed", "approved"]
"""How far a text has come, lowest first."""
STATES: tuple[State, ...] = get_args(State)
CRISIS = KEY
"""What the lists of crisis words begin with."""
HEARD = ("keyword.", CRISIS)
"""Words that are understood in all languages, offered or not, whatever their state."""
NAME = re.compile(r"[^\W\d_][^,;\n]{0,58}[^\s,;]")
"""A name as it may stand in a state: begins with a letter, no comma, no semicolon."""

_CONSENT = (f"{FORM}/", "enrol.", "withdraw.", "again.")
_SIGNED = r"(?: by (?P<{0}>.+?))?(?:(?: on|,)? (?P<{0}_on>\d{{4}}-\d\d-\d\d))?"
_LINE = re.compile(
    r"state: (?P<state>draft-machine|reviewed|approved)"
    + _SIGNED.format("by")
    + r"(?:, reviewed"
    + _SIGNED.format("reader")
    + r")?"
)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who, and on which local day; either may be unknown in what was written long ago."""

    by: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a text has come.

    Attributes:
        state: See `State`.
        signed: Who brought it there; nobody for a draft.
        reviewed: Of an approved text, who had reviewed it.
    """

    state: State = "draft-machine"
    signed: Signature = Signature()
    reviewed: Signature = Signature()

    @property
    def reader(self) -> Signature:
        """Who reviewed it, whether or not it was approved since."""
        return self.signed if self.state == "reviewed" else self.reviewed


DRAFT = Standing()
_PLAIN = {state: Standing(state=state) for state in STATES}
"""One value for thousands of texts that nobody signed."""


def read_state(comments: Iterable[str]) -> Standing:
    """The standing of a text, from the comment lines above it; a draft where none says more."""
    for comment in comments:
        found = _LINE.fullmatch(comment.strip())
        if found:
            state = next(s for s in STATES if s == found["state"])
            if not (found["by"] or found["by_on"] or found["reader"] or found["reader_on"]):
                return _PLAIN[state]
            return Standing(
                state=state,
                signed=_signature(found["by"], found["by_on"]),
                reviewed=_signature(found["reader"], found["reader_on"]),
            )
    return DRAFT


def state_line(standing: Standing) -> str:
    """The comment that says a standing, without its `#`; `read_state` gives it back."""
    line = f"state: {standing.state}{_signed(standing.signed)}"
    reader = _signed(standing.reviewed)
    return f"{line}, reviewed{reader}" if reader else line


def reviewed(by: str, on: date) -> Standing:
    """The standing of what a speaker has just read."""
    return Standing(state="reviewed", signed=Signature(by, on))


def approved(before: Standing, by: str, on: date) -> Standing:
    """The standing of what is approved now; its reviewer stays on record."""
    return Standing(state="approved", signed=Signature(by, on), reviewed=before.reader)


def is_consent(address: str) -> bool:
    """Whether a text is one that consent is asked, given or taken back with."""
    return address.startswith(_CONSENT)


def asked_of(address: str) -> State:
    """The least state of a text before its language is offered to real people.

    Words of consent must be approved; crisis words work as they are, since hearing too much is
    safe (the launch gate asks for their approval); everything else must have been reviewed.
    """
    if address.startswith(CRISIS):
        return "draft-machine"
    return "approved" if is_consent(address) else "reviewed"


def may_stand(address: str, standing: Standing) -> bool:
    """Whether a text has come far enough to be shown to real people."""
    return STATES.index(standing.state) >= STATES.index(asked_of(address))


def is_heard(address: str) -> bool:
    """Whether it is a list of words that are understood whatever their state."""
    return address.startswith(HEARD)


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's, however written: case, points and spaces do not count."""
    return _folded(one) == _folded(other)


def base(address: str) -> str:
    """The address of the text that an SMS spelling belongs to; any other address itself."""
    return address.removesuffix(SMS)


def seen_at(address: str) -> str:
    """Where people meet a text, in a few words for whoever reviews it."""
    address, spelled = base(address), ", spelled for SMS" if address.endswith(SMS) else ""
    form, _, rest = address.rpartition("/")
    name, _, column = rest.partition(":")
    if not form:
        return _KINDS.get(address.partition(".")[0], "a message of the bot") + spelled
    form, _, listed = form.partition("/")
    if listed:
        what = "other words for an answer" if column == "accept" else "an answer"
        return f"{form}: {what} of {listed}{spelled}"
    return f"{form}: {_COLUMNS.get(column, column)} {name}{spelled}"


_KINDS = {
    "keyword": "words that people send: a command, separated by |",
    "word": "words that people send, separated by |",
    "number": "number words that people send, separated by |",
    "paper": "a printed paper",
    "alert": "a message to staff",
    "glass": "a message to staff",
    "login": "a message to staff",
}
_COLUMNS = {
    "label": "the question or note",
    "hint": "how to answer",
    "constraint_message": "when an answer does not fit",
    "title": "its name in the",
}


def _signature(by: str | None, on: str | None) -> Signature:
    return Signature(by or "", _day(on) if on else None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _signed(signature: Signature) -> str:
    by = f" by {signature.by}" if signature.by else ""
    return by + (f" on {signature.on}" if signature.on else "")


def _folded(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())
