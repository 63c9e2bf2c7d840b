"""People, their addresses and roles: making and finding them.

`ensure_*` gives the id of what stands already or makes it, so that an import can be run again.
Schools and classes are in `storage.families.programmes`, the children of a class list and
their join codes in `storage.families.learners`; their names are found here too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, or_, select, update

from flows.messages import ChannelName
from storage.families.learners import Learner, NewChild, add_children, issue_join_codes, learners
from storage.families.programmes import (
    ensure_class,
    ensure_programme,
    ensure_school,
    ensure_wave,
    insert_new,
    school_names,
)
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import addresses, classes, person_address, person_roles, persons
from storage.scope import Scope
from storage.types import Instant

__all__ = [
    "Learner",
    "NewChild",
    "PersonRef",
    "StaffAddress",
    "StaffMember",
    "add_address",
    "add_children",
    "add_person",
    "ensure_class",
    "ensure_person",
    "ensure_programme",
    "ensure_school",
    "ensure_wave",
    "grant_role",
    "is_at",
    "issue_join_codes",
    "learners",
    "person_at",
    "school_names",
    "set_teacher",
    "staff",
]


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person, as far as who she is to us."""

    id: str
    kind: str
    school_id: str | None
    household_id: str | None
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAddress:
    """One way to reach a member of staff; `usable` unless opted out, bad, or never pushed to."""

    id: str
    channel: ChannelName
    account: str
    usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Somebody with a role at a school, and all her addresses, oldest first."""

    person_id: str
    school_id: str
    role: str
    language: str
    addresses: tuple[StaffAddress, ...]


def add_person(
    conn: Connection,
    *,
    kind: str,
    programme_id: str,
    now: datetime,
    vault: Vault,
    school_id: str | None = None,
    household_id: str | None = None,
    language: str = "en",
    name: str = "",
) -> str:
    """Add a person and give back her id.

    Args:
        conn: Open transaction.
        kind: "caregiver", "teacher" or "staff".
        programme_id: Where she belongs.
        now: Aware, UTC.
        vault: Seals the name.
        school_id: Her school, if one.
        household_id: A caregiver's household, with which she is erased.
        language: The tag of the language she is spoken to in.
        name: Empty where we do not need or may not have it.
    """
    made = new_id(now)
    key = vault.key_for(household_id)
    sealed = vault.seal(name, table="persons", column="name", row=made, key=key) if name else None
    conn.execute(
        insert(persons).values(
            id=made,
            programme_id=programme_id,
            school_id=school_id,
            household_id=household_id,
            kind=kind,
            name=sealed,
            language=language,
            created_at=now,
        )
    )
    return made


def add_address(
    conn: Connection,
    *,
    person_id: str,
    channel: ChannelName,
    account: str,
    value: str,
    vault: Vault,
    now: datetime,
    language: str = "en",
) -> str:
    """Link a person to an address, which is made where it is new; gives back its id.

    An address that already answers for somebody goes on doing so: several people share a phone,
    and only its holder can say that it changed hands.
    """
    family = select(persons.c.household_id).where(persons.c.id == person_id)
    key = vault.key_for(conn.execute(family).scalar())
    at = select(addresses).where(is_at(vault, channel, account, value))
    row = conn.execute(at).first()
    if row is None:
        made = new_id(now)
        blind, blind2 = vault.blinds(channel, account, value)
        unique = {"channel": channel, "account": account, "blind": blind}
        conn.execute(
            insert_new(conn, addresses, unique).values(
                id=made,
                blind2=blind2,
                value=vault.seal(value, table="addresses", column="value", row=made, key=key),
                language=language,
                created_at=now,
                **unique,
            )
        )
        row = conn.execute(at).one()
    address_id = str(row.id)
    if row.person_id is None:
        sealed = vault.seal(value, table="addresses", column="value", row=address_id, key=key)
        conn.execute(
            update(addresses)
            .where(addresses.c.id == address_id, addresses.c.person_id.is_(None))
            .values(person_id=person_id, value=sealed, key_id=None)
        )
    linked = select(person_address.c.address_id).where(
        person_address.c.person_id == person_id,
        person_address.c.address_id == address_id,
        person_address.c.until_at.is_(None),
    )
    if conn.execute(linked).first() is None:
        conn.execute(
            insert(person_address).values(
                person_id=person_id,
                address_id=address_id,
                from_at=now,
                key_id=row.key_id if row.person_id is None else None,
            )
        )
    return address_id


def is_at(vault: Vault, channel: ChannelName, account: str, value: str) -> ColumnElement[bool]:
    """The row of an address; while the index's key rotates, by either index."""
    blind = vault.blind_address(channel, account, value)
    index = addresses.c.blind == blind
    if vault.rotating:
        index = or_(index, addresses.c.blind2 == blind)
    return and_(addresses.c.channel == channel, addresses.c.account == account, index)


