import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import SealBroken
from storage.keyring.vault import PROGRAMME_KEY, Vault

VAULT = Vault.from_master(bytes(range(32)))
OTHER = Vault.from_master(bytes(32))
PLACE = {"table": "persons", "column": "name", "row": "0" * 32}


@given(st.text())
def test_what_was_sealed_opens(text: str) -> None:
    assert VAULT.open(VAULT.seal(text, **PLACE), **PLACE) == text


@pytest.mark.parametrize("text", ["\ud83d", "a\0b", "\u202eabc", "\U0001f642" * 200, ""])
def test_whatever_a_phone_sends_can_be_kept(text: str) -> None:
    assert VAULT.open(VAULT.seal(text, **PLACE), **PLACE) == text


def test_a_sealed_value_shows_nothing_and_is_never_the_same_twice() -> None:
    first, second = (VAULT.seal("Nomvula", **PLACE) for _ in range(2))
    assert b"Nomvula" not in first
    assert first != second


def test_a_sealed_value_says_its_version_and_key() -> None:
    blob = VAULT.seal("x", **PLACE)
    assert blob[0] == 1
    assert blob[2 : 2 + blob[1]].decode() == PROGRAMME_KEY
    assert len(blob) == 2 + len(PROGRAMME_KEY) + 12 + 1 + 16


@pytest.mark.parametrize(
    "moved", [{"table": "children"}, {"column": "language"}, {"row": "1" * 32}]
)
def test_a_value_moved_elsewhere_does_not_open(moved: dict[str, str]) -> None:
    blob = VAULT.seal("Nomvula", **PLACE)
    with pytest.raises(SealBroken, match="does not open"):
        VAULT.open(blob, **{**PLACE, **moved})


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_does_not_open(position: int, change: int) -> None:
    blob = bytearray(VAULT.seal("Nomvula", **PLACE))
    blob[position % len(blob)] ^= change
    with pytest.raises(SealBroken):
        VAULT.open(bytes(blob), **PLACE)


def test_a_truncated_value_says_so() -> None:
    blob = VAULT.seal("", **PLACE)
    for length in range(len(blob)):
        with pytest.raises(SealBroken, match="truncated"):
            VAULT.open(blob[:length], **PLACE)


def test_an_unknown_version_is_named() -> None:
    blob = VAULT.seal("x", **PLACE)
    with pytest.raises(SealBroken, match="version 7"):
        VAULT.open(b"\x07" + blob[1:], **PLACE)


def test_an_unknown_key_is_named() -> None:
    ringed = VAULT.with_key("household-9", bytes(32))
    blob = ringed.seal("x", **PLACE, key="household-9")
    with pytest.raises(SealBroken, match="household-9"):
        VAULT.open(blob, **PLACE)
    with pytest.raises(SealBroken, match="household-9"):
        VAULT.seal("x", **PLACE, key="household-9")


def test_a_foreign_master_key_does_not_open() -> None:
    with pytest.raises(SealBroken):
        OTHER.open(VAULT.seal("x", **PLACE), **PLACE)


def test_a_new_key_leaves_old_values_and_the_index_as_they_are() -> None:
    blob = VAULT.seal("x", **PLACE)
    ringed = VAULT.with_key("h1", bytes(32))
    assert ringed.open(blob, **PLACE) == "x"
    assert ringed.open(ringed.seal("y", **PLACE, key="h1"), **PLACE) == "y"
    assert ringed.blind("join", "A") == VAULT.blind("join", "A")


def test_a_blind_index_is_the_same_for_the_same_value_only() -> None:
    assert VAULT.blind("join", "AB") == VAULT.blind("join", "AB")
    assert len(VAULT.blind("join", "AB")) == 32
    different = {
        VAULT.blind("join", "AB"),
        VAULT.blind("join", "AC"),
        VAULT.blind("login", "AB"),
        OTHER.blind("join", "AB"),
        VAULT.blind_address("sms", "+2711", "+2782"),
        VAULT.blind_address("whatsapp", "+2711", "+2782"),
        VAULT.blind_address("sms", "+2712", "+2782"),
    }
    assert len(different) == 7


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault.from_master(bytes(length))
