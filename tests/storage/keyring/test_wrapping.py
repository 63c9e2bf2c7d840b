import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import SealBroken
from storage.keyring.wrapping import (
    GROUP,
    GROUPS,
    Wrapper,
    fingerprint,
    from_groups,
    tidy,
    to_groups,
)

MASTER = bytes(range(32))
KEY = bytes(range(100, 132))
masters = st.binary(min_size=32, max_size=32)


@given(masters)
def test_a_sheet_gives_its_key_back(master: bytes) -> None:
    groups = to_groups(master)
    assert len(groups) == GROUPS + 1
    assert all(len(group) == GROUP for group in groups)
    assert from_groups([f" {group.lower()} " for group in groups]) == master


@given(masters, st.integers(0, GROUPS * GROUP + GROUP - 1), st.integers(1, 31))
def test_one_mistyped_letter_is_noticed(master: bytes, place: int, other: int) -> None:
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    groups = list(to_groups(master))
    group, at = divmod(place, GROUP)
    wrong = letters[(letters.index(groups[group][at]) + other) % 32]
    groups[group] = groups[group][:at] + wrong + groups[group][at + 1 :]
    with pytest.raises(ValueError, match="mistyped"):
        from_groups(groups)


def test_two_groups_in_the_wrong_order_are_noticed() -> None:
    groups = list(to_groups(MASTER))
    groups[2], groups[3] = groups[3], groups[2]
    with pytest.raises(ValueError, match="mistyped"):
        from_groups(groups)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: g[:-1], "14 groups, not 13"),
        (lambda g: [*g[:4], "AB", *g[5:]], "Group 5"),
        (lambda g: [*g[:4], "AB?D", *g[5:]], "Group 5"),
        (lambda g: [*g[:4], "\u00c4\u00c4\u00c4\u00c4", *g[5:]], "Group 5"),
    ],
)
def test_what_is_no_sheet_is_refused(change: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_groups(change(list(to_groups(MASTER))))  # type: ignore[operator]


def test_letters_that_look_alike_are_read_as_they_are_meant() -> None:
    assert tidy(" o1il") == "0111"


def test_a_fingerprint_tells_keys_apart_and_shows_none() -> None:
    assert fingerprint(MASTER) == fingerprint(MASTER)
    assert fingerprint(MASTER) != fingerprint(bytes(32))
    assert len(fingerprint(MASTER)) == 9
    assert fingerprint(MASTER)[:4] not in to_groups(MASTER)


def test_a_wrapped_key_opens_under_its_own_name_generation_and_master_only() -> None:
    wrapped = Wrapper(MASTER, 1).wrap("h1", KEY)
    assert KEY not in wrapped
    assert Wrapper(MASTER, 1).unwrap("h1", wrapped) == KEY
    for wrapper, name in (
        (Wrapper(MASTER, 1), "h2"),
        (Wrapper(MASTER, 2), "h1"),
        (Wrapper(bytes(32), 1), "h1"),
    ):
        with pytest.raises(SealBroken, match=name):
            wrapper.unwrap(name, wrapped)


@given(st.integers(0, 59), st.integers(1, 255))
def test_a_damaged_copy_is_named(place: int, change: int) -> None:
    wrapped = bytearray(Wrapper(MASTER, 1).wrap("h1", KEY))
    wrapped[place] ^= change
    with pytest.raises(SealBroken, match="h1"):
        Wrapper(MASTER, 1).unwrap("h1", bytes(wrapped))


def test_a_copy_cut_short_is_named() -> None:
    wrapped = Wrapper(MASTER, 1).wrap("h1", KEY)
    for length in (0, 5, 12, 27):
        with pytest.raises(SealBroken, match="h1"):
            Wrapper(MASTER, 1).unwrap("h1", wrapped[:length])
