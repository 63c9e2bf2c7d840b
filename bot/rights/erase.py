"""Erasing a household on request: who may, what forbids it, and the steps in their order.

1. The ledger of erasures in the key store gets its entry, durably: from here on a restored backup
   is erased again, whatever happens to this run.
2. One transaction of the database: providers are told to delete, rows go, audit rows come.
3. Its keys are destroyed, the household's and those of what its people wrote before they joined:
   what old backups hold of it opens no more.
4. Files made of it are deleted; the database's own files are cleared of what was deleted.
5. The master key is replaced, so that old copies of the key store open nothing.

Every step may be repeated. A run that broke off is finished by running it again.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, or_, select, update

from bot.policy import shipped
from bot.rights.export import SUFFIX
from bot.rights.withholding import is_matter
from bot.sending.redaction import forget_at_providers
from bot.trail.acting import allowed
from bot.turns.desk import Desk
from bot.turns.judge import judge
from bot.turns.world import World
from storage.ids import new_id
from storage.keyring.keys import KeyStore
from storage.rights.belongings import Belongings, address_belongings, household_belongings
from storage.rights.erasing import Erased, erase_address, erase_household
from storage.rights.holds import is_held
from storage.rights.requests import RequestRow, request
from storage.rights.scrubbing import overwrite_deleted
from storage.schema import (
    addresses,
    alerts,
    child_state,
    children,
    exports,
    households,
    inbox,
    persons,
)
from storage.scope import Scope, system
from storage.staff import users
from storage.staff.users import User
from storage.trail import audit

GROUND = "request"
CARRY_OUT = ("erase", "carry_out")
"""The row and verb of the policy's commands: one of the two must have such a role."""


class EraseRefusedError(Exception):
    """Nothing was erased; `codes` say why, in the order found (`WHY` has the words)."""

    def __init__(self, *codes: str) -> None:
        super().__init__(", ".join(codes))
        self.codes = codes


