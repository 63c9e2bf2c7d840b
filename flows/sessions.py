"""The values of a conversation about one questionnaire: session, answers, events and effects.

A session is rebuilt from its events (`fold`); its JSON is only a cache with a revision number.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct, field

from flows.messages import ChannelName, Prompt

Status = Literal["open", "lapsed", "completed", "stopped"]
AnswerState = Literal["answered", "skipped", "carried"]
"""`carried`: a household or caregiver answer given earlier in this wave for another child."""


class Answer(Struct, frozen=True):
    """What was recorded for an item.

    Attributes:
        value: Choice code; codes or list numbers separated by spaces; canonical number (a point,
            no exponent); ISO date; text. Empty when skipped.
        state: How it came.
    """

    value: str
    state: AnswerState = "answered"


class Session(Struct, frozen=True, kw_only=True):
    """One person answering one questionnaire once.

    Attributes:
        id: 128-bit time-ordered hex.
        form_id: Which questionnaire; `version` which version of it (pinned for life).
        channel: Where she answers now; decides packing.
        mode: self, phone, in_person or paper.
        language: BCP 47 tag she reads now.
        status: open until completed or stopped; lapsed sessions resume at the same question.
        asking: Names of the items now waiting for an answer, in the order shown.
        answers: Recorded answers by item.
        trail: Items in the order they were answered, for BACK.
        misses: Wrong replies in a row to what is being asked.
        context: Values handed in at start (list_number, roster, channel ...).
        rev: Number of events folded so far.
        changed_at: Time of the last event (aware, UTC).
    """

    id: str
    form_id: str
    version: str
    channel: ChannelName
    language: str
    status: Status = "open"
    mode: str = "self"
    asking: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    trail: tuple[str, ...] = ()
    misses: int = 0
    context: Mapping[str, str] = field(default_factory=dict)
    rev: int = 0
    changed_at: datetime


class Started(Struct, frozen=True, kw_only=True):
    """The questionnaire begins; `known` are answers already given this wave (carried over)."""

    known: Mapping[str, str] = field(default_factory=dict)


class Replied(Struct, frozen=True, kw_only=True):
    """She typed `text` or tapped the button `token`; `media` kinds are never understood."""

    text: str = ""
    token: str = ""
    media: tuple[str, ...] = ()


class Skipped(Struct, frozen=True, kw_only=True):
    """She said SKIP."""


class WentBack(Struct, frozen=True, kw_only=True):
    """She said BACK."""


class HelpAsked(Struct, frozen=True, kw_only=True):
    """She said HELP."""


class LanguageChosen(Struct, frozen=True, kw_only=True):
    """She switched language; what is being asked is asked again in it."""

    language: str


class Resumed(Struct, frozen=True, kw_only=True):
    """She came back after a pause, possibly on another channel."""

    channel: ChannelName


class Lapsed(Struct, frozen=True, kw_only=True):
    """The clock says nobody answered for long enough; nothing is lost."""


class Stopped(Struct, frozen=True, kw_only=True):
    """She said STOP, or staff ended it."""


Event = (
    Started | Replied | Skipped | WentBack | HelpAsked | LanguageChosen | Resumed | Lapsed | Stopped
)


class Say(Struct, frozen=True, kw_only=True):
    """Tell her something."""

    prompt: Prompt


class Recorded(Struct, frozen=True, kw_only=True):
    """An answer was taken; `amended` where it replaces an earlier one (BACK)."""

    item: str
    answer: Answer
    amended: bool = False


class Withdrawn(Struct, frozen=True, kw_only=True):
    """An answer no longer counts: its branch is not taken any more."""

    item: str


class Completed(Struct, frozen=True, kw_only=True):
    """Everything that is relevant has been answered or skipped."""


class Handover(Struct, frozen=True, kw_only=True):
    """She could not make herself understood; a person should look."""

    item: str


Effect = Say | Recorded | Withdrawn | Completed | Handover


class Turn(Struct, frozen=True, kw_only=True):
    """What one event leads to: the session after it, and what is to be done."""

    session: Session
    effects: tuple[Effect, ...]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Session)


def to_json(session: Session) -> str:
    """The session as JSON text; `from_json` gives back an equal session."""
    return _ENCODER.encode(session).decode()


def from_json(text: str) -> Session:
    """The session that `to_json` wrote. Raises ValueError on anything else."""
    return _DECODER.decode(text)
