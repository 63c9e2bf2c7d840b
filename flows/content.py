"""Faults in what authors write, and YAML read so that each fault can name its line.

Only plain YAML is taken: text, lists and mappings. Tags, anchors and repeated keys are faults, and
every scalar stays the text it is, so that the code `no` is not read as "false".
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import yaml
from typing_extensions import override

MAX_LEVELS = 8
"""How deep lists and mappings may stand inside each other; a questionnaire needs four."""

CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""What a code looks like: it stands in databases, exports and button payloads."""

Tree = str | list["Tree"] | dict[str, "Tree"]
Path = tuple[str | int, ...]


class ErrorCode(StrEnum):
    """What is wrong with a questionnaire; `docs/authoring.md` has an example and a fix of each."""

    BAD_YAML = "BAD_YAML"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    STRUCTURE = "STRUCTURE"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    MISSING_VALUE = "MISSING_VALUE"
    BAD_VALUE = "BAD_VALUE"
    BAD_CODE = "BAD_CODE"
    DUPLICATE_NAME = "DUPLICATE_NAME"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    MISPLACED = "MISPLACED"
    MISSING_LABEL = "MISSING_LABEL"
    MISSING_CALCULATION = "MISSING_CALCULATION"
    UNKNOWN_LIST = "UNKNOWN_LIST"
    NO_ROSTER = "NO_ROSTER"
    CHOICE_COUNT = "CHOICE_COUNT"
    SAME_WORDS = "SAME_WORDS"
    RESERVED_WORD = "RESERVED_WORD"
    BAD_EXPRESSION = "BAD_EXPRESSION"
    UNKNOWN_FUNCTION = "UNKNOWN_FUNCTION"
    UNKNOWN_REFERENCE = "UNKNOWN_REFERENCE"
    FORWARD_REFERENCE = "FORWARD_REFERENCE"
    UNKNOWN_PLACEHOLDER = "UNKNOWN_PLACEHOLDER"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    BAD_GROUP = "BAD_GROUP"
    GROUP_SIZE = "GROUP_SIZE"
    GROUP_TYPE = "GROUP_TYPE"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ContentError:
    """One fault, told so that the author can mend it.

    Attributes:
        file: The file as the caller named it.
        line: Its line, from 1.
        code: What kind of fault.
        found: What stands there.
        fix: What to do.
    """

    file: str
    line: int
    code: ErrorCode
    found: str
    fix: str

    @override
    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.found}. Fix: {self.fix}"


@dataclass(slots=True)
class Source:
    """One file being read: where things stand, and the faults found so far."""

    file: str
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[ContentError] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest thing around it that has one; 1 at the top."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, code: ErrorCode, at: Path | int, found: str, fix: str) -> None:
        """Note a fault at a path or a line."""
        line = at if isinstance(at, int) else self.line(at)
        self.faults.append(ContentError(file=self.file, line=line, code=code, found=found, fix=fix))

    def bad_code(self, at: Path, name: str) -> None:
        """Note a name that is no code."""
        self.fault(
            ErrorCode.BAD_CODE,
            at,
            f"the name {name!r}",
            "Begin with a small letter, then small letters, digits and _, at most 32.",
        )

    def duplicate(self, at: Path, name: str) -> None:
        """Note a name that is taken."""
        self.fault(
            ErrorCode.DUPLICATE_NAME, at, f"{name} for the second time", "Give it another name."
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that offers the known words most like `word`, or all of them."""
    words = sorted(known)
    return f"Use one of: {', '.join(difflib.get_close_matches(word, words) or words)}."


def read_yaml(text: str, source: Source) -> Tree | None:
    """The document as plain values, its lines noted in `source`; None if it cannot be read."""
    try:
        if not _plain(text, source):
            return None
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "a character YAML does not allow"
        source.fault(
            ErrorCode.BAD_YAML,
            mark.line + 1 if mark else 1,
            str(problem),
            "Check indentation, colons and quotes there and in the line above.",
        )
        return None
    return "" if node is None else _tree(node, (), source)


def _plain(text: str, source: Source) -> bool:
    """Whether the document is free of tags and anchors and not too deep; else a fault says so."""
    level = 0
    # Before composing: that recurses, and what is nested deep enough would end the process.
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        found = ""
        if getattr(event, "anchor", None) is not None:
            found = "an anchor or alias (& or *)"
        elif getattr(event, "tag", None) is not None:
            found = "a tag (!)"
        elif level > MAX_LEVELS:
            found = f"more than {MAX_LEVELS} levels"
        if found:
            source.fault(
                ErrorCode.BAD_YAML,
                int(getattr(event.start_mark, "line", 0)) + 1,
                found,
                "Write it out as plain text; put text that begins with & * or ! in quotes.",
            )
            return False
    return True


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _tree(node: yaml.Node, path: Path, source: Source) -> Tree:
    source.lines.setdefault(path, _line(node))
    if isinstance(node, yaml.SequenceNode):
        return [_tree(item, (*path, i), source) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, source)
    return "" if node.tag.endswith(":null") else str(node.value).strip()


def _mapping(node: yaml.MappingNode, path: Path, source: Source) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for key, value in node.value:
        line = _line(key)
        name = str(key.value).strip() if isinstance(key, yaml.ScalarNode) else ""
        if not name:
            source.fault(ErrorCode.STRUCTURE, line, "a key that is no word", "Write `word: text`.")
        elif name in found:
            source.fault(
                ErrorCode.DUPLICATE_KEY, line, f"{name} for the second time", "Keep one of them."
            )
        else:
            source.lines[(*path, name)] = line
            found[name] = _tree(value, (*path, name), source)
    return found
