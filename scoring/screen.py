"""The class screen: from a teacher's list numbers to the learners to ask about one by one."""

from collections.abc import Mapping, Set

from scoring.ruleset import NAMED

TWICE = 2
"""A learner named in so many screen questions is asked about. Ours."""


def named(answers: Mapping[str, str]) -> Mapping[int, tuple[str, ...]]:
    """Which screen items each learner was named in.

    Args:
        answers: List numbers separated by spaces, by item; "0" or nothing for none.

    Returns:
        Items in alphabetical order by list number; learners never named are absent.
    """
    found: dict[int, list[str]] = {}
    for item in sorted(answers):
        for number in sorted(_numbers(answers[item])):
            found.setdefault(number, []).append(item)
    return {number: tuple(items) for number, items in found.items()}


def to_ask(
    named: Mapping[int, tuple[str, ...]],
    flagged: Set[int],
    consented: Set[int],
    *,
    done: Set[int],
    limit: int,
) -> tuple[int, ...]:
    """Learners the teacher should be asked about next, most often named first.

    Args:
        named: What `named` gave.
        flagged: List numbers of learners whose caregiver named a worry.
        consented: List numbers with consent; nobody else is ever asked about.
        done: List numbers already asked about in this wave.
        limit: The most learners to return.

    Returns:
        At most `limit` list numbers; equally often named ones in the order of the list.
    """
    twice = {number for number, items in named.items() if len(items) >= TWICE}
    wanted = ((twice | flagged) & consented) - done
    ordered = sorted(wanted, key=lambda number: (-len(named.get(number, ())), number))
    return tuple(ordered[: max(limit, 0)])


def screen_answers(answers: Mapping[str, str], list_number: int) -> Mapping[str, str | None]:
    """The class screen as one learner's answers: named, or None for "not noticed".

    Not being named is no answer: a teacher who notices nothing leaves the domain unknown.
    """
    return {
        item: NAMED if list_number in _numbers(value) else None for item, value in answers.items()
    }


def _numbers(value: str) -> set[int]:
    """The list numbers in an answer, without the 0 that means nobody."""
    return {int(word) for word in value.split() if word.isascii() and word.isdigit()} - {0}
