"""Erasing beside a running bot: refused with its ground, carried out, and nothing is left."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from bot.commands import with_database
from bot.keyring import keys, masters
from bot.keyring.vaults import open_store
from bot.rights import deciding, erase, erase_command
from bot.rights.deciding import Decision, RequestError
from bot.rights.erase_command import Asked
from bot.settings import Settings
from storage import schema
from storage.care.cases import close
from storage.database import Database
from storage.errors import KeyGone, MasterRefused
from storage.ids import new_id
from storage.keyring.keys import KeyStore
from storage.keyring.vault import PROGRAMME_KEY, Vault
from storage.rights import request_steps, requests
from storage.rights.erasing import Erased, leftovers
from storage.rights.redacting import key_of
from storage.scope import system, user
from storage.staff import users
from storage.staff.users import User
from tests.live import COORDINATOR, Live, live
from tests.storage.homes import Town
from tests.storage.rows import ACCOUNT

AMINA = "+27820000001"
NOMSA = "+27820000002"
OFFICER, SECOND = "officer", "second"


def add_user(conn: Connection, vault: Vault, login: str, role: str, now: datetime) -> str:
    made = new_id(now)
    users.add(
        conn,
        User(
            id=made,
            login=login,
            person_id=None,
            role=role,
            schools=frozenset(),
            password_hash="h",  # noqa: S106 - nobody signs in
            totp_secret=vault.seal("s", table="users", column="totp_secret", row=made),
            totp_last=0,
            created_at=now,
            ends_at=None,
            disabled_at=None,
        ),
    )
    return made


def grant(conn: Connection, vault: Vault, request_id: str, now: datetime) -> None:
    """Two data officers agree, as the pages let them."""
    by, second = (users.by_login(conn, login) for login in (OFFICER, SECOND))
    assert by is not None
    assert second is not None
    first, other = (user(each.id, frozenset(), purpose="rights") for each in (by, second))
    row = requests.request(conn, system("test"), request_id)
    assert row is not None
    deciding.identify(conn, first, vault, row, how="called_back", note="", now=now)
    row = requests.request(conn, system("test"), request_id)
    assert row is not None
    decision = Decision(outcome="granted", ground="lawful", rulings={})
    assert deciding.decide(conn, first, vault, row, decision, present=(), now=now) == "second"
    row = requests.request(conn, system("test"), request_id)
    assert row is not None
    assert deciding.confirm(conn, other, vault, row, agrees=True, now=now) == "granted"


# -- beside a running bot -------------------------------------------------------------------------


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Live]:
    """Two families have enrolled; one said that there is no food today, and then DELETE."""
    async with live(tmp_path) as running:
        for number, phone in enumerate((AMINA, NOMSA)):
            for words in (
                "there is no food in the house",
                f"JOIN {running.codes[number]}",
                *("1 1 2 1 2 3", "1 1 1", "1 1 1", "1 1 1", "1 1 1", "3"),
            ):
                await running.says(phone, words)
        await running.says(AMINA, "DELETE")
        await running.bot.database.write(
            lambda c: [
                add_user(c, running.bot.world.vault, login, role, running.clock())
                for login, role in ((OFFICER, "data_officer"), (SECOND, "data_officer"))
            ]
        )
        yield running


def somebody(_settings: Settings, _login: str) -> None:
    """A proof that is always good."""


async def erased_at(town: Live, asked: Asked) -> tuple[int, datetime]:
    moment = town.clock()
    code = await asyncio.to_thread(
        erase_command.run,
        town.bot.settings,
        asked,
        json_wanted=True,
        now=moment,
        prove=somebody,
    )
    return code, moment


async def test_a_family_that_asked_is_erased_while_the_bot_runs(
    town: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    database, vault = town.bot.database, town.bot.world.vault
    (request,) = await town.rows(select(schema.requests))
    home = request.household_id
    (child,) = await town.rows(
        select(schema.children).where(schema.children.c.household_id == home)
    )
    asked = Asked(child=child.code, request=request.id, by=OFFICER, second=SECOND)
    # Not decided, then decided but with an open alert that may have to be reported.
    assert (await erased_at(town, asked))[0] == 1
    assert "undecided" in capsys.readouterr().err
    await database.write(lambda c: grant(c, vault, request.id, town.clock()))
    assert (await erased_at(town, asked))[0] == 1
    assert "s110" in capsys.readouterr().err
    held = await town.rows(
        select(schema.audit.c.purpose).where(schema.audit.c.verb == "erase_held")
    )
    assert [row.purpose for row in held] == ["held:s110"]
    await close_alerts(town, child.id)

    backup = await snapshot(town, home)
    early = [blob for table, _, _, blob in backup if key_of(blob) != home]
    assert len(backup) >= 20
    assert len(early) >= 5
    assert PROGRAMME_KEY not in {key_of(blob) for *_, blob in backup}

    code, moment = await erased_at(town, asked)
    certificate = json.loads(capsys.readouterr().out)
    assert code == 1  # the master key is in the environment: its rotation is owed
    assert certificate["household"] == home
    assert certificate["deleted"]["children"] == 1
    assert certificate["providers_asked_to_delete"] > 10
    assert certificate["keys_destroyed"] == 2
    assert certificate["master_key_replaced"] == "NOT YET: main.py keys rotate"
    assert "requests" in certificate["why_kept"]
    assert not [word for word in (AMINA, child.code) if word in json.dumps(certificate)]
    # The running bot notices: nothing of hers opens, what holds holds, the other family goes on.
    vault.refresh()
    for table, column, row, blob in backup:
        with pytest.raises(KeyGone):
            vault.open(blob, table=table, column=column, row=row)
    assert await database.read(lambda c: leftovers(c, home)) == {}
    assert await town.problems(ticking=False) == []
    before = len(town.heard(NOMSA))
    await town.says(NOMSA, "hello")
    assert len(town.heard(NOMSA)) == before + 1
    # She who writes again is a stranger, and her code is gone.
    await town.says(AMINA, "hello")
    at = await town.rows(
        select(schema.addresses.c.person_id).where(schema.addresses.c.created_at > moment)
    )
    assert [row.person_id for row in at] == [None]
    await town.says(AMINA, f"JOIN {town.codes[0]}")
    assert await town.problems(ticking=False) == []
    # Again finishes what might have broken off, and deletes nothing more.
    asked = Asked(household=home, request=request.id, by=OFFICER, second=SECOND)
    assert (await erased_at(town, asked))[0] == 1
    assert json.loads(capsys.readouterr().out)["deleted"] == {}


async def close_alerts(town: Live, child: str) -> None:
    await town.writes(COORDINATOR, "1")
    rows = await town.rows(select(schema.alerts).where(schema.alerts.c.child_id == child))

    def end(conn: Connection) -> None:
        staff = conn.execute(
            select(schema.persons.c.id).where(schema.persons.c.kind == "staff")
        ).scalar_one()
        for row in rows:
            conn.execute(
                update(schema.alerts)
                .where(schema.alerts.c.id == row.id)
                .values(state="accepted", owner_id=staff, accepted_at=town.clock())
            )
            assert close(
                conn,
                alert_id=row.id,
                person_id=staff,
                outcome="confirmed",
                reason_sealed=b"sealed",
                now=town.clock(),
                new_id=new_id,
            )

    await town.bot.database.write(end)


async def snapshot(town: Live, home: str) -> list[tuple[str, str, str, bytes]]:
    """Sealed values of a family as a backup has them: all it said and was told, ever."""
    hers = select(schema.person_address.c.address_id).where(
        schema.person_address.c.person_id.in_(
            select(schema.persons.c.id).where(schema.persons.c.household_id == home)
        )
    )
    rows = await town.rows(
        select(schema.sessions.c.id, schema.sessions.c.state).where(
            schema.sessions.c.household_id == home
        )
    )
    found = [("sessions", "state", row.id, row.state) for row in rows]
    ids = [row.id for row in rows]
    told = await town.rows(select(schema.events).where(schema.events.c.session_id.in_(ids)))
    found += [("events", "body", f"{e.session_id}:{e.rev}", e.body) for e in told]
    for table in (schema.inbox, schema.outbox):
        said = await town.rows(
            select(table.c.id, table.c.body).where(
                table.c.address_id.in_(hers), table.c.body.is_not(None)
            )
        )
        found += [(table.name, "body", row.id, row.body) for row in said]
    at = await town.rows(
        select(schema.addresses.c.id, schema.addresses.c.value).where(
            schema.addresses.c.id.in_(hers)
        )
    )
    return found + [("addresses", "value", row.id, row.value) for row in at]


# -- the command, its refusals, the files ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A live deployment with two families in every table, and a master key in a file."""

    settings: Settings
    folder: Path
    homes: tuple[str, str]
    codes: tuple[str, str]
    canaries: tuple[str, str]
    requests: tuple[str, str]


