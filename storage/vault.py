"""Sealing what names or describes a person, and finding an address without storing it.

A sealed value is `version | length of key id | key id | nonce | ciphertext and tag`: AES-256-GCM
with the table, the column and the row as associated data, so a value that was moved to another row
does not open. Key ids are stored in each value, so that household keys can be added later without
touching what is there.

Source: trust-and-dashboard.md §B4; NIST SP 800-38D (GCM, 96-bit random nonces); RFC 5869 (HKDF).
"""

import hmac
import os
from collections.abc import Mapping
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import SealBroken

VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
BLIND_BYTES = 16
PROGRAMME_KEY = "k1"
"""Seals whatever has no household key of its own."""


class Vault:
    """A ring of data keys and the key of the blind index."""

    def __init__(self, keys: Mapping[str, bytes], *, blind_key: bytes) -> None:
        self._blind_key = blind_key
        self._keys = dict(keys)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._heads = {key_id: _head(key_id) for key_id in keys}

    @classmethod
    def from_master(cls, master: bytes) -> Self:
        """The vault of a deployment. Raises ValueError unless the master key has 32 bytes."""
        if len(master) != KEY_BYTES:
            raise ValueError(f"the master key must have {KEY_BYTES} bytes, not {len(master)}")
        data = _derive(master, f"cwb data {PROGRAMME_KEY}")
        return cls({PROGRAMME_KEY: data}, blind_key=_derive(master, "cwb blind index"))

    def with_key(self, key_id: str, key: bytes) -> Self:
        """A vault that can also seal and open with this key; the values there are stay valid."""
        return type(self)({**self._keys, key_id: key}, blind_key=self._blind_key)

    def seal(
        self, text: str, *, table: str, column: str, row: str, key: str = PROGRAMME_KEY
    ) -> bytes:
        """The text as ciphertext that opens only in this table, column and row.

        Raises:
            SealBroken: The ring has no such key.
        """
        cipher = self._ciphers.get(key)
        if cipher is None:
            raise SealBroken(f"There is no key {key!r} to seal with.")
        nonce = os.urandom(NONCE_BYTES)
        # "surrogatepass": a phone can send half an emoji, and what was said is kept as it was said.
        data = text.encode("utf-8", "surrogatepass")
        return self._heads[key] + nonce + cipher.encrypt(nonce, data, _bound(table, column, row))

    def open(self, blob: bytes, *, table: str, column: str, row: str) -> str:
        """The text that `seal` took.

        Raises:
            SealBroken: Truncated, changed, moved from elsewhere, or sealed with a key that this
                ring does not have (which the message names).
        """
        start = 2 + blob[1] if len(blob) > 1 else 2
        if len(blob) < start + NONCE_BYTES + TAG_BYTES:
            raise SealBroken("A sealed value is truncated.")
        if blob[0] != VERSION:
            raise SealBroken(f"A sealed value has version {blob[0]}; this program knows {VERSION}.")
        key_id = blob[2:start].decode("ascii", "backslashreplace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealBroken(f"A value is sealed with key {key_id!r}, which is not there.")
        body = start + NONCE_BYTES
        try:
            data = cipher.decrypt(blob[start:body], blob[body:], _bound(table, column, row))
        except InvalidTag as error:
            raise SealBroken(f"The sealed value in {table}.{column} does not open.") from error
        return data.decode("utf-8", "surrogatepass")

    def blind(self, kind: str, value: str) -> str:
        """A keyed 128-bit digest as 32 hex digits: equal values are found, none can be guessed."""
        message = f"{kind}|v1|{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._blind_key, message, "sha256")[:BLIND_BYTES].hex()

    def blind_address(self, channel: str, account: str, value: str) -> str:
        """The blind index of an address: one for each of our accounts it wrote to."""
        return self.blind("address", f"{channel}|{account}|{value}")


def _derive(master: bytes, purpose: str) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode())
    return hkdf.derive(master)


def _head(key_id: str) -> bytes:
    name = key_id.encode("ascii")
    return bytes((VERSION, len(name))) + name


def _bound(table: str, column: str, row: str) -> bytes:
    return f"{table}|{column}|{row}".encode()
