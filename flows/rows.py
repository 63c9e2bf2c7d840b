"""The shape of a questionnaire file as pydantic reads it: settings, survey rows, choices."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from flows.content import CODE, ErrorCode, Path, Source, Tree, nearest
from flows.forms import Audience
from flows.questionnaire import LANGUAGE, LEARNING, OFFERED, About, Informant, ItemType

ROSTER = "select_multiple_from_file"
"""XLSForm's name for choices that come from a list kept elsewhere: ours is the class roster."""

LANGUAGES = "select_one_from_file"
"""The same for one choice: ours are the languages on offer."""

ELSEWHERE: Mapping[str, tuple[str, str]] = {
    ROSTER: ("roster", "roster"),
    LANGUAGES: ("languages", OFFERED),
}
"""Types whose choices are kept elsewhere: the one list each may name, and the context value that
brings it."""

ITEM_TYPES: Mapping[str, ItemType] = {
    "select_one": "select_one",
    "select_multiple": "select_multiple",
    ROSTER: "select_multiple_from_roster",
    LANGUAGES: LANGUAGE,
    "integer": "integer",
    "decimal": "decimal",
    "text": "text",
    "date": "date",
    "note": "note",
    "calculate": "calculate",
}
"""Types of rows that become items."""
TYPES: tuple[str, ...] = (*ITEM_TYPES, "begin_group", "end_group")
"""Every type a row may have; `docs/authoring.md` explains each."""

_ASKED = frozenset(
    ("name", "label", "hint", "relevant", "constraint", "constraint_message", "required", "about")
)
_COLUMNS: Mapping[str, frozenset[str]] = {
    "note": frozenset(("name", "label", "relevant", "about")),
    "calculate": frozenset(("name", "calculation", "relevant", "about")),
    "begin_group": frozenset(("name", "relevant", "appearance")),
    "end_group": frozenset(),
}

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Model(BaseModel):
    """Text becoming data: a key that is not declared is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Settings(Model):
    """The `settings` of a file."""

    form_id: str
    form_title: str
    informant: Informant
    default_language: str
    source: str
    licence: str
    context: tuple[str, ...] = ()
    audience: tuple[Audience, ...] = ()

    @property
    def is_learning(self) -> bool:
        """Whether it is practice or a lesson."""
        return self.informant in LEARNING


class Row(Model):
    """A row of the `survey`."""

    type: str
    name: str = ""
    label: str = ""
    hint: str = ""
    relevant: str = ""
    constraint: str = ""
    constraint_message: str = ""
    required: Literal["yes", "no", "true", "false"] = "no"
    calculation: str = ""
    about: About = "child"
    appearance: str = ""

    @property
    def kind(self) -> str:
        """The type without the name of its list."""
        return self.type.partition(" ")[0]

    @property
    def list_name(self) -> str:
        """The name of the list after the type, else empty."""
        return self.type.partition(" ")[2].strip()

    @property
    def misplaced(self) -> list[str]:
        """Columns it has although its type has no use for them."""
        return sorted(self.model_fields_set - _COLUMNS.get(self.kind, _ASKED) - {"type"})


class Choice(Model):
    """A row of a list in `choices`."""

    name: str
    label: str = ""
    accept: str = ""


M = TypeVar("M", bound=Model)


def check(model: type[M], tree: Tree, path: Path, source: Source) -> M | None:
    """`tree` as a `model`, every fault noted; None where what is left is not enough.

    A key at fault is put aside and the rest taken, so that later checks still see the row.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        details = error.errors(include_url=False)
    for detail in details:
        _fault(model, detail, path, source)
    if not isinstance(tree, dict):
        return None
    bad = {detail["loc"][0] for detail in details}
    try:
        return model.model_validate({key: tree[key] for key in tree if key not in bad})
    except ValidationError:
        return None


def read_settings(tree: Tree, source: Source) -> tuple[Settings | None, tuple[str, ...]]:
    """The settings, and their context even where something else in them is at fault."""
    path: Path = ("settings",)
    settings = check(Settings, tree, path, source)
    if settings is None:
        named = tree.get("context") if isinstance(tree, dict) else None
        return None, tuple(str(name) for name in named) if isinstance(named, list) else ()
    if not CODE.fullmatch(settings.form_id):
        source.bad_code((*path, "form_id"), settings.form_id)
    if not _LANGUAGE.fullmatch(settings.default_language):
        found = f"default_language is {settings.default_language!r}"
        fix = "Use a language tag such as en or zu."
        source.fault(ErrorCode.BAD_VALUE, (*path, "default_language"), found, fix)
    told = {
        "form_title": settings.form_title,
        "source": settings.source,
        "licence": settings.licence,
    }
    for key in [key for key, text in told.items() if not text]:
        source.fault(ErrorCode.MISSING_VALUE, (*path, key), f"no {key}", f"Add `{key}: ...`.")
    addressed = isinstance(tree, dict) and bool(tree.get("audience"))
    if settings.is_learning and not addressed:
        fix = "Add `audience: [caregiver]`, or teacher and staff: whom it is for."
        source.fault(ErrorCode.MISSING_VALUE, path, "no audience", fix)
    if addressed and not settings.is_learning:
        found, fix = f"audience for the informant {settings.informant}", "Remove it."
        source.fault(ErrorCode.MISPLACED, (*path, "audience"), found, fix)
    return settings, settings.context


def check_about(rows: Iterable[tuple[Path, Row]], source: Source) -> None:
    """Note every row of practice or a lesson that says whom it is about: it is about nobody."""
    for path, row in rows:
        if "about" in row.model_fields_set:
            found, fix = f"about on the row {row.name}", "Remove it: a lesson is about nobody."
            source.fault(ErrorCode.MISPLACED, (*path, "about"), found, fix)


def _fault(model: type[Model], detail: ErrorDetails, path: Path, source: Source) -> None:
    """One of pydantic's errors in the author's terms."""
    at = (*path, *detail["loc"])
    column = str(at[-1])
    match detail["type"]:
        case "extra_forbidden":
            code, found, fix = (
                ErrorCode.UNKNOWN_KEY,
                f"the key {column}",
                nearest(column, model.model_fields),
            )
        case "missing":
            code, found, fix = (
                ErrorCode.MISSING_VALUE,
                f"no {column}",
                f"Add `{column}: ...`.",
            )
        case "literal_error":
            code, found, fix = (
                ErrorCode.BAD_VALUE,
                f"{column} is {detail['input']!r}",
                f"Use {detail['ctx']['expected']}.",
            )
        case _:
            code, found, fix = (
                ErrorCode.STRUCTURE,
                f"{column} is not written as it should be",
                "Write `key: text` for a value, [one, two] for context, and a row as such pairs.",
            )
    source.fault(code, at, found, fix)
