from hypothesis import given
from hypothesis import strategies as st

from scoring.screen import named, screen_answers, to_ask

ANSWERS = {"screen_sad": "3 7", "screen_anger": "7", "screen_sick": "0", "screen_care": "7 3 12"}


def test_named_lists_the_items_of_each_learner() -> None:
    assert named(ANSWERS) == {
        3: ("screen_care", "screen_sad"),
        7: ("screen_anger", "screen_care", "screen_sad"),
        12: ("screen_care",),
    }


def test_nobody_and_words_are_no_list_numbers() -> None:
    assert named({"a": "0", "b": "", "c": "x -1 3.5 ²"}) == {}


def test_a_number_given_twice_counts_once() -> None:
    assert named({"a": "5 5"}) == {5: ("a",)}


def test_learners_named_twice_or_flagged_are_asked_about_most_named_first() -> None:
    everyone = {1, 3, 7, 12}
    found = to_ask(named(ANSWERS), {12, 1}, everyone, done=set(), limit=10)
    assert found == (7, 3, 12, 1)


def test_nobody_without_consent_and_nobody_twice() -> None:
    found = to_ask(named(ANSWERS), {1, 12}, {1, 7, 12}, done={7}, limit=10)
    assert found == (12, 1)


def test_named_once_is_not_asked_about() -> None:
    assert to_ask({12: ("screen_care",)}, set(), {12}, done=set(), limit=10) == ()


def test_at_most_as_many_as_the_limit() -> None:
    assert to_ask(named(ANSWERS), {1}, {1, 3, 7}, done=set(), limit=2) == (7, 3)
    assert to_ask(named(ANSWERS), {1}, {1, 3, 7}, done=set(), limit=-1) == ()


@given(
    st.dictionaries(st.integers(1, 60), st.lists(st.sampled_from("abcdefgh"), unique=True)),
    st.sets(st.integers(1, 60)),
    st.sets(st.integers(1, 60)),
    st.sets(st.integers(1, 60)),
    st.integers(0, 9),
)
def test_only_consented_learners_that_are_not_done(
    counts: dict[int, list[str]],
    flagged: set[int],
    consented: set[int],
    done: set[int],
    limit: int,
) -> None:
    lists = {number: tuple(items) for number, items in counts.items()}
    found = to_ask(lists, flagged, consented, done=done, limit=limit)
    assert len(found) <= limit
    assert len(set(found)) == len(found)
    assert set(found) <= consented - done


def test_one_learners_view_says_named_or_nothing() -> None:
    assert screen_answers(ANSWERS, 3) == {
        "screen_sad": "named",
        "screen_anger": None,
        "screen_sick": None,
        "screen_care": "named",
    }
    assert set(screen_answers(ANSWERS, 1).values()) == {None}
