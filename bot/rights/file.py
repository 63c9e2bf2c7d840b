"""A person's file: everything kept about her and her children, each piece with its class.

Gathered once, whole; `document` then takes what the rulings give. The document never says what was
kept back, nor that anything was: it is the same either way.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.content.publishing import adopt
from bot.rights.protection import about_protection, attached, protected_items
from bot.rights.spoken import About, about
from bot.rights.withholding import (
    Piece,
    Ruling,
    Withheld,
    classify,
    from_others,
    given,
    is_matter,
)
from bot.sending.envelopes import load_outbound
from bot.turns.world import World
from flows.languages import own_name
from flows.lexicon import Lexicon
from flows.questionnaire import LANGUAGE
from storage.care.cases import profile_row
from storage.rights import letters, subjects
from storage.rights.letters import Letter
from storage.rights.subjects import Cared, Looked, Raised, Said, Subject
from storage.scope import Scope

PLACEHOLDER = re.compile(r"\$\{\w+\}")
LOOKED = frozenset({"read", "listed", "show"})
ROLES = ("coordinator", "social_worker", "supervisor", "data_officer")
Section = str
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A file as gathered.

    Attributes:
        subject: Whose.
        head: What is always given: who she is, her addresses, children, consents.
        pieces: (section, class, entry) of the rest, in order; what begins with "_" in an entry is
            for us and never handed out.
    """

    subject: Subject
    head: Mapping[str, Any]
    pieces: tuple[tuple[Section, Withheld | None, Entry], ...]

    def classes(self) -> dict[Withheld, int]:
        """How many pieces each class has that is kept back by default."""
        return dict(Counter(found for _, found, _ in self.pieces if found is not None))


def gather(conn: Connection, scope: Scope, world: World, person_id: str) -> Folder | None:
    """Everything kept about a person; None outside the scope."""
    subject = subjects.subject(conn, scope, person_id)
    if subject is None:
        return None
    return _Gathering(conn, scope, world, subject).folder()


def document(
    folder: Folder, rulings: Mapping[Withheld, Ruling], *, programme: str, now: datetime
) -> dict[str, Any]:
    """What she is given, as one JSON document."""
    sections: dict[Section, list[Entry]] = {
        name: [] for name in ("answers", "told", "bands", "messages", "notes", "looks")
    }
    for section, found, entry in folder.pieces:
        if given(found, rulings):
            sections[section].append({k: v for k, v in entry.items() if not k.startswith("_")})
    return {
        "programme": programme,
        "language": folder.subject.language,
        "made_at": now.isoformat(),
        **folder.head,
        **sections,
    }


