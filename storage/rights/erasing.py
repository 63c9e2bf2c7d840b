"""Erasing a household, or a sender who belongs to none: every table by its rule, all at once.

Rows of children, answers, letters and alerts go. What must stay as proof stays as codes and times
(`erasing_rules` says what and why). Other households are untouched, down to the byte. The key of
the household is destroyed by whoever calls (`bot.rights.erase`): that is what reaches backups.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, update

from storage.keyring.vault import Vault
from storage.rights.belongings import (
    NONE,
    Belongings,
    Ids,
    address_belongings,
    household_belongings,
    pointing,
)
from storage.rights.erasing_rules import RULES, By, Rule
from storage.rights.redacting import forget_letters, hand_over, take_out_of_classes
from storage.schema import (
    KEEPING,
    addresses,
    answers,
    children,
    consents,
    households,
    metadata,
    person_address,
    persons,
    sessions,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure did, in numbers.

    Attributes:
        household_id: The household; empty for a sender who belonged to none.
        deleted: Rows that went, by table.
        kept: Rows that stay without content, by table.
        classes: Class screens that a list number was taken out of.
        keys: Ids of the keys nothing needs any more, to be destroyed now.
        rejudge: (child, wave) of other households' children of whom she told us something.
        copies: How many messages providers may still hold, by channel.
        others: Households with people in them whose keys sealed some of what went: what was told
            about their children, or about one of hers before it moved here. In old backups that
            opens until those are gone.
    """

    household_id: str
    deleted: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    classes: int = 0
    keys: frozenset[str] = frozenset()
    rejudge: frozenset[tuple[str, str]] = frozenset()
    copies: Mapping[str, int] = field(default_factory=dict)
    others: frozenset[str] = frozenset()


def erase_household(conn: Connection, household_id: str, *, at: datetime, vault: Vault) -> Erased:
    """Erase a household. May be repeated: what is left of a broken run goes then.

    Args:
        conn: Open write transaction.
        household_id: Which; one that does not exist leads to nothing.
        at: When (aware, UTC). A household that was erased before keeps its first moment.
        vault: Opens and seals what must move to another key.
    """
    found = household_belongings(conn, household_id)
    erased_at = conn.execute(
        select(households.c.erased_at).where(households.c.id == household_id)
    ).scalar()
    named = _homes(conn, found.marks["session"]) - {household_id}
    empty = _emptied(conn, found, household_id, at=at)
    classes = take_out_of_classes(conn, found.marks["child"], at=at, vault=vault)
    _leave_shared(conn, found)
    hand_over(conn, found, household_id, vault=vault)
    _hollow_out(conn, found, at=at, vault=vault)
    forget_letters(conn, found.about)
    _let_go_of_yes(conn, found)
    deleted, kept = _apply(conn, found, at=erased_at or at)
    return Erased(
        household_id=household_id,
        deleted=deleted,
        kept=kept,
        classes=classes,
        keys=frozenset({household_id}) | empty | found.keys,
        rejudge=found.rejudge,
        copies=_counted(found),
        others=named - empty,
    )


def erase_address(conn: Connection, address_id: str, *, at: datetime) -> Erased:
    """Erase a sender who belongs to nobody we know, with all she said.

    Raises:
        ValueError: The address answers for a person: her household is erased instead.
    """
    person = conn.execute(select(addresses.c.person_id).where(addresses.c.id == address_id))
    if person.scalar() is not None:
        raise ValueError("this address answers for a person")
    found = address_belongings(conn, address_id)
    deleted, kept = _apply(conn, found, at=at)
    return Erased(
        household_id="", deleted=deleted, kept=kept, keys=found.keys, copies=_counted(found)
    )


def forget_strangers(conn: Connection, gone: Collection[str], *, at: datetime) -> int:
    """Erase senders again whose own key was destroyed since (after a restore); returns how many.

    Of who said STOP that stays: she gets another key when she writes.
    """
    found = conn.execute(
        select(addresses.c.id, addresses.c.key_id).where(
            addresses.c.person_id.is_(None),
            addresses.c.key_id.is_not(None),
            addresses.c.opted_out_at.is_(None),
        )
    ).all()
    dead = [row.id for row in found if row.key_id in gone]
    for address_id in dead:
        erase_address(conn, address_id, at=at)
    return len(dead)


