"""The tick that links rows and makes heads, the file outside, the `audit` commands."""

import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, text, update

from bot.settings import Settings, SettingsError, problems_of
from bot.trail import audit as commands
from bot.trail.auditing import (
    AT_LEAST,
    EVERY,
    LATE,
    Keeper,
    head_keys,
    look,
    note_restored,
    read_heads,
)
from storage.database import Database
from storage.errors import Closed, SchemaMismatch
from storage.migrate import upgrade
from storage.schema import audit as table
from storage.schema import audit_heads
from storage.tables.audit import GUARDS
from storage.trail import chaining
from storage.trail.chaining import HeadKey, parse_head
from storage.trail.verifying import LOST
from tests.live import environment, live_settings
from tests.storage.trail.test_chaining import add


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A live start's, on a database that stands and is empty."""
    name = "postgres_url" if request.param == "postgresql" else "sqlite_url"
    url = str(request.getfixturevalue(name))
    env = environment(tmp_path, base="http://127.0.0.1:1", twilio="", telegram="", database=url)
    return live_settings(env)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = Database.open(settings.url, exclusive=False)
    yield opened
    await opened.close()


class _Time:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def keeper(settings: Settings, database: Database, now: datetime) -> Keeper:
    path = settings.audit_heads
    return Keeper(database=database, key=head_keys(settings)[0], path=path, now=_Time(now))


def later(keeper: Keeper, wait: timedelta) -> None:
    keeper.now.now += wait  # type: ignore[attr-defined]


async def test_a_tick_links_what_was_committed_and_makes_the_first_head(
    keeper: Keeper, database: Database, now: datetime
) -> None:
    await database.write(lambda c: add(c, 3, now))
    assert await keeper.tick() == 3
    assert await keeper.tick() == 0
    (head,) = await database.read(chaining.heads)
    assert (head.count, head.at) == (3, now)
    assert read_heads(keeper.path) == ([head], 0)
    assert stat.S_IMODE(keeper.path.stat().st_mode) == 0o600


async def test_more_rows_than_one_transaction_takes_are_linked_in_one_tick(
    keeper: Keeper, database: Database, now: datetime
) -> None:
    await database.write(lambda c: add(c, chaining.MOST + 1, now))
    assert await keeper.tick() == chaining.MOST + 1


async def test_a_head_comes_hourly_while_rows_are_added_and_daily_in_any_case(
    keeper: Keeper, database: Database, now: datetime
) -> None:
    await keeper.tick()
    await database.write(lambda c: add(c, 1, now))
    await keeper.tick()
    assert len(read_heads(keeper.path)[0]) == 1
    later(keeper, EVERY)
    await keeper.tick()
    assert [head.count for head in read_heads(keeper.path)[0]] == [0, 1]
    later(keeper, AT_LEAST - timedelta(seconds=1))
    await keeper.tick()
    assert len(read_heads(keeper.path)[0]) == 2
    later(keeper, timedelta(seconds=1))
    await keeper.tick()
    assert [head.count for head in read_heads(keeper.path)[0]] == [0, 1, 1]


async def test_a_head_that_cannot_be_kept_outside_is_not_kept_inside_and_comes_again(
    keeper: Keeper, database: Database
) -> None:
    keeper.path.mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        await keeper.tick()
    assert await database.read(chaining.heads) == []
    keeper.path.rmdir()
    await keeper.tick()
    assert len(await database.read(chaining.heads)) == 1


async def test_a_look_holds_the_rows_against_the_file_outside(
    keeper: Keeper, database: Database, settings: Settings, now: datetime
) -> None:
    await database.write(lambda c: add(c, 5, now))
    await keeper.tick()
    good = await database.read(lambda c: look(c, settings, now=now))
    assert (good.count, good.good, good.outside, good.stored, good.waiting) == (5, True, 1, 1, 0)

    def attack(conn: object) -> None:
        for name in GUARDS:
            on = f" on {name.partition('_no_')[0]}" if database.dialect == "postgresql" else ""
            conn.execute(text(f"drop trigger {name}{on}"))
        conn.execute(delete(table).where(table.c.seq > 3))
        conn.execute(delete(audit_heads))

    await database.write(attack)
    bad = await database.read(lambda c: look(c, settings, now=now))
    assert [finding.kind for finding in bad.findings] == ["truncated", "unguarded"]
    keeper.path.write_text("cwb-audit nonsense\n")
    worse = await database.read(lambda c: look(c, settings, now=now))
    assert (worse.good, worse.outside, worse.unreadable) == (False, 0, 1)


async def test_rows_that_wait_too_long_are_counted(
    database: Database, settings: Settings, now: datetime
) -> None:
    await database.write(lambda c: add(c, 2, now))
    soon = await database.read(lambda c: look(c, settings, now=now + LATE))
    late = await database.read(lambda c: look(c, settings, now=now + LATE + timedelta(seconds=5)))
    assert (soon.waiting, late.waiting) == (0, 2)


