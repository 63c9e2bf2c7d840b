"""Sealing what names or describes a person, and finding an address without storing it.

A sealed value is `version | length of key id | key id | nonce | ciphertext and tag`: AES-256-GCM
with the table, the column and the row as associated data, so a value that was moved to another row
does not open. What belongs to a household is sealed with its own key, the rest with the
programme's.

Keys come from the key store when they are first needed and stay in a bounded ring. The ring is not
used for longer than `FRESH_S` seconds without a look at the store's revision: a key destroyed by
another process stops opening here within that time, one destroyed through this vault at once.

Source: trust-and-dashboard.md §B4; NIST SP 800-38D (GCM, 96-bit random nonces); RFC 5869 (HKDF).
"""

import contextlib
import hmac
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import inf
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import KeyGone, KeyMissing, SealBroken
from storage.keyring.keys import BLIND_KEY, PROGRAMME_KEY, KeyStore
from storage.keyring.wrapping import KEY_BYTES, NONCE_BYTES, TAG_BYTES, derive

__all__ = ["FRESH_S", "PROGRAMME_KEY", "Vault"]

VERSION = 1
BLIND_BYTES = 16
FRESH_S = 5.0
"""For how long the ring is used without a look at the store's revision."""
MOST = 256
"""Ciphers in each half of the ring: one takes 2.4 KiB, and is made in 1.2 µs from its key."""
KNOWN = 16384
"""Household keys at hand without a look into the store; about 4 MB."""