class _Gathering:
    """One file being gathered."""

    def __init__(self, conn: Connection, scope: Scope, world: World, subject: Subject) -> None:
        self._conn = conn
        self._world = world
        self._subject = subject
        self._protected = protected_items(world.library.rules)
        self._children = subjects.cared_for(conn, scope, subject.id)
        self._by_id = {child.id: child for child in self._children}
        self._addresses = subjects.reached_at(conn, subject.id)
        self._raised = subjects.raised(conn, self._by_id)
        self._matters = [raised for raised in self._raised if self._is_matter(raised)]
        self._said = subjects.said_about(
            conn,
            person_id=subject.id,
            child_ids=list(self._by_id),
            class_ids=[c.class_id for c in self._children if c.class_id],
        )
        self._moments = letters.moments_of(
            conn, person_id=subject.id, address_ids=[a.id for a in self._addresses]
        )
        versions = {said.version for said in self._said}
        for version in versions | {moment.version for moment in self._moments}:
            adopt(conn, world.library, version)
        for form in world.library.forms.values():
            self._protected |= attached(form.questionnaire, self._protected)

    def folder(self) -> Folder:
        told = [*self._answers(), *self._bands(), *self._messages()]
        pieces = [*told, *self._notes(), *self._looks()]
        return Folder(subject=self._subject, head=self._head(), pieces=tuple(pieces))

    def _open(self, blob: bytes | None, table: str, column: str, row: str) -> str | None:
        if blob is None:
            return None
        return self._world.vault.open(blob, table=table, column=column, row=row)

    def _head(self) -> dict[str, Any]:
        subject = self._subject
        return {
            "person": {
                "name": self._open(subject.name, "persons", "name", subject.id),
                "kind": subject.kind,
                "language": subject.language,
                "school": subject.school,
                "shared_phone": subject.shared_phone,
                "safe_hour": subject.safe_hour,
                "since": subject.created_at.isoformat(),
                "addresses": [
                    {
                        "channel": address.channel,
                        "value": self._open(address.value, "addresses", "value", address.id),
                        "stopped_at": _iso(address.opted_out_at),
                    }
                    for address in self._addresses
                ],
            },
            "children": [
                {
                    "code": child.code,
                    "name": self._open(child.name, "children", "name", child.id),
                    "sex": child.sex,
                    "birth_month": child.birth_month,
                    "capacity": child.capacity,
                }
                for child in self._children
            ],
            "consents": [
                {
                    "child": self._code(agreed.child_id),
                    "purpose": agreed.purpose,
                    "granted": agreed.granted,
                    "capacity": agreed.capacity,
                    "text_version": agreed.text_version,
                    "language": agreed.language,
                    "channel": agreed.channel,
                    "mode": agreed.mode,
                    "at": agreed.at.isoformat(),
                    "withdrawn_at": _iso(agreed.withdrawn_at),
                }
                for agreed in subjects.agreed_by(self._conn, self._subject.id)
            ],
        }

    def _code(self, child_id: str | None) -> str | None:
        child = self._by_id.get(child_id or "")
        return None if child is None else child.code

    def _is_matter(self, raised: Raised) -> bool:
        return is_matter(
            state=raised.state,
            level=raised.level,
            protection=about_protection(raised, self._world.library.rules, self._protected),
            reportable=raised.reportable,
            reported=raised.reported_at is not None,
        )

    def _in_matter(self, child_id: str | None, wave_id: str | None) -> bool:
        return any((m.child_id, m.wave_id) == (child_id, wave_id) for m in self._matters)

    def _answers(self) -> Iterable[tuple[Section, Withheld | None, Entry]]:
        for said in self._said:
            for child in self._meant(said):
                address = f"{said.form_id}/{said.item}"
                hers = said.person_id == self._subject.id
                protected = address in self._protected
                weighty = protected or address in self._world.library.rules.critical_by_item
                about = said.child_id if child is None else child.id
                piece = Piece(
                    informant=said.informant,
                    hers=hers,
                    about_hers=child is not None or _about_herself(said),
                    protection=protected,
                    matter=weighty and self._in_matter(about, said.wave_id),
                )
                section = "answers" if hers else "told"
                yield section, classify(piece), self._answer(said, child)

    def _meant(self, said: Said) -> list[Cared | None]:
        """Her children an answer is about; None for one that is about none of them.

        A class screen is about each child whose list number it names, and its words name others,
        so that of a colleague's screen only those who are named are looked at.
        """
        if said.child_id is not None:
            return [self._by_id.get(said.child_id)]
        if said.class_id is None:
            return [None]
        named = set((said.value or "").split())
        mine = [
            child
            for child in self._children
            if child.class_id == said.class_id and str(child.list_number) in named
        ]
        if mine:
            return [*mine]
        return [None] if said.person_id == self._subject.id else []

    def _answer(self, said: Said, child: Cared | None) -> Entry:
        lexicon = self._world.library.lexicon(self._subject.language, said.version)
        question = lexicon.texts.get(f"{said.form_id}/{said.item}:label", said.item)
        answer = self._words(said, lexicon)
        if said.class_id is not None and child is not None:
            answer = str(child.list_number)  # the other numbers are other people's children
        return {
            "child": None if child is None else child.code,
            "form": said.form_id,
            "item": said.item,
            "question": PLACEHOLDER.sub("...", question),
            "answer": answer,
            "code": said.value if said.class_id is None else None,
            "informant": said.informant,
            "at": said.at.isoformat(),
            "disputed": said.disputed,
            "_session": said.session_id,
        }

    def _words(self, said: Said, lexicon: Lexicon) -> str | None:
        """An answer as she would say it; None where she left it out."""
        if said.text is not None:
            return self._open(said.text, "answers", "text", subjects.said_row(said))
        if said.value is None:
            return None
        form = self._world.library.forms.get(said.version)
        if form is None or said.item not in form.questionnaire.index:
            return said.value
        item = form.questionnaire[said.item]
        if item.type == LANGUAGE:
            return own_name(said.value)
        if not item.list_name:
            return said.value
        return ", ".join(
            lexicon.texts.get(f"{said.form_id}/{item.list_name}/{code}:label", code)
            for code in said.value.split()
        )

    def _bands(self) -> Iterable[tuple[Section, Withheld | None, Entry]]:
        """Bands that rest on her alone are hers; one that rests on others tells what they said."""
        mine = {
            said.informant
            for said in self._said
            if said.child_id is not None and said.person_id == self._subject.id
        }
        mine -= {
            said.informant
            for said in self._said
            if said.child_id is not None and said.person_id != self._subject.id
        }
        for judged in subjects.judged(self._conn, self._by_id):
            row = profile_row(judged.child_id, judged.wave_id)
            body = json.loads(self._open(judged.body, "profiles", "body", row) or "{}")
            for name, domain in body["domains"].items():
                sources = {s["informant"] for s in domain["sources"] if s["answered"]}
                others = from_others(sources, mine)
                piece = Piece(
                    informant="child" if "child" in sources else "",
                    hers=not others,
                    protection=name == "protection",
                    matter=self._in_matter(judged.child_id, judged.wave_id),
                )
                entry = {
                    "child": self._code(judged.child_id),
                    "wave": judged.wave,
                    "domain": name,
                    "band": domain["band"],
                    "as_of": judged.as_of.isoformat(),
                }
                yield "bands", classify(piece), entry

    def _messages(self) -> Iterable[tuple[Section, Withheld | None, Entry]]:
        """Messages of a phone that several people answer may be anybody's of them.

        What she wrote in answer to a question on protection is kept back as its answer is.
        """
        shared = {a.id for a in self._addresses if a.people > 1}
        channels = {a.id: a.channel for a in self._addresses}
        for letter in letters.letters_of(
            self._conn, person_id=self._subject.id, address_ids=list(channels)
        ):
            hers = letter.address_id not in shared
            asked = about(letter, self._moments, self._items_of)
            piece = Piece(
                hers=hers,
                about_hers=hers,
                protection=not self._protected.isdisjoint(asked.items),
                matter=self._of_matter(asked),
            )
            entry = {
                "from_her": letter.table == "inbox",
                "channel": channels.get(letter.address_id),
                "at": letter.at.isoformat(),
                "kind": letter.kind,
                "text": self._said_in(letter),
            }
            yield "messages", classify(piece), entry

    def _items_of(self, version: str) -> list[str]:
        form = self._world.library.forms.get(version)
        if form is None:
            return sorted(self._protected)  # nobody can tell any more
        return [f"{form.questionnaire.form_id}/{item.name}" for item in form.questionnaire.items]

    def _of_matter(self, asked: About) -> bool:
        weighty = self._protected | self._world.library.rules.critical_by_item.keys()
        return not weighty.isdisjoint(asked.items) and any(
            self._in_matter(child, wave) for child, wave in asked.places
        )

    def _notes(self) -> Iterable[tuple[Section, Withheld | None, Entry]]:
        """Why the team closed alerts about her children, in its own words.

        One on protection is kept back as protection is: giving what others told gives none of it.
        """
        raised = {each.id: each for each in self._raised}
        matters = {matter.id for matter in self._matters}
        for noted in letters.noted_about(self._conn, self._by_id):
            protection = about_protection(
                raised[noted.id], self._world.library.rules, self._protected
            )
            piece = Piece(hers=protection, protection=protection, matter=noted.id in matters)
            entry = {
                "child": self._code(noted.child_id),
                "at": noted.at.isoformat(),
                "text": self._open(noted.reason, "alerts", "reason", noted.id),
            }
            yield "notes", classify(piece), entry

    def _said_in(self, letter: Letter) -> str | None:
        body = self._open(letter.body, letter.table, "body", letter.id)
        if not body:
            return None
        if letter.table == "outbox":
            return load_outbound(body).text
        return str(json.loads(body).get("text", ""))

    def _looks(self) -> Iterable[tuple[Section, Withheld | None, Entry]]:
        matters = {matter.id for matter in self._matters}
        mine = [
            self._subject.id,
            *self._by_id,
            *(address.id for address in self._addresses),
            *(raised.id for raised in self._raised),
        ]
        for looked in subjects.looked_at(self._conn, mine):
            if looked.role == "person" and looked.verb in LOOKED:
                continue  # herself
            piece = Piece(hers=True, matter=looked.object_id in matters)
            yield "looks", classify(piece), _look(looked)


def _look(looked: Looked) -> Entry:
    return {
        "role": looked.role if looked.role in ROLES else "other",
        "looked": looked.verb in LOOKED,
        "at": looked.at.isoformat(),
    }


def _about_herself(said: Said) -> bool:
    return said.child_id is None and said.class_id is None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