def replay(conn: Connection, ledger: Mapping[str, datetime], *, vault: Vault) -> list[Erased]:
    """Erase again whatever of the ledger's households stands in this database (after a restore).

    Args:
        conn: Open write transaction.
        ledger: When each household was erased, from the key store.
        vault: Opens what can still be opened.
    """
    return [
        erase_household(conn, household_id, at=at, vault=vault)
        for household_id, at in sorted(ledger.items())
        if leftovers(conn, household_id)
    ]


def erased_households(conn: Connection) -> list[str]:
    """Ids of the households that were erased."""
    found = select(households.c.id).where(households.c.erased_at.is_not(None))
    return list(conn.execute(found.order_by(households.c.id)).scalars())


def leftovers(conn: Connection, household_id: str) -> dict[str, int]:
    """What a household that was erased still has: rows by table; empty where all is gone.

    A household that is not marked as erased counts as one row of `households`.
    """
    there = select(func.count()).where(
        households.c.id == household_id, households.c.erased_at.is_(None)
    )
    asked: dict[str, Any] = {
        "households": there,
        "children": select(func.count()).where(children.c.household_id == household_id),
        "persons": select(func.count()).where(
            persons.c.household_id == household_id,
            or_(persons.c.name.is_not(None), persons.c.language != "und"),
        ),
        "addresses": select(func.count())
        .select_from(person_address.join(persons, persons.c.id == person_address.c.person_id))
        .where(persons.c.household_id == household_id),
        "sessions": select(func.count()).where(sessions.c.household_id == household_id),
        "answers": select(func.count()).where(answers.c.household_id == household_id),
    }
    found = {name: int(conn.execute(query).scalar_one()) for name, query in asked.items()}
    return {name: count for name, count in found.items() if count}


def _homes(conn: Connection, session: Ids) -> frozenset[str]:
    """The households by whose keys these questionnaires were sealed."""
    named = select(sessions.c.household_id).where(
        sessions.c.id.in_(sorted(session)), sessions.c.household_id.is_not(None)
    )
    return frozenset(conn.execute(named).scalars())


def _emptied(
    conn: Connection, found: Belongings, household_id: str, *, at: datetime
) -> frozenset[str]:
    """Households that its children came from and that have nobody left: their keys may go too."""
    others = sessions.alias("others")
    names = select(sessions.c.household_id).where(
        sessions.c.id.in_(sorted(found.marks["session"])),
        sessions.c.household_id.is_not(None),
        sessions.c.household_id != household_id,
        ~select(children.c.id).where(children.c.household_id == sessions.c.household_id).exists(),
        ~select(persons.c.id).where(persons.c.household_id == sessions.c.household_id).exists(),
        ~select(others.c.id)
        .where(
            others.c.household_id == sessions.c.household_id,
            others.c.id.not_in(sorted(found.marks["session"])),
        )
        .exists(),
    )
    empty = frozenset(conn.execute(names).scalars())
    conn.execute(
        update(households)
        .where(households.c.id.in_(sorted(empty)), households.c.erased_at.is_(None))
        .values(erased_at=at)
    )
    return empty


def _leave_shared(conn: Connection, found: Belongings) -> None:
    """A shared phone goes on with whoever else has it, without an open question of hers."""
    mine = found.marks["person"]
    for address_id in sorted(found.shared):
        row = conn.execute(
            select(addresses.c.person_id).where(addresses.c.id == address_id)
        ).scalar()
        if row not in mine:
            continue
        other = conn.execute(
            select(person_address.c.person_id)
            .where(
                person_address.c.address_id == address_id,
                person_address.c.until_at.is_(None),
                person_address.c.person_id.not_in(mine),
            )
            .order_by(person_address.c.from_at.desc())
            .limit(1)
        ).scalar()
        conn.execute(
            update(addresses)
            .where(addresses.c.id == address_id)
            .values(person_id=other, open_prompt=None, stuck=0, guard=None)
        )


