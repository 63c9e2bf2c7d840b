"""Retention: what is due is told, and only what may end is let go; holds stand before all of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from sqlalchemy import Connection, insert, select, update

from bot.app import make_world, site_of
from bot.commands import with_database
from bot.content.library import load
from bot.keyring import masters
from bot.launch_papers import Launch, Paper
from bot.rights import keeping, retention, retention_command
from bot.rights.keeping import ABOUT_CHILDREN, CLASSES, DEFAULTS, WHAT, Keep, keeps, may_end
from bot.settings import Settings
from bot.site import Site
from bot.turns.world import World
from storage import schema
from storage.database import Database
from storage.keyring.vault import Vault
from storage.rights.retention import COUNTS, ENDS, PARTS, due, end
from tests.storage.homes import Family, Town

LONG_AGO = timedelta(days=3000)
SIGNED = Launch(retention_table=Paper(name="Dr N", on=date(2026, 1, 5), document="file 3"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Any:
    name = "postgres_url" if request.param == "postgresql" else "sqlite_url"
    return Database.open(str(request.getfixturevalue(name)), workers=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What the clock's jobs know; its site has signed nothing."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        demo=True,
        data_dir=tmp_path_factory.mktemp("data"),
    )
    site = site_of(settings)
    library = load(languages=site.languages, rules=site.rules, drafts=True)
    return make_world(settings, site, library)


async def inside(database: Database, work: Callable[[Connection], None]) -> None:
    await database.write(work)
    await database.close()


# -- the table ------------------------------------------------------------------------------------


def test_every_class_has_words_days_and_a_way_to_end() -> None:
    assert set(WHAT) == set(DEFAULTS) == set(CLASSES)
    assert set(PARTS) | set(COUNTS) | keeping.FOR_EVER == set(CLASSES)
    assert set(PARTS) | set(ENDS) | retention.BY_HAND | retention.OWN_TICK | keeping.FOR_EVER == (
        set(CLASSES)
    )
    assert set(PARTS) & set(COUNTS) == set()


def test_the_site_file_that_ships_says_what_we_say() -> None:
    shipped = yaml.safe_load(Path("bot/site.yaml").read_text(encoding="utf-8"))["retention"]
    assert {name: Keep(**line) for name, line in shipped.items()} == DEFAULTS


def test_a_sites_own_line_stands_over_ours_and_what_may_not_is_refused(world: World) -> None:
    own = {"letters": Keep(days=5, ground="less is better")}
    assert keeps(own)["letters"].days == 5  # type: ignore[arg-type]
    assert keeps({})["letters"] == DEFAULTS["letters"]
    shipped = world.site.model_dump()
    for line in (
        {"strangers": {"days": 8, "ground": "no"}},
        {"audit": {"days": 9, "ground": "no"}},
    ):
        with pytest.raises(ValidationError, match=next(iter(line))):
            Site.model_validate({**shipped, "retention": line})
    with pytest.raises(ValidationError):
        Site.model_validate({**shipped, "retention": {"lettres": {"days": 8, "ground": "no"}}})


@pytest.mark.parametrize("name", sorted(ABOUT_CHILDREN))
def test_what_is_about_children_ends_only_where_somebody_signed(name: Any) -> None:
    keep = DEFAULTS[name]
    assert not may_end(name, keep, table_signed_by="")
    assert may_end(name, keep, table_signed_by="Dr N")
    own = keep.model_copy(update={"signed_by": "Dr N"})
    assert may_end(name, own, table_signed_by="")
    assert not may_end("letters", Keep(days=None, ground="never"), table_signed_by="Dr N")


# -- rows -----------------------------------------------------------------------------------------


def school_of_old(conn: Connection, vault: Vault, now: datetime) -> tuple[Town, Family, Family]:
    """Two families of long ago, whose wave has closed and whose children have left; one is held."""
    town = Town(conn=conn, vault=vault, now=now - LONG_AGO)
    free, held = town.family(1), town.family(2)
    conn.execute(update(schema.waves).values(closes_at=now - LONG_AGO))
    conn.execute(update(schema.children).values(left_at=now - LONG_AGO))
    conn.execute(update(schema.sessions).values(ended_at=now - LONG_AGO))
    conn.execute(update(schema.tasks).values(closed_at=now - LONG_AGO, state="done"))
    conn.execute(update(schema.timers).values(done_at=now - LONG_AGO))
    conn.execute(update(schema.outbox).values(state="sent", final_at=now - LONG_AGO, body=None))
    conn.execute(update(schema.requests).values(decided_at=now - LONG_AGO))
    conn.execute(update(schema.exports).values(gone_at=now - LONG_AGO))
    conn.execute(
        update(schema.legal_holds)
        .where(schema.legal_holds.c.household_id == held.id)
        .values(until_at=None)
    )
    return town, free, held


def rows(conn: Connection, home: Family, *tables: str) -> dict[str, int]:
    """How many of a family's rows are still there, by table."""
    found = {}
    for name in tables:
        table = schema.metadata.tables[name]
        keys = [key for of, key in home.rows if of == name]
        first = next(iter(table.primary_key.columns), None)
        assert first is not None
        there = set(conn.execute(select(first)).scalars())
        found[name] = sum(key[0] in there for key in keys)
    return found