@pytest.fixture
def place(tmp_path: Path, now: datetime) -> Place:
    master = tmp_path / "master"
    master.touch(mode=0o600)
    master.write_text(masters.write_out(bytes(range(32))) + "\n")
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        demo=False,
        data_dir=tmp_path / "data",
        master_key_file=master,
        secret_key="s" * 43,
        public_base_url="https://bot.school.org.za",
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="t" * 32,
        twilio_sms_from=ACCOUNT,
    )
    made: list[Place] = []

    def fill(conn: Connection, vault: Vault) -> None:
        town = Town(conn=conn, vault=vault, now=now)
        first, second = town.family(1), town.family(2)
        town.class_screen({"a": "1 2"}, roster="1 2")
        for login, role in ((OFFICER, "data_officer"), (SECOND, "supervisor")):
            add_user(conn, vault, login, role, now)
        conn.execute(schema.requests.delete())
        ids = []
        for home in (first, second):
            asker = requests.Asker(
                person_id=home.persons[0],
                address_id=home.addresses[0],
                household_id=home.id,
                school_id=town.school.id,
            )
            request_id, *_ = request_steps.add(
                conn,
                kind="erasure",
                asker=asker,
                way="staff",
                due_at=now,
                now=now,
                new_id=new_id,
            )
            grant(conn, vault, request_id, now)
            ids.append(request_id)
        made.append(
            Place(
                settings=settings,
                folder=tmp_path,
                homes=(first.id, second.id),
                codes=(first.children[0].code, second.children[0].code),
                canaries=(first.canary, second.canary),
                requests=(ids[0], ids[1]),
            )
        )

    with_database(settings, lambda c, w: fill(c, w.vault))
    return made[0]


