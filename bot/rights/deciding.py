"""A data officer's steps on a request: who asks, what is decided, what is noted, who is told.

Pages and the command line both come here. Every step is one transaction with its audit row.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import cast, get_args

from sqlalchemy import Connection

from bot.lists.sheets import contact
from bot.rights.clock import due
from bot.rights.withholding import (
    DEFAULTS,
    KINDS,
    Choice,
    Outcome,
    Ruling,
    Withheld,
    faults,
    needs_two,
    whole_faults,
)
from bot.turns.world import World
from storage.families import people
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.rights import request_steps, requests
from storage.rights.requests import RequestRow, State
from storage.scope import Scope
from storage.trail import audit

HOW = ("known_in_person", "called_back", "identity_document", "school_confirmed")
"""How somebody's identity was proved. None of these is kept but as its word."""
INFORM_WITHIN = timedelta(days=7)
"""By when she is told what was decided. Ours; POPIA says as soon as reasonably practicable."""
LONGEST_NOTE = 4000
GIVEN = ("granted", "part")
"""Outcomes by which she gets what she asked for, or some of it."""


class RequestError(Exception):
    """A step cannot be taken; `codes` say why, each with words on the page and in the shell."""

    def __init__(self, *codes: str) -> None:
        super().__init__(", ".join(codes))
        self.codes = codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a data officer decided.

    Attributes:
        outcome: granted, part, refused or held.
        ground: Ground of the whole.
        rulings: For access: what happens to each class.
        against: For an objection: what is to stop (`objecting.STOPS`).
        note: Her own words, sealed.
    """

    outcome: str
    ground: str
    rulings: Mapping[Withheld, Ruling]
    against: str = ""
    note: str = ""


def receive(
    conn: Connection,
    scope: Scope,
    world: World,
    *,
    kind: str,
    address: str = "",
    child: str = "",
    note: str = "",
    now: datetime,
) -> tuple[str, bool]:
    """Enter a request that came by letter, by phone or in person.

    Args:
        conn: Open write transaction.
        scope: Who enters it.
        world: Knows our accounts and the site's days.
        kind: One of `withholding.KINDS`.
        address: Her number or chat, as in the lists (`+27...`, `telegram:...`).
        child: Or the code of a child that one person cares for.
        note: What she asked for, in words; sealed.
        now: When it came (aware, UTC).

    Returns:
        The request's id, and whether it is new: one of a kind is open at a time.

    Raises:
        RequestError: Nobody, or more than one, is meant by that.
    """
    if kind not in KINDS:
        raise RequestError("kind")
    person_id = _meant(conn, scope, world, address=address.strip(), child=child.strip())
    asker = requests.asker_of(conn, scope, person_id)
    if asker is None:
        raise RequestError("who")
    made, new = request_steps.add(
        conn,
        kind=kind,
        asker=asker,
        way="staff",
        due_at=due(now, world.site),
        now=now,
        new_id=new_id,
    )
    row = requests.request(conn, scope, made)
    if row is None:
        raise RequestError("who")
    if note.strip() and scope.actor_id is not None:
        add_note(conn, world.vault, row, note, by=scope.actor_id, now=now)
    if new:
        _audit(conn, scope, "received", row, now)
    return made, new


def _meant(conn: Connection, scope: Scope, world: World, *, address: str, child: str) -> str:
    """The one person an address or a child's code means. Raises RequestError."""
    if child:
        carers = requests.carers_of(conn, scope, child.upper())
        if len(carers) == 1:
            return carers[0]
        raise RequestError("several" if carers else "who")
    found = contact(address) if address else None
    account = world.accounts.get(found.channel) if found else None
    if found is None or account is None:
        raise RequestError("who")
    person = people.person_at(
        conn, scope, channel=found.channel, account=account, value=found.value, vault=world.vault
    )
    if person is None:
        raise RequestError("who")
    return person.id


def identify(
    conn: Connection,
    scope: Scope,
    vault: Vault,
    row: RequestRow,
    *,
    how: str,
    note: str,
    now: datetime,
) -> None:
    """Who asks was proved.

    Raises:
        RequestError: No such way, or the request is decided.
    """
    if how not in HOW:
        raise RequestError("how")
    if not request_steps.identify(conn, request_id=row.id, how=how, by=_actor(scope), now=now):
        raise RequestError("gone")
    if note.strip():
        add_note(conn, vault, row, note, by=_actor(scope), now=now)
    _audit(conn, scope, "identified", row, now)


