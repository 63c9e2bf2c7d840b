"""The guards: automatic replies, floods, and kind words once an hour."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.guard import (
    MOST,
    MOST_A_DAY,
    SAME,
    Guard,
    Verdict,
    answers_from,
    arrived,
    kindly,
    moved,
    read,
    stored,
)

NOW = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)


def run(*marks: str, every: int = 20, rated: bool = True, steps: bool = False) -> list[Verdict]:
    """What comes of these marks, `every` seconds one; `steps`: each says something new."""
    guard, verdicts = Guard(), []
    for number, mark in enumerate(marks):
        at = NOW + timedelta(seconds=every * number)
        guard, verdict = arrived(guard, mark, at, rated=rated)
        guard = read(stored(moved(guard) if steps else guard))
        verdicts.append(verdict)
    return verdicts


def test_the_same_words_a_fourth_time_are_a_machine() -> None:
    assert run("a", "a", "a", "a", "a") == ["answer", "answer", "answer", "loop", "looping"]


def test_two_machines_that_take_turns_are_found_as_well() -> None:
    verdicts = run(*"abababab")
    assert verdicts[6:] == ["loop", "loop"]
    assert run(*"abababab", "a", "b", "c")[-3:] == ["looping", "looping", "answer"]


def test_other_words_are_answered_while_a_loop_is_not() -> None:
    assert run("a", "a", "a", "a", "b", "a") == [*["answer"] * 3, "loop", "answer", "looping"]


def test_the_same_answer_to_question_after_question_is_no_loop() -> None:
    assert set(run(*"1" * 12, steps=True)) == {"answer"}


def test_slowly_or_without_words_the_same_again_means_nothing() -> None:
    assert set(run(*"a" * 12, every=201)) == {"answer"}
    assert set(run(*[""] * 12)) == {"answer"}


def test_a_loop_ends_after_an_hour() -> None:
    guard, verdict = arrived(Guard(), "a", NOW, rated=True)
    for _ in range(SAME - 1):
        guard, verdict = arrived(guard, "a", NOW, rated=True)
    assert verdict == "loop"
    assert arrived(guard, "a", NOW + timedelta(minutes=59), rated=True)[1] == "looping"
    assert arrived(guard, "a", NOW + timedelta(minutes=60), rated=True)[1] == "answer"


def test_a_flood_is_told_once_and_ends_with_its_window() -> None:
    marks = [str(number) for number in range(MOST + 3)]
    assert run(*marks, every=1)[MOST - 1 :] == ["answer", "flood", "flooding", "flooding"]
    guard = Guard()
    for mark in marks:
        guard, _ = arrived(guard, mark, NOW, rated=True)
    assert answers_from(guard) == NOW + timedelta(minutes=10)
    assert arrived(guard, "x", NOW + timedelta(minutes=9), rated=True)[1] == "flooding"
    assert arrived(guard, "x", NOW + timedelta(minutes=10), rated=True)[1] == "answer"


def test_quick_answers_are_no_flood_but_a_day_has_an_end() -> None:
    marks = [str(number) for number in range(MOST_A_DAY + 1)]
    verdicts = run(*marks, every=5, steps=True)
    assert set(verdicts[:-1]) == {"answer"}
    assert verdicts[-1] == "flood"


def test_a_flood_of_a_day_lasts_until_the_day_is_over() -> None:
    guard, _ = arrived(Guard(), "a", NOW, rated=True)
    guard, verdict = arrived(
        Guard(day=guard.day, day_count=MOST_A_DAY), "b", NOW + timedelta(hours=5), rated=True
    )
    assert (verdict, answers_from(guard)) == ("flood", NOW + timedelta(days=1))


def test_floods_are_not_looked_for_where_alerts_are_answered() -> None:
    marks = [str(number) for number in range(MOST + 3)]
    assert set(run(*marks, every=1, rated=False)) == {"answer"}


def test_a_kind_word_comes_once_an_hour_and_again_after_a_step() -> None:
    guard = kindly(Guard(), NOW)
    assert guard is not None
    assert kindly(guard, NOW + timedelta(minutes=59)) is None
    assert kindly(guard, NOW + timedelta(minutes=60)) is not None
    assert kindly(moved(guard), NOW) is not None


@pytest.mark.parametrize("guard", [Guard(), Guard(said=(("a", 5),), looped=("a",), count=3)])
def test_it_comes_back_as_it_was_kept(guard: Guard) -> None:
    assert read(stored(guard)) == guard


def test_an_address_without_counts_begins_with_none() -> None:
    assert read(None) == Guard()


@given(st.lists(st.sampled_from("abc"), max_size=80), st.integers(0, 30))
def test_nobody_is_answered_without_end(marks: list[str], every: int) -> None:
    """However few words a machine has, within ten minutes it gets no more than the flood allows."""
    verdicts = run(*marks, every=every)
    within = verdicts[: 600 // every] if every else verdicts
    assert within.count("answer") <= MOST