def _let_go_of_yes(conn: Connection, found: Belongings) -> None:
    """Her yes about a child who stays counts no more; her no, and what she took back, goes on."""
    conn.execute(
        update(consents)
        .where(
            consents.c.person_id.in_(sorted(found.marks["person"])),
            consents.c.granted,
            consents.c.withdrawn_at.is_(None),
        )
        .values(child_id=None)
    )


def _hollow_out(conn: Connection, found: Belongings, *, at: datetime, vault: Vault) -> None:
    """A number that was somebody else's before: her sessions need the row, nobody the number."""
    for address_id, before in sorted(found.hollow.items()):
        conn.execute(
            update(addresses)
            .where(addresses.c.id == address_id)
            .values(
                blind=secrets.token_hex(16),
                blind2=None,
                value=vault.seal("", table="addresses", column="value", row=address_id),
                person_id=before,
                open_prompt=None,
                stuck=0,
                guard=None,
                bad_at=at,
            )
        )


def _apply(
    conn: Connection, found: Belongings, *, at: datetime
) -> tuple[dict[str, int], dict[str, int]]:
    """All rules: what stays is emptied and unlinked, then the rest goes, leaves before roots."""
    asked = pointing(conn, found.marks)
    conn.execute(
        update(addresses).where(addresses.c.id.in_(sorted(asked))).values(open_prompt=None)
    )
    kept, deleted = {}, {}
    tables = [(t, RULES[t.name]) for t in metadata.sorted_tables if t.name in RULES]
    for table, rule in tables:
        if rule.keep and (count := _keep(conn, table, rule, found, at)):
            kept[table.name] = count
    for table, rule in tables:
        _unlink(conn, table, rule, found)
    for table, rule in reversed(tables):
        if rule.delete and (count := _delete(conn, table, rule, found)):
            deleted[table.name] = count
    return dict(sorted(deleted.items())), dict(sorted(kept.items()))


def _keep(conn: Connection, table: Table, rule: Rule, found: Belongings, at: datetime) -> int:
    values = {
        **{c.name: None for c in table.columns if c.name not in rule.kept and c.nullable},
        **rule.values(at),
    }
    done = conn.execute(update(table).where(_hit(table, rule.keep, found)).values(values))
    return int(done.rowcount)


def _unlink(conn: Connection, table: Table, rule: Rule, found: Belongings) -> None:
    for name, marks in rule.unlink.items():
        values = dict.fromkeys((name, *rule.unlinks))
        hit = _hit(table, {name: marks}, found)
        conn.execute(update(table).where(hit).values(values))


def _delete(conn: Connection, table: Table, rule: Rule, found: Belongings) -> int:
    done = conn.execute(delete(table).where(_hit(table, rule.delete, found)))
    return int(done.rowcount)


def _hit(table: Table, by: By, found: Belongings) -> ColumnElement[bool]:
    """The rows a rule speaks of."""
    return or_(
        *(
            table.c[name].in_(sorted(NONE.union(*(found.marks.get(m, NONE) for m in marks))))
            for name, marks in by.items()
        )
    )


def _counted(found: Belongings) -> dict[str, int]:
    counts: dict[str, int] = {}
    for channel, _ in found.copies:
        counts[channel] = counts.get(channel, 0) + 1
    return counts


def without_rule(rules: Mapping[str, Rule] = RULES) -> list[str]:
    """Tables that may hold something about a family and have no rule. A test wants none."""
    about = {"households", "children", "persons", "addresses", "sessions", "alerts"}
    found = []
    for _, table in sorted(metadata.tables.items()):
        points = {key.column.table.name for key in table.foreign_keys} & about
        if table.name not in rules and (KEEPING[table.name] != "reference" or points - {"persons"}):
            found.append(table.name)
    return found
