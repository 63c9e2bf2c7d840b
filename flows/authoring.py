"""From an author's YAML, in XLSForm words, to a form, with every fault named at once.

The format is explained in `docs/authoring.md`. Nothing here opens a file.
Source of the words: XLSForm specification (xlsform.org), of which this is a part.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flows.choices import Lists, read_lists
from flows.content import CODE, ContentError, ErrorCode, Path, Source, Tree, nearest, read_yaml
from flows.expressions import (
    Expression,
    ExpressionError,
    UnknownFunctionError,
    compile_expression,
    references,
)
from flows.forms import TITLE, Form, dump, load, messages, version
from flows.questionnaire import Item, Questionnaire
from flows.rows import (
    ELSEWHERE,
    ITEM_TYPES,
    TYPES,
    Row,
    Settings,
    check,
    check_about,
    read_settings,
)

__all__ = ["ContentError", "ErrorCode", "Form", "dump", "load", "messages", "read"]

MAX_PACK = 6
"""More than six answers in one SMS are not told apart reliably."""

_PARTS = ("settings", "survey", "choices")
_COMPARED = re.compile(
    r"(?:selected\(\s*\$\{\s*(\w+)\s*\}\s*,|\$\{\s*(\w+)\s*\}\s*!?=)\s*(?:'([^']+)'|\"([^\"]+)\")"
)
_HARMLESS = frozenset(
    (
        ErrorCode.MISSING_LABEL,
        ErrorCode.CHOICE_COUNT,
        ErrorCode.SAME_WORDS,
        ErrorCode.RESERVED_WORD,
        ErrorCode.UNKNOWN_PLACEHOLDER,
        ErrorCode.UNKNOWN_CODE,
        ErrorCode.GROUP_SIZE,
        ErrorCode.GROUP_TYPE,
        ErrorCode.NO_ROSTER,
    )
)
"""Faults that leave every item whole: there is a form to look at beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A row, its place in the survey, and the group around it."""

    row: Row
    place: int
    group: "_Entry | None" = None

    @property
    def path(self) -> Path:
        return ("survey", self.place)

    @property
    def shown(self) -> int:
        """The place at which its text is shown: a group's texts are shown together."""
        return self.group.place if self.group else self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Survey:
    """What rules and texts may mention, and where faults go."""

    source: Source
    context: tuple[str, ...]
    lists: Lists
    entries: Mapping[str, _Entry]
    unread: frozenset[str]


def read(
    text: str, *, file: str, reserved: frozenset[str] = frozenset()
) -> tuple[Form | None, tuple[ContentError, ...]]:
    """Read a questionnaire.

    Args:
        text: The YAML.
        file: What to call it in faults.
        reserved: Words no choice may use, because they are commands at any time.

    Returns:
        The form, or None where a fault leaves its structure in doubt; and every fault, by line. A
        form that comes with faults is there to be looked at, not to be asked.
    """
    source = Source(file=file)
    tree = read_yaml(text, source)
    form = None if tree is None else _read(tree, source, reserved)
    if any(fault.code not in _HARMLESS for fault in source.faults):
        form = None
    # A choice or a group is looked at once for each item: its fault is told once.
    told = {(fault.line, fault.code, fault.found): fault for fault in reversed(source.faults)}
    return form, tuple(sorted(told.values()))


def _read(tree: Tree, source: Source, reserved: frozenset[str]) -> Form | None:
    if not isinstance(tree, dict):
        fix = "Write settings:, survey: and choices:."
        source.fault(ErrorCode.STRUCTURE, (), "no questionnaire", fix)
        return None
    for key in sorted(tree.keys() - set(_PARTS)):
        source.fault(ErrorCode.UNKNOWN_KEY, (key,), f"the key {key}", nearest(key, _PARTS))
    settings, context = read_settings(tree.get("settings", {}), source)
    lists = read_lists(tree.get("choices", {}), source, reserved)
    rows = tree.get("survey")
    if not isinstance(rows, list) or not rows:
        fix = "Write `survey:` and under it a list of rows."
        source.fault(ErrorCode.STRUCTURE, ("survey",), "no survey", fix)
        rows = []
    entries, unread = _entries(rows, source)
    survey = _Survey(
        source=source,
        context=context,
        lists=lists,
        entries=_named(entries, context, source),
        unread=unread,
    )
    items = tuple(_item(entry, survey) for entry in entries if entry.row.kind != "begin_group")
    return None if settings is None else _form(settings, items, survey)


