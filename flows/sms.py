"""How many SMS a text becomes: the unit in which a family and a programme pay."""

from dataclasses import dataclass
from typing import Literal

import smsutil


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
    split = smsutil.split(text)
    size = int(split.total_bytes)
    if split.encoding == "gsm0338" or not text:
        return Segments(encoding="GSM-7", units=size, segments=len(split.parts))
    return Segments(encoding="UCS-2", units=size // 2, segments=len(split.parts))
