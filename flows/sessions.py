"""The values of a conversation about one questionnaire: session, answers, events and effects.

A session is rebuilt from its events (`fold`); its JSON is only a cache with a revision number.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from flows.messages import ChannelName, Prompt

Status = Literal["open", "lapsed", "completed", "stopped"]
AnswerState = Literal["answered", "skipped", "carried"]
"""`carried`: a household or caregiver answer given earlier in this wave for another child."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was recorded for an item.

    Attributes:
        value: Choice code; codes or list numbers separated by spaces; canonical number (a point,
            no exponent); ISO date; text. Empty when skipped.
        state: How it came.
    """

    value: str
    state: AnswerState = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The questionnaire begins; `known` are answers already given this wave (carried over)."""

    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """She typed `text` or tapped the button `token`; `media` kinds are never understood."""

    text: str = ""
    token: str = ""
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """She said SKIP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WentBack:
    """She said BACK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpAsked:
    """She said HELP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageChosen:
    """She switched language; what is being asked is asked again in it."""

    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """She came back after a pause, possibly on another channel."""

    channel: ChannelName


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """The clock says nobody answered for long enough; nothing is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """She said STOP, or staff ended it."""


Event = (
    Started | Replied | Skipped | WentBack | HelpAsked | LanguageChosen | Resumed | Lapsed | Stopped
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Tell her something."""

    prompt: Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An answer was taken; `amended` where it replaces an earlier one (BACK)."""

    item: str
    answer: Answer
    amended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """An answer no longer counts: its branch is not taken any more."""

    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """Everything that is relevant has been answered or skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """She could not make herself understood; a person should look."""

    item: str


Effect = Say | Recorded | Withdrawn | Completed | Handover


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one event leads to: the session after it, and what is to be done."""

    session: Session
    effects: tuple[Effect, ...]


def to_json(session: Session) -> str:
    """The session as JSON text; `from_json` gives back an equal session."""
    return json.dumps(
        {
            "id": session.id,
            "form_id": session.form_id,
            "version": session.version,
            "channel": session.channel,
            "language": session.language,
            "status": session.status,
            "mode": session.mode,
            "asking": session.asking,
            "answers": {k: (a.value, a.state) for k, a in session.answers.items()},
            "trail": session.trail,
            "misses": session.misses,
            "context": dict(session.context),
            "rev": session.rev,
            "changed_at": session.changed_at.isoformat(),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_json(text: str) -> Session:
    """The session that `to_json` wrote. Raises KeyError or ValueError on anything else."""
    raw = json.loads(text)
    return Session(
        id=raw["id"],
        form_id=raw["form_id"],
        version=raw["version"],
        channel=raw["channel"],
        language=raw["language"],
        status=raw["status"],
        mode=raw["mode"],
        asking=tuple(raw["asking"]),
        answers={k: Answer(v, s) for k, (v, s) in raw["answers"].items()},
        trail=tuple(raw["trail"]),
        misses=raw["misses"],
        context=raw["context"],
        rev=raw["rev"],
        changed_at=datetime.fromisoformat(raw["changed_at"]),
    )
