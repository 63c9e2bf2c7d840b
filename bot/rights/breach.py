"""The breach worksheet: who saw what and when, who is affected, drafts of the notices.

The folder it is written to names codes only. Names and numbers of those to be told go into a sealed
annex that a data officer opens on the page Breach lists.

Source: POPIA s22; since 1 April 2025 notices to the Regulator go through its eServices portal, and
there is no threshold below which none is due (domain.md §4 [L6]: mjkinc.co.za/popia/data-breaches;
masthead.co.za 2025). Not legal advice.
"""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from sqlalchemy import Connection

from bot.lists.csvs import as_cell
from bot.rights.export import LIFE, MARK, store
from bot.turns.world import World
from storage.ids import new_id
from storage.rights import breaches, exports
from storage.rights.breaches import Child, Person, Seen
from storage.rights.exports import ExportRow
from storage.scope import system
from storage.trail import audit

CATEGORIES: Mapping[str, str] = {
    "addresses": "telephone numbers and chat ids",
    "alerts": "an alert about a child: level, reasons, answers that led to it",
    "children": "a child's record: code, class, sex, month of birth, answers and bands",
    "consents": "who agreed to what",
    "everything": "everything kept (see docs/privacy.md)",
    "exports": "a person's whole file",
    "households": "a household's record",
    "persons": "names",
    "requests": "what somebody asked about her data",
    "sessions": "a conversation with answers",
    "tasks": "a work item about a family",
}
"""What an object of the audit trail holds about somebody, in words."""
SEALED_NOTE = (
    "Sealed on disk: names, numbers, message texts, free answers, profiles. Whoever has the "
    "database alone reads codes, bands, dates and states; with the key store and the master key, "
    "everything."
)
SPECIAL = frozenset({"alerts", "children", "exports", "sessions", "everything"})
"""Kinds that hold special or children's personal information (POPIA s26, s34)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be found out.

    Attributes:
        start: From when (aware).
        end: Until when (aware).
        found_at: When it was found out.
        school: Name of the one school, or empty.
        login: The user whose reads count, or empty for all.
        session: First characters of the digest of one browser session, or empty.
        whole: The database or a backup itself was taken: everybody is affected.
    """

    start: datetime
    end: datetime
    found_at: datetime
    school: str = ""
    login: str = ""
    session: str = ""
    whole: bool = False


