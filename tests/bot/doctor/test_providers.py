"""Doctor names what providers still hold."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, update

from bot.doctor.providers import checks
from bot.site import Providers
from storage.rights.redaction import Held, plan
from storage.schema import inbox, metadata, redactions

DAY = timedelta(days=1)


def look(
    now: datetime,
    prepare: Callable[[Connection], object] = lambda _conn: None,
    *,
    redact: bool = True,
    account: str = "AC1",
) -> Any:
    engine = create_engine("sqlite://")
    with engine.begin() as conn:
        metadata.create_all(conn)
        prepare(conn)
        return checks(
            SimpleNamespace(  # type: ignore[arg-type]
                settings=SimpleNamespace(twilio_account_sid=account),
                site=SimpleNamespace(providers=Providers(redact=redact)),
                read=lambda fn: fn(conn),
                now=now,
            )
        )


def held(due_at: datetime) -> Callable[[Connection], object]:
    row = Held(id="1" * 32, address_id="2" * 32, provider_id="SM1")
    return lambda conn: plan(conn, inbox, [row], due_at=due_at)


def test_nothing_is_said_without_twilio(now: datetime) -> None:
    assert look(now, account="") == []


@pytest.mark.parametrize(
    ("due", "state", "said"),
    [(DAY, "ok", "1 messages wait"), (-2 * DAY, "warn", "1 messages have been due")],
)
def test_what_waits_is_fine_until_it_is_late(
    now: datetime, due: timedelta, state: str, said: str
) -> None:
    (verdict,) = look(now, held(now + due))
    assert (verdict.state, said in verdict.found) == (state, True)


def test_what_was_given_up_is_red(now: datetime) -> None:
    def prepare(conn: Connection) -> None:
        held(now)(conn)
        conn.execute(update(redactions).values(state="given_up"))

    (verdict,) = look(now, prepare)
    assert (verdict.state, "Twilio console" in verdict.fix) == ("red", True)


def test_a_site_that_does_not_redact_is_told_so(now: datetime) -> None:
    (verdict,) = look(now, redact=False)
    assert (verdict.state, "redacting is off" in verdict.found) == ("warn", True)