WHY: Mapping[str, str] = {
    "nobody": "There is nobody here by that. Check the code or the address.",
    "siblings": "This household has more than one child, and a household is erased as one. "
    "To erase all of it, name it: --household {household}",
    "staff": "This address is a teacher's or staff's. They are not erased this way: end her login "
    "(users end), take her off the staff list; retention ends what is left.",
    "request": "There is no such request, or it is about somebody else.",
    "kind": "That request is not one for erasure.",
    "undecided": "That request has not been granted by two people. Decide it on the page "
    "Requests: one proposes, another confirms.",
    "people": "--by and --second must be the two different people who decided that request.",
    "officer": "One of the two must be a data officer.",
    "account": "One of the two has no open account.",
    "legal_hold": "A legal hold stands (hold list). Nothing may be deleted until it is ended.",
    "s110": "A matter that may have to be reported under the Children's Act s110 is open. Decide "
    "whether it must be, report it, close the alert; then erase.",
    "alert_open": "An alert about a child of this household is open. Close it first: a person must "
    "have looked.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be erased: a household, or else an address that belongs to nobody we know."""

    household_id: str = ""
    address_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the transaction did.

    Attributes:
        erased: Rows, keys, copies.
        at_providers: Messages that providers are now asked to delete.
        files: Ids of files made of it, to be deleted.
        rejudged: Profiles of others that were made anew.
    """

    erased: Erased
    at_providers: int
    files: tuple[str, ...]
    rejudged: int


def by_household(conn: Connection, household_id: str) -> Target:
    """A household by its id. Raises EraseRefusedError where there is none."""
    there = select(households.c.id).where(households.c.id == household_id)
    if conn.execute(there).first() is None:
        raise EraseRefusedError("nobody")
    return Target(household_id=household_id)


def by_child(conn: Connection, code: str) -> Target:
    """The household of a child by its public code.

    Raises:
        EraseRefusedError: There is none, or it has other children.
    """
    row = conn.execute(
        select(children.c.household_id).where(children.c.code == code.strip().upper())
    ).first()
    if row is None:
        raise EraseRefusedError("nobody")
    same = select(children.c.id).where(children.c.household_id == row.household_id)
    if len(conn.execute(same).all()) > 1:
        raise EraseRefusedError("siblings", row.household_id)
    return Target(household_id=row.household_id)


def by_address(conn: Connection, world: World, text: str) -> Target:
    """Who writes from an address ("sms:+27...", "whatsapp:+27...", "telegram:123").

    Raises:
        EraseRefusedError: Nobody does, or a teacher or member of staff.
    """
    channel, _, value = text.strip().partition(":")
    accounts = {name: account for name, account in world.accounts.items() if name == channel}
    if not accounts or not value:
        raise EraseRefusedError("nobody")
    now_blind, other = world.vault.blinds(channel, accounts[channel], value)  # type: ignore[index]
    blinds = [blind for blind in (now_blind, other) if blind]
    row = conn.execute(
        select(addresses.c.id, addresses.c.person_id, persons.c.household_id)
        .outerjoin(persons, persons.c.id == addresses.c.person_id)
        .where(
            addresses.c.channel == channel,
            or_(addresses.c.blind.in_(blinds), addresses.c.blind2.in_(blinds)),
        )
    ).first()
    if row is None:
        raise EraseRefusedError("nobody")
    if row.person_id is None:
        return Target(address_id=row.id)
    if row.household_id is None:
        raise EraseRefusedError("staff")
    return Target(household_id=row.household_id)


def check_request(
    conn: Connection, target: Target, *, request_id: str, by: str, second: str, now: datetime
) -> tuple[RequestRow, User, User]:
    """The request that two people granted, and the two.

    Raises:
        EraseRefusedError: It may not be carried out; `codes` say why.
    """
    row = request(conn, system("erase"), request_id)
    if row is None or not _is_about(conn, row, target):
        raise EraseRefusedError("request")
    if row.kind != "erasure":
        raise EraseRefusedError("kind")
    if row.state != "granted" or not row.decided_by or not row.second_by:
        raise EraseRefusedError("undecided")
    two = [users.by_login(conn, login.strip().lower()) for login in (by, second)]
    people = [user for user in two if user is not None and user.usable(now)]
    if len(people) != len(two):
        raise EraseRefusedError("account")
    decided = {row.decided_by, row.second_by}
    if {user.id for user in people} != decided or len(decided) != len(two):
        raise EraseRefusedError("people")
    if not any(allowed(shipped(), user, *CARRY_OUT) for user in people):
        raise EraseRefusedError("officer")
    return row, people[0], people[1]


def _is_about(conn: Connection, row: RequestRow, target: Target) -> bool:
    if target.address_id:
        return row.address_id == target.address_id and row.person_id is None
    if row.household_id is not None:
        return row.household_id == target.household_id
    found = select(persons.c.household_id).where(persons.c.id == row.person_id)
    return conn.execute(found).scalar() == target.household_id


def forbidden(conn: Connection, household_id: str, *, now: datetime) -> tuple[str, ...]:
    """What forbids to erase a household now, as codes of `WHY`; empty where nothing does."""
    found = ["legal_hold"] if is_held(conn, household_id, now=now) else []
    about = conn.execute(
        select(
            alerts.c.state,
            alerts.c.level,
            alerts.c.reportable,
            alerts.c.reported_at,
            child_state.c.band,
        )
        .join(children, children.c.id == alerts.c.child_id)
        .outerjoin(
            child_state,
            (child_state.c.child_id == alerts.c.child_id)
            & (child_state.c.wave_id == alerts.c.wave_id)
            & (child_state.c.domain == "protection"),
        )
        .where(children.c.household_id == household_id)
    ).all()
    if any(
        is_matter(
            state=row.state,
            level=row.level,
            protection=row.band == "high",
            reportable=row.reportable,
            reported=row.reported_at is not None,
        )
        for row in about
    ):
        found.append("s110")
    elif any(row.state != "closed" for row in about):
        found.append("alert_open")
    return tuple(found)


def note_refusal(
    conn: Connection, request_id: str, grounds: Collection[str], now: datetime
) -> None:
    """Write down that a granted erasure could not be carried out, and on which grounds."""
    rows = [
        audit.row(
            system(f"held:{ground}"), "erase_held", "requests", request_id, id=new_id(now), at=now
        )
        for ground in grounds
    ]
    audit.record(conn, rows)


def carry_out(
    conn: Connection,
    world: World,
    target: Target,
    *,
    people: Collection[User],
    request_id: str,
    now: datetime,
    note: Callable[[str], object],
) -> Done:
    """Steps 1 and 2, inside one transaction of the database.

    Args:
        conn: Open write transaction.
        world: Keys, rules.
        target: What to erase.
        people: The two who decided, for the audit; nobody where its time had come.
        request_id: What they decided; empty where nobody did.
        now: Aware, UTC.
        note: Enters the id of a key to be destroyed into the ledger of erasures, durably: the
            household's, or one of what was said before somebody joined.
    """
    overwrite_deleted(conn)
    found = (
        household_belongings(conn, target.household_id)
        if target.household_id
        else address_belongings(conn, target.address_id)
    )
    asked = _forget(conn, world, found, now)
    files = _files(conn, found, now)
    if target.household_id:
        note(target.household_id)
        erased = erase_household(conn, target.household_id, at=now, vault=world.vault)
    else:
        erased = erase_address(conn, target.address_id, at=now)
    for key in sorted(erased.keys - {target.household_id}):
        note(key)
    _audit(conn, target, people, request_id, now)
    return Done(
        erased=erased,
        at_providers=asked,
        files=files,
        rejudged=rejudge(conn, world, erased, now),
    )


def rejudge(conn: Connection, world: World, erased: Erased, now: datetime) -> int:
    """Make anew the profiles of other households' children of whom she had told us something."""
    if erased.rejudge:
        desk = Desk(conn=conn, world=world, now=now)
        desk.touched |= erased.rejudge
        judge(desk)
        desk.writes.flush(conn)
    return len(erased.rejudge)


def finish(store: KeyStore, done: Done, place: Path, *, now: datetime) -> int:
    """Steps 3 and half of 4: the keys, and the files made of it; returns how many files went.

    Keys that an earlier run entered into the ledger and did not come to destroy go as well.
    """
    ids = store.ids()
    owed = {e.household_id for e in store.erasures() if e.household_id in ids}
    left = {key for key in owed if ids[key] is None}
    store.destroy(done.erased.keys | left, at=now)
    gone = 0
    for name in done.files:
        path = place / f"{name}{SUFFIX}"
        gone += path.exists()
        path.unlink(missing_ok=True)
    return gone


def _forget(conn: Connection, world: World, found: Belongings, now: datetime) -> int:
    """Let providers delete what they hold; what nobody has handled yet is planned as well."""
    waiting = inbox.c.id.in_(sorted(found.marks["letter"])) & (inbox.c.status == "waiting")
    conn.execute(update(inbox).where(waiting).values(status="poison"))
    at = found.marks.get("address", frozenset()) | frozenset(found.hollow)
    return forget_at_providers(conn, world.vault, at, now=now)


def _files(conn: Connection, found: Belongings, now: datetime) -> tuple[str, ...]:
    """Files of this household, and lists of many people, which may name it: they are a day old."""
    household = sorted(found.marks.get("household", frozenset()))
    asked = select(exports.c.id).where(
        exports.c.gone_at.is_(None),
        or_(
            exports.c.household_id.in_(household),
            exports.c.person_id.in_(sorted(found.marks.get("person", frozenset()))),
            exports.c.household_id.is_(None),
        ),
    )
    ids = tuple(conn.execute(asked.order_by(exports.c.id)).scalars())
    conn.execute(update(exports).where(exports.c.id.in_(ids)).values(gone_at=now))
    return ids


def _audit(
    conn: Connection, target: Target, people: Collection[User], request_id: str, now: datetime
) -> None:
    kind = "households" if target.household_id else "addresses"
    rows = []
    if not people:
        entry = audit.row(
            system("retention:departed"),
            "erased",
            kind,
            target.household_id,
            id=new_id(now),
            at=now,
        )
        rows.append(entry)
    for user in people:
        scope = Scope(
            actor_id=user.id, actor_kind="user", schools=frozenset(), purpose=f"erase:{request_id}"
        )
        thing = target.household_id or target.address_id
        rows.append(audit.row(scope, "erased", kind, thing, id=new_id(now), at=now))
    audit.record(conn, rows)