def decide(
    conn: Connection,
    scope: Scope,
    vault: Vault,
    row: RequestRow,
    decision: Decision,
    *,
    present: Collection[Withheld],
    now: datetime,
    stop: Callable[[str], object] | None = None,
) -> State:
    """Decide a request; returns the state it has now ("second": another person must confirm).

    Args:
        conn: Open write transaction.
        scope: Who decides.
        vault: Seals the rulings and the note.
        row: The request, as read in this scope.
        decision: What was decided.
        present: The classes her file has (access only).
        now: When (aware, UTC).
        stop: Carries out a granted objection in this transaction; takes `decision.against`.

    Raises:
        RequestError: It may not stand; `codes` say why.
    """
    found = decision_faults(row, decision, present)
    if found:
        raise RequestError(*found)
    outcome = cast("Outcome", decision.outcome)
    state: State = "second" if needs_two(row.kind, outcome) else outcome
    sealed = vault.seal(
        json.dumps(
            {
                "outcome": outcome,
                "rulings": {name: asdict(ruling) for name, ruling in decision.rulings.items()},
                "against": decision.against,
            }
        ),
        table="requests",
        column="decision",
        row=row.id,
        key=vault.key_for(row.household_id),
    )
    by = _actor(scope)
    done = request_steps.decide(
        conn,
        request_id=row.id,
        state=state,
        ground=decision.ground,
        decision=sealed,
        by=by,
        now=now,
    )
    if not done:
        raise RequestError("gone")
    if row.kind == "objection" and outcome in GIVEN:
        if stop is None:
            raise RequestError("against")
        stop(decision.against)
        add_note(conn, vault, row, f"stopped: {decision.against}", by=by, now=now)
    if decision.note.strip():
        add_note(conn, vault, row, decision.note, by=by, now=now)
    _audit(conn, scope, "proposed" if state == "second" else outcome, row, now)
    if state not in requests.WAITING:
        inform(conn, row, what=outcome, now=now)
    return state


def decision_faults(
    row: RequestRow, decision: Decision, present: Collection[Withheld]
) -> tuple[str, ...]:
    """What is wrong with a decision, as codes; empty if it may stand."""
    found: tuple[str, ...] = ("long",) if len(decision.note) > LONGEST_NOTE else ()
    given_out = decision.outcome in GIVEN
    if given_out and row.identity_at is None:
        found += ("unproved",)
    if row.kind == "access":
        return found + faults(decision.outcome, decision.ground, decision.rulings, present)
    return found + whole_faults(decision.outcome, decision.ground)


def confirm(
    conn: Connection, scope: Scope, vault: Vault, row: RequestRow, *, agrees: bool, now: datetime
) -> State:
    """A second person's word on an erasure.

    Raises:
        RequestError: It does not wait for one, or she decided it herself.
    """
    by = _actor(scope)
    if row.decided_by == by:
        raise RequestError("same_person")
    outcome, _ = decided(vault, row)
    state: State = cast("State", outcome) if agrees else "open"
    if not request_steps.confirm(conn, request_id=row.id, state=state, by=by, now=now):
        raise RequestError("gone")
    _audit(conn, scope, "confirmed" if agrees else "disagreed", row, now)
    if agrees:
        inform(conn, row, what=outcome, now=now)
    return state


def inform(conn: Connection, row: RequestRow, *, what: str, now: datetime) -> None:
    """Somebody must tell her: a task of the data officer's."""
    request_steps.give_inform_task(
        conn, row, what=what, due_at=now + INFORM_WITHIN, now=now, new_id=new_id
    )


def informed(conn: Connection, scope: Scope, row: RequestRow, *, now: datetime) -> None:
    """She was told. Raises RequestError where nothing was left to tell."""
    if not request_steps.informed(conn, request_id=row.id, now=now):
        raise RequestError("gone")
    _audit(conn, scope, "informed", row, now)


def decided(vault: Vault, row: RequestRow) -> tuple[str, dict[Withheld, Ruling]]:
    """Outcome and rulings of a request as they were sealed; nothing where none were."""
    if row.decision is None:
        return "", {}
    raw = json.loads(vault.open(row.decision, table="requests", column="decision", row=row.id))
    return raw["outcome"], {name: Ruling(**ruling) for name, ruling in raw["rulings"].items()}


def rulings_of(form: Mapping[str, str], present: Collection[Withheld]) -> dict[Withheld, Ruling]:
    """Rulings as a form sends them (`others.choice`, `others.ground`), else the defaults."""
    out: dict[Withheld, Ruling] = {}
    for each in get_args(Withheld):
        if each in present:
            choice, ground = DEFAULTS[each]
            out[each] = Ruling(
                choice=cast("Choice", form.get(f"{each}.choice", choice)),
                ground=form.get(f"{each}.ground", ground),
            )
    return out


def add_note(
    conn: Connection, vault: Vault, row: RequestRow, text: str, *, by: str, now: datetime
) -> None:
    """Add to the sealed note of a request: nothing that was written before goes."""
    fresh = request_steps.note_of(conn, row.id)
    said = [
        *notes_of(vault, row.id, fresh),
        {"at": now.isoformat(), "by": by, "text": text.strip()},
    ]
    sealed = vault.seal(
        json.dumps(said, ensure_ascii=False),
        table="requests",
        column="note",
        row=row.id,
        key=vault.key_for(row.household_id),
    )
    request_steps.write_note(conn, request_id=row.id, note=sealed)


def notes_of(vault: Vault, request_id: str, note: bytes | None) -> list[dict[str, str]]:
    """The notes of a request, oldest first: at, by, text."""
    if note is None:
        return []
    found: list[dict[str, str]] = json.loads(
        vault.open(note, table="requests", column="note", row=request_id)
    )
    return found


def _actor(scope: Scope) -> str:
    if scope.actor_id is None:
        raise RequestError("nobody")
    return scope.actor_id


def _audit(conn: Connection, scope: Scope, verb: str, row: RequestRow, now: datetime) -> None:
    entry = audit.row(
        scope, verb, "requests", row.id, id=new_id(now), at=now, school_id=row.school_id
    )
    audit.record(conn, [entry])
