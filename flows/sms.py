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
