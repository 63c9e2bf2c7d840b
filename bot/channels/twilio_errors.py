"""What Twilio's error codes mean for a message, for its recipient and for the account.

The first word of a reason is one of a few (`opted_out`, `bad_address`, `blocked`, `unreachable`,
`window`, `content`, `filtered`, `template`, `sender`, `account`, `rate`, `handset`, `ambiguous`,
`redirected`, `rejected`), the second is Twilio's code: counters stay small, and nothing of the
message or its recipient is in it. `unreachable` (country not permitted, no route) is our sender's
fault but stops one address only: a single foreign number must not silence the account.

Source: twilio.com/docs/api/errors and the Message resource.
"""

from collections.abc import Mapping
from typing import Literal

from bot.channels.base import Refused, Retry, SendResult, Unknown

_Scope = Literal["message", "address", "account"]

_REFUSED: Mapping[str, tuple[_Scope, tuple[int, ...]]] = {
    "opted_out": ("address", (21610,)),
    "bad_address": ("address", (21211, 21217, 21614, 30005, 30006, 63003)),
    "blocked": ("address", (30004, 63024, 63032, 63033)),
    "unreachable": ("address", (21408, 21612)),
    "window": ("message", (63016,)),
    "content": ("message", (21602, 21617, 21654, 21655, 21656, 63021)),
    "filtered": ("message", (30007,)),
    "template": ("message", (63027, 63028, 63040, 63041)),
    "sender": ("account", (21606, 21703, 21704, 30018, 63007, 63020)),
    "account": ("account", (20003, 20404, 30002, 63001)),
}
_RATE_S: Mapping[int, float | None] = {
    20429: None,
    21611: 60.0,
    30001: 60.0,
    63017: None,
    63018: 60.0,
    63038: 3600.0,
}
"""Codes that ask us to slow down, with the shortest wait in seconds where waiting less is vain."""
_HANDSET_S: Mapping[int, float] = {30003: 900.0, 30008: 900.0}
"""Handset off or not found: often over after a while (seconds)."""
_AMBIGUOUS = frozenset({30410})

_HTTP_TIMEOUT = 408
_HTTP_TOO_MANY = 429
_HTTP_REDIRECT, _HTTP_BAD, _HTTP_SERVER = 300, 400, 500
_HTTP_ACCOUNT = frozenset({401, 403, 404})


def verdict(code: int, *, after_s: float | None = None) -> SendResult | None:
    """What a Twilio error code asks for, from an answer or from a status callback.

    Args:
        code: Twilio's error code.
        after_s: Seconds of the answer's Retry-After, where it had one.

    Returns:
        Retry, Unknown or Refused; None for a code that is not in the tables.
    """
    if code in _RATE_S:
        wait = after_s if after_s is not None else _RATE_S[code]
        return Retry(reason=f"rate {code}", after_s=wait, counts=False)
    if code in _HANDSET_S:
        return Retry(reason=f"handset {code}", after_s=_HANDSET_S[code])
    if code in _AMBIGUOUS:
        return Unknown(reason=f"ambiguous {code}")
    for word, (scope, codes) in _REFUSED.items():
        if code in codes:
            return Refused(reason=f"{word} {code}", scope=scope)
    return None


def failure(status: int, code: int | None, *, after_s: float | None = None) -> SendResult:
    """What an answer to POST Messages means when it is not a plain acceptance.

    Args:
        status: HTTP status.
        code: Twilio's error code from the body, if there was one.
        after_s: Seconds of Retry-After, if there was one.

    Returns:
        Unknown wherever the message may have been taken, so that nobody gets it twice.
    """
    if status == _HTTP_TOO_MANY:
        return Retry(reason=f"rate {code or status}", after_s=after_s, counts=False)
    if status >= _HTTP_SERVER or status == _HTTP_TIMEOUT or status < _HTTP_REDIRECT:
        return Unknown(reason=f"ambiguous {status}")
    if status < _HTTP_BAD:
        return Retry(reason=f"redirected {status}")
    known = None if code is None else verdict(code, after_s=after_s)
    if known is not None:
        return known
    if code is None and status in _HTTP_ACCOUNT:
        return Refused(reason=f"account {status}", scope="account")
    return Refused(reason=f"rejected {code or status}")
