"""Who did or saw what: by codes, for somebody who checks, filtered by day, actor and verb."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.dashboard.words import say
from bot.lists.csvs import BOM, as_csv
from storage.trail import audit_list
from storage.trail.audit_list import Entry, Wanted

PATH = "/dashboard/audit"
PAGE_ROWS = 100
MOST_ROWS = 100_000
"""Rows in one file: more is refused, never cut off."""
MOST_PAGES = 100_000
LONGEST = 64
COLUMNS = tuple(field.name for field in fields(Entry))
EXPORTS = ("audit",)
"""The kinds of files handed out here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the form says: as typed, for the form again, and as understood."""

    since: str
    until: str
    actor: str
    verb: str
    wanted: Wanted
    faults: tuple[str, ...]

    @property
    def query(self) -> str:
        """The same as part of an address."""
        return urlencode({n: getattr(self, n) for n in ("since", "until", "actor", "verb")})


async def view(visit: Visit) -> Response:
    """Show one page of the rows."""
    return await _show(visit, _filter(visit, visit.request.query_params))


async def csv(visit: Visit) -> Response:
    """Hand over the filtered rows as a file; who did so is a row itself."""
    if not visit.may_export("audit", None):
        return visit.fault(403, "forbidden")
    asked = _filter(visit, visit.form)
    if not visit.stepped_up(visit.now):
        return visit.prove_again(f"{PATH}?{asked.query}")
    scope = visit.scope
    count = await visit.deps.database.read(
        lambda conn: audit_list.count_entries(conn, scope, asked.wanted)
    )
    if asked.faults:
        return await _show(visit, asked, status=422)
    if count > MOST_ROWS:
        fault = say("audit.too_many", count=count, most=MOST_ROWS)
        return await _show(visit, asked, status=422, fault=fault)
    await visit.note("exported", "audit", None, None)
    text = await visit.deps.database.read(
        lambda conn: as_csv(
            COLUMNS,
            (
                [_plain(getattr(row, name)) for name in COLUMNS]
                for row in audit_list.all_entries(conn, scope, asked.wanted)
            ),
        )
    )
    name = f"audit-{visit.now:%Y%m%d-%H%M}.csv"
    return Response(
        BOM + text,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _plain(value: object) -> object:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value


async def _show(visit: Visit, asked: Filter, *, status: int = 200, fault: str = "") -> Response:
    number = _page_number(visit.request.query_params.get("page", ""))
    skip = (number - 1) * PAGE_ROWS
    scope = visit.scope
    rows, total, verbs = await visit.deps.database.read(
        lambda conn: (
            audit_list.entries(conn, scope, asked.wanted, limit=PAGE_ROWS, skip=skip),
            audit_list.count_entries(conn, scope, asked.wanted),
            audit_list.verbs(conn, scope, asked.wanted),
        )
    )
    await visit.note("listed", "audit", None, None)
    return visit.page(
        "audit.html",
        status=status,
        rows=rows,
        total=total,
        verbs=verbs,
        asked=asked,
        faults=(*asked.faults, *((fault,) if fault else ())),
        number=number,
        first=skip + 1,
        last=skip + len(rows),
    )


def _filter(visit: Visit, given: Mapping[str, str]) -> Filter:
    """What was asked for; days are local, and both count."""
    told = {
        name: given.get(name, "").strip()[:LONGEST] for name in ("since", "until", "actor", "verb")
    }
    since, until = _day(told["since"]), _day(told["until"])
    faults = [
        say("audit.bad.day", found=told[name])
        for name, day in (("since", since), ("until", until))
        if told[name] and day is None
    ]
    zone = visit.deps.timezone
    return Filter(
        **told,
        wanted=Wanted(
            since=datetime.combine(since, time(), zone) if since else None,
            until=datetime.combine(until + timedelta(days=1), time(), zone) if until else None,
            actor=told["actor"],
            verb=told["verb"],
        ),
        faults=tuple(faults),
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date(2000, 1, 1) <= found < date(2200, 1, 1) else None


def _page_number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and 0 < int(text) < MOST_PAGES else 1


PAGE = Page(path=PATH, title="audit.title", view=view, actions={"csv": csv}, menu=6)