def run(place: Place, now: datetime, **asked: object) -> int:
    told = {"request": place.requests[0], "by": OFFICER, "second": SECOND, **asked}
    return erase_command.run(
        place.settings,
        Asked(**told),  # type: ignore[arg-type]
        json_wanted=True,
        now=now,
        prove=somebody,
    )


def test_nobody_erases_in_another_s_name(
    place: Place, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(_settings: Settings, login: str) -> None:
        assert login == OFFICER
        raise RequestError("login")

    asked = Asked(household=place.homes[0], request=place.requests[0], by=OFFICER, second=SECOND)
    before = files_of(place)
    assert erase_command.run(place.settings, asked, json_wanted=False, now=now, prove=nobody) == 1
    assert "Nothing was erased." in capsys.readouterr().err
    assert files_of(place) == before


def files_of(place: Place) -> bytes:
    data = place.settings.data_dir
    return b"".join(path.read_bytes() for path in sorted(data.glob("cwb.db*")))


def test_with_the_master_key_in_the_environment_an_erasure_is_not_done_before_a_rotation(
    place: Place, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place.settings.master_key_file
    assert file is not None
    told = {"master_key": file.read_text().strip(), "master_key_file": None}
    place = replace(place, settings=Settings(**{**place.settings.model_dump(), **told}))
    assert run(place, now, household=place.homes[0]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["master_key_replaced"] == "NOT YET: main.py keys rotate"
    for word in ("NOT DONE YET", "stop the bot", "main.py keys rotate", "doctor is red"):
        assert word in said.err
    # Again is no way around it.
    assert run(place, now, household=place.homes[0]) == 1
    assert keys.rotate(place.settings, now=now) == 0
    new = capsys.readouterr().out.split("MASTER_KEY=")[1].split()[0]
    told["master_key"] = new
    store = open_store(Settings(**{**place.settings.model_dump(), **told}))
    assert store.state().owed_at is None
    store.close()


def test_keys_an_earlier_run_did_not_come_to_destroy_go_with_the_next(
    place: Place, now: datetime
) -> None:
    store = open_store(place.settings)
    store.ensure(["e" * 32, "f" * 32])
    store.note_erasure("e" * 32, at=now, ground=erase.GROUND)
    nothing = erase.Done(erased=Erased(household_id=""), at_providers=0, files=(), rejudged=0)
    assert erase.finish(store, nothing, place.folder, now=now) == 0
    ids = store.ids()
    store.close()
    assert (ids["e" * 32], ids["f" * 32]) == (now, None)


def test_nothing_of_the_erased_is_in_the_files_and_an_old_backup_does_not_open(
    place: Place, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = place.codes
    before = files_of(place)
    assert mine.encode() in before
    assert place.canaries[0].encode() not in before  # it was sealed all along
    old = place.folder / "stick"
    old.mkdir()
    with_database(place.settings, lambda c, _w: c.exec_driver_sql("select 1"))
    for name in ("cwb.db", "keys.db"):
        shutil.copy(place.settings.data_dir / name, old / name)
    exports = place.settings.data_dir / "exports"
    exports.mkdir()
    (exports / f"{export_id(place)}.sealed").write_bytes(b"sealed")

    assert run(place, now, child=mine) == 0
    certificate = json.loads(capsys.readouterr().out)
    assert certificate["master_key_replaced"] is True
    assert certificate["files_deleted"] == 1
    assert certificate["database_files"].startswith("overwritten")
    assert certificate["class_lists_without_the_number"] == 1
    after = files_of(place)
    assert other.encode() in after
    assert mine.encode() not in after
    assert not list(exports.iterdir())
    # An old copy of the key store does not open with today's master key, ...
    with pytest.raises(MasterRefused):
        KeyStore.open(f"sqlite:///{old / 'keys.db'}", place.settings.master, create=False)
    # ... and with today's key store an old backup of the data tells nothing of her.
    check_backup(place, f"sqlite:///{old / 'cwb.db'}")


def export_id(place: Place) -> str:
    return with_database(
        place.settings,
        lambda c, _w: str(
            c.execute(
                select(schema.exports.c.id).where(schema.exports.c.household_id == place.homes[0])
            ).scalar_one()
        ),
    )


def check_backup(place: Place, url: str) -> None:
    store = open_store(place.settings)
    vault = Vault.over(store)
    database = Database.open(url)
    try:
        rows = database.read_sync(
            lambda c: c.execute(
                select(
                    schema.persons.c.id, schema.persons.c.household_id, schema.persons.c.name
                ).where(schema.persons.c.household_id.in_(place.homes))
            ).all()
        )
        assert len(rows) == 2
        for row in rows:
            seal = {"table": "persons", "column": "name", "row": row.id}
            if row.household_id == place.homes[1]:
                assert vault.open(row.name, **seal) == place.canaries[1]
            else:
                with pytest.raises(KeyGone):
                    vault.open(row.name, **seal)
        gone = {entry.household_id for entry in store.erasures()}
        assert place.homes[0] in gone
        assert len(gone) == 2  # and the key of what was said before joining
        assert all(store.ids()[key] is not None for key in gone)
    finally:
        asyncio.run(database.close())
        vault.close()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"child": "NOBODY"}, "nobody"),
        ({"household": "0" * 32}, "nobody"),
        ({"request": "0" * 32}, "request"),
        ({"by": SECOND, "second": SECOND}, "people"),
        ({"by": OFFICER, "second": "nobody"}, "account"),
        ({"by": "thandi"}, "people"),
    ],
)
def test_who_may_not_is_refused_with_the_ground(
    place: Place,
    now: datetime,
    capsys: pytest.CaptureFixture[str],
    asked: dict[str, str],
    code: str,
) -> None:
    whom = {} if {"child", "household"} & set(asked) else {"household": place.homes[0]}
    assert run(place, now, **whom, **asked) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"{code}: ")
    assert told.err.rstrip().endswith("Nothing was erased.")
    assert told.out == ""
    assert with_database(place.settings, lambda c, _w: leftovers(c, place.homes[0]))