# Rows, groups and names.


def _entries(rows: Sequence[Tree], source: Source) -> tuple[list[_Entry], frozenset[str]]:
    """Rows that could be read, groups first and then their items; names of those that could not."""
    entries: list[_Entry] = []
    unread: set[str] = set()
    open_groups: list[_Entry] = []
    for place, tree in enumerate(rows):
        row = check(Row, tree, ("survey", place), source)
        if row is None:
            unread.add(str(tree.get("name", "")) if isinstance(tree, dict) else "")
            continue
        entry = _Entry(row=row, place=place, group=open_groups[0] if open_groups else None)
        _check_columns(entry, source)
        if row.kind == "begin_group":
            _check_begin(entry, source)
            open_groups.append(entry)
        if row.kind != "end_group":
            entries.append(entry)
        elif open_groups:
            _check_size(open_groups.pop(), entries, source)
        else:
            fix = "Remove it, or write the begin_group above."
            source.fault(ErrorCode.BAD_GROUP, entry.path, "end_group without begin_group", fix)
    for entry in open_groups:
        found = f"the group {entry.row.name} does not end"
        source.fault(ErrorCode.BAD_GROUP, entry.path, found, "Write `- type: end_group` after it.")
    return entries, frozenset(unread - {""})


def _check_columns(entry: _Entry, source: Source) -> None:
    row = entry.row
    if row.list_name and not row.kind.startswith("select_"):
        found = f"{row.list_name!r} after the type {row.kind}"
        source.fault(ErrorCode.UNKNOWN_TYPE, (*entry.path, "type"), found, "Only a select has it.")
    wrong = row.misplaced
    if row.constraint_message and not row.constraint:
        wrong.append("constraint_message")
    for column in wrong:
        found = f"{column} on a row of type {row.kind}"
        if column == "constraint_message" and column not in row.misplaced:
            found = "constraint_message without constraint"
        fix = "Remove it, or see which columns a type takes in docs/authoring.md."
        source.fault(ErrorCode.MISPLACED, (*entry.path, column), found, fix)


def _check_begin(entry: _Entry, source: Source) -> None:
    if entry.group:
        found = f"a group inside the group {entry.group.row.name}"
        source.fault(ErrorCode.BAD_GROUP, entry.path, found, "End the first one before it.")
    if entry.row.appearance != "field-list":
        found = f"a group with appearance {entry.row.appearance!r}"
        fix = "Write `appearance: field-list`: its questions are asked in one SMS."
        source.fault(ErrorCode.BAD_VALUE, (*entry.path, "appearance"), found, fix)


def _check_size(group: _Entry, entries: Sequence[_Entry], source: Source) -> None:
    size = sum(entry.group is group for entry in entries)
    if not 1 <= size <= MAX_PACK and group.group is None:
        found = f"{size} items in the group {group.row.name}"
        fix = f"Put 1 to {MAX_PACK} into a group; make two groups of more."
        source.fault(ErrorCode.GROUP_SIZE, group.path, found, fix)


def _named(entries: Sequence[_Entry], context: Sequence[str], source: Source) -> dict[str, _Entry]:
    """Entries by name; names are codes, and no two things share one."""
    taken: set[str] = set()
    for place, name in enumerate(context):
        _check_name(name, ("settings", "context", place), taken, source)
    named: dict[str, _Entry] = {}
    for entry in entries:
        if "name" in entry.row.model_fields_set:
            _check_name(entry.row.name, (*entry.path, "name"), taken, source)
            named.setdefault(entry.row.name, entry)
        else:
            found = f"a row of type {entry.row.kind} without a name"
            source.fault(ErrorCode.MISSING_VALUE, entry.path, found, "Add `name: ...`.")
    return named


