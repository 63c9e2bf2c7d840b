"""Events as JSON and back: what the `events` table keeps so that any session can be rebuilt."""

import msgspec

from flows.replies import clean
from flows.sessions import (
    AskedAgain,
    Assisted,
    Changed,
    Event,
    HelpAsked,
    LanguageChosen,
    Lapsed,
    Replied,
    Restarted,
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
    "assisted": Assisted,
    "lapsed": Lapsed,
    "stopped": Stopped,
    "asked_again": AskedAgain,
    "changed": Changed,
    "restarted": Restarted,
}
NAMES = {kind: name for name, kind in KINDS.items()}
_ENCODER = msgspec.json.Encoder()
_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}


def dump_event(event: Event) -> tuple[str, str]:
    """An event's kind and its body as JSON; half an emoji, which no JSON carries, is left out."""
    try:
        body = _ENCODER.encode(event)
    except UnicodeEncodeError:
        body = _ENCODER.encode(_whole(event))
    return NAMES[type(event)], body.decode()


def load_event(kind: str, body: str) -> Event:
    """The event that `dump_event` wrote. Raises KeyError or ValueError on anything else."""
    return _DECODERS[kind].decode(body)


def _whole(event: Event) -> Event:
    told = msgspec.structs.asdict(event).items()
    texts = {name: clean(value) for name, value in told if isinstance(value, str)}
    return msgspec.structs.replace(event, **texts)
