"""`requests`, `breach` and `privacy` from the front door: who may, what is said, exit codes."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from click.testing import Result
from sqlalchemy import Connection, select
from typer.testing import CliRunner

from bot.app import now
from bot.commands import with_database
from bot.login.users import add_user
from bot.settings import Settings
from bot.turns.world import World
from main import app
from storage import schema
from storage.families import people
from storage.families.people import NewChild

LIVE = {
    "DEMO": "0",
    "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
    "SECRET_KEY": "s" * 32,
    "PUBLIC_BASE_URL": "https://bot.school.org.za",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "zq9",
    "TWILIO_SMS_FROM": "+27870000000",
}
NUMBER, NAME = "+27821230001", "Nomvula Canaryname"
PASSWORD = "seven green bicycles"  # noqa: S105 - it opens nothing
Call = Callable[..., Result]


class Officers:
    """Logins of data officers; each code works once, so the next step's is taken in turn."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.steps: dict[str, int] = {}

    def says(self, login: str) -> str:
        """What she types: password and the next code that the clock's drift allows."""
        step = self.steps[login] = self.steps.get(login, -2) + 1
        moment = int(datetime.now(UTC).timestamp()) + 30 * step
        return f"{PASSWORD}\n{pyotp.TOTP(self.secrets[login]).at(moment)}\n"