class Vault:
    """A ring of data keys and the keys of the blind indexes."""

    def __init__(
        self,
        keys: Mapping[str, bytes],
        *,
        blind_key: bytes,
        store: KeyStore | None = None,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self._fixed = dict(keys)
        self._blind_key = blind_key
        self._index: tuple[bytes, bytes | None] = (blind_key, None)
        self._most = most
        self._clock = clock
        self._revision = 0
        self._fresh_until = inf
        self._lock = threading.Lock()
        # Two halves, so that reading needs no lock: what is used moves to the young one, and when
        # that is full the old one is forgotten. By key id, and by the bytes a value begins with.
        self._young: dict[str | bytes, AESGCM] = {}
        self._old: dict[str | bytes, AESGCM] = {}
        self._known: dict[str, bytes] = {}
        self._keep(self._fixed, 0)

    @classmethod
    def from_master(cls, master: bytes) -> Self:
        """A vault without a store: the programme's key only. Raises ValueError unless 32 bytes."""
        if len(master) != KEY_BYTES:
            raise ValueError(f"the master key must have {KEY_BYTES} bytes, not {len(master)}")
        data = derive(master, f"cwb data {PROGRAMME_KEY}")
        return cls({PROGRAMME_KEY: data}, blind_key=derive(master, "cwb blind index"))

    @classmethod
    def over(
        cls, store: KeyStore, *, most: int = MOST, clock: Callable[[], float] = time.monotonic
    ) -> Self:
        """The vault of a deployment: its keys are in this store.

        Raises:
            StorageError: The store cannot be reached.
        """
        first = store.keys((PROGRAMME_KEY, BLIND_KEY), strict=True)
        made = cls(
            {PROGRAMME_KEY: first[PROGRAMME_KEY]},
            blind_key=first[BLIND_KEY],
            store=store,
            most=most,
            clock=clock,
        )
        made.refresh()
        return made

    def with_key(self, key_id: str, key: bytes) -> Self:
        """A vault that can also seal and open with this key; the values there are stay valid."""
        return type(self)({**self._fixed, key_id: key}, blind_key=self._blind_key)

    def close(self) -> None:
        """Release the store. May be called twice."""
        if self.store is not None:
            self.store.close()

    # -- keys ---------------------------------------------------------------------------------

    def key_for(self, owner_id: str | None) -> str:
        """The id of the key that seals what belongs to a household or a sender, or to none.

        A vault without a store has no such keys: there the programme's key seals everything.
        """
        return owner_id if owner_id and self.store is not None else PROGRAMME_KEY

    def usable(self, key_ids: Iterable[str | None]) -> set[str]:
        """Those of these keys that can be used, at hand now: one statement at most."""
        if self.store is None:
            return set()
        self._look()
        asked, revision = {k for k in key_ids if k}, self._revision
        there = asked & self._known.keys()
        if len(there) < len(asked):
            found = self.store.keys(asked - there)
            self._keep(found, revision)
            there |= found.keys()
        return there

    def ensure(self, household_ids: Iterable[str | None]) -> None:
        """Have the keys of these households at hand: one statement, and one commit for new ones.

        Raises:
            KeyGone: One was erased.
            StorageError: The store cannot be reached.
        """
        if self.store is None:
            return
        self._look()
        ring, revision = self._known, self._revision
        wanted = {h for h in household_ids if h and h not in ring}
        if wanted:
            self._keep(self.store.ensure(wanted), revision)

    def destroy(self, key_ids: Collection[str], *, at: datetime) -> None:
        """Destroy keys: nothing sealed with them opens from now on, here or in any backup.

        Raises:
            StorageError: The store cannot be reached; nothing was destroyed.
        """
        if self.store is None:
            raise KeyMissing("This vault has no key store to destroy a key in.")
        self.store.destroy(key_ids, at=at)
        self.refresh()

    def refresh(self) -> None:
        """Look at the store: forget every key if anything was destroyed or replaced."""
        if self.store is None:
            return
        with self._lock:
            state = self.store.state()
            if state.revision != self._revision:
                ids = [state.index_id, *([state.index_next] if state.index_next else ())]
                index = self.store.keys(ids, strict=True)
                self._young, self._old, self._known = {}, {}, {}
                self._index = index[state.index_id], index.get(state.index_next or "")
                self._revision = state.revision
            self._fresh_until = self._clock() + FRESH_S
        self._keep(self._fixed, self._revision)

    def _look(self) -> None:
        if self._clock() > self._fresh_until:
            self.refresh()

    def _keep(self, keys: Mapping[str, bytes], revision: int) -> None:
        with self._lock:
            if revision != self._revision:
                return  # read before something was destroyed: it may be this one
            if len(self._known) + len(keys) > KNOWN:
                self._known = {}
            self._known.update(keys)

    def _put(self, key_id: str, cipher: AESGCM, revision: int) -> None:
        with self._lock:
            if revision != self._revision:
                return  # as above
            if len(self._young) >= 2 * self._most:
                self._old, self._young = self._young, {}
            self._young[key_id] = self._young[head_of(key_id)] = cipher

    def _cipher(self, key_id: str, *, make: bool) -> AESGCM:
        """The cipher of a key that is not in the young half of the ring."""
        revision, old = self._revision, self._old
        cipher = old.get(key_id) or AESGCM(self._fetched(key_id, make=make))
        self._put(key_id, cipher, revision)
        return cipher

    def _fetched(self, key_id: str, *, make: bool) -> bytes:
        revision, known = self._revision, self._fixed.get(key_id) or self._known.get(key_id)
        if known is not None:
            return known
        if self.store is None or not key_id.isalnum():
            raise KeyMissing(f"There is no key {key_id!r} here.")
        key = self.store.ensure((key_id,))[key_id] if make else self.store.key(key_id)
        self._keep({key_id: key}, revision)
        return key

    def _ciphers(self, heads: Collection[bytes]) -> dict[bytes, AESGCM]:
        """Ciphers by what values begin with, read in one statement; a destroyed one is left out."""
        revision, rings = self._revision, (self._young, self._old)
        found = {h: c for h in heads if (c := rings[0].get(h) or rings[1].get(h)) is not None}
        missing = {_key_id(head): head for head in heads if head not in found}
        unknown = [k for k in missing if k.isalnum() and k not in self._known]
        if self.store is not None and unknown:
            self._keep(self.store.keys(unknown), revision)
        for key_id, head in missing.items():
            with contextlib.suppress(KeyGone):
                found[head] = self._cipher(key_id, make=False)
        return found

    # -- sealing ------------------------------------------------------------------------------

    def seal(
        self, text: str, *, table: str, column: str, row: str, key: str = PROGRAMME_KEY
    ) -> bytes:
        """The text as ciphertext that opens only in this table, column and row.

        Raises:
            KeyGone: The household was erased.
            SealBroken: There is no such key.
        """
        if self._clock() > self._fresh_until:
            self.refresh()
        cipher = self._young.get(key) or self._cipher(key, make=True)
        nonce = os.urandom(NONCE_BYTES)
        # "surrogatepass": a phone can send half an emoji, and what was said is kept as it was said.
        data = text.encode("utf-8", "surrogatepass")
        return head_of(key) + nonce + cipher.encrypt(nonce, data, _bound(table, column, row))

    def open(self, blob: bytes, *, table: str, column: str, row: str) -> str:
        """The text that `seal` took.

        Raises:
            KeyGone: The household was erased.
            SealBroken: Truncated, changed, moved from elsewhere, or sealed with a key that is not
                there (which the message names).
        """
        if self._clock() > self._fresh_until:
            self.refresh()
        start = 2 + blob[1] if len(blob) > 1 else 2
        cipher = self._young.get(blob[:start])
        if cipher is None:
            _whole(blob)
            cipher = self._cipher(_key_id(blob[:start]), make=False)
        body = start + NONCE_BYTES
        try:
            data = cipher.decrypt(blob[start:body], blob[body:], _bound(table, column, row))
        except (InvalidTag, ValueError) as error:
            raise _broken(blob, table, column) from error
        return data.decode("utf-8", "surrogatepass")

    def open_many(
        self,
        rows: Sequence[tuple[str, bytes]],
        *,
        table: str,
        column: str,
        erased: str | None = None,
    ) -> list[str]:
        """What `open` gives for each (row, sealed value) of a page, in order, for less.

        Args:
            rows: Row ids as they were sealed with, and the sealed values.
            table: Where they stand.
            column: The same.
            erased: What stands for a value whose household was erased meanwhile; None to raise.

        Raises:
            KeyGone: A household was erased, and `erased` is None.
            SealBroken: One does not open; as `open`.
        """
        self._look()
        ring: Mapping[str | bytes, AESGCM] = self._young
        prefix = f"{table}|{column}|".encode()
        try:
            return _opened(ring, rows, prefix)
        except (KeyError, IndexError, InvalidTag, ValueError):
            pass  # a key that is not at hand, or a value that is not sound: look at each
        ciphers = self._ciphers({blob[: 2 + blob[1]] for _, blob in rows if len(blob) > 1})
        texts = []
        for row, blob in rows:
            if erased is not None and len(blob) > 1 and blob[: 2 + blob[1]] not in ciphers:
                texts.append(erased)
            else:
                texts.append(self._open_with(ciphers, blob, table, column, row))
        return texts

    @staticmethod
    def _open_with(
        ciphers: Mapping[bytes, AESGCM], blob: bytes, table: str, column: str, row: str
    ) -> str:
        _whole(blob)
        start = 2 + blob[1]
        body = start + NONCE_BYTES
        cipher = ciphers.get(blob[:start])
        if cipher is None:
            raise KeyGone
        try:
            data = cipher.decrypt(blob[start:body], blob[body:], _bound(table, column, row))
        except (InvalidTag, ValueError) as error:
            raise _broken(blob, table, column) from error
        return data.decode("utf-8", "surrogatepass")

    def reseal(self, blob: bytes, *, table: str, column: str, row: str, key: str) -> bytes:
        """The same text sealed with this key; the value itself where it is already.

        Raises:
            SealBroken: It does not open, as in `open`.
        """
        if blob.startswith(head_of(key)):
            return blob
        text = self.open(blob, table=table, column=column, row=row)
        return self.seal(text, table=table, column=column, row=row, key=key)

    # -- blind indexes ------------------------------------------------------------------------

    def blind(self, kind: str, value: str) -> str:
        """A keyed 128-bit digest as 32 hex digits: equal values are found, none can be guessed."""
        return _blind(self._blind_key, kind, value)

    def blind_address(self, channel: str, account: str, value: str) -> str:
        """The blind index of an address: one for each of our accounts it wrote to."""
        return self.blinds(channel, account, value)[0]

    def blinds(self, channel: str, account: str, value: str) -> tuple[str, str | None]:
        """What stands in an address's `blind` and, while its key rotates, in `blind2`."""
        self._look()
        now, other = self._index
        message = f"{channel}|{account}|{value}"
        return _blind(now, "address", message), _blind(other, "address", message) if other else None

    @property
    def rotating(self) -> bool:
        """Whether an address may be found by either index now, `blind` or `blind2`."""
        return self._index[1] is not None


def _opened(
    ring: Mapping[str | bytes, AESGCM], rows: Sequence[tuple[str, bytes]], prefix: bytes
) -> list[str]:
    """The texts of a page, all of whose keys are at hand: one expression, for its speed."""
    return [
        ring[blob[: (start := 2 + blob[1])]]
        .decrypt(blob[start : (body := start + NONCE_BYTES)], blob[body:], prefix + row.encode())
        .decode()
        for row, blob in rows
    ]


def _blind(key: bytes, kind: str, value: str) -> str:
    message = f"{kind}|v1|{value}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, "sha256")[:BLIND_BYTES].hex()


@lru_cache(maxsize=2 * MOST)
def head_of(key_id: str) -> bytes:
    """What a value sealed with this key begins with."""
    name = key_id.encode("ascii")
    return bytes((VERSION, len(name))) + name


def _key_id(head: bytes) -> str:
    """The key id of a value's beginning. Raises SealBroken for a version we do not know."""
    if head[0] != VERSION:
        raise SealBroken(f"A sealed value has version {head[0]}; this program knows {VERSION}.")
    return head[2:].decode("ascii", "backslashreplace")


def _whole(blob: bytes) -> None:
    """Refuse a value that is too short for what it says it is."""
    if len(blob) <= 1 or len(blob) < 2 + blob[1] + NONCE_BYTES + TAG_BYTES:
        raise SealBroken("A sealed value is truncated.")


def _broken(blob: bytes, table: str, column: str) -> SealBroken:
    try:
        _whole(blob)
    except SealBroken as truncated:
        return truncated
    return SealBroken(f"The sealed value in {table}.{column} does not open.")


def _bound(table: str, column: str, row: str) -> bytes:
    return f"{table}|{column}|{row}".encode()
