"""Programmes, schools, classes and waves: the id of what stands already, or made now."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.ids import new_id
from storage.schema import classes, programmes, schools, waves
from storage.scope import Scope


def ensure_programme(conn: Connection, *, name: str, now: datetime) -> str:
    """The id of the programme of this name."""
    found = conn.execute(
        select(programmes.c.id).where(programmes.c.name == name).order_by(programmes.c.id)
    ).scalar()
    if found is not None:
        return str(found)
    made = new_id(now)
    conn.execute(insert(programmes).values(id=made, name=name, created_at=now))
    return made


def ensure_school(conn: Connection, *, programme_id: str, name: str, now: datetime) -> str:
    """The id of the school of this name in a programme."""
    return _ensure(conn, schools, now, key={"programme_id": programme_id, "name": name})


def ensure_class(conn: Connection, *, school_id: str, grade: str, name: str, now: datetime) -> str:
    """The id of a class, e.g. grade "1", name "A"."""
    return _ensure(conn, classes, now, key={"school_id": school_id, "grade": grade, "name": name})


def ensure_wave(
    conn: Connection,
    *,
    programme_id: str,
    number: int,
    opens_at: datetime,
    now: datetime,
    closes_at: datetime | None = None,
) -> str:
    """The id of a programme's wave; its dates are only used where it is made."""
    return _ensure(
        conn,
        waves,
        now,
        key={"programme_id": programme_id, "number": number},
        rest={"opens_at": opens_at, "closes_at": closes_at},
    )


def school_names(conn: Connection, scope: Scope, *, programme_id: str) -> set[str]:
    """The names of a programme's schools in scope."""
    found = conn.execute(
        select(schools.c.name).where(
            schools.c.programme_id == programme_id, scope.within(schools.c.id)
        )
    )
    return set(found.scalars())


def school_ids(conn: Connection) -> list[str]:
    """Every school's id: the reach of an office that answers for all of them."""
    return list(conn.execute(select(schools.c.id).order_by(schools.c.id)).scalars())


def _ensure(
    conn: Connection,
    table: Table,
    now: datetime,
    *,
    key: Mapping[str, object],
    rest: Mapping[str, object] | None = None,
) -> str:
    wanted = select(table.c.id).where(*(table.c[name] == value for name, value in key.items()))
    found = conn.execute(wanted).scalar()
    if found is None:
        values = {"id": new_id(now), **key, **(rest or {})}
        conn.execute(insert_new(conn, table, key).values(values))
        found = conn.execute(wanted).scalar_one()
    return str(found)


def insert_new(
    conn: Connection, table: Table, key: Mapping[str, object]
) -> postgresql.Insert | sqlite.Insert:
    """An insert that leaves alone what stands under the same unique key."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    return make(table).on_conflict_do_nothing(index_elements=list(key))
