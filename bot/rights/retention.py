"""Retention: what has been kept long enough, told, and let go where that is wanted.

The clock does it once a day for all classes but departed households: erasing those destroys keys
and replaces the master key, which is an operator's hand (`retention --apply`). Every class is one
transaction with its audit row.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.rights.keeping import WHAT, Class, Keep, keeps, may_end
from bot.site import Site
from bot.turns.world import World
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.rights.purge import purge_strangers
from storage.rights.retention import due, end, last_day, note_day
from storage.scope import system
from storage.trail import audit

BY_HAND: frozenset[Class] = frozenset({"departed"})
"""Classes that only an operator ends."""
OWN_TICK: frozenset[Class] = frozenset({"strangers"})
"""Classes that the clock ends every hour, by a tick of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a report says of one class.

    Attributes:
        keep_days: None for never.
        due: Rows kept for longer; None where the class never ends.
        oldest: When the oldest of them ended.
        ends: Whether they may be deleted: some classes need somebody's signature.
        deleted: How many were, with `--apply`.
    """

    name: Class
    what: str
    keep_days: int | None
    ground: str
    signed_by: str
    due: int | None
    oldest: datetime | None
    ends: bool
    deleted: int = 0


def report(conn: Connection, site: Site, *, now: datetime) -> list[Line]:
    """Every class with what is due. Changes nothing."""
    return [_line(conn, site, name, keep, now) for name, keep in table_of(site).items()]


def table_of(site: Site) -> dict[Class, Keep]:
    """The retention table of a site."""
    return keeps(site.retention)


def signer(site: Site) -> str:
    """Who signed for the whole table; empty where nobody has."""
    paper = site.launch.retention_table
    return paper.name if paper is not None else ""


def _line(conn: Connection, site: Site, name: Class, keep: Keep, now: datetime) -> Line:
    found = (
        due(conn, name, before=now - timedelta(days=keep.days), now=now)
        if keep.days is not None
        else None
    )
    return Line(
        name=name,
        what=WHAT[name],
        keep_days=keep.days,
        ground=keep.ground,
        signed_by=keep.signed_by or signer(site),
        due=found.rows if found else None,
        oldest=found.oldest if found else None,
        ends=may_end(name, keep, table_signed_by=signer(site)),
    )


def end_class(conn: Connection, name: Class, keep: Keep, *, now: datetime, vault: Vault) -> int:
    """Let one class go, as much as one transaction takes; returns how many rows (or texts)."""
    if keep.days is None or name in BY_HAND:
        return 0
    before = now - timedelta(days=keep.days)
    count = (
        purge_strangers(conn, before=before, now=now, vault=vault)
        if name == "strangers"
        else end(conn, name, before=before, now=now)
    )
    if count:
        note(conn, name, now)
    return count


def note(conn: Connection, name: str, now: datetime) -> None:
    """The audit row of a class that was let go."""
    entry = audit.row(system(f"retention:{name}"), "deleted", name, id=new_id(now), at=now)
    audit.record(conn, [entry])


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """The clock's turn: what may end, once a day; where it is much, the next hour goes on.

    Returns:
        How many rows (or texts) were let go.
    """
    day = f"{now.astimezone(world.zone):%Y-%m-%d}"
    if last_day(conn) == day:
        return 0
    count = sum(
        end_class(conn, name, keep, now=now, vault=world.vault)
        for name, keep in table_of(world.site).items()
        if name not in OWN_TICK and may_end(name, keep, table_signed_by=signer(world.site))
    )
    if not count:
        note_day(conn, day, now=now)
    return count