CASES = {
    "tasks": ("tasks",),
    "files": ("exports",),
    "requests": ("requests",),
    "assessments": ("sessions", "answers", "events", "alerts", "alert_events", "child_state"),
}


@pytest.mark.parametrize("name", sorted(CASES))
async def test_what_is_due_goes_and_what_is_held_stays(
    database: Database, vault: Vault, now: datetime, name: str
) -> None:
    def work(conn: Connection) -> None:
        _, free, held = school_of_old(conn, vault, now)
        if name == "requests":
            conn.execute(schema.exports.delete())  # they stay as long as a file names them
        mine, theirs = rows(conn, free, *CASES[name]), rows(conn, held, *CASES[name])
        assert all(mine.values())
        before = now - timedelta(days=100)
        found = due(conn, name, before=before, now=now)
        assert found.oldest is not None
        assert found.oldest <= now - LONG_AGO
        assert due(conn, name, before=now - LONG_AGO - timedelta(days=1), now=now).rows == 0
        assert ended(conn, name, before, now) >= found.rows > 0
        assert due(conn, name, before=before, now=now).rows == 0
        assert rows(conn, held, *CASES[name]) == theirs
        assert rows(conn, free, *CASES[name]) == dict.fromkeys(CASES[name], 0)

    await inside(database, work)


def ended(conn: Connection, name: str, before: datetime, now: datetime) -> int:
    total = 0
    while count := end(conn, name, before=before, now=now):
        total += count
    return total


