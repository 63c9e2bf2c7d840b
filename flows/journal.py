"""Events as JSON and back: what the `events` table keeps so that any session can be rebuilt."""

import json
from dataclasses import fields

from flows.sessions import (
    Event,
    HelpAsked,
    LanguageChosen,
    Lapsed,
    Replied,
    Resumed,
    Skipped,
    Started,
    Stopped,
    WentBack,
)

KINDS: dict[str, type[Event]] = {
    "started": Started,
    "replied": Replied,
    "skipped": Skipped,
    "went_back": WentBack,
    "help_asked": HelpAsked,
    "language_chosen": LanguageChosen,
    "resumed": Resumed,
    "lapsed": Lapsed,
    "stopped": Stopped,
}
NAMES = {kind: name for name, kind in KINDS.items()}
FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in NAMES}
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def dump_event(event: Event) -> tuple[str, str]:
    """An event's kind and its body as JSON."""
    body = {name: getattr(event, name) for name in FIELDS[type(event)]}
    return NAMES[type(event)], _ENCODER.encode(body)


def load_event(kind: str, body: str) -> Event:
    """The event that `dump_event` wrote. Raises KeyError or ValueError on anything else."""
    raw = json.loads(body)
    if kind == "replied":
        raw["media"] = tuple(raw["media"])
    return KINDS[kind](**raw)
