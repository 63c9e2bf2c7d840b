"""The vault over a key store: household keys, the bounded ring, what other processes destroyed."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import KeyGone, KeyMissing, SealBroken
from storage.keyring.keys import KeyStore
from storage.keyring.vault import FRESH_S, PROGRAMME_KEY, Vault

MASTER = bytes(range(32))
PLACE = {"table": "persons", "column": "name"}
H1, H2 = "1" * 32, "2" * 32


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def store(tmp_path: Path, now: datetime) -> Iterator[KeyStore]:
    opened = KeyStore.open(f"sqlite:///{tmp_path / 'keys.db'}", MASTER, at=now)
    yield opened
    opened.close()


def sealed(vault: Vault, key: str, row: str = "r", text: str = "Nomvula") -> bytes:
    return vault.seal(text, **PLACE, row=row, key=key)


def test_what_belongs_to_a_household_is_sealed_with_its_own_key(store: KeyStore) -> None:
    vault = Vault.over(store)
    assert vault.key_for(None) == PROGRAMME_KEY
    assert vault.key_for(H1) == H1
    blob = sealed(vault, vault.key_for(H1))
    assert blob[2 : 2 + blob[1]].decode() == H1
    assert Vault.over(store).open(blob, **PLACE, row="r") == "Nomvula"
    assert H1 in store.ids()


def test_without_a_store_the_programme_key_seals_everything() -> None:
    vault = Vault.from_master(MASTER)
    assert vault.key_for(H1) == PROGRAMME_KEY
    vault.ensure([H1])
    vault.refresh()
    vault.close()
    with pytest.raises(KeyMissing, match="no key store"):
        vault.destroy([H1], at=datetime(2026, 1, 1))  # noqa: DTZ001 - never reached


def test_many_keys_are_made_in_one_go(store: KeyStore) -> None:
    vault = Vault.over(store)
    vault.ensure([H1, None, H2, H1])
    assert {H1, H2} <= set(store.ids())
    store.close()  # nothing more is asked of it
    assert vault.open(sealed(vault, H1), **PLACE, row="r") == "Nomvula"


def test_opening_never_makes_a_key(store: KeyStore) -> None:
    vault = Vault.over(store)
    foreign = Vault.from_master(MASTER).with_key(H1, bytes(32))
    with pytest.raises(KeyMissing, match=H1):
        vault.open(sealed(foreign, H1), **PLACE, row="r")
    assert H1 not in store.ids()


@pytest.mark.parametrize("key_id", [b"a\0b", b"\xff\xfe", b"", b"x' or 1=1"])
def test_a_key_id_that_is_none_never_reaches_the_store(store: KeyStore, key_id: bytes) -> None:
    vault = Vault.over(store)
    blob = bytes((1, len(key_id))) + key_id + bytes(40)
    with pytest.raises(SealBroken):
        vault.open(blob, **PLACE, row="r")
    with pytest.raises(SealBroken):
        vault.open_many([("r", blob)], **PLACE)


def test_the_ring_is_bounded_and_forgets_what_was_not_used(store: KeyStore) -> None:
    vault = Vault.over(store, most=4)
    ids = [f"{n:032x}" for n in range(40)]
    blobs = [sealed(vault, key_id) for key_id in ids]
    assert len(vault._young) + len(vault._old) <= 4 * 4 + 2  # noqa: SLF001 - two entries a key
    assert [vault.open(blob, **PLACE, row="r") for blob in blobs] == ["Nomvula"] * 40
    assert vault.open(sealed(vault, PROGRAMME_KEY), **PLACE, row="r") == "Nomvula"


def test_a_key_destroyed_here_stops_opening_at_once(store: KeyStore, now: datetime) -> None:
    vault = Vault.over(store)
    blob, other = sealed(vault, H1), sealed(vault, H2)
    vault.destroy([H1], at=now)
    with pytest.raises(KeyGone):
        vault.open(blob, **PLACE, row="r")
    with pytest.raises(KeyGone):
        sealed(vault, H1)
    with pytest.raises(KeyGone):
        vault.ensure([H1])
    assert vault.open(other, **PLACE, row="r") == "Nomvula"


def test_a_key_destroyed_elsewhere_stops_opening_within_seconds(
    store: KeyStore, now: datetime
) -> None:
    clock = Clock()
    vault = Vault.over(store, clock=clock)
    blob = sealed(vault, H1)
    Vault.over(store).destroy([H1], at=now)
    clock.at += FRESH_S + 0.1
    with pytest.raises(KeyGone):
        vault.open(blob, **PLACE, row="r")
    with pytest.raises(KeyGone):
        vault.open_many([("r", blob)], **PLACE)


def test_a_key_read_before_it_was_destroyed_is_not_put_back(store: KeyStore, now: datetime) -> None:
    """Another thread read it, the erasure came, and only then it reached the ring."""
    vault = Vault.over(store)
    blob = sealed(vault, H1)
    before, revision = store.keys([H1]), vault._revision  # noqa: SLF001 - between two threads
    vault.destroy([H1], at=now)
    vault._keep(before, revision)  # noqa: SLF001
    with pytest.raises(KeyGone):
        vault.open(blob, **PLACE, row="r")


def test_a_new_master_changes_no_value_and_no_index(store: KeyStore, now: datetime) -> None:
    vault = Vault.over(store)
    blob, blind = sealed(vault, H1), vault.blind_address("sms", "a", "b")
    store.rewrap(bytes(32), at=now)
    vault.refresh()
    assert vault.open(blob, **PLACE, row="r") == "Nomvula"
    assert vault.blind_address("sms", "a", "b") == blind


# -- a page --------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.text(), st.booleans()), max_size=20))
def test_a_page_opens_as_one_by_one(texts: list[tuple[str, bool]]) -> None:
    vault = Vault.from_master(MASTER).with_key(H1, bytes(32))
    rows = [
        (str(n), sealed(vault, H1 if mine else PROGRAMME_KEY, str(n), text))
        for n, (text, mine) in enumerate(texts)
    ]
    assert vault.open_many(rows, **PLACE) == [text for text, _ in texts]
    assert vault.open_many(rows, **PLACE) == [vault.open(b, **PLACE, row=r) for r, b in rows]


def test_half_an_emoji_on_a_page(vault: Vault) -> None:
    rows = [("1", sealed(vault, PROGRAMME_KEY, "1", "\ud83d")), ("2", sealed(vault, "k1", "2"))]
    assert vault.open_many(rows, **PLACE) == ["\ud83d", "Nomvula"]


def test_a_page_reads_all_its_keys_at_once_and_shows_who_was_erased(
    store: KeyStore, now: datetime
) -> None:
    vault = Vault.over(store)
    rows = [("1", sealed(vault, H1, "1")), ("2", sealed(vault, H2, "2", "Sipho"))]
    assert Vault.over(store).open_many(rows, **PLACE) == ["Nomvula", "Sipho"]
    vault.destroy([H1], at=now)
    assert vault.open_many(rows, **PLACE, erased="-") == ["-", "Sipho"]
    with pytest.raises(KeyGone):
        vault.open_many(rows, **PLACE)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda blob: blob[:20], "truncated"),
        (lambda blob: blob[:1], "truncated"),
        (lambda blob: b"", "truncated"),
        (lambda blob: blob[:-1] + bytes([blob[-1] ^ 1]), "persons.name does not open"),
        (lambda blob: b"\x07" + blob[1:], "version 7"),
        (lambda blob: blob.replace(b"k1", b"k9", 1), "k9"),
    ],
)
def test_one_spoiled_value_of_a_page_is_named(vault: Vault, spoil: object, said: str) -> None:
    good = ("1", sealed(vault, PROGRAMME_KEY, "1"))
    bad = ("2", spoil(sealed(vault, PROGRAMME_KEY, "2")))  # type: ignore[operator]
    with pytest.raises(SealBroken, match=said):
        vault.open_many([good, bad], **PLACE)
    with pytest.raises(SealBroken, match=said):
        vault.open_many([good, bad], **PLACE, erased="-")


def test_a_value_of_another_row_is_refused_on_a_page(vault: Vault) -> None:
    with pytest.raises(SealBroken, match="does not open"):
        vault.open_many([("2", sealed(vault, PROGRAMME_KEY, "1"))], **PLACE)


def test_a_value_moves_to_another_key(store: KeyStore) -> None:
    vault = Vault.over(store)
    before = sealed(vault, PROGRAMME_KEY)
    after = vault.reseal(before, **PLACE, row="r", key=H1)
    assert vault.open(after, **PLACE, row="r") == "Nomvula"
    assert after[2 : 2 + after[1]].decode() == H1
    assert vault.reseal(after, **PLACE, row="r", key=H1) is after