def person_at(
    conn: Connection, scope: Scope, *, channel: ChannelName, account: str, value: str, vault: Vault
) -> PersonRef | None:
    """Who answers at an address; None for nobody and for people out of scope."""
    found = conn.execute(
        select(
            persons.c.id,
            persons.c.kind,
            persons.c.school_id,
            persons.c.household_id,
            persons.c.language,
        )
        .join(addresses, addresses.c.person_id == persons.c.id)
        .where(
            is_at(vault, channel, account, value),
            scope.within(persons.c.school_id),
        )
    ).first()
    return PersonRef(*found) if found else None


def ensure_person(
    conn: Connection,
    scope: Scope,
    *,
    channel: ChannelName,
    account: str,
    value: str,
    kind: str,
    programme_id: str,
    now: datetime,
    vault: Vault,
    school_id: str | None = None,
    household_id: str | None = None,
    language: str = "en",
    name: str = "",
) -> tuple[str, bool]:
    """Who answers at an address, made with it where nobody does; and whether she was made.

    Somebody found keeps her kind: a teacher may be a caregiver too.
    """
    found = person_at(conn, scope, channel=channel, account=account, value=value, vault=vault)
    if found is not None:
        return found.id, False
    person_id = add_person(
        conn,
        kind=kind,
        programme_id=programme_id,
        school_id=school_id,
        household_id=household_id,
        language=language,
        name=name,
        now=now,
        vault=vault,
    )
    add_address(
        conn,
        person_id=person_id,
        channel=channel,
        account=account,
        value=value,
        vault=vault,
        now=now,
        language=language,
    )
    return person_id, True


def set_teacher(conn: Connection, class_id: str, person_id: str) -> bool:
    """Make a person the teacher of a class, who is asked about it; whether she was not."""
    made = conn.execute(
        update(classes)
        .where(classes.c.id == class_id, classes.c.teacher_id.is_distinct_from(person_id))
        .values(teacher_id=person_id)
    )
    return made.rowcount == 1


def grant_role(
    conn: Connection, *, person_id: str, school_id: str, role: str, now: datetime
) -> bool:
    """Give a person a role at a school from now on; whether she did not have it already."""
    key = {"person_id": person_id, "school_id": school_id, "role": role}
    made = conn.execute(
        insert_new(conn, person_roles, key)
        .values(from_at=now, until_at=None, **key)
        .returning(person_roles.c.person_id)
    )
    if made.first() is not None:
        return True
    renewed = conn.execute(
        update(person_roles)
        .where(
            *(person_roles.c[name] == value for name, value in key.items()),
            person_roles.c.until_at <= now,
        )
        .values(from_at=now, until_at=None)
    )
    return renewed.rowcount == 1


_STAFF = (
    select(
        person_roles.c.person_id,
        person_roles.c.school_id,
        person_roles.c.role,
        persons.c.language,
        addresses.c.id,
        addresses.c.channel,
        addresses.c.account,
        addresses.c.opted_out_at,
        addresses.c.bad_at,
    )
    .join(persons, persons.c.id == person_roles.c.person_id)
    .outerjoin(
        person_address,
        (person_address.c.person_id == persons.c.id) & person_address.c.until_at.is_(None),
    )
    .outerjoin(addresses, addresses.c.id == person_address.c.address_id)
    .where(
        person_roles.c.school_id.in_(bindparam("schools", expanding=True)),
        person_roles.c.role.in_(bindparam("roles", expanding=True)),
        person_roles.c.from_at <= bindparam("now", type_=Instant()),
        or_(
            person_roles.c.until_at.is_(None),
            person_roles.c.until_at > bindparam("now", type_=Instant()),
        ),
    )
    .order_by(
        person_roles.c.school_id,
        person_roles.c.from_at,
        person_roles.c.person_id,
        person_roles.c.role,
        addresses.c.id,
    )
)


def staff(
    conn: Connection,
    school_ids: Collection[str],
    *,
    scope: Scope,
    roles: Collection[str],
    now: datetime,
) -> list[StaffMember]:
    """Who has one of these roles at these schools now, in scope; the longest in office first."""
    seen = {school_id for school_id in school_ids if scope.sees(school_id)}
    if not seen:
        return []
    found = conn.execute(_STAFF, {"schools": sorted(seen), "roles": sorted(set(roles)), "now": now})
    ways: dict[tuple[str, str, str, str], list[StaffAddress]] = {}
    for person_id, school_id, role, language, *address in found:
        reached_by = ways.setdefault((person_id, school_id, role, language), [])
        address_id, channel, account, opted_out_at, bad_at = address
        if address_id is not None:
            usable = opted_out_at is None and bad_at is None and channel != "ussd"
            reached_by.append(
                StaffAddress(id=address_id, channel=channel, account=account, usable=usable)
            )
    return [
        StaffMember(
            person_id=person_id,
            school_id=school_id,
            role=role,
            language=language,
            addresses=tuple(reached_by),
        )
        for (person_id, school_id, role, language), reached_by in ways.items()
    ]
