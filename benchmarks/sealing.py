"""Opening what a page shows, beside its limit: `AESGCM.decrypt` alone on the same bytes.

The limit is handed cipher, nonce, ciphertext and associated data ready made, and gives bytes; we
begin with the stored values of as many households and end with texts.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.figures import Aim, head, say, spread
from storage.keyring.keys import KeyStore
from storage.keyring.vault import Vault
from storage.keyring.wrapping import NONCE_BYTES

FIELDS = 200
"""A page: as many households, one name each."""
AIM_US = 1.5
AIM_RATIO = 2.0
PLACE = {"table": "persons", "column": "name"}


def measure(folder: Path, *, rounds: int, repeats: int) -> None:
    """Print microseconds a field, ours and the limit's in turns, then a page of unread keys."""
    head(f"Sealing: a page of {FIELDS} fields of {FIELDS} households")
    store = KeyStore.open(f"sqlite:///{folder / 'keys.db'}", os.urandom(32))
    try:
        vault = Vault.over(store)
        ids = [os.urandom(16).hex() for _ in range(FIELDS)]
        started = perf_counter()
        vault.ensure(ids)
        made = perf_counter() - started
        rows = [(i, vault.seal("Nomvula Dlamini", **PLACE, row=i, key=i)) for i in ids]
        bare = _bare(rows, store.keys(ids))
        ours: list[float] = []
        limit: list[float] = []
        for _ in range(rounds):
            ours.append(_us(lambda: vault.open_many(rows, **PLACE), repeats))
            limit.append(_us(bare, repeats))
        first = Vault.over(store)
        started = perf_counter()
        first.open_many(rows, **PLACE)
        cold = (perf_counter() - started) * 1e6 / FIELDS
        one = _us(lambda: [vault.open(b, **PLACE, row=r) for r, b in rows], repeats)
        put = _us(lambda: [vault.seal("Nomvula", **PLACE, row=i, key=i) for i in ids], repeats)
    finally:
        store.close()
    ratio = median(o / b for o, b in zip(ours, limit, strict=True))
    aim = Aim(text=f"at most {AIM_US} us", met=median(ours) <= AIM_US)
    say(f"  open_many            {spread(ours, 2)} us a field  {aim}")
    say(f"  AESGCM.decrypt alone {spread(limit, 2)} us a field")
    aim = Aim(text=f"at most {AIM_RATIO}", met=ratio <= AIM_RATIO)
    say(f"  ratio                {ratio:.2f}  {aim}")
    say(f"  open, one by one     {one:.2f} us; seal {put:.2f} us")
    say(f"  a first page, its keys read from the store and unwrapped: {cold:.1f} us a field")
    say(f"  {FIELDS} new household keys, durable: {made * 1000:.1f} ms")


def _bare(rows: list[tuple[str, bytes]], keys: Mapping[str, bytes]) -> Callable[[], list[bytes]]:
    ready = []
    for row, blob in rows:
        start = 2 + blob[1]
        body = start + NONCE_BYTES
        bound = f"{PLACE['table']}|{PLACE['column']}|{row}".encode()
        ready.append((AESGCM(keys[row]).decrypt, blob[start:body], blob[body:], bound))
    return lambda: [decrypt(nonce, data, bound) for decrypt, nonce, data, bound in ready]


def _us(work: Callable[[], object], repeats: int) -> float:
    """Microseconds a field, the best of some repeats: others share this machine."""
    best = float("inf")
    for _ in range(repeats):
        started = perf_counter()
        work()
        best = min(best, perf_counter() - started)
    return best * 1e6 / FIELDS
