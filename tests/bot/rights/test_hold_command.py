"""The hold commands."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from bot.commands import with_database
from bot.rights import hold_command
from bot.rights.deciding import RequestError
from bot.settings import Settings
from storage import schema
from storage.keyring.vault import Vault
from storage.rights.holds import is_held
from tests.bot.rights.test_erase import add_user
from tests.storage.rows import School


def somebody(_settings: Settings, _login: str) -> None:
    """A proof that is always good."""


def nobody(_settings: Settings, _login: str) -> None:
    """A proof that never is."""
    raise RequestError("login")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, demo=True, data_dir=tmp_path)  # type: ignore[call-arg]


def test_a_hold_is_set_listed_and_ended(
    settings: Settings, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(conn: Connection, vault: Vault) -> tuple[str, str]:
        child = School(conn=conn, vault=vault, now=now).child(1)
        add_user(conn, vault, "officer", "data_officer", now)
        add_user(conn, vault, "tech", "tech", now)
        return child.code, child.household_id

    code, household = with_database(settings, lambda c, w: fill(c, w.vault))

    def add(**changed: object) -> int:
        told = {"household": "", "child": code, "reason": "a claim", "by": "officer"}
        return hold_command.add(
            settings,
            until=datetime(2026, 2, 5),  # noqa: DTZ001 - a day as typer reads it
            now=now,
            prove=somebody,
            **(told | changed),  # type: ignore[arg-type]
        )

    for wrong in ({"by": "tech"}, {"by": "nobody"}, {"child": "X"}, {"reason": " "}):
        assert add(**wrong) == 1
    assert add(household=household) == 1  # one or the other
    assert capsys.readouterr().out == ""
    assert add() == 0
    hold = capsys.readouterr().out.strip()
    last = datetime(2026, 2, 5, 21, 59, tzinfo=UTC)  # the day's end in Johannesburg is 22:00
    assert with_database(settings, lambda c, _w: is_held(c, household, now=last))
    assert hold_command.listed(settings, all_=False, json_wanted=True, now=now) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["children"], row["reason"], row["by"], row["stands"]) == (
        [code],
        "a claim",
        "officer",
        True,
    )
    assert hold_command.end(settings, hold, by="tech", now=now, prove=somebody) == 1
    assert hold_command.end(settings, hold, by="officer", now=now, prove=somebody) == 0
    assert hold_command.end(settings, hold, by="officer", now=now, prove=somebody) == 1
    capsys.readouterr()
    assert hold_command.listed(settings, all_=False, json_wanted=False, now=now) == 0
    assert "No hold stands" in capsys.readouterr().out
    assert hold_command.listed(settings, all_=True, json_wanted=False, now=now) == 0
    assert "a claim" in capsys.readouterr().out
    verbs = with_database(
        settings,
        lambda c, _w: (
            c.execute(
                select(schema.audit.c.verb).where(schema.audit.c.object_kind == "legal_holds")
            )
            .scalars()
            .all()
        ),
    )
    assert sorted(verbs) == ["held", "hold_ended"]


def test_nobody_holds_or_ends_a_hold_in_another_s_name(
    settings: Settings, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(conn: Connection, vault: Vault) -> str:
        add_user(conn, vault, "officer", "data_officer", now)
        return School(conn=conn, vault=vault, now=now).child(1).code

    code = with_database(settings, lambda c, w: fill(c, w.vault))
    told = {"household": "", "child": code, "reason": "a claim", "by": "officer", "until": None}

    assert hold_command.add(settings, now=now, prove=nobody, **told) == 1  # type: ignore[arg-type]
    assert "That did not work" in capsys.readouterr().err
    assert hold_command.add(settings, now=now, prove=somebody, **told) == 0  # type: ignore[arg-type]
    hold = capsys.readouterr().out.strip()
    assert hold_command.end(settings, hold, by="officer", now=now, prove=nobody) == 1
    assert hold_command.listed(settings, all_=False, json_wanted=False, now=now) == 0
    assert "a claim" in capsys.readouterr().out
