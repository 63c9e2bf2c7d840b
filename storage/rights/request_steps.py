"""The steps of a request, each one statement or two: entered, identified, decided, told.

They act on a request that was read in scope, by its id.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.rights.requests import INFORM, TASK, WAITING, Asker, RequestRow, State
from storage.schema import requests, tasks

NewId = Callable[[datetime], str]


def row_of(
    request_id: str, *, kind: str, asker: Asker, way: str, due_at: datetime, now: datetime
) -> dict[str, Any]:
    """The row of a new request."""
    return {
        "id": request_id,
        "key": _open_key(kind, asker),
        "kind": kind,
        "household_id": asker.household_id,
        "person_id": asker.person_id,
        "child_id": asker.child_id,
        "school_id": asker.school_id,
        "address_id": asker.address_id,
        "way": way,
        "received_at": now,
        "due_at": due_at,
        "state": "open",
    }


def open_until(conn: Connection, kind: str, asker: Asker) -> datetime | None:
    """The latest day of an answer to the request of this kind she has open, if one."""
    return conn.execute(
        select(requests.c.due_at).where(requests.c.key == _open_key(kind, asker))
    ).scalar_one_or_none()


def _open_key(kind: str, asker: Asker) -> str:
    return f"{kind}:{asker.person_id or asker.address_id}"


def add(
    conn: Connection,
    *,
    kind: str,
    asker: Asker,
    way: str,
    due_at: datetime,
    now: datetime,
    new_id: NewId,
) -> tuple[str, bool]:
    """Note a request, with a task for the data officer; the one already open where there is one.

    Returns:
        Its id, and whether it is new.
    """
    made = new_id(now)
    row = row_of(made, kind=kind, asker=asker, way=way, due_at=due_at, now=now)
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    conn.execute(make(requests).values(row).on_conflict_do_nothing(index_elements=["key"]))
    found = conn.execute(select(requests.c.id).where(requests.c.key == row["key"])).scalar_one()
    if found == made:
        _task(conn, TASK, made, asker, due_at=due_at, now=now, new_id=new_id)
    return found, found == made


def give_inform_task(
    conn: Connection, row: RequestRow, *, what: str, due_at: datetime, now: datetime, new_id: NewId
) -> None:
    """Tell her what was done (POPIA s24(4)): work with a clock, once for each thing done."""
    asker = Asker(
        person_id=row.person_id,
        address_id=None,
        household_id=row.household_id,
        school_id=row.school_id,
        child_id=row.child_id,
    )
    _task(conn, INFORM, row.id, asker, due_at=due_at, now=now, new_id=new_id, what=what)


def _task(
    conn: Connection,
    kind: str,
    request_id: str,
    asker: Asker,
    *,
    due_at: datetime,
    now: datetime,
    new_id: NewId,
    what: str = "",
) -> None:
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    conn.execute(
        make(tasks)
        .values(
            id=new_id(now),
            key=":".join(part for part in (kind, request_id, what) if part),
            kind=kind,
            school_id=asker.school_id,
            child_id=asker.child_id,
            person_id=asker.person_id,
            ref=request_id,
            state="open",
            opened_at=now,
            due_at=due_at,
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )


def identify(conn: Connection, *, request_id: str, how: str, by: str, now: datetime) -> bool:
    """Write down that who asks was proved, how and by whom; False once it is decided."""
    done = conn.execute(
        update(requests)
        .where(requests.c.id == request_id, requests.c.state.in_(WAITING))
        .values(identity_how=how, identity_by=by, identity_at=now)
    )
    return done.rowcount == 1


def decide(
    conn: Connection,
    *,
    request_id: str,
    state: State,
    ground: str,
    decision: bytes | None,
    by: str,
    now: datetime,
) -> bool:
    """Decide a request that is open or held; False if somebody has meanwhile.

    Args:
        conn: Open write transaction.
        request_id: A request read in the deciding person's scope.
        state: "second" where another person must confirm, "held" to wait, else the outcome.
        ground: The ground of the whole.
        decision: What was decided for each class, sealed (requests.decision, row = id).
        by: The user who decides.
        now: When (aware, UTC).
    """
    done = conn.execute(
        update(requests)
        .where(requests.c.id == request_id, requests.c.state.in_(("open", "held")))
        .values(
            state=state,
            ground=ground,
            decision=decision,
            decided_by=by,
            decided_at=now,
            **_key(state),
        )
    )
    _close_task(conn, request_id, state, now)
    return done.rowcount == 1


def confirm(conn: Connection, *, request_id: str, state: State, by: str, now: datetime) -> bool:
    """The second person's word: `state` becomes the outcome, or "open" where she disagrees.

    Returns:
        False if it does not wait for a second person, or she is the first one herself.
    """
    back = {"decided_by": None, "decided_at": None, "ground": None} if state == "open" else {}
    done = conn.execute(
        update(requests)
        .where(
            requests.c.id == request_id,
            requests.c.state == "second",
            requests.c.decided_by != by,
        )
        .values(state=state, second_by=None if back else by, **back, **_key(state))
    )
    if done.rowcount == 1:
        _close_task(conn, request_id, state, now)
    return done.rowcount == 1


def note_of(conn: Connection, request_id: str) -> bytes | None:
    """The sealed note as it stands, locked for whoever adds to it."""
    found: bytes | None = conn.execute(
        select(requests.c.note).where(requests.c.id == request_id).with_for_update()
    ).scalar_one()
    return found


def write_note(conn: Connection, *, request_id: str, note: bytes) -> None:
    """Replace the sealed note (requests.note, row = id)."""
    conn.execute(update(requests).where(requests.c.id == request_id).values(note=note))


def informed(conn: Connection, *, request_id: str, now: datetime) -> int:
    """She was told: its tasks are done. Returns how many there were."""
    done = conn.execute(
        update(tasks)
        .where(tasks.c.kind == INFORM, tasks.c.ref == request_id, tasks.c.state == "open")
        .values(state="done", closed_at=now)
    )
    return int(done.rowcount)


def _key(state: State) -> dict[str, Any]:
    """A decided request lets go of its key, so that she may ask again."""
    return {} if state in WAITING else {"key": requests.c.id}


def _close_task(conn: Connection, request_id: str, state: State, now: datetime) -> None:
    if state in WAITING:
        return
    conn.execute(
        update(tasks)
        .where(tasks.c.kind == TASK, tasks.c.ref == request_id, tasks.c.state == "open")
        .values(state="done", closed_at=now)
    )
