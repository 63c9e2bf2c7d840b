"""The consent ledger read as values: what stands, and whether we may ask."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.consent import (
    ASKED,
    COMPETENT,
    Entry,
    No,
    Texts,
    Yes,
    agreed,
    digest,
    digests,
    may_ask,
    may_remind,
    may_write,
    partners_version,
    stale,
    standing,
)

AT = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
NOW = Texts(
    current={("en", "help"): "h1", ("en", "partners"): "p1", ("en", "research"): "r1"},
    partners="list1",
)


def entry(word: str = "yes", minutes: int = 0, **more: object) -> Entry:
    """A word about child c by person amina."""
    base = {
        "id": f"{minutes:04}{word}",
        "person": "amina",
        "child": "c",
        "purpose": "help",
        "word": word,
        "capacity": COMPETENT,
        "text": "h1",
        "language": "en",
        "at": AT + timedelta(minutes=minutes),
        "known_at": AT + timedelta(minutes=minutes),
    }
    return Entry(**{**base, **more})  # type: ignore[arg-type]


ENTRIES = st.builds(
    entry,
    st.sampled_from(["yes", "no", "withdrawn"]),
    st.integers(0, 5),
    person=st.sampled_from(["amina", "bongi"]),
    child=st.sampled_from(["c", "d"]),
    purpose=st.sampled_from([*ASKED, "contact"]),
    capacity=st.sampled_from([COMPETENT, "carer"]),
    text=st.sampled_from(["h1", "h0"]),
)
LEDGERS = st.lists(ENTRIES, max_size=12)


@given(LEDGERS, st.randoms(use_true_random=False))
def test_what_stands_does_not_depend_on_the_order_of_the_rows(
    ledger: list[Entry], dice: object
) -> None:
    mixed = list(ledger)
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    words = {key: (found.at, found.word) for key, found in standing(ledger).items()}
    again = {key: (found.at, found.word) for key, found in standing([*mixed, *ledger]).items()}
    assert again == words


@given(LEDGERS)
def test_what_stands_is_the_fold_one_row_after_the_other(ledger: list[Entry]) -> None:
    one_by_one: list[Entry] = []
    for row in ledger:
        one_by_one = list(standing([*one_by_one, row]).values())
    assert {(e.at, e.word) for e in one_by_one} == {
        (e.at, e.word) for e in standing(ledger).values()
    }


@given(LEDGERS, st.sampled_from(["no", "withdrawn"]), st.sampled_from(["", "amina", "bongi"]))
def test_after_a_guardian_s_no_nobody_asks(ledger: list[Entry], word: str, person: str) -> None:
    last = entry(word, 6)
    for texts in (None, NOW):
        assert isinstance(may_ask([*ledger, last], "help", texts, child="c", person=person), No)


@given(LEDGERS)
def test_older_rows_undo_nothing(ledger: list[Entry]) -> None:
    newest = [entry("withdrawn", 9), entry("yes", 9, person="bongi")]
    assert standing([*newest, *ledger])["c", "amina", "help"].word == "withdrawn"
    assert standing([*newest, *ledger])["c", "bongi", "help"].word == "yes"


@given(LEDGERS, st.sampled_from(["", "amina", "bongi"]))
def test_a_yes_rests_on_a_row_that_fits(ledger: list[Entry], person: str) -> None:
    found = may_ask(ledger, "help", NOW, child="c", person=person)
    if isinstance(found, Yes):
        row = found.entry
        assert (row.child, row.purpose, row.word) == ("c", "help", "yes")
        assert NOW.fit(row)
        assert any(e.capacity == COMPETENT and e.word == "yes" for e in ledger)
        assert person in ("", row.person)


@pytest.mark.parametrize(
    ("ledger", "person", "reason"),
    [
        ([], "", "none"),
        ([], "amina", "none"),
        ([entry(purpose="research")], "", "none"),
        ([entry(child="d")], "", "none"),
        ([entry(capacity="carer")], "", "not_guardian"),
        ([entry(capacity="carer")], "amina", "not_guardian"),
        ([entry("no")], "amina", "refused"),
        ([entry("no")], "", "refused"),
        ([entry(), entry("withdrawn", 1)], "", "withdrawn"),
        ([entry(), entry("withdrawn", 1)], "amina", "withdrawn"),
        ([entry(), entry("withdrawn", person="bongi")], "amina", "withdrawn"),
        ([entry(), entry("no", 2, person="x"), entry("withdrawn", 1, person="y")], "", "refused"),
        ([entry(text="h0")], "", "old_text"),
        ([entry(text="h0"), entry(person="bongi")], "amina", "old_text"),
        ([entry(), entry(person="bongi", capacity="carer", text="h0")], "bongi", "old_text"),
        ([entry(text="")], "", "old_text"),
        ([entry(language="xh")], "", "old_text"),
    ],
)
def test_why_nobody_may_ask(ledger: list[Entry], person: str, reason: str) -> None:
    for order in permutations(ledger):
        assert may_ask(order, "help", NOW, child="c", person=person) == No(reason=reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ledger", "person", "rests_on"),
    [
        ([entry()], "", "amina"),
        ([entry()], "amina", "amina"),
        ([entry("withdrawn", 1), entry("yes", 2)], "", "amina"),
        ([entry(), entry(person="bongi", capacity="carer")], "bongi", "bongi"),
        ([entry(), entry("withdrawn", person="bongi", capacity="carer")], "", "amina"),
        ([entry(text="h0"), entry(person="bongi")], "", "bongi"),
    ],
)
def test_who_may_be_asked(ledger: list[Entry], person: str, rests_on: str) -> None:
    found = may_ask(ledger, "help", NOW, child="c", person=person)
    assert isinstance(found, Yes)
    assert found.entry.person == rests_on


def test_at_the_same_moment_the_more_careful_word_counts() -> None:
    for order in permutations([entry("yes"), entry("no"), entry("withdrawn")]):
        assert standing(order)["c", "amina", "help"].word == "withdrawn"


def test_words_that_mean_the_same_and_any_words_will_do() -> None:
    old = [entry(text="h0")]
    same = replace(NOW, same=frozenset({"h0"}))
    assert isinstance(may_ask(old, "help", same, child="c"), Yes)
    assert isinstance(may_ask(old, "help", None, child="c", person="amina"), Yes)


def test_a_yes_to_partners_is_to_those_who_were_named() -> None:
    told = entry(purpose="partners", text="p1", partners="list1")
    assert NOW.fit(told)
    assert not NOW.fit(replace(told, partners="list0"))
    assert partners_version(["b", "a"]) == partners_version(["a", "b"]) != partners_version(["a"])


def test_what_is_to_be_asked_again() -> None:
    ledger = [
        entry(text="h0"),
        entry(purpose="partners", text="p0"),
        entry(purpose="research", text="r1"),
        entry(child="d", purpose="research", text="r0"),
        entry("no", child="d", text="h0"),
        entry(person="bongi", text="h0"),
        entry(purpose="contact", text=""),
    ]
    assert stale(ledger, NOW, person="amina") == {"c": ("help", "partners"), "d": ("research",)}
    assert stale(ledger, NOW, person="nobody") == {}


def test_what_she_can_take_back_and_whether_we_may_write() -> None:
    ledger = [
        entry(),
        entry(child="d"),
        entry("no", purpose="partners"),
        entry(purpose="contact"),
        entry(purpose="research", person="bongi"),
    ]
    assert agreed(ledger, person="amina") == {"help": ("c", "d"), "contact": ("c",)}
    assert may_write(ledger, child="c", person="amina")
    assert not may_write(
        [*ledger, entry("withdrawn", 1, purpose="contact")], child="c", person="amina"
    )
    assert not may_write(ledger, child="d", person="amina")


def test_she_is_reminded_of_what_she_began_until_she_says_no() -> None:
    yes = [entry(), entry(purpose="contact", child="d")]
    assert may_remind(yes, child="c", person="amina")
    assert may_remind(yes, child="d", person="amina")
    for word in ("no", "withdrawn"):
        ledger = [*yes, entry(word, 1, purpose="contact")]
        assert not may_remind(ledger, child="c", person="amina")
        assert may_remind(ledger, child="c", person="thoko")
        assert may_remind([*ledger, entry(minutes=2, purpose="contact")], child="c", person="amina")


def test_the_digest_tells_words_apart() -> None:
    texts = {f"enrolment/{name}:label": name for name in ("who_we_are", "who_sees", "consent_help")}
    assert digests(texts) == {purpose: digest(texts, purpose) for purpose in ASKED}
    assert len(digest(texts, "help")) == 16
    changed = {**texts, "enrolment/who_sees:label": "other"}
    assert all(digest(changed, p) != digest(texts, p) for p in ASKED)
    asked = {**texts, "enrolment/consent_help:label": "other"}
    assert [p for p in ASKED if digest(asked, p) != digest(texts, p)] == ["help"]
    assert digests({**texts, "caregiver/x:label": "other"}) == digests(texts)