class BreachError(Exception):
    """The question names something that is not there; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worksheet:
    """What was found."""

    question: Question
    start: datetime
    end: datetime
    seen: Sequence[Seen]
    children: Sequence[Child]
    people: Sequence[Person]

    @property
    def kinds(self) -> dict[str, int]:
        """How many children and people each kind of thing was seen of."""
        counts = Counter(kind for child in self.children for kind in child.kinds)
        counts += Counter(kind for person in self.people for kind in person.kinds)
        return dict(sorted(counts.items()))


def find(conn: Connection, question: Question) -> Worksheet:
    """Who was affected. Raises BreachError for a user, session or school there is not."""
    school_id, user_id = None, None
    start, end = question.start, question.end
    if question.school:
        school_id = breaches.school_named(conn, question.school)
        if school_id is None:
            raise BreachError(f"There is no school called {question.school!r}.")
    if question.login:
        found = breaches.user_named(conn, question.login.strip().lower())
        if found is None:
            raise BreachError(f"There is no login {question.login!r}.")
        user_id = found[0]
    if question.session:
        session = breaches.session_of(conn, question.session)
        if session is None:
            raise BreachError("No session, or more than one, begins like that.")
        user_id, begun, ended = session
        start, end = max(start, begun), min(end, ended or end)
    seen = breaches.seen_between(conn, start, end, user_id=user_id, school_id=school_id)
    children, people = breaches.affected(conn, seen, school_id=school_id, whole=question.whole)
    return Worksheet(
        question=question, start=start, end=end, seen=seen, children=children, people=people
    )


def annex(sheet: Worksheet, world: World) -> str:
    """Names and numbers of those to be told, as the content of a sealed file."""
    vault = world.vault
    people = [
        {
            "code": code_of(person),
            "name": vault.open(person.name, table="persons", column="name", row=person.id)
            if person.name
            else "",
            "language": person.language,
            "school": person.school or "",
            "children": list(person.children),
            "numbers": [
                f"{channel}: {vault.open(value, table='addresses', column='value', row=row)}"
                for channel, value, row in person.numbers
            ],
        }
        for person in sheet.people
    ]
    page = _template("breach_annex.html").render(people=people, mark=MARK)
    return json.dumps({"html": page, "document": {"people": people}}, ensure_ascii=False)


def keep(conn: Connection, annex_id: str, *, now: datetime) -> None:
    """The row of the annex, and the audit row that a worksheet was made."""
    exports.add(
        conn,
        ExportRow(
            id=annex_id,
            kind="breach",
            request_id=None,
            household_id=None,
            person_id=None,
            school_id=None,
            made_by=None,
            purpose="inform_people",
            made_at=now,
            expires_at=now + LIFE,
        ),
    )
    scope = system("breach")
    entry = audit.row(scope, "exported", "exports", annex_id, id=new_id(now), at=now)
    audit.record(conn, [entry])


def seal(sheet: Worksheet, world: World, place: Path, *, now: datetime) -> str:
    """Write the annex under `DATA_DIR/exports`; gives back its id."""
    return store(place, world.vault, annex(sheet, world), household_id=None, now=now)


def papers(sheet: Worksheet, world: World, *, annex_id: str) -> dict[str, str]:
    """The files of the folder, by name: worksheet, affected list, drafts of the notices."""
    made = {
        "worksheet.md": _worksheet(sheet, world, annex_id),
        "affected.csv": _affected(sheet),
        "notice-regulator.md": _regulator(sheet, world),
    }
    languages = {person.language for person in sheet.people} | {"en"}
    for tag in sorted(languages & set(world.library.lexicons)):
        made[f"notice-people.{tag}.md"] = _people(sheet, world, tag)
    return made


def code_of(person: Person) -> str:
    """What a person is called in the list: the end of her id, which names nobody."""
    return f"P-{person.id[-8:]}"


def _affected(sheet: Worksheet) -> str:
    table = StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("code", "what", "school", "children", "language", "seen"))
    for child in sheet.children:
        writer.writerow(map(as_cell, (child.code, "child", child.school, "", "", _kinds(child))))
    for person in sheet.people:
        cells = (
            code_of(person),
            person.kind,
            person.school or "",
            " ".join(person.children),
            person.language,
            _kinds(person),
        )
        writer.writerow(map(as_cell, cells))
    return table.getvalue()


def _kinds(each: Child | Person) -> str:
    return " ".join(sorted(each.kinds))


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _facts(sheet: Worksheet, world: World) -> dict[str, object]:
    zone, question = world.zone, sheet.question
    actors = Counter((row.actor_kind, row.actor_id or "") for row in sheet.seen)
    return {
        "programme": world.site.programme,
        "zone": zone.key,
        "start": _local(sheet.start, zone),
        "end": _local(sheet.end, zone),
        "found": _local(question.found_at, zone),
        "open_for": _span(question.found_at - sheet.start),
        "whole": question.whole,
        "school": question.school or "all",
        "login": question.login,
        "session": question.session,
        "actors": sorted(actors.items()),
        "steps": len(sheet.seen),
        "lists": sum(row.object_id is None for row in sheet.seen),
        "children": len(sheet.children),
        "people": len(sheet.people),
        "reached": sum(bool(person.numbers) for person in sheet.people),
        "kinds": [(CATEGORIES[kind], count) for kind, count in sheet.kinds.items()],
        "special": bool(SPECIAL & set(sheet.kinds)),
        "sealed": SEALED_NOTE,
    }


def _span(length: timedelta) -> str:
    return f"{length.days} days" if length.days else f"{length.seconds // 3600} hours"


def _worksheet(sheet: Worksheet, world: World, annex_id: str) -> str:
    return _template("breach_worksheet.md").render(**_facts(sheet, world), annex=annex_id)


def _regulator(sheet: Worksheet, world: World) -> str:
    return _template("breach_regulator.md").render(**_facts(sheet, world))


def _people(sheet: Worksheet, world: World, tag: str) -> str:
    lexicon, zone = world.library.lexicons[tag], world.zone
    values = {
        "programme": world.site.programme,
        "who": world.site.who_calls,
        "start": f"{sheet.start.astimezone(zone):%d/%m/%Y}",
        "end": f"{sheet.end.astimezone(zone):%d/%m/%Y}",
    }
    mark = "DRAFT, machine translation: a speaker must read it first.\n\n" if lexicon.draft else ""
    title, text, ask = (lexicon.say(f"paper.breach.{k}", values) for k in ("title", "text", "ask"))
    use = "DRAFT: not sent by the bot. Read it out, or print it."
    return f"{mark}{use}\n\n# {title}\n\n{text}\n\n{ask}\n"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _template(name: str) -> Template:
    return _templates().get_template(name)