async def test_texts_go_and_their_rows_stay(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        _, free, held = school_of_old(conn, vault, now)
        before = now - timedelta(days=100)
        assert due(conn, "letters", before=before, now=now).rows == 2
        assert ended(conn, "letters", before, now) == 2
        texts = conn.execute(select(schema.inbox.c.address_id, schema.inbox.c.body)).all()
        assert len(texts) == 4
        assert {at for at, body in texts if body is None} == {free.addresses[0]}
        assert {at for at, body in texts if body is not None} == {held.addresses[0]}

    await inside(database, work)


async def test_messages_go_with_the_words_on_them(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        _, _, held = school_of_old(conn, vault, now)
        before = now - timedelta(days=100)
        # One of the family's own and two to a coordinator, which are nobody's to hold.
        assert due(conn, "messages", before=before, now=now).rows == 3
        ended(conn, "messages", before, now)
        left = conn.execute(select(schema.outbox.c.id, schema.outbox.c.address_id)).all()
        assert [row.address_id for row in left] == [held.addresses[0]]
        words = conn.execute(select(schema.delivery_events.c.outbox_id)).scalars().all()
        assert words == [left[0].id]

    await inside(database, work)


async def test_an_open_matter_keeps_a_wave(database: Database, vault: Vault, now: datetime) -> None:
    def work(conn: Connection) -> None:
        _, free, _ = school_of_old(conn, vault, now)
        conn.execute(update(schema.alerts).values(reportable="yes"))
        before = now - timedelta(days=100)
        tables = ("sessions", "alerts", "child_state")
        there = rows(conn, free, *tables)
        end(conn, "assessments", before=before, now=now)
        assert rows(conn, free, *tables) == there
        assert due(conn, "departed", before=before, now=now).rows == 0
        conn.execute(update(schema.alerts).values(reported_at=now))
        assert due(conn, "departed", before=before, now=now).rows == 1
        while end(conn, "assessments", before=before, now=now):
            pass
        assert rows(conn, free, *tables) == dict.fromkeys(tables, 0)

    await inside(database, work)


async def test_journals_are_cut_and_answers_stay(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        _, free, held = school_of_old(conn, vault, now)
        before = now - timedelta(days=100)
        answered = rows(conn, free, "answers", "sessions")
        assert end(conn, "journals", before=before, now=now) == 2
        assert rows(conn, free, "events") == {"events": 0}
        assert rows(conn, held, "events") == {"events": 2}
        assert rows(conn, free, "answers", "sessions") == answered
        assert due(conn, "journals", before=before, now=now).rows == 0

    await inside(database, work)


async def test_receipts_codes_sign_ins_and_timers_end(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town, free, _ = school_of_old(conn, vault, now)
        new = town.school.new_id
        orphan = {"provider_id": "SM1", "raw": "sent", "error": "", "matched": False}
        for at in (now - LONG_AGO, now):
            conn.execute(insert(schema.delivery_events).values(id=new(), at=at, **orphan))
            conn.execute(
                insert(schema.login_attempts).values(id=new(), subject="s", at=at, good=True)
            )
        conn.execute(update(schema.join_codes).values(claimed_at=None, claimed_by=None))
        before = now - timedelta(days=100)
        for name, expected in (("receipts", 1), ("sign_ins", 1), ("codes", 1)):
            assert due(conn, name, before=before, now=now).rows == expected
            assert end(conn, name, before=before, now=now) == expected
            assert end(conn, name, before=before, now=now) == 0
        assert rows(conn, free, "join_codes") == {"join_codes": 0}
        assert end(conn, "timers", before=before, now=now) == 6

    await inside(database, work)


async def test_what_an_erasure_left_as_proof_ends_too(
    database: Database, vault: Vault, now: datetime
) -> None:
    from storage.rights.erasing import erase_household  # noqa: PLC0415

    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=vault, now=now)
        gone, other = town.family(1), town.family(2)
        erase_household(conn, gone.id, at=now - LONG_AGO, vault=vault)
        before = now - timedelta(days=100)
        assert due(conn, "proof", before=before, now=now).rows == 2
        while end(conn, "proof", before=before, now=now):
            pass
        assert rows(conn, gone, "consents", "persons") == {"consents": 0, "persons": 0}
        assert rows(conn, other, "consents", "persons") == {"consents": 2, "persons": 1}
        stays = select(schema.households.c.erased_at).where(schema.households.c.id == gone.id)
        assert conn.execute(stays).scalar_one() == now - LONG_AGO

    await inside(database, work)


# -- the clock and the command --------------------------------------------------------------------


async def test_the_clock_lets_go_once_a_day_and_only_what_is_signed(
    database: Database, vault: Vault, now: datetime, world: World
) -> None:
    def work(conn: Connection) -> None:
        _, free, _ = school_of_old(conn, vault, now)
        assert retention.sweep(conn, world, now) > 0
        assert rows(conn, free, "sessions")["sessions"] > 0  # nobody has signed
        while retention.sweep(conn, world, now):
            pass
        signed = replace(world, site=world.site.model_copy(update={"launch": SIGNED}))
        assert retention.sweep(conn, signed, now) == 0  # its day is done
        assert retention.sweep(conn, signed, now + timedelta(days=1)) > 0
        assert rows(conn, free, "sessions") == {"sessions": 0}
        verbs = select(schema.audit.c.object_kind, schema.audit.c.purpose).where(
            schema.audit.c.verb == "deleted"
        )
        told = {tuple(row) for row in conn.execute(verbs)}
        assert ("letters", "retention:letters") in told
        assert ("assessments", "retention:assessments") in told

    await inside(database, work)


@pytest.fixture
def settings(tmp_path: Path, now: datetime) -> Settings:
    """A live deployment that signed its table, with a family that left long ago."""
    master, site = tmp_path / "master", tmp_path / "site.yaml"
    master.touch(mode=0o600)
    master.write_text(masters.write_out(bytes(range(32))) + "\n")
    launch = {"retention_table": {"name": "Dr N", "on": "2026-01-05", "document": "file 3"}}
    site.write_text(yaml.safe_dump({"launch": launch}))
    made = Settings(
        _env_file=None,  # type: ignore[call-arg]
        demo=False,
        data_dir=tmp_path / "data",
        master_key_file=master,
        site_file=site,
        secret_key="s" * 43,
        public_base_url="https://bot.school.org.za",
    )
    with_database(made, lambda c, w: school_of_old(c, w.vault, now)[1:])
    return made


def test_without_apply_nothing_is_deleted_and_all_is_told(
    settings: Settings, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retention_command.run(settings, apply=False, json_wanted=True, now=now) == 0
    told = {line["name"]: line for line in json.loads(capsys.readouterr().out)["classes"]}
    assert list(told) == list(CLASSES)
    assert told["departed"]["due"] == 1
    assert told["letters"]["signed_by"] == "Dr N"
    assert told["audit"] | {"due": None, "keep_days": None, "ends": False} == told["audit"]
    assert {line["deleted"] for line in told.values()} == {0}
    assert retention_command.run(settings, apply=False, json_wanted=False, now=now) == 0
    text = capsys.readouterr().out
    assert "retention --apply" in text
    assert "signed by Dr N" in text


def test_apply_erases_the_departed_with_their_key_and_lets_the_held_be(
    settings: Settings, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    from bot.keyring.vaults import open_store  # noqa: PLC0415

    before = settings.master
    assert retention_command.run(settings, apply=True, json_wanted=True, now=now) == 0
    told = {line["name"]: line for line in json.loads(capsys.readouterr().out)["classes"]}
    assert told["departed"]["deleted"] == 1
    assert not any(line["due"] for line in told.values())
    assert settings.master != before
    left = with_database(
        settings,
        lambda c, _w: c.execute(
            select(schema.households.c.id, schema.households.c.erased_at)
        ).all(),
    )
    erased = {row.id for row in left if row.erased_at is not None}
    assert len(left) == 2
    assert len(erased) == 1
    store = open_store(settings)
    try:
        ledger = {entry.household_id: entry.ground for entry in store.erasures()}
        assert erased < set(ledger)  # and the keys of what was said before joining
        assert set(ledger.values()) == {"retention"}
        assert all(store.ids()[key] is not None for key in ledger)
    finally:
        store.close()
