"""The choice lists of a questionnaire: read, and checked for what would confuse a reply."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.content import CODE, ErrorCode, Path, Source, Tree
from flows.replies import normalise, trim
from flows.rows import Choice, check

MIN_CHOICES = 2
MAX_CHOICES = 10
"""A WhatsApp list picker has ten rows (Twilio Content API, list-picker)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedChoice:
    """A choice and where it stands in the file."""

    choice: Choice
    path: Path


Lists = Mapping[str, tuple[PlacedChoice, ...]]


def read_lists(tree: Tree, source: Source, reserved: frozenset[str]) -> Lists:
    """The choice lists by name, faults noted.

    Args:
        tree: What stands under `choices`.
        source: The file, which takes the faults.
        reserved: Words that mean something else at any time (STOP, HELP).
    """
    path: Path = ("choices",)
    if not isinstance(tree, dict):
        if tree:
            source.fault(
                ErrorCode.STRUCTURE, path, "choices that are no lists", "Write `list_name:` first."
            )
        return {}
    commands = frozenset(trim(normalise(word)) for word in reserved)
    return {name: _list(rows, (*path, name), source, commands) for name, rows in tree.items()}


def words(choice: Choice) -> Iterator[str]:
    """What a person may type for a choice, as replies are compared."""
    for text in (choice.label, *choice.accept.split("|")):
        if word := trim(normalise(text)):
            yield word


def _list(
    rows: Tree, path: Path, source: Source, commands: frozenset[str]
) -> tuple[PlacedChoice, ...]:
    code = str(path[-1])
    if not CODE.fullmatch(code):
        source.bad_code(path, code)
    if not isinstance(rows, list):
        source.fault(
            ErrorCode.STRUCTURE,
            path,
            f"{code} is no list",
            "Write one `- {name: ..., label: ...}` for each choice.",
        )
        return ()
    if not MIN_CHOICES <= len(rows) <= MAX_CHOICES:
        source.fault(
            ErrorCode.CHOICE_COUNT,
            path,
            f"{len(rows)} choices in {code}",
            f"Offer {MIN_CHOICES} to {MAX_CHOICES}: more fit on no phone.",
        )
    found: list[PlacedChoice] = []
    for place, row in enumerate(rows):
        choice = check(Choice, row, (*path, place), source)
        if choice is not None:
            found.append(PlacedChoice(choice=choice, path=(*path, place)))
    _check_codes(found, source)
    _check_words(found, source, commands)
    return tuple(found)


def _check_codes(found: list[PlacedChoice], source: Source) -> None:
    seen: set[str] = set()
    for placed in found:
        name = placed.choice.name
        if not CODE.fullmatch(name):
            source.bad_code((*placed.path, "name"), name)
        if name in seen:
            source.duplicate((*placed.path, "name"), name)
        seen.add(name)
        if not placed.choice.label:
            source.fault(
                ErrorCode.MISSING_LABEL, placed.path, f"no label on {name}", "Add `label: ...`."
            )


def _check_words(found: list[PlacedChoice], source: Source, commands: frozenset[str]) -> None:
    """No word may mean two choices, the number of another choice, or a command."""
    owners = {str(place): placed for place, placed in enumerate(found, 1)}
    for placed in found:
        for word in words(placed.choice):
            if owners.setdefault(word, placed) is not placed:
                source.fault(
                    ErrorCode.SAME_WORDS,
                    placed.path,
                    f"{word!r} also means the choice {owners[word].choice.name}",
                    "Give each choice words of its own; a bare number is the place of a choice.",
                )
        for word in sorted({placed.choice.name, *words(placed.choice)} & commands):
            source.fault(
                ErrorCode.RESERVED_WORD,
                placed.path,
                f"{word!r}, which is a command at any time",
                "Use another word: whoever sends it would stop, get help or skip.",
            )