async def test_rows_taken_out_before_they_were_linked_leave_a_row_that_says_so(
    keeper: Keeper, database: Database, settings: Settings, now: datetime
) -> None:
    first, *_ = await database.write(lambda c: add(c, 3, now))

    def take_out(conn: Connection) -> None:
        on = " on audit" if database.dialect == "postgresql" else ""
        conn.execute(text(f"drop trigger audit_no_delete{on}"))
        conn.execute(delete(table).where(table.c.id == first))

    await database.write(take_out)
    assert await keeper.tick() == 2
    (said,) = await database.read(
        lambda c: c.execute(select(table).where(table.c.verb == LOST)).all()
    )
    assert (said.object_kind, said.object_id, said.at) == ("audit", first, now)
    report = await database.read(lambda c: look(c, settings, now=now))
    assert [finding.kind for finding in report.findings] == ["deleted", "unguarded"]
    assert report.findings[0].text.startswith("1 rows were taken out before they were linked")
    # What says so is linked itself, and nothing is noted twice.
    assert await keeper.tick() == 1
    assert await keeper.tick() == 0
    assert await database.read(lambda c: chaining.last(c)[0]) == 3


async def test_rows_of_a_transaction_that_failed_are_not_missed(
    keeper: Keeper, database: Database, settings: Settings, now: datetime
) -> None:
    def fails(conn: Connection) -> None:
        add(conn, 2, now)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fails)
    await database.write(lambda c: add(c, 1, now))
    assert await keeper.tick() == 1
    assert (await database.read(lambda c: look(c, settings, now=now))).findings == []


async def test_a_look_that_fails_is_made_again(
    keeper: Keeper, database: Database, settings: Settings, now: datetime
) -> None:
    await database.write(lambda c: add(c, 1, now))
    other = Database.open(settings.url, exclusive=False)
    other.written.extend(database.written)
    await other.close()
    closed = replace(keeper, database=other)
    with pytest.raises(Closed):
        await closed.look_for(now)
    assert list(other.written) == list(database.written)


async def test_a_restored_backup_is_noted_and_the_chain_goes_on(
    keeper: Keeper, database: Database, settings: Settings, now: datetime
) -> None:
    await database.write(lambda c: add(c, 5, now))
    await keeper.tick()

    def restore(conn: object) -> None:
        for name in GUARDS:
            on = f" on {name.partition('_no_')[0]}" if database.dialect == "postgresql" else ""
            conn.execute(text(f"drop trigger {name}{on}"))
        conn.execute(delete(table).where(table.c.seq > 2))

    await database.write(restore)
    made = note_restored(database, settings, now=now + timedelta(minutes=1))
    assert (made.kind, made.count) == ("restored", 2)
    later(keeper, timedelta(hours=2))
    await keeper.tick()
    report = await database.read(lambda c: look(c, settings, now=now))
    assert [finding.kind for finding in report.findings] == ["unguarded"]
    assert report.count == 3


async def test_the_keys_come_from_their_setting_or_the_secret_key(settings: Settings) -> None:
    own = settings.model_copy(update={"audit_key": "a" * 40, "audit_key_old": "b" * 40})
    assert head_keys(settings) == (HeadKey.of(settings.secret),)
    assert head_keys(own) == (HeadKey.of(b"a" * 40), HeadKey.of(b"b" * 40))
    short = settings.model_copy(update={"audit_key": "short"})
    assert any(problem.startswith("AUDIT_KEY: too short") for problem in problems_of(short))
    elsewhere = settings.model_copy(update={"audit_head_file": Path("/mnt/heads.txt")})
    assert elsewhere.audit_heads == Path("/mnt/heads.txt")


def migrated(tmp_path: Path) -> Settings:
    """A live start's settings on a database made by its migrations."""
    env = environment(tmp_path, base="http://127.0.0.1:1", twilio="", telegram="")
    made = live_settings(env)
    upgrade(made.url)
    return made


def test_head_and_verify_print_what_somebody_keeps_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], now: datetime
) -> None:
    settings = migrated(tmp_path)
    assert commands.show_head(settings) == 0
    line = capsys.readouterr().out.strip()
    head = parse_head(line)
    assert head is not None
    assert settings.audit_heads.read_text().strip() == line
    assert commands.show_verdict(settings, lines=[line]) == 0
    assert "The chain holds." in capsys.readouterr().out
    forged = line.replace("count=0", "count=7")
    assert commands.show_verdict(settings, lines=[forged, "half a line"]) == 1
    said = capsys.readouterr().out
    assert "forged_head: " in said
    assert "unreadable: 'half a line'" in said
    assert "The chain does not hold." in said
    assert commands.show_restored(settings) == 0
    assert capsys.readouterr().out.startswith("cwb-audit restored ")


def test_verify_names_damage_and_lines_that_hold_no_head(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], now: datetime
) -> None:
    settings = migrated(tmp_path)
    database = Database.open(settings.url, exclusive=False)
    database.write_sync(lambda c: add(c, 4, now))
    commands.show_head(settings)
    database.write_sync(lambda c: c.execute(text("drop trigger audit_no_update")))
    database.write_sync(lambda c: c.execute(update(table).where(table.c.seq == 2).values(verb="x")))
    database.write_sync(lambda c: add(c, 1, now - timedelta(days=1)))
    settings.audit_heads.write_text("what is this\n")
    capsys.readouterr()
    assert commands.show_verdict(settings, lines=[]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("edited: ")
    assert said[1].startswith("unguarded: ")
    assert said[2].startswith("unreadable: 1 lines of ")
    assert said[3].startswith("waiting: 1 rows ")


def test_the_commands_refuse_what_is_not_there(tmp_path: Path) -> None:
    settings = live_settings(
        environment(tmp_path, base="http://127.0.0.1:1", twilio="", telegram="")
    )
    with pytest.raises(SchemaMismatch):
        commands.show_head(settings)
    assert not (tmp_path / "live.db").exists()
    with pytest.raises(SettingsError):
        commands.show_verdict(settings.model_copy(update={"secret_key": ""}), lines=[])