def test_anothers_request_does_not_do(
    place: Place, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place, now, household=place.homes[1]) == 1
    assert capsys.readouterr().err.startswith("request: ")
    assert run(place, now) == 1
    assert "Say whom" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": "opened", "level": "high"}, "alert_open"),
        ({"state": "opened", "level": "urgent"}, "s110"),
        ({"reportable": "yes"}, "s110"),
    ],
)
def test_an_open_matter_forbids(
    place: Place,
    now: datetime,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    code: str,
) -> None:
    with_database(place.settings, lambda c, _w: c.execute(update(schema.alerts).values(change)))
    assert run(place, now, household=place.homes[0]) == 1
    assert capsys.readouterr().err.startswith(f"{code}: ")
    rows = with_database(
        place.settings,
        lambda c, _w: c.execute(
            select(schema.audit.c.purpose).where(schema.audit.c.verb == "erase_held")
        ).all(),
    )
    assert [row.purpose for row in rows] == [f"held:{code}"]


def test_a_hold_forbids(place: Place, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    with_database(
        place.settings, lambda c, _w: c.execute(update(schema.legal_holds).values(until_at=None))
    )
    assert run(place, now, household=place.homes[0]) == 1
    assert capsys.readouterr().err.startswith("legal_hold: ")


def test_a_household_with_two_children_is_erased_only_by_its_own_name(
    place: Place, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = place.homes
    with_database(
        place.settings,
        lambda c, _w: c.execute(
            update(schema.children)
            .where(schema.children.c.household_id == other)
            .values(household_id=mine)
        ),
    )
    assert run(place, now, child=place.codes[0]) == 1
    assert f"--household {mine}" in capsys.readouterr().err


def test_by_number_finds_the_household_and_refuses_staff(place: Place, now: datetime) -> None:
    def work(conn: Connection, world: object) -> None:
        found = erase.by_address(conn, world, "sms:+278200000010")  # type: ignore[arg-type]
        assert found.household_id == place.homes[0]
        with pytest.raises(erase.EraseRefusedError, match="staff"):
            erase.by_address(conn, world, "sms:+27110000001")  # type: ignore[arg-type]
        for text in ("sms:+1", "telegram:77001", "+27", "pigeon:1"):
            with pytest.raises(erase.EraseRefusedError, match="nobody"):
                erase.by_address(conn, world, text)  # type: ignore[arg-type]

    with_database(place.settings, work)


def test_a_stranger_is_erased_on_request(
    place: Place, now: datetime, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def meet(conn: Connection, vault: Vault) -> str:
        at = new_id(now)
        conn.execute(
            schema.addresses.insert().values(
                id=at,
                channel="sms",
                account=ACCOUNT,
                blind=vault.blind_address("sms", ACCOUNT, "+2789"),
                value=vault.seal("+2789", table="addresses", column="value", row=at),
                language="en",
                created_at=now,
            )
        )
        asker = requests.Asker(person_id=None, address_id=at, household_id=None, school_id=None)
        made, *_ = request_steps.add(
            conn, kind="erasure", asker=asker, way="chat", due_at=now, now=now, new_id=new_id
        )
        grant(conn, vault, made, now)
        return made

    made = with_database(place.settings, lambda c, w: meet(c, w.vault))
    import io  # noqa: PLC0415

    monkeypatch.setattr("sys.stdin", io.StringIO("sms:+2789\n"))
    assert run(place, now, number=True, request=made) == 0
    certificate = json.loads(capsys.readouterr().out)
    assert certificate["household"] == ""
    assert certificate["deleted"] == {"addresses": 1}
    assert certificate["kept_without_content"] == {"requests": 1}
    assert certificate["keys_destroyed"] == 0


def test_the_certificate_can_be_read(
    place: Place, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Asked(household=place.homes[0], request=place.requests[0], by=OFFICER, second=SECOND)
    done = erase_command.run(place.settings, asked, json_wanted=False, now=now, prove=somebody)
    assert done == 0
    told = capsys.readouterr().out
    assert told.startswith("CERTIFICATE OF ERASURE")
    assert f"household: {place.homes[0]}" in told
    assert "POPIA s11(2)(a)" in told
    assert place.canaries[0] not in told
