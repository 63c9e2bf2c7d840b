"""How one key protects another: wrapping, fingerprints, and a key as groups of letters on paper.

The master key itself encrypts nothing: a wrapping key is derived from it. A wrapped key is bound to
its id and to the generation of the master, so that copies cannot be exchanged for each other.

Source: NIST SP 800-38D (GCM), RFC 5869 (HKDF); Crockford's base 32 for what people type.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import SealBroken
from storage.ids import CROCKFORD

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
GROUP = 4
"""Letters in a group: what an eye carries from paper to keyboard."""
GROUPS = 13
"""256 bits at 5 bits a letter, in whole groups."""
_BITS = 5
_MISREAD = str.maketrans("ILO", "110")


def derive(master: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose."""
    hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode())
    return hkdf.derive(master)


def fingerprint(master: bytes) -> str:
    """Eight letters that tell master keys apart and give nothing away."""
    digest = hmac.digest(master, b"cwb master fingerprint", "sha256")
    text = _letters(int.from_bytes(digest[:5], "big"), 8)
    return f"{text[:GROUP]}-{text[GROUP:]}"


class Wrapper:
    """Wraps keys under a master of one generation."""

    def __init__(self, master: bytes, generation: int) -> None:
        self._cipher = AESGCM(derive(master, "cwb key wrap"))
        self._generation = generation

    def wrap(self, key_id: str, key: bytes) -> bytes:
        """The key as a nonce, ciphertext and tag."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, self._bound(key_id))

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """The key again. Raises SealBroken where the copy is damaged or of another key."""
        nonce, body = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, body, self._bound(key_id))
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"The stored copy of key {key_id!r} is damaged.") from error

    def _bound(self, key_id: str) -> bytes:
        return f"key|{self._generation}|{key_id}".encode()


def to_groups(master: bytes) -> tuple[str, ...]:
    """A master key as 13 groups of four letters and a fourteenth that checks the others."""
    number = int.from_bytes(master, "big") << (GROUPS * GROUP * _BITS - len(master) * 8)
    text = _letters(number, GROUPS * GROUP)
    parts = tuple(text[at : at + GROUP] for at in range(0, len(text), GROUP))
    return (*parts, _check(master))


def from_groups(groups: Sequence[str]) -> bytes:
    """The master key of a recovery sheet.

    Args:
        groups: All fourteen, in order. Case does not matter, and I, L and O are read as they are
            usually meant.

    Raises:
        ValueError: A group is missing, has a wrong letter, or the check does not fit.
    """
    parts = [tidy(group) for group in groups]
    if len(parts) != GROUPS + 1:
        raise ValueError(f"A sheet has {GROUPS + 1} groups, not {len(parts)}.")
    for number, part in enumerate(parts, 1):
        if len(part) != GROUP or any(letter not in CROCKFORD for letter in part):
            raise ValueError(f"Group {number} is not four of the letters a sheet has.")
    number = 0
    for letter in "".join(parts[:GROUPS]):
        number = number << _BITS | CROCKFORD.index(letter)
    spare = GROUPS * GROUP * _BITS - KEY_BYTES * 8
    master = (number >> spare).to_bytes(KEY_BYTES, "big")
    if number & ((1 << spare) - 1) or not hmac.compare_digest(_check(master), parts[GROUPS]):
        raise ValueError("A group is mistyped: the last group does not fit the others.")
    return master


def tidy(group: str) -> str:
    """A typed group as a sheet prints it."""
    return group.strip().upper().translate(_MISREAD)


def _check(master: bytes) -> str:
    digest = hashlib.sha256(b"cwb recovery sheet" + master).digest()
    return _letters(int.from_bytes(digest[:3], "big") >> 4, GROUP)


def _letters(number: int, count: int) -> str:
    return "".join(CROCKFORD[number >> (_BITS * place) & 31] for place in range(count - 1, -1, -1))
