"""A questionnaire with its source texts: its version, its stored form, what is translated."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict

from flows.expressions import Expression, compile_expression
from flows.questionnaire import About, Informant, Item, ItemType, Questionnaire

Audience = Literal["caregiver", "teacher", "staff"]
"""Whom practice and lessons are for: the kinds of people we know."""
TITLE = "menu:title"
"""Where the name of a practice or lesson stands among its texts: people choose it in a menu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What an author wrote.

    Attributes:
        questionnaire: Codes, types and rules.
        texts: The source texts by address (`flows.lexicon.Lexicon.texts`).
        title: What staff call it.
        default_language: BCP 47 tag of the source texts.
        source: Where the questions come from.
        licence: Under which terms they may be used.
        lines: The line of each text in the author's file, by address.
        audience: Of practice and lessons, whom they are for; else empty.
    """

    questionnaire: Questionnaire
    texts: Mapping[str, str]
    title: str
    default_language: str
    source: str
    licence: str
    lines: Mapping[str, int] = field(default_factory=dict)
    audience: tuple[Audience, ...] = ()


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _StoredItem(_Stored):
    name: str
    type: ItemType
    list_name: str
    choices: tuple[str, ...]
    about: About
    required: bool
    relevant: str | None
    constraint: str | None
    calculation: str | None
    pack: str
    line: int


class _StoredForm(_Stored):
    form_id: str
    version: str
    informant: Informant
    context: tuple[str, ...]
    title: str
    default_language: str
    source: str
    licence: str
    items: tuple[_StoredItem, ...]
    texts: dict[str, str]
    lines: dict[str, int]
    audience: tuple[Audience, ...] = ()


def version(questionnaire: Questionnaire, texts: Mapping[str, str], default_language: str) -> str:
    """The version of a definition: 16 hex digits over everything that gives an answer its meaning.

    Codes, types, rules, order, context and source texts count; lines, comments, layout, title,
    source, licence and audience do not. `questionnaire.version` is not read.
    """
    meaning = {
        "form_id": questionnaire.form_id,
        "informant": questionnaire.informant,
        "context": sorted(questionnaire.context),
        "default_language": default_language,
        "items": [_item(item).model_dump(exclude={"line"}) for item in questionnaire.items],
        "texts": dict(texts),
    }
    return sha256(_canonical(meaning).encode()).hexdigest()[:16]


def dump(form: Form) -> str:
    """The whole form as canonical JSON; `load` gives back an equal form of the same version."""
    questionnaire = form.questionnaire
    stored = _StoredForm(
        form_id=questionnaire.form_id,
        version=questionnaire.version,
        informant=questionnaire.informant,
        context=questionnaire.context,
        title=form.title,
        default_language=form.default_language,
        source=form.source,
        licence=form.licence,
        items=tuple(_item(item) for item in questionnaire.items),
        texts=dict(form.texts),
        lines=dict(form.lines),
        audience=form.audience,
    )
    # Without an audience it is stored as before there was one: an older release can read it.
    return _canonical(stored.model_dump(exclude=set() if form.audience else {"audience"}))


def load(text: str) -> Form:
    """The form that `dump` wrote. Raises ValueError on anything else.

    The version is the stored one: sessions are pinned to it, even if a later release hashes
    differently.
    """
    stored = _StoredForm.model_validate_json(text)
    items = tuple(
        Item(
            **item.model_dump(exclude={"relevant", "constraint", "calculation"}),
            relevant=_rule(item.relevant),
            constraint=_rule(item.constraint),
            calculation=_rule(item.calculation),
        )
        for item in stored.items
    )
    return Form(
        questionnaire=Questionnaire(
            form_id=stored.form_id,
            version=stored.version,
            informant=stored.informant,
            items=items,
            context=stored.context,
            index={item.name: place for place, item in enumerate(items)},
        ),
        texts=stored.texts,
        title=stored.title,
        default_language=stored.default_language,
        source=stored.source,
        licence=stored.licence,
        lines=stored.lines,
        audience=stored.audience,
    )


def messages(form: Form) -> list[tuple[int, str, str]]:
    """What translators get: (line, address as msgctxt, source text as msgid), in file order."""
    found = [(form.lines.get(address, 0), address, text) for address, text in form.texts.items()]
    return sorted(found, key=lambda message: message[0])


def _item(item: Item) -> _StoredItem:
    return _StoredItem(
        name=item.name,
        type=item.type,
        list_name=item.list_name,
        choices=item.choices,
        about=item.about,
        required=item.required,
        relevant=_source(item.relevant),
        constraint=_source(item.constraint),
        calculation=_source(item.calculation),
        pack=item.pack,
        line=item.line,
    )


def _source(rule: Expression | None) -> str | None:
    return None if rule is None else rule.source


def _rule(text: str | None) -> Expression | None:
    return None if text is None else compile_expression(text)


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
