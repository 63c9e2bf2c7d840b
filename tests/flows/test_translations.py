"""How far a text has come: read from its comment, written back, and what it may be used for."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.translations import (
    DRAFT,
    NAME,
    STATES,
    Signature,
    Standing,
    approved,
    asked_of,
    base,
    is_consent,
    is_heard,
    may_stand,
    read_state,
    reviewed,
    same_person,
    seen_at,
    state_line,
)

DAY, LATER = date(2026, 11, 2), date(2026, 11, 9)
READ = reviewed("A. Mokoena", DAY)


@pytest.mark.parametrize(
    ("standing", "line"),
    [
        (DRAFT, "state: draft-machine"),
        (READ, "state: reviewed by A. Mokoena on 2026-11-02"),
        (
            approved(READ, "T. Sithole", LATER),
            "state: approved by T. Sithole on 2026-11-09, reviewed by A. Mokoena on 2026-11-02",
        ),
    ],
)
def test_the_exact_forms(standing: Standing, line: str) -> None:
    assert state_line(standing) == line
    assert read_state(["another comment", line]) == standing


@pytest.mark.parametrize(
    ("line", "signed"),
    [
        ("state: approved by N. Dlamini, 2026-11-22", Signature("N. Dlamini", date(2026, 11, 22))),
        ("state: approved 2026-11-22", Signature("", date(2026, 11, 22))),
        ("state: approved", Signature("", None)),
        ("state: approved by N. Dlamini", Signature("N. Dlamini", None)),
        ("state: approved by N. Dlamini on 2026-02-31", Signature("N. Dlamini", None)),
    ],
)
def test_older_forms_are_read(line: str, signed: Signature) -> None:
    assert read_state([line]) == Standing(state="approved", signed=signed)


@pytest.mark.parametrize("line", ["", "approved", "state: fine", "state: approved and more"])
def test_what_nobody_signed_is_a_draft(line: str) -> None:
    assert read_state([line]) == DRAFT
    assert read_state([]) == DRAFT


@given(st.from_regex(NAME, fullmatch=True), st.dates(min_value=date(1970, 1, 1)))
def test_every_name_comes_back(name: str, day: date) -> None:
    assert (
        NAME.fullmatch(name.strip()) is None
        or read_state([state_line(reviewed(name.strip(), day))]).signed.on == day
    )


def test_approval_keeps_the_reviewer() -> None:
    once = approved(READ, "T. Sithole", LATER)
    assert (once.reader, READ.reader) == (READ.signed, READ.signed)
    assert approved(once, "N. Dlamini", LATER).reviewed == READ.signed


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("enrolment/who_sees:label", "approved"),
        ("enrol.done", "approved"),
        ("withdraw.ask", "approved"),
        ("again.refused", "approved"),
        ("caregiver/sick:label", "reviewed"),
        ("keyword.stop", "reviewed"),
        ("word.crisis", "draft-machine"),
    ],
)
def test_what_is_asked_of_a_text_before_real_people_see_it(address: str, state: str) -> None:
    assert asked_of(address) == state
    assert is_consent(address) is (state == "approved")
    assert is_heard(address) is address.startswith(("keyword.", "word.crisis"))
    fit = [s for s in STATES if may_stand(address, Standing(state=s))]
    assert fit == list(STATES[STATES.index(asked_of(address)) :])


def test_a_name_is_the_same_however_it_is_written() -> None:
    assert same_person("A. Mokoena", " a mokoena")
    assert not same_person("A. Mokoena", "B. Mokoena")


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("caregiver/sick:label", "caregiver: the question or note sick"),
        ("caregiver/sick:hint", "caregiver: how to answer sick"),
        ("caregiver/sick:audio", "caregiver: audio sick"),
        ("practice/menu:title", "practice: its name in the menu"),
        ("caregiver/often/never:label", "caregiver: an answer of often"),
        ("caregiver/often/never:accept", "caregiver: other words for an answer of often"),
        ("caregiver/sick:label:sms", "caregiver: the question or note sick, spelled for SMS"),
        ("keyword.stop", "words that people send: a command, separated by |"),
        ("idle.welcome", "a message of the bot"),
        ("idle.welcome:sms", "a message of the bot, spelled for SMS"),
    ],
)
def test_a_reviewer_is_told_where_a_text_is_seen(address: str, seen: str) -> None:
    assert seen_at(address) == seen
    assert base(address) == address.removesuffix(":sms")
