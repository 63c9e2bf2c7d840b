"""The work of `requests`: entering, listing, showing, deciding and correcting by command line."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from bot.app import now
from bot.commands import GOOD, PROBLEM, as_json, err, out, with_database
from bot.dashboard.requests import fault
from bot.rights import correction, deciding, objecting, settling
from bot.rights.correction import Correction
from bot.rights.deciding import Decision, RequestError
from bot.rights.file import gather
from bot.rights.officer import PURPOSE, proved, typed
from bot.rights.withholding import Withheld, by_default
from bot.settings import Settings
from bot.turns.world import World
from storage.ids import new_id
from storage.rights import requests
from storage.rights.requests import RequestRow
from storage.scope import Scope, system
from storage.trail import audit

MOST = 500
T = TypeVar("T")


def add(settings: Settings, *, login: str, kind: str, address: str, child: str, note: str) -> int:
    """`requests add`: a request that came by letter, by phone or in person."""

    def work(conn: Connection, world: World, scope: Scope) -> tuple[RequestRow, bool]:
        made, new = deciding.receive(
            conn, scope, world, kind=kind, address=address, child=child, note=note, now=now()
        )
        return _row(conn, scope, made), new

    def tell(found: tuple[RequestRow, bool]) -> None:
        row, new = found
        out(f"{row.id}  {row.kind}, answer by {_day(row.due_at)}")
        if not new:
            out("She has asked for this before and has no answer yet: it is that request.")

    return _as_officer(settings, login, "identify", work, tell)


def listing(settings: Settings, *, decided: bool, json_wanted: bool) -> int:
    """`requests list`: what waits, the soonest first, or what was decided. Ids and codes only."""

    def work(conn: Connection, _world: World) -> list[RequestRow]:
        scope = system(PURPOSE)
        audit.record(conn, [audit.row(scope, "listed", "requests", id=new_id(now()), at=now())])
        return requests.requests_in(conn, scope, waiting=not decided, limit=MOST)

    rows = with_database(settings, work)
    moment = now()
    if json_wanted:
        as_json([_plain(row, moment) for row in rows])
        return GOOD
    for row in rows:
        late = "  LATE" if row.late(moment) else ""
        out(f"{row.id}  {row.kind}  {row.state}  by {_day(row.due_at)}{late}")
    if not rows:
        out("Nothing waits." if not decided else "Nothing was decided yet.")
    return GOOD


def show(settings: Settings, request_id: str, *, login: str, json_wanted: bool) -> int:
    """`requests show`: one request, what would be given and what is kept back by default."""

    def work(
        conn: Connection, world: World, scope: Scope
    ) -> tuple[RequestRow, dict[Withheld, int], list[dict[str, str]], dict[str, str]]:
        row = _row(conn, scope, request_id)
        entry = audit.row(
            scope, "read", "requests", row.id, id=new_id(now()), at=now(), school_id=row.school_id
        )
        audit.record(conn, [entry])
        return (
            row,
            _present(conn, world, scope, row),
            deciding.notes_of(world.vault, row.id, row.note),
            {mark.id: mark.answer for mark in settling.disputed(conn, scope, world, row)},
        )

    def tell(
        found: tuple[RequestRow, dict[Withheld, int], list[dict[str, str]], dict[str, str]],
    ) -> None:
        row, present, notes, marks = found
        kept = {
            name: {"pieces": present[name], "choice": ruling.choice, "ground": ruling.ground}
            for name, ruling in by_default(present).items()
        }
        document = {**_plain(row, now()), "kept_back_by_default": kept, "notes": notes}
        document["disputed"] = marks
        if json_wanted:
            as_json(document)
            return
        for name, value in document.items():
            out(f"{name}: {value}")

    return _as_officer(settings, login, "view", work, tell)


def decide(
    settings: Settings,
    request_id: str,
    *,
    login: str,
    outcome: str,
    ground: str,
    rulings: Mapping[str, str],
    note: str,
    against: str = "",
) -> int:
    """`requests decide`: also the second person's `confirm` and `disagree`."""

    def work(conn: Connection, world: World, scope: Scope) -> str:
        row = _row(conn, scope, request_id)
        if outcome in ("confirm", "disagree"):
            return deciding.confirm(
                conn, scope, world.vault, row, agrees=outcome == "confirm", now=now()
            )
        present = list(_present(conn, world, scope, row))
        decision = Decision(
            outcome=outcome,
            ground=ground,
            rulings=deciding.rulings_of(rulings, present),
            against=against,
            note=note,
        )
        moment = now()
        return deciding.decide(
            conn,
            scope,
            world.vault,
            row,
            decision,
            present=present,
            now=moment,
            stop=lambda what: objecting.stop(conn, world, scope, row, what, now=moment),
        )

    verb = "confirm" if outcome in ("confirm", "disagree") else "decide"
    return _as_officer(
        settings, login, verb, work, lambda state: out(f"{request_id} is now: {state}")
    )


def identify(settings: Settings, request_id: str, *, login: str, how: str, note: str) -> int:
    """`requests identify`: how it was proved who asks."""

    def work(conn: Connection, world: World, scope: Scope) -> None:
        row = _row(conn, scope, request_id)
        deciding.identify(conn, scope, world.vault, row, how=how, note=note, now=now())

    return _as_officer(settings, login, "identify", work, lambda _: out("Noted."))


def correct(settings: Settings, request_id: str, *, login: str, asked: Correction) -> int:
    """`requests correct`: one value; the old one goes into the request's sealed note."""

    def work(conn: Connection, world: World, scope: Scope) -> str:
        row = _row(conn, scope, request_id)
        return correction.correct(conn, world, scope, row, asked, now=now())

    return _as_officer(
        settings, login, "correct", work, lambda _: out("Corrected. Tell her, then note that.")
    )


def settle(
    settings: Settings, request_id: str, *, login: str, mark: str, outcome: str, reason: str
) -> int:
    """`requests settle`: the mark comes off an answer; why goes into the request's sealed note."""

    def work(conn: Connection, world: World, scope: Scope) -> None:
        row = _row(conn, scope, request_id)
        settling.settle(
            conn, world, scope, row, mark=mark, outcome=outcome, reason=reason, now=now()
        )

    return _as_officer(
        settings, login, "settle", work, lambda _: out("The mark is off. Tell her, note that.")
    )


def _as_officer(
    settings: Settings,
    login: str,
    verb: str,
    work: Callable[[Connection, World, Scope], T],
    tell: Callable[[T], None],
) -> int:
    """Prove her, do it in one transaction, say what came of it; faults in words."""
    try:
        scope = proved(settings, login, password=typed("Password"), code=typed("Code"), verb=verb)
        found = with_database(settings, lambda conn, world: work(conn, world, scope))
    except RequestError as error:
        for code in error.codes:
            err(fault(code))
        return PROBLEM
    tell(found)
    return GOOD


def _row(conn: Connection, scope: Scope, request_id: str) -> RequestRow:
    row = requests.request(conn, scope, request_id)
    if row is None:
        raise RequestError("missing")
    return row


def _present(conn: Connection, world: World, scope: Scope, row: RequestRow) -> dict[Withheld, int]:
    if row.kind != "access" or row.person_id is None:
        return {}
    folder = gather(conn, scope, world, row.person_id)
    return {} if folder is None else folder.classes()


def _plain(row: RequestRow, moment: datetime) -> dict[str, object]:
    """What of a request names nobody."""
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "way": row.way,
        "received_at": row.received_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "late": row.late(moment),
        "child": row.child_code,
        "school": row.school,
        "identity": row.identity_how,
        "ground": row.ground,
    }


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
