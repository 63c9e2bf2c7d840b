"""One-time codes of accounts, and sign-ins that wait for a word by chat.

Neither a code nor a browser's token reaches the database, only its digest. A code is used by one
statement that also asks whether it still may be, so that it works once whoever comes at once.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from flows.messages import ChannelName
from storage.schema import (
    addresses,
    login_prompts,
    person_address,
    persons,
    programmes,
    schools,
    user_codes,
    users,
)

CodeKind = Literal["first", "invite", "password", "authenticator", "recovery"]
PromptState = Literal["asked", "confirmed", "refused", "used"]
Answered = Literal["confirmed", "refused", "over"]

PROMPTS_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A one-time code as the database knows it.

    Attributes:
        id: Its row.
        user_id: Whose; None for the code of the first account.
        kind: What it opens.
        digest: SHA-256 of the code.
        secret: A new authenticator's secret that waits to be confirmed, sealed
            (user_codes.secret, row = id).
        expires_at: From when it is refused; None for never.
    """

    id: str
    user_id: str | None
    kind: CodeKind
    digest: str
    secret: bytes | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A sign-in that waits for its number.

    Attributes:
        user_id: Who signs in; None where login or password were wrong: it never comes true.
        number: The two digits her browser shows.
        attempt: The rows that count it as a failed try until it comes true.
    """

    id: str
    user_id: str | None
    number: str
    state: PromptState
    attempt: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """One address at which somebody can be asked now, and the language she reads."""

    address_id: str
    channel: ChannelName
    language: str


def add_codes(conn: Connection, codes: Sequence[Code], *, now: datetime) -> None:
    """Store codes."""
    conn.execute(
        insert(user_codes),
        [
            {
                "id": code.id,
                "user_id": code.user_id,
                "kind": code.kind,
                "digest": code.digest,
                "secret": code.secret,
                "created_at": now,
                "expires_at": code.expires_at,
                "used_at": None,
            }
            for code in codes
        ],
    )


def live_code(conn: Connection, digest: str, *, now: datetime) -> Code | None:
    """The code with this digest, if it may still be used."""
    row = conn.execute(
        select(user_codes).where(user_codes.c.digest == digest, _live(now))
    ).one_or_none()
    if row is None:
        return None
    return Code(
        id=row.id,
        user_id=row.user_id,
        kind=row.kind,
        digest=row.digest,
        secret=row.secret,
        expires_at=row.expires_at,
    )


def use_code(conn: Connection, code_id: str, *, now: datetime) -> bool:
    """Use a code; False if it was used, replaced or too old by now."""
    done = conn.execute(
        update(user_codes)
        .where(user_codes.c.id == code_id, _live(now))
        .values(used_at=now, secret=None)
    )
    return done.rowcount == 1


def use_recovery(conn: Connection, *, user_id: str, digest: str, now: datetime) -> bool:
    """Use a recovery code of this user; False where she has no such code left."""
    done = conn.execute(
        update(user_codes)
        .where(
            user_codes.c.user_id == user_id,
            user_codes.c.kind == "recovery",
            user_codes.c.digest == digest,
            _live(now),
        )
        .values(used_at=now)
    )
    return done.rowcount == 1


def drop_codes(conn: Connection, user_id: str | None, kinds: Iterable[CodeKind]) -> None:
    """Forget unused codes of these kinds; used ones stay as a record."""
    whose = user_codes.c.user_id.is_(None) if user_id is None else user_codes.c.user_id == user_id
    conn.execute(
        delete(user_codes).where(
            whose, user_codes.c.kind.in_(sorted(kinds)), user_codes.c.used_at.is_(None)
        )
    )


def recovery_left(conn: Connection, user_id: str) -> int:
    """How many recovery codes a user has left."""
    return conn.execute(
        select(func.count())
        .select_from(user_codes)
        .where(
            user_codes.c.user_id == user_id,
            user_codes.c.kind == "recovery",
            user_codes.c.used_at.is_(None),
        )
    ).scalar_one()


def any_user(conn: Connection, *, now: datetime) -> bool:
    """Whether there is an account that is open."""
    is_open = and_(
        users.c.disabled_at.is_(None), or_(users.c.ends_at.is_(None), users.c.ends_at > now)
    )
    return conn.execute(select(users.c.id).where(is_open).limit(1)).first() is not None


def add_prompt(conn: Connection, prompt: Prompt, *, browser: str, now: datetime) -> None:
    """Store a sign-in that waits; those of the day before are forgotten.

    Args:
        conn: Open write transaction.
        prompt: It.
        browser: Digest of the asking browser's token: no other browser can go on with it.
        now: Aware, UTC.
    """
    conn.execute(delete(login_prompts).where(login_prompts.c.created_at <= now - PROMPTS_KEPT))
    conn.execute(
        insert(login_prompts).values(
            id=prompt.id,
            user_id=prompt.user_id,
            browser=browser,
            number=prompt.number,
            state=prompt.state,
            attempt=list(prompt.attempt),
            created_at=now,
            expires_at=prompt.expires_at,
        )
    )


def prompt_of(conn: Connection, browser: str) -> Prompt | None:
    """The sign-in that this browser asked for."""
    row = conn.execute(
        select(login_prompts).where(login_prompts.c.browser == browser)
    ).one_or_none()
    if row is None:
        return None
    return Prompt(
        id=row.id,
        user_id=row.user_id,
        number=row.number,
        state=row.state,
        attempt=tuple(row.attempt),
        expires_at=row.expires_at,
    )


def answer_prompt(
    conn: Connection, prompt_id: str, *, person_id: str, number: str, now: datetime
) -> tuple[Answered, str]:
    """A person's word on her sign-in; whatever it is, there is no second one.

    Args:
        conn: Open write transaction.
        prompt_id: The sign-in she was asked about.
        person_id: Who answers.
        number: What she sent. Any but the browser's number ends the sign-in.
        now: Aware, UTC.

    Returns:
        "confirmed" or "refused" with the user's id; "over" with nothing where it no longer waits.
    """
    # One try at one of ninety numbers, by whoever holds her phone: no timing to learn it from.
    waits = and_(
        login_prompts.c.id == prompt_id,
        login_prompts.c.state == "asked",
        login_prompts.c.expires_at > now,
        login_prompts.c.user_id.in_(select(users.c.id).where(users.c.person_id == person_id)),
    )
    row = conn.execute(select(login_prompts).where(waits).with_for_update()).one_or_none()
    if row is None:
        return "over", ""
    state: Answered = "confirmed" if number == row.number else "refused"
    conn.execute(update(login_prompts).where(login_prompts.c.id == prompt_id).values(state=state))
    return state, row.user_id


def finish_prompt(conn: Connection, prompt_id: str, *, now: datetime) -> bool:
    """Use a confirmed sign-in; False if it is not confirmed, too old, or used by now."""
    done = conn.execute(
        update(login_prompts)
        .where(
            login_prompts.c.id == prompt_id,
            login_prompts.c.state == "confirmed",
            login_prompts.c.expires_at > now,
        )
        .values(state="used")
    )
    return done.rowcount == 1


def reaches(conn: Connection, person_id: str) -> list[Reach]:
    """Where a person can be asked: her addresses that work and have not stopped us."""
    found = conn.execute(
        select(addresses.c.id, addresses.c.channel, persons.c.language)
        .join(person_address, person_address.c.address_id == addresses.c.id)
        .join(persons, persons.c.id == person_address.c.person_id)
        .where(
            person_address.c.person_id == person_id,
            person_address.c.until_at.is_(None),
            addresses.c.opted_out_at.is_(None),
            addresses.c.bad_at.is_(None),
        )
        .order_by(addresses.c.id)
    )
    return [Reach(*row) for row in found]


def open_login_prompt(conn: Connection, address_id: str, *, prompt_id: str, now: datetime) -> None:
    """The number she sends next from this address answers this sign-in.

    What she was asked before stays open beside it; the next question she is asked replaces both.
    """
    row = conn.execute(
        select(addresses.c.open_prompt).where(addresses.c.id == address_id).with_for_update()
    ).one()
    at = now.isoformat()
    before: dict[str, Any] = row.open_prompt or {
        "kind": "login",
        "ref": "",
        "options": [],
        "asked_at": at,
    }
    after = before | {"login": {"ref": prompt_id, "asked_at": at}}
    conn.execute(update(addresses).where(addresses.c.id == address_id).values(open_prompt=after))


def context_names(conn: Connection, school_ids: Collection[str]) -> list[str]:
    """Names a guesser tries first: the programmes' and these schools'."""
    found = conn.execute(select(programmes.c.name)).scalars().all()
    named = select(schools.c.name).where(schools.c.id.in_(sorted(school_ids)))
    return [*found, *conn.execute(named).scalars()]


def _live(now: datetime) -> ColumnElement[bool]:
    fresh = or_(user_codes.c.expires_at.is_(None), user_codes.c.expires_at > now)
    return and_(user_codes.c.used_at.is_(None), fresh)