def _check_name(name: str, at: Path, taken: set[str], source: Source) -> None:
    if not CODE.fullmatch(name):
        source.bad_code(at, name)
    if name in taken:
        source.duplicate(at, name)
    taken.add(name)


# Items.


def _item(entry: _Entry, survey: _Survey) -> Item:
    row = entry.row
    _check_type(entry, survey)
    _check_texts(entry, survey)
    if row.kind == "calculate" and not row.calculation:
        found = f"{row.name} calculates nothing"
        fix = "Add `calculation: ...`."
        survey.source.fault(ErrorCode.MISSING_CALCULATION, entry.path, found, fix)
    listed = row.list_name if row.kind not in ELSEWHERE else ""
    return Item(
        name=row.name,
        type=ITEM_TYPES.get(row.kind, "text"),
        list_name=listed,
        choices=tuple(placed.choice.name for placed in survey.lists.get(listed, ())),
        about=row.about,
        required=row.required in ("yes", "true"),
        relevant=_relevant(entry, survey),
        constraint=_rule(row.constraint, entry, "constraint", survey),
        calculation=_rule(row.calculation, entry, "calculation", survey),
        pack=entry.group.row.name if entry.group else "",
        line=survey.source.line(entry.path),
    )


def _check_type(entry: _Entry, survey: _Survey) -> None:
    kind, listed = entry.row.kind, entry.row.list_name
    at = (*entry.path, "type")
    fault = survey.source.fault
    if kind not in ITEM_TYPES:
        fault(ErrorCode.UNKNOWN_TYPE, at, f"the type {entry.row.type!r}", nearest(kind, TYPES))
        return
    if kind in ELSEWHERE:
        wanted, context = ELSEWHERE[kind]
        if listed != wanted:
            fix = f"Write `{kind} {wanted}`: that list is the only one."
            fault(ErrorCode.UNKNOWN_LIST, at, f"the list {listed!r}", fix)
        if context not in survey.context:
            fix = f"Add `context: [{context}]` to settings."
            fault(ErrorCode.NO_ROSTER, at, f"a question about {wanted} without the list", fix)
    elif kind.startswith("select_") and listed not in survey.lists:
        fix = nearest(listed, survey.lists) if survey.lists else "Write it under `choices:`."
        fault(ErrorCode.UNKNOWN_LIST, at, f"the list {listed!r}", fix)
    if entry.group and kind not in ("select_one", "integer"):
        fix = "Only select_one and integer can be answered together; move it out of the group."
        fault(ErrorCode.GROUP_TYPE, at, f"{kind} in a group", fix)


def _check_texts(entry: _Entry, survey: _Survey) -> None:
    row = entry.row
    if not row.label and row.kind != "calculate":
        fix = "Add `label: ...`."
        survey.source.fault(ErrorCode.MISSING_LABEL, entry.path, f"no label on {row.name}", fix)
    for column in ("label", "hint", "constraint_message"):
        _check_placeholders(getattr(row, column), (*entry.path, column), entry, survey)
    for placed in survey.lists.get(row.list_name, ()):
        _check_placeholders(placed.choice.label, (*placed.path, "label"), entry, survey)


def _check_placeholders(text: str, at: Path, entry: _Entry, survey: _Survey) -> None:
    for name in references(text):
        _check_mention(name, at, survey, before=entry.shown, unknown=ErrorCode.UNKNOWN_PLACEHOLDER)


def _relevant(entry: _Entry, survey: _Survey) -> Expression | None:
    """The rule of the item and of its group, whichever there are."""
    own = _rule(entry.row.relevant, entry, "relevant", survey)
    if entry.group is None:
        return own
    group = _rule(entry.group.row.relevant, entry.group, "relevant", survey)
    if own is None or group is None:
        return own or group
    return _rule(f"({group.source}) and ({own.source})", entry, "relevant", survey)


