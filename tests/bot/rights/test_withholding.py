"""What is given of a file and what is kept back: the rules alone."""

import pytest
from hypothesis import given as always
from hypothesis import strategies as some

from bot.rights.withholding import (
    CLASSES,
    DEFAULTS,
    FOR_OUTCOME,
    GROUNDS,
    TO_KEEP,
    Piece,
    Ruling,
    by_default,
    classify,
    faults,
    from_others,
    given,
    is_matter,
    needs_two,
    whole_faults,
)

GIVE = Ruling(choice="give", ground="with_consent")
KEEP = Ruling(choice="withhold", ground="third_party")


@pytest.mark.parametrize(
    ("piece", "found"),
    [
        (Piece(informant="caregiver", hers=True), None),
        (Piece(informant="caregiver", hers=True, protection=True), "protection"),
        (Piece(informant="teacher"), "others"),
        (Piece(informant="caregiver"), "others"),
        (Piece(informant="nurse", protection=True), "others"),
        (Piece(informant="child"), "child_words"),
        (Piece(informant="child", hers=True), "child_words"),
        (Piece(informant="teacher", hers=True, about_hers=False), "other_people"),
        (Piece(informant="", about_hers=False), "other_people"),
        (Piece(informant="caregiver", hers=True, matter=True), "s110"),
        (Piece(informant="child", matter=True), "s110"),
    ],
)
def test_each_piece_has_its_class(piece: Piece, found: str | None) -> None:
    assert classify(piece) == found


def test_every_class_is_kept_back_by_default_with_a_ground() -> None:
    for each in CLASSES:
        choice, ground = DEFAULTS[each]
        assert choice != "give"
        assert ground in TO_KEEP
        assert not given(each, {})
    assert given(None, {})
    assert by_default(["others"]) == {"others": KEEP}
    assert list(by_default(["others", "s110", "others"])) == ["s110", "others"]


@pytest.mark.parametrize(
    ("alert", "open_matter"),
    [
        (("opened", "urgent", False, None, False), True),
        (("accepted", "high", True, None, False), True),
        (("offered", "high", False, None, False), False),
        (("closed", "urgent", True, None, False), False),
        (("opened", "urgent", True, "no", False), False),
        (("opened", "high", False, "yes", True), True),
        (("closed", "high", False, "yes", False), True),
        (("closed", "urgent", True, "yes", True), False),
    ],
)
def test_what_is_a_matter(
    alert: tuple[str, str, bool, str | None, bool], open_matter: bool
) -> None:
    state, level, protection, reportable, reported = alert
    found = is_matter(
        state=state, level=level, protection=protection, reportable=reportable, reported=reported
    )
    assert found is open_matter


def test_an_open_matter_is_never_given_whatever_is_decided() -> None:
    assert not given("s110", {"s110": GIVE})
    assert faults("granted", "lawful", {"s110": GIVE}, ["s110"]) == (
        "s110:open",
        "granted_but_kept",
    )


def test_a_band_that_rests_on_others_tells_what_they_said() -> None:
    assert from_others(["caregiver", "teacher"], ["caregiver"])
    assert not from_others(["caregiver"], ["caregiver"])
    assert not from_others([], [])


@pytest.mark.parametrize(
    ("outcome", "ground", "rulings", "present", "found"),
    [
        ("granted", "lawful", {}, [], ()),
        ("granted", "lawful", {"others": GIVE}, ["others"], ()),
        ("part", "lawful", {"others": KEEP}, ["others"], ()),
        ("part", "lawful", {}, [], ("part_but_all",)),
        ("granted", "lawful", {"others": KEEP}, ["others"], ("granted_but_kept",)),
        ("part", "lawful", {}, ["others"], ("others:choice",)),
        (
            "part",
            "lawful",
            {"others": Ruling(choice="give", ground="third_party")},
            ["others"],
            ("others:ground", "part_but_all"),
        ),
        (
            "part",
            "lawful",
            {"others": Ruling(choice="hold", ground="with_consent")},
            ["others"],
            ("others:ground",),
        ),
        ("refused", "lawful", {}, ["others"], ("ground",)),
        ("refused", "not_identified", {}, ["others"], ()),
        ("held", "report_open", {}, ["s110"], ()),
        ("maybe", "lawful", {}, [], ("outcome",)),
    ],
)
def test_a_decision_says_what_is_wrong_with_it(
    outcome: str,
    ground: str,
    rulings: dict[object, Ruling],
    present: list[object],
    found: tuple[str, ...],
) -> None:
    assert faults(outcome, ground, rulings, present) == found  # type: ignore[arg-type]


def test_grounds_belong_to_outcomes() -> None:
    for outcome, grounds in FOR_OUTCOME.items():
        assert all(whole_faults(outcome, ground) == () for ground in grounds)
        assert set(grounds) <= set(GROUNDS)
    assert whole_faults("granted", "safety") == ("ground",)


def test_only_erasing_takes_two() -> None:
    assert needs_two("erasure", "granted")
    assert not needs_two("erasure", "refused")
    assert not needs_two("access", "granted")


@always(
    some.builds(
        Piece,
        informant=some.sampled_from(["caregiver", "teacher", "child", "nurse", ""]),
        hers=some.booleans(),
        about_hers=some.booleans(),
        protection=some.booleans(),
        matter=some.booleans(),
    )
)
def test_by_default_only_what_she_said_herself_is_given(piece: Piece) -> None:
    if given(classify(piece), {}):
        assert piece.hers
        assert piece.about_hers
        assert not piece.protection
        assert not piece.matter
        assert piece.informant != "child"
