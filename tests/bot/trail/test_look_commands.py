"""`report looks` at the command line: by codes, of every school, one document for machines."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.commands import guarded
from bot.login.users import add_user
from bot.settings import Settings
from bot.trail.look_commands import looks
from storage.database import Database
from storage.families.programmes import ensure_programme, ensure_school
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.migrate import upgrade
from storage.scope import user
from storage.staff.users import by_login
from storage.trail.audit import record, row
from tests.bot.dashboard.house import QUICK

AT = datetime(2026, 10, 6, 9, 0, tzinfo=UTC)


def some_look(conn: Connection) -> None:
    programme = ensure_programme(conn, name="P", now=AT)
    hill = ensure_school(conn, programme_id=programme, name="Hill", now=AT)
    river = ensure_school(conn, programme_id=programme, name="River", now=AT)
    add_user(
        conn,
        login="ann",
        role="coordinator",
        schools=["Hill"],
        password="seven green bicycles",  # noqa: S106
        vault=Vault.from_master(bytes(32)),
        now=AT,
        hasher=QUICK,
    )
    account = by_login(conn, "ann")
    assert account is not None
    for school in (hill, river):
        scope = user(account.id, [school], purpose="care")
        entry = row(scope, "read", "alerts", "a" * 32, id=new_id(AT), at=AT, school_id=school)
        record(conn, [entry])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A site with two looks in October: one at her school, one elsewhere."""
    made = Settings(_env_file=None, data_dir=tmp_path, demo=True)  # type: ignore[call-arg]
    upgrade(made.url)
    database = Database.open(made.url)
    database.write_sync(some_look)
    asyncio.run(database.close())
    return made


def test_a_month_is_told_by_codes(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert looks(settings, month="2026-10", json_wanted=False) == 0

    assert capsys.readouterr().out.splitlines() == [
        "2026-10: 2 looks by 1 people.",
        "ann (coordinator): waiting for anybody of her team 1, not on that team 1",
        "Without an assignment: 1 things.",
        "ann  alerts AAAAAA  River  not on that team  1 times, last 2026-10-06 11:00",
    ]


def test_machines_get_one_document(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert looks(settings, month="2026-10", json_wanted=True) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["month"] == "2026-10"
    assert [w["why"] for w in document["without_assignment"]] == ["no_role"]
    assert document["people"][0]["open"] == 1


def test_what_is_no_month_is_said_without_a_stack(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(lambda: looks(settings, month="autumn", json_wanted=False)) == 1

    assert "Write it like 2026-11" in capsys.readouterr().err
