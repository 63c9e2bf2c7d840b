"""Small facts of this deployment by name: read, and put over what stood there."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.schema import kept

TELEGRAM_NAME = "telegram_name"
"""The user name of our bot on Telegram, as `webhooks set` learnt it."""


def kept_value(conn: Connection, name: str) -> str | None:
    """What is kept under a name."""
    return conn.execute(select(kept.c.value).where(kept.c.name == name)).scalar()


def keep(conn: Connection, name: str, value: str, *, now: datetime) -> None:
    """Keep a value under a name; what stood there is gone."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(kept).values(name=name, value=value, at=now)
    conn.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value, "at": now})
    )


def kept_since(conn: Connection, name: str) -> datetime | None:
    """When what is kept under a name was put there."""
    return conn.execute(select(kept.c.at).where(kept.c.name == name)).scalar()