def _rule(text: str, entry: _Entry, column: str, survey: _Survey) -> Expression | None:
    """An expression, its mentions checked; None where there is none or it cannot be read."""
    if not text:
        return None
    at = (*entry.path, column)
    try:
        rule = compile_expression(text)
    except UnknownFunctionError as error:
        survey.source.fault(ErrorCode.UNKNOWN_FUNCTION, at, error.found, error.fix)
        return None
    except ExpressionError as error:
        survey.source.fault(ErrorCode.BAD_EXPRESSION, at, error.found, error.fix)
        return None
    for name in rule.refs:
        _check_mention(name, at, survey, before=entry.place, unknown=ErrorCode.UNKNOWN_REFERENCE)
    for match in _COMPARED.finditer(text):
        _check_compared(match[1] or match[2], match[3] or match[4], at, survey)
    return rule


def _check_mention(
    name: str, at: Path, survey: _Survey, *, before: int, unknown: ErrorCode
) -> None:
    """Whether `${name}` has a value at the place `before`."""
    if name in survey.context or name in survey.unread:
        return
    entry = survey.entries.get(name)
    if entry is None or entry.row.kind in ("note", "begin_group"):
        answers = [
            other
            for other, known in survey.entries.items()
            if known.place < before and known.row.kind not in ("note", "begin_group")
        ]
        fix = nearest(name, (*survey.context, *answers))
        survey.source.fault(unknown, at, f"${{{name}}}, which has no answer", fix)
    elif entry.place >= before:
        fix = "Mention only what is answered before; in a constraint `.` is the item's own answer."
        found = f"${{{name}}}, which is not answered yet"
        survey.source.fault(ErrorCode.FORWARD_REFERENCE, at, found, fix)


def _check_compared(name: str, code: str, at: Path, survey: _Survey) -> None:
    """Whether a code that an answer is compared with is one of its choices."""
    entry = survey.entries.get(name)
    choices = survey.lists.get(entry.row.list_name, ()) if entry else ()
    codes = [placed.choice.name for placed in choices]
    if codes and code not in codes:
        found = f"{code!r}, which {name} cannot be"
        survey.source.fault(ErrorCode.UNKNOWN_CODE, at, found, nearest(code, codes))


# The form.


def _form(settings: Settings, items: tuple[Item, ...], survey: _Survey) -> Form:
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}

    def add(address: str, text: str, at: Path) -> None:
        if text:
            texts[address] = text
            lines[address] = survey.source.line(at)

    if settings.is_learning:
        check_about(((entry.path, entry.row) for entry in survey.entries.values()), survey.source)
        items = tuple(replace(item, about="self") for item in items)
        add(f"{settings.form_id}/{TITLE}", settings.form_title, ("settings", "form_title"))
    for name, entry in survey.entries.items():
        for column in ("label", "hint", "constraint_message"):
            address = f"{settings.form_id}/{name}:{column}"
            add(address, getattr(entry.row, column), (*entry.path, column))
    for list_name, listed in survey.lists.items():
        for placed in listed:
            address = f"{settings.form_id}/{list_name}/{placed.choice.name}"
            add(f"{address}:label", placed.choice.label, (*placed.path, "label"))
            add(f"{address}:accept", placed.choice.accept, (*placed.path, "accept"))
    questionnaire = Questionnaire(
        form_id=settings.form_id,
        version="",
        informant=settings.informant,
        items=items,
        context=settings.context,
        index={item.name: place for place, item in enumerate(items)},
    )
    hashed = version(questionnaire, texts, settings.default_language)
    return Form(
        questionnaire=replace(questionnaire, version=hashed),
        texts=texts,
        title=settings.form_title,
        default_language=settings.default_language,
        source=settings.source,
        licence=settings.licence,
        lines=lines,
        audience=settings.audience,
    )