@pytest.fixture
def officers() -> Officers:
    return Officers()


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, officers: Officers) -> Call:
    """The front door of a live place with one family and three officers."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    env = {**LIVE, "DATA_DIR": str(tmp_path / "data")}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with_database(Settings(), lambda conn, world: build(conn, world, officers))

    def run(*words: str, login: str = "") -> Result:
        says = officers.says(login) if login else None
        more = ("--as", login) if login else ()
        return CliRunner().invoke(app, [*words, *more], input=says, env=env)

    return run


def build(conn: Connection, world: World, officers: Officers) -> None:
    moment = now()
    programme = people.ensure_programme(conn, name="P", now=moment)
    school = people.ensure_school(conn, programme_id=programme, name="North", now=moment)
    (child,) = people.add_children(
        conn,
        [NewChild(list_number=1, sex="f", birth_month="2019-03")],
        programme_id=programme,
        school_id=school,
        class_id=None,
        now=moment,
    )
    world.vault.ensure([child.household_id])
    person = people.add_person(
        conn,
        kind="caregiver",
        programme_id=programme,
        school_id=school,
        household_id=child.household_id,
        name=NAME,
        now=moment,
        vault=world.vault,
    )
    people.add_address(
        conn,
        person_id=person,
        channel="sms",
        account=LIVE["TWILIO_SMS_FROM"],
        value=NUMBER,
        vault=world.vault,
        now=moment,
    )
    conn.execute(
        schema.child_caregiver.insert().values(
            child_id=child.id, person_id=person, capacity="carer", from_at=moment
        )
    )
    for login, role in (("thandi", "data_officer"), ("zinhle", "data_officer"), ("tom", "tech")):
        made = add_user(
            conn,
            login=login,
            role=role,
            schools=[],
            password=PASSWORD,
            vault=world.vault,
            now=moment,
        )
        officers.secrets[login] = pyotp.parse_uri(made.uri).secret


def entered(call: Call, kind: str = "access") -> str:
    """The id of a new request of the mother."""
    done = call("requests", "add", "--kind", kind, "--address", NUMBER, login="thandi")
    assert done.exit_code == 0, done.output
    return done.output.split("  ")[0].split()[-1]


def test_a_request_goes_from_the_letter_to_the_decision(call: Call) -> None:
    made = entered(call)

    listed = call("requests", "list")
    assert made in listed.output
    assert "access  open" in listed.output
    assert NAME not in listed.output
    assert json.loads(call("requests", "list", "--json").output)[0]["late"] is False

    how = call("requests", "identify", made, "--how", "called_back", login="thandi")
    assert how.exit_code == 0, how.output
    done = call("requests", "decide", made, "granted", "--note", "clear", login="thandi")
    assert f"{made} is now: granted" in done.output
    assert "Nothing waits" in call("requests", "list").output
    assert made in call("requests", "list", "--decided").output


def test_only_an_officer_who_proves_herself_comes_in(call: Call, officers: Officers) -> None:
    refused = call("requests", "add", "--kind", "access", "--address", NUMBER, login="tom")
    assert refused.exit_code == 1
    assert "not a data officer" in refused.output

    officers.secrets["thandi"] = pyotp.random_base32()
    refused = call("requests", "add", "--kind", "access", "--address", NUMBER, login="thandi")
    assert refused.exit_code == 1
    assert "That did not work" in refused.output


def test_what_does_not_fit_is_said_in_words(call: Call) -> None:
    missing = call("requests", "decide", "f" * 32, "granted", login="thandi")
    assert (missing.exit_code, "no such request" in missing.output) == (1, True)
    nobody = call(
        "requests", "add", "--kind", "access", "--address", "+27829999999", login="zinhle"
    )
    assert (nobody.exit_code, "We find nobody" in nobody.output) == (1, True)


def test_a_value_is_corrected_and_the_notes_tell_it(call: Call) -> None:
    made = entered(call, "correction")
    call("requests", "identify", made, "--how", "school_confirmed", login="thandi")

    done = call(
        "requests", "correct", made, "--field", "birth_month", "--value", "2018-11", login="thandi"
    )

    assert done.exit_code == 0, done.output
    months = with_database(
        Settings(), lambda c, _w: c.execute(select(schema.children.c.birth_month)).scalars().all()
    )
    assert months == ["2018-11"]
    shown = call("requests", "show", made, "--json", login="zinhle")
    document = json.loads(shown.output[shown.output.index("{") :])
    assert document["notes"][-1]["text"] == "birth_month: 2019-03 -> 2018-11"


def test_a_mark_is_taken_off_at_the_command_line(call: Call) -> None:
    made = entered(call, "correction")

    def mark(conn: Connection) -> None:
        moment = now()
        (mother,) = conn.execute(select(schema.addresses.c.id, schema.addresses.c.person_id))
        session = {"id": "e" * 32, "address_id": mother.id, "person_id": mother.person_id}
        when = {"started_at": moment, "changed_at": moment}
        what = {"form_id": "caregiver", "version": "v", "status": "open", "state": b"x", "rev": 1}
        conn.execute(schema.sessions.insert().values(**session, **what, **when))
        marked = {"id": "d" * 32, "session_id": "e" * 32, "item": "breakfast"}
        conn.execute(schema.disputes.insert().values(**marked, request_id=made, at=moment))

    with_database(Settings(), lambda c, _w: mark(c))
    shown = call("requests", "show", made, login="thandi")
    assert "d" * 32 in shown.output
    assert "caregiver/breakfast" in shown.output
    said = ("--outcome", "right", "--reason", "the school was asked")
    done = call("requests", "settle", made, "d" * 32, *said, login="thandi")
    assert (done.exit_code, "The mark is off" in done.output) == (0, True), done.output
    again = call("requests", "settle", made, "d" * 32, *said, login="zinhle")
    assert (again.exit_code, "off already" in again.output) == (1, True)


def test_a_hold_asks_for_the_proof_of_who_holds(call: Call, officers: Officers) -> None:
    code = with_database(
        Settings(), lambda c, _w: c.execute(select(schema.children.c.code)).scalar_one()
    )

    def hold(typed: str, *words: str) -> Result:
        return CliRunner().invoke(app, ["hold", *words], input=typed)

    add = ("add", "--child", code, "--reason", "a claim", "--by", "thandi")
    for typed in ("", f"{PASSWORD}\n000000\n", f"guess\n{officers.says('thandi')[-7:]}"):
        refused = hold(typed, *add)
        assert (refused.exit_code, "That did not work" in refused.output) == (1, True)
    assert "No hold stands" in hold("", "list").output
    done = hold(officers.says("thandi"), *add)
    assert done.exit_code == 0, done.output
    made = done.output.split()[-1]
    role = hold(officers.says("tom"), "end", made, "--by", "tom")
    assert (role.exit_code, "--by must name an open account" in role.output) == (1, True)
    ended = hold(officers.says("zinhle"), "end", made, "--by", "zinhle")
    assert (ended.exit_code, "Ended." in ended.output) == (0, True), ended.output


def test_an_erasure_waits_for_another_officer(call: Call) -> None:
    made = entered(call, "erasure")
    call("requests", "identify", made, "--how", "called_back", login="thandi")
    first = call("requests", "decide", made, "granted", login="thandi")
    assert "is now: second" in first.output

    done = call("requests", "decide", made, "confirm", login="zinhle")

    assert "is now: granted" in done.output, done.output


def test_the_worksheet_goes_into_a_new_folder_without_names(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "breach"
    times = ("--from", "2020-01-01", "--to", "2099-01-01")

    done = call("breach", "worksheet", *times, "--whole", "--out", str(folder))

    assert done.exit_code == 0, done.output
    assert "1 children, 1 people" in done.output
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert {"worksheet.md", "affected.csv", "notice-regulator.md", "notice-people.en.md"} <= set(
        files
    )
    assert NAME not in "".join(files.values())
    assert NUMBER not in "".join(files.values())
    assert folder.stat().st_mode & 0o077 == 0

    again = call("breach", "worksheet", *times, "--whole", "--out", str(folder))
    assert (again.exit_code, "not empty" in again.output) == (1, True)
    turned = call("breach", "worksheet", "--from", "2026-02-02", "--to", "2026-02-01", "--out", "x")
    assert (turned.exit_code, "turn them round" in turned.output) == (1, True)
    wrong = call("breach", "worksheet", *times, "--user", "nobody", "--out", "y")
    assert (wrong.exit_code, "no login" in wrong.output) == (1, True)


def test_the_data_flow_record_knows_what_is_set_up_here(call: Call) -> None:
    page = call("privacy", "data-flow")
    assert page.exit_code == 0
    assert page.output.startswith("# Data-flow record")
    found = json.loads(call("privacy", "data-flow", "--json").output)
    assert [c["channel"] for c in found["channels"] if c["on"]] == ["sms"]
