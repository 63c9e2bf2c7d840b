"""What proves who somebody is: password hashes, authenticator codes, one-time codes, tokens.

Every comparison of a secret is `secrets.compare_digest`, argon2's own, or a look-up by the digest
of a random value, where the time taken tells nothing that helps to guess it.

Source: OWASP ASVS 5.0, 6.2, 6.5, 6.6, 11.4.2 (trust-and-dashboard.md §B2); RFC 6238; RFC 9106.
"""

import asyncio
import base64
import hashlib
import secrets
from datetime import datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from storage.ids import CROCKFORD, new_code

STEP_S = 30
DRIFT_STEPS = 1
"""A code of the step before or after the server's clock is taken (RFC 6238 §5.2)."""
TOKEN_BYTES = 32
HASHES_AT_ONCE = 2
"""Each hash takes tens of MiB: a flood of logins must not take the memory of the turns."""
NO_SECRET = "A" * 32
"""The TOTP secret that a login without an account is compared with."""
ISSUER = "CWB"
CODE_LENGTH = 16
"""Of 32 signs each: 80 bits of chance, so that a plain SHA-256 of a code cannot be searched."""
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})


def strong_hasher() -> PasswordHasher:
    """argon2id with t=2, m=46 MiB, p=1: above OWASP's floor (ASVS 5.0 appendix C)."""
    return PasswordHasher(time_cost=2, memory_cost=47104, parallelism=1)


class Passwords:
    """Hashes passwords, a few at a time and off the event loop.

    Args:
        hasher: The settings of new hashes; a hash with others is renewed at login.
    """

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._turn = asyncio.Semaphore(HASHES_AT_ONCE)

    async def fits(self, stored: str, password: str) -> bool:
        """Whether this is the password; an empty hash fits none, and costs the same time."""
        async with self._turn:
            return await asyncio.to_thread(
                _verify, self._hasher, stored or decoy(self._hasher), password
            )

    async def hash(self, password: str) -> str:
        """What is stored of a password."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with other settings than new ones are."""
        return self._hasher.check_needs_rehash(stored)


def _verify(hasher: PasswordHasher, stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def decoy(hasher: PasswordHasher) -> str:
    """A hash nobody has the password of: what a login without a password is compared with.

    It is written, not computed, so it costs no time at start or at first use; comparing with it
    costs what a real hash of these settings costs, since that follows from the settings in it.
    """
    settings = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, nothing = _plain64(hasher.salt_len), _plain64(hasher.hash_len)
    return f"$argon2id$v={ARGON2_VERSION}${settings}${salt}${nothing}"


def _plain64(length: int) -> str:
    """So many fixed bytes, as argon2's format writes them. No password is known to hash to them."""
    return base64.b64encode(bytes(length)).decode().rstrip("=")


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, within the drift allowed; None if there is none.

    Source: RFC 6238 §4-5.
    """
    totp = pyotp.TOTP(secret, interval=STEP_S)
    typed = "".join(code.split())
    current = int(now.timestamp()) // STEP_S
    matching = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), typed.encode()):
            matching = step
    return matching


def authenticator_uri(login: str, secret: str) -> str:
    """The `otpauth://` address an authenticator app takes."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=login, issuer_name=ISSUER)


def new_token() -> str:
    """A browser's token: 256 bits of chance."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """What the database keeps of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def one_time_code() -> str:
    """A new one-time code as it is printed: `A7F3-K2QM-9XYZ-4TRB`."""
    code = new_code(CODE_LENGTH)
    return "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def code_digest(typed: str) -> str | None:
    """What the database keeps of a one-time code; None where that is no such code.

    Case, blanks, dashes and misread letters do not matter. A fast hash is right here: unlike a
    password the code is random and long, so there is nothing to slow down.
    """
    code = "".join(sign for sign in typed.upper() if sign.isalnum()).translate(_MISREAD)
    if len(code) != CODE_LENGTH or not set(code) <= set(CROCKFORD):
        return None
    return hashlib.sha256(f"one-time code|{code}".encode()).hexdigest()
