"""The values of a conversation about one questionnaire: session, answers, events and effects.

A session is rebuilt from its events (`fold`); its JSON is only a cache with a revision number.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct, field

from flows.messages import ChannelName, Prompt
from flows.questionnaire import Questionnaire

Status = Literal["open", "lapsed", "completed", "stopped"]
AnswerState = Literal["answered", "skipped", "carried"]
"""`carried`: a household or caregiver answer given earlier in this wave for another child."""
SELF = "self"
"""The mode of somebody who answers on her own phone."""
MODES = ("phone", "in_person", "paper")
"""How somebody who helps her hears her answers: on the phone, face to face, from a sheet."""


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
        helper: Id of the person who reads to her and enters her answers now; empty for nobody.
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
    mode: str = SELF
    helper: str = ""
    asking: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    trail: tuple[str, ...] = ()
    misses: int = 0
    context: Mapping[str, str] = field(default_factory=dict)
    rev: int = 0
    changed_at: datetime


def begin(
    session_id: str,
    questionnaire: Questionnaire,
    *,
    channel: ChannelName,
    language: str,
    now: datetime,
    context: Mapping[str, str],
    mode: str = SELF,
) -> Session:
    """A session before its first event; `advance` it with `Started`.

    Args:
        session_id: 128-bit time-ordered hex.
        questionnaire: The version it stays on.
        channel: Where she answers.
        language: BCP 47 tag she reads.
        now: Aware time.
        context: Values of the names the questionnaire declares (roster, list_number ...).
        mode: self, phone, in_person or paper.
    """
    return Session(
        id=session_id,
        form_id=questionnaire.form_id,
        version=questionnaire.version,
        channel=channel,
        language=language,
        mode=mode,
        context=dict(context),
        changed_at=now,
    )


class Started(Struct, frozen=True, kw_only=True):
    """The questionnaire begins; `known` are answers already given this wave (carried over)."""

    known: Mapping[str, str] = field(default_factory=dict)


class Replied(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """She typed `text` or tapped the button `token`; `media` kinds are never understood.

    `left_out`: numbers of her roster that are not asked about any more; they are not taken.
    """

    text: str = ""
    token: str = ""
    media: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


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


class Assisted(Struct, frozen=True, kw_only=True):
    """Somebody reads to her and enters her answers from here on, one question at a time.

    Attributes:
        mode: One of `MODES`.
        helper: Id of the person who helps.
    """

    mode: str
    helper: str


class Lapsed(Struct, frozen=True, kw_only=True):
    """The clock says nobody answered for long enough; nothing is lost."""


class Stopped(Struct, frozen=True, kw_only=True):
    """She said STOP, or staff ended it."""


class AskedAgain(Struct, frozen=True, kw_only=True):
    """What she wanted to be asked later is asked now: a completed session opens again there.

    Attributes:
        item: The question whose answer put it off; that answer no longer counts.
        channel: Where she answers now.
    """

    item: str
    channel: ChannelName


class Changed(Struct, frozen=True, kw_only=True):
    """She wants to answer a question once more (CHANGE 3); a completed session opens again there.

    Attributes:
        item: The question, one of those she may change (`flows.asking.changeable`).
        channel: Where she answers now.
    """

    item: str
    channel: ChannelName


class Restarted(Struct, frozen=True, kw_only=True):
    """She begins anew in another session: this one is over, and none of its answers counts."""


Event = (
    Started
    | Replied
    | Skipped
    | WentBack
    | HelpAsked
    | LanguageChosen
    | Resumed
    | Assisted
    | Lapsed
    | Stopped
    | AskedAgain
    | Changed
    | Restarted
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
