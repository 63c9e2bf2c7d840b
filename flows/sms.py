"""How many SMS a text becomes: the unit in which a family and a programme pay."""

import re
from dataclasses import dataclass
from typing import Literal

import smsutil

GSM_ALONE = 160
"""Septets of a message that is not cut."""
GSM_PART = 153
"""Septets of each part of a longer one; the rest says which part it is."""
_PLAIN = re.compile(r"[A-Za-z0-9 \n.,:;!?'\"()/+*&%#=<>-]*")
"""One septet each, whatever stands before or after: counted without looking further."""
_BREAKS = (("\n", "\n"), (r"(?<=[.?!]) ", " "), (" ", " "))
"""Where a text may be parted, best first, and what stood there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """The size of a text on the air.

    Attributes:
        encoding: GSM-7 where every character is in its table, else UCS-2.
        units: Septets (extension characters count two) or UTF-16 units.
        segments: Messages it is cut into: 160 / 153 septets, or 70 / 67 units each; at least 1.
    """

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    segments: int


def segments(text: str) -> Segments:
    """The encoding, units and number of SMS of `text`.

    Lone surrogates count one unit each, as they would on the air. Escape and surrogate pairs are
    never cut in two, which can make a text one part longer than its units suggest.

    Source: 3GPP TS 23.038 as Twilio's table applies it (`smsutil`).
    """
    if _PLAIN.fullmatch(text):
        size = len(text)
        parts = 1 if size <= GSM_ALONE else -(-size // GSM_PART)
        return Segments(encoding="GSM-7", units=size, segments=parts)
    split = smsutil.split(text)
    size = int(split.total_bytes)
    if split.encoding == "gsm0338" or not text:
        return Segments(encoding="GSM-7", units=size, segments=len(split.parts))
    return Segments(encoding="UCS-2", units=size // 2, segments=len(split.parts))


def messages(text: str, *, most: int) -> tuple[str, ...]:
    """A dear text as several messages of `most` segments or fewer, each as full as may be.

    It is parted where a line ends, else where a sentence ends, else between words, and nothing is
    lost but the space there. Only letters outside GSM-7 excuse it: a text in GSM-7 is one message,
    and its author shortens it.

    Args:
        text: The whole text.
        most: Segments of one message, at least 1.
    """
    if segments(text).encoding == "GSM-7":
        return (text,)
    return tuple(_parted(text, most, _BREAKS))


def _parted(text: str, most: int, breaks: tuple[tuple[str, str], ...]) -> list[str]:
    if segments(text).segments <= most or not breaks:
        return [text]
    (place, mark), *finer = breaks
    found: list[str] = []
    for piece in re.split(place, text):
        longer = f"{found[-1]}{mark}{piece}" if found else piece
        if segments(longer).segments <= most:
            found[-1:] = [longer]
        else:
            found += _parted(piece, most, tuple(finer))
    return found
