"""USSD sessions: what stands on a phone's screen, and whose phone it is.

One row a phone, written in the transaction of the turn it shows, so that a repeated delivery is
given the same screen; gone `LIFE` after the last step.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.schema import addresses, dialogs, person_address, persons

LIFE = timedelta(minutes=15)
"""Longer than any network keeps a session open (two to three minutes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A phone that dialled before: the language it is spoken to in, and its last screen, sealed."""

    address_id: str
    language: str
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The same number on another channel, and who answers there; nobody for staff."""

    address_id: str
    person_id: str | None
    household_id: str | None
    language: str
    opted_out_at: datetime | None


def find(
    conn: Connection, *, channel: str, account: str, blinds: Collection[str | None]
) -> Screen | None:
    """The phone at an address; None for one that never wrote.

    Args:
        conn: Open transaction or reader.
        channel: Which channel.
        account: Our side of it.
        blinds: Its blind indexes (`Vault.blinds`).
    """
    found = conn.execute(
        select(
            addresses.c.id,
            addresses.c.language,
            persons.c.language.label("own_language"),
            dialogs.c.body,
        )
        .outerjoin(persons, persons.c.id == addresses.c.person_id)
        .outerjoin(dialogs, dialogs.c.address_id == addresses.c.id)
        .where(addresses.c.channel == channel, addresses.c.account == account, _at(blinds))
    ).first()
    if found is None:
        return None
    return Screen(
        address_id=found.id,
        language=found.own_language or found.language,
        body=found.body,
    )


def keep(conn: Connection, *, address_id: str, body: bytes, at: datetime) -> None:
    """Put a screen over the one before."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    values = {"address_id": address_id, "body": body, "at": at}
    conn.execute(
        make(dialogs)
        .values(values)
        .on_conflict_do_update(index_elements=["address_id"], set_={"body": body, "at": at})
    )


def twins(
    conn: Connection, *, channel: str, account: str, blinds: Collection[str | None]
) -> dict[str, Twin]:
    """These numbers on `channel`, by blind index.

    Staff are not named: they do not work by USSD, so that nobody who only forges a number can act
    as one of them.
    """
    found = conn.execute(
        select(
            addresses.c.id,
            addresses.c.blind,
            addresses.c.blind2,
            persons.c.id.label("person_id"),
            persons.c.household_id,
            func.coalesce(persons.c.language, addresses.c.language).label("language"),
            addresses.c.opted_out_at,
        )
        .outerjoin(persons, and_(persons.c.id == addresses.c.person_id, persons.c.kind != "staff"))
        .where(addresses.c.channel == channel, addresses.c.account == account, _at(blinds))
    )
    return {
        blind: Twin(
            address_id=row.id,
            person_id=row.person_id,
            household_id=row.household_id,
            language=row.language,
            opted_out_at=row.opted_out_at,
        )
        for row in found
        for blind in (row.blind, row.blind2)
        if blind
    }


def ended_links(conn: Connection, address_ids: Collection[str]) -> set[tuple[str, str]]:
    """(person, address) pairs that were true once and are not any more."""
    found = conn.execute(
        select(
            person_address.c.person_id, person_address.c.address_id, person_address.c.until_at
        ).where(person_address.c.address_id.in_(sorted(address_ids)))
    ).all()
    stand = {(r.person_id, r.address_id) for r in found if r.until_at is None}
    return {(r.person_id, r.address_id) for r in found} - stand


def purge(conn: Connection, *, now: datetime) -> int:
    """Forget the screens of sessions that are over; returns how many."""
    return int(conn.execute(delete(dialogs).where(dialogs.c.at < now - LIFE)).rowcount)


def _at(blinds: Collection[str | None]) -> ColumnElement[bool]:
    known = sorted(b for b in blinds if b)
    return or_(addresses.c.blind.in_(known), addresses.c.blind2.in_(known))
