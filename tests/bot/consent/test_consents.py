"""Consent as staff write it down, and what it leads to."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select
from typer.testing import CliRunner

from bot.consent import consents as staff
from bot.consent.consent_people import ConsentError
from bot.consent.proving import FIXES, MODES, NEEDS, Told
from flows.consent import ASKED, Entry
from main import app
from storage.invariants import unconsented
from storage.keyring.vault import Vault
from storage.schema import assignments, audit, children, persons, tasks
from storage.schema import consents as ledger
from storage.talk import consents
from tests.person import Person
from tests.town import ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
THOKO = Resident(name="thoko", role="teacher", channel="telegram", place=2)
NOMSA = Resident(name="nomsa", role="coordinator", channel="telegram", place=3)
T = TypeVar("T")
ALL = dict.fromkeys(ASKED, True)
SAFE = "school safe, folder 3"


@pytest.fixture
async def town(sqlite_url: str, vault: Vault) -> AsyncIterator[Town]:
    async with open_town(sqlite_url, vault, [AMINA, THOKO, NOMSA], at=MONDAY) as running:
        yield running


async def do(town: Town, work: Callable[[Connection], T]) -> T:
    found = await town.database.write(work)
    town.queue.poke()
    await town.settle()
    return found


async def code_of(town: Town, number: int = 17) -> str:
    return await town.database.read(
        lambda c: c.execute(
            select(children.c.code).where(children.c.list_number == number)
        ).scalar_one()
    )


async def written(town: Town, number: int = 17) -> list[Entry]:
    def read(conn: Connection) -> list[Entry]:
        (child,) = conn.execute(
            select(children.c.id).where(children.c.list_number == number)
        ).scalars()
        return sorted(consents.about(conn, [child]), key=lambda e: (e.at, e.purpose))

    return await town.database.read(read)


async def record(town: Town, **more: Any) -> int:
    code = more.pop("code", None) or await code_of(town)
    told = more.pop("told", Told(mode="paper", at=town.now, kept_at=SAFE))
    base = {
        "words": ALL,
        "capacity": "parent_or_guardian",
        "language": "en",
        "told": told,
        "now": town.now,
    }
    return await do(town, lambda c: staff.record(c, town.world, code, **{**base, **more}))


async def withdraw(town: Town, **more: Any) -> int:
    code = await code_of(town)
    told = more.pop("told", Told(mode="phone", at=town.now))
    base = {"purposes": staff.PURPOSES, "told": told, "now": town.now}
    return await do(town, lambda c: staff.withdraw(c, town.world, code, **{**base, **more}))


async def shown(town: Town) -> staff.Standing:
    code = await code_of(town)
    return await town.database.read(lambda c: staff.show(c, town.world, code))


async def joins(town: Town, reply: str = "1 1 1 1 2 3") -> Person:
    amina = Person(town=town, who=AMINA)
    for said in (f"JOIN {town.codes[17]}", "1", reply):
        await amina.says(said)
    return amina


async def test_a_paper_with_a_witness_lets_the_teacher_be_asked(town: Town) -> None:
    thoko = Person(town=town, who=THOKO)
    await thoko.says("hello")
    assert "class 1A" not in thoko.phone()[-1].message.text
    told = Told(
        mode="paper",
        at=town.now - timedelta(days=3),
        witness="Zodwa Mkhize",
        kept_at=SAFE,
        by=f"telegram:{NOMSA.address}",
    )
    assert await record(town, told=told, words={"help": True, "research": False}) == 2
    found = await shown(town)
    assert found.verdicts == {"help": "yes", "partners": "none", "research": "refused"}
    (line, _) = sorted(found.lines, key=lambda x: x.entry.purpose)
    assert (line.witness, line.mode, line.channel) == ("Zodwa Mkhize", "paper", "none")
    assert line.recorded_by
    assert (line.entry.at, line.entry.known_at) == (told.at, town.now)
    assert line.entry.text == town.world.library.consent["en", "help"]
    await thoko.says("hello")
    thoko.hears("class 1A")

    def sealed(conn: Connection) -> list[str]:
        verbs = conn.execute(select(audit.c.verb).where(audit.c.object_kind == "consents"))
        names = conn.execute(select(ledger.c.witness_name)).scalars()
        assert all(name is None or b"Zodwa" not in name for name in names)
        return list(verbs.scalars())

    assert await town.database.read(sealed) == ["recorded"]


async def test_a_witness_we_know_is_named_by_her_address(town: Town) -> None:
    told = Told(
        mode="in_person",
        at=town.now,
        witness=f"telegram:{NOMSA.address}",
        helper=f"telegram:{NOMSA.address}",
    )
    await record(town, told=told, address=AMINA.address)
    line = (await shown(town)).lines[0]
    assert line.witness == line.helper != ""
    again = {e.person for e in await written(town)}
    await record(town, told=Told(mode="paper", at=town.now, kept_at=SAFE), words={"help": False})
    assert {e.person for e in await written(town)} == again
    assert (await shown(town)).verdicts["help"] in ("refused", "yes")


async def test_a_carer_is_offered_the_questions_once_the_guardian_agreed(town: Town) -> None:
    amina = await joins(town, "1 1 1 2 2 3")
    amina.hears("to arrange consent")
    await amina.says("hello")
    amina.hears("A person from our team will read")
    await record(town, address="+27821239999")
    await amina.says("hello")
    amina.hears("a child in your care")
    await amina.says("1")
    amina.hears("Last week, how many days")
    assert await town.database.read(unconsented) == []


async def test_where_another_guardian_said_no_staff_call_before_anything_is_asked(
    town: Town,
) -> None:
    await record(town, address="+27821239999", words={"help": False})
    amina = await joins(town)
    amina.hears("will call you by")
    found = await town.database.read(lambda c: set(c.execute(select(tasks.c.kind)).scalars()))
    assert "consent_unclear" in found
    assert (await shown(town)).verdicts["help"] == "refused"
    await record(town, address="+27821239999", words={"help": True})
    assert (await shown(town)).verdicts["help"] == "yes"
    await amina.says("hello")
    amina.hears("a child in your care")
    await amina.says("1")
    amina.hears("Last week, how many days")


async def test_what_is_taken_back_by_phone_ends_everything_and_is_confirmed_once(
    town: Town,
) -> None:
    amina = await joins(town)
    assert await withdraw(town) == 3
    heard = [one.message.text for one in amina.phone()]
    assert sum("Your yes is taken back" in text for text in heard) == 1
    assert {e.word for e in await written(town)} == {"yes", "withdrawn"}
    await amina.says("4 4 4")
    amina.hears("Welcome to the child wellbeing line")

    def stands(conn: Connection) -> tuple[list[str], list[str]]:
        states = conn.execute(
            select(assignments.c.state).where(assignments.c.child_id.is_not(None))
        )
        return list(states.scalars()), list(conn.execute(select(tasks.c.kind)).scalars())

    assert await town.database.read(stands) == (["withdrawn"], ["consent_withdrawn"])
    assert await town.database.read(unconsented) == []


async def test_on_a_shared_phone_the_confirmation_tells_nothing(town: Town) -> None:
    amina = await joins(town, "1 1 1 1 1 3")
    before = len(amina.phone())
    assert await withdraw(town) == 3
    heard = [one.message.text for one in amina.phone()[before:]]
    assert heard == ["We have noted what you told us. Thank you."]


@pytest.mark.parametrize(
    ("purpose", "words", "kinds"),
    [
        ("partners", "we do not share", ["partners_withdrawn"]),
        ("research", "research does not use", []),
    ],
)
async def test_a_part_is_taken_back_and_the_questions_go_on(
    town: Town, purpose: str, words: str, kinds: list[str]
) -> None:
    amina = await joins(town)
    assert await withdraw(town, purposes=[purpose], address=AMINA.address) == 1
    assert words in amina.phone()[-1].message.text
    found = await shown(town)
    assert found.verdicts[purpose] == "withdrawn"
    assert found.verdicts["help"] == "yes"
    await amina.says("4 4 4")
    amina.hears("Last month")
    assert await town.database.read(lambda c: list(c.execute(select(tasks.c.kind)).scalars())) == (
        kinds
    )


async def test_who_stopped_our_messages_hears_nothing_of_it(town: Town) -> None:
    amina = await joins(town)
    await amina.says("STOP")
    before = len(amina.phone())
    await withdraw(town)
    assert len(amina.phone()) == before


async def test_a_no_on_paper_ends_the_questions_too(town: Town) -> None:
    amina = await joins(town)
    told = Told(mode="paper", at=town.now, kept_at=SAFE)
    assert await record(town, words={"help": False}, told=told) == 1
    await amina.says("4 4 4")
    amina.hears("Welcome to the child wellbeing line")
    assert (await shown(town)).verdicts["help"] == "refused"


async def test_a_paper_older_than_her_withdrawal_changes_nothing(town: Town) -> None:
    await joins(town)
    long_ago = Told(mode="paper", at=town.now - timedelta(days=9), kept_at=SAFE)
    await withdraw(town)
    await record(town, told=long_ago)
    assert (await shown(town)).verdicts["help"] == "withdrawn"


async def test_older_words_on_the_paper_are_named(town: Town) -> None:
    await record(town, text={"help": "0123456789abcdef"}, words={"help": True})
    assert (await shown(town)).verdicts["help"] == "old_text"
    words = await town.database.read(staff.texts)
    assert {(tag, purpose) for tag, purpose, _, _ in words} == {
        (tag, purpose) for tag in town.queue.world.library.lexicons for purpose in ASKED
    }


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"code": "NONE99"}, "no child 'NONE99'"),
        ({"language": "xx"}, "no language 'xx'"),
        ({"capacity": "aunt"}, "--capacity"),
        ({"address": "nowhere"}, "--address: 'nowhere'"),
        ({"told": Told(mode="pigeon", at=MONDAY)}, "--mode"),
        ({"told": Told(mode="paper", at=MONDAY + timedelta(days=1))}, "still to come"),
        (
            {"told": Told(mode="paper", at=MONDAY, kept_at=SAFE, by="+27829999999")},
            "nobody we know",
        ),
        ({"told": Told(mode="paper", at=MONDAY, kept_at=SAFE, helper="Zodwa")}, "nobody we know"),
    ],
)
async def test_what_does_not_fit_is_said_and_nothing_is_written(
    town: Town, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConsentError, match=says):
        await record(town, **more)
    assert await written(town) == []
    assert (
        await town.database.read(
            lambda c: c.execute(select(persons).where(persons.c.kind == "caregiver")).all()
        )
        == []
    )


PROOFS = {
    "paper": {"kept_at": SAFE},
    "thumbprint": {"kept_at": SAFE, "witness": "Zodwa Mkhize", "witness_role": "neighbour"},
    "in_person": {"witness": "Zodwa Mkhize", "witness_role": "neighbour"},
    "phone": {"recording": "call 2026-17"},
}


@pytest.mark.parametrize("mode", MODES)
async def test_every_way_keeps_its_proof_sealed(town: Town, mode: str) -> None:
    proof = PROOFS[mode]
    assert await record(town, told=Told(mode=mode, at=town.now, **proof)) == len(ALL)
    (line, *_) = (await shown(town)).lines
    assert line.mode == mode
    assert line.proof == proof.get("kept_at", "") + proof.get("recording", "")
    assert (line.witness, line.witness_role) == (
        proof.get("witness", ""),
        proof.get("witness_role", ""),
    )
    raw = await town.database.read(
        lambda c: [v for row in c.execute(select(ledger)) for v in row if isinstance(v, bytes)]
    )
    assert all(text.encode() not in value for text in proof.values() for value in raw)


@pytest.mark.parametrize(
    ("mode", "left_out"), [(mode, name) for mode, names in NEEDS.items() for name in names]
)
async def test_what_would_prove_it_is_asked_for(town: Town, mode: str, left_out: str) -> None:
    proof = {name: value for name, value in PROOFS[mode].items() if name != left_out}
    with pytest.raises(ConsentError, match="needs a proof") as told:
        await record(town, told=Told(mode=mode, at=town.now, **proof))
    assert [name for name in FIXES if FIXES[name] in str(told.value)] == [left_out]
    assert await written(town) == []


@pytest.mark.parametrize("mode", MODES)
async def test_a_proof_of_another_way_is_a_slip(town: Town, mode: str) -> None:
    other = {"kept_at": SAFE} if mode == "phone" else {"recording": "call 2026-17"}
    with pytest.raises(ConsentError, match=f"does not go with --mode {mode}"):
        await record(town, told=Told(mode=mode, at=town.now, **PROOFS[mode], **other))
    assert await written(town) == []


async def test_with_several_caregivers_it_must_be_said_whose_word_it_is(town: Town) -> None:
    await record(town, address=AMINA.address)
    await record(town, address="+27821239999")
    with pytest.raises(ConsentError, match="several caregivers"):
        await record(town)


async def test_only_what_stands_can_be_taken_back(town: Town) -> None:
    with pytest.raises(ConsentError, match="no such yes stands"):
        await withdraw(town)
    await record(town, words={"help": True})
    with pytest.raises(ConsentError, match="no such yes stands"):
        await withdraw(town, purposes=["research"])
    with pytest.raises(ConsentError, match="younger"):
        await withdraw(town, told=Told(mode="phone", at=town.now - timedelta(days=1)))
    assert await withdraw(town) == 1


async def test_taking_back_that_we_write_to_her_ends_the_invitation(
    sqlite_url: str, vault: Vault
) -> None:
    bongi = Resident(
        name="bongi",
        role="caregiver",
        channel="sms",
        place=4,
        invited_for=17,
        agreed_on="2026-01-20",
    )
    async with open_town(sqlite_url, vault, [bongi], at=MONDAY.replace(hour=6)) as town:
        (entry,) = await written(town)
        assert (entry.purpose, entry.word, entry.at) == (
            "contact",
            "yes",
            datetime(2026, 1, 20, tzinfo=UTC),
        )
        assert await withdraw(town, purposes=["contact"]) == 1
        await town.wait(MONDAY.replace(hour=12))
        assert town.channel.sent == []
        states = await town.database.read(
            lambda c: list(c.execute(select(assignments.c.state)).scalars())
        )
        assert states == ["withdrawn"]


def run(folder: Path, *said: str) -> tuple[int, str]:
    env = {"DEMO": "1", "DATA_DIR": str(folder)}
    result = CliRunner().invoke(app, list(said), env=env)
    return result.exit_code, result.output


@pytest.fixture
def school(tmp_path: Path) -> str:
    """A demo's database with one class; the code of its learner 1."""
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "school,grade,class,number,sex,birth_month,teacher_address,caregiver_address,agreed_on,"
        "witness\nNorth,1,A,1,f,2019-03,+27821230001,+27821230002,2026-01-20,Sister Zodwa\n"
    )
    assert run(tmp_path, "import-roster", str(roster))[0] == 0
    with sqlite3.connect(next(tmp_path.glob("*demo.db"))) as conn:
        return str(conn.execute("select code from children").fetchone()[0])


def test_the_commands(tmp_path: Path, school: str) -> None:
    status, told = run(tmp_path, "consent", "show", school)
    assert status == 0
    assert "contact yes, as unknown, paper" in told
    assert "seen by Sister Zodwa" in told
    assert "help: none" in told
    status, told = run(
        tmp_path,
        *("consent", "record", school, "--yes", "help", "--no", "research"),
        *("--at", "2026-01-21 10:00", "--witness", "Zodwa", "--kept-at", SAFE),
    )
    assert (status, told.split()[0]) == (0, "2")
    status, told = run(tmp_path, "consent", "show", school, "--json")
    assert status == 0
    document = json.loads(told)
    assert document["now"] == {"help": "yes", "partners": "none", "research": "refused"}
    assert {row["witness"] for row in document["ledger"]} == {"Sister Zodwa", "Zodwa"}
    assert run(tmp_path, "consent", "withdraw", school)[0] == 0
    assert "help: withdrawn" in run(tmp_path, "consent", "show", school)[1]
    assert run(tmp_path, "consent", "texts")[0] == 0
    assert json.loads(run(tmp_path, "consent", "texts", "--json")[1]) == []


@pytest.mark.parametrize("mode", MODES)
def test_every_way_is_written_down_by_command(tmp_path: Path, school: str, mode: str) -> None:
    proof = [
        part
        for name, value in PROOFS[mode].items()
        for part in (f"--{name.replace('_', '-')}", value)
    ]
    said = ("consent", "record", school, "--yes", "help", "--mode", mode, *proof)
    assert run(tmp_path, *said)[0] == 0
    document = json.loads(run(tmp_path, "consent", "show", school, "--json")[1])
    assert document["now"]["help"] == "yes"
    row = next(row for row in document["ledger"] if row["purpose"] == "help")
    assert (row["mode"], row["proof"] or row["witness_role"]) == (
        mode,
        next((v for n, v in PROOFS[mode].items() if n in ("kept_at", "recording")), "neighbour"),
    )
    shown = run(tmp_path, "consent", "show", school)[1]
    assert all(value in shown for value in PROOFS[mode].values())


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (("record", "CODE"), "Say each purpose once"),
        (("record", "CODE", "--yes", "help", "--no", "help"), "Say each purpose once"),
        (("record", "CODE", "--yes", "everything"), "no purpose 'everything'"),
        (("record", "CODE", "--yes", "help", "--at", "yesterday"), "--at: write a day"),
        (("record", "CODE", "--yes", "help", "--text", "abc"), "--text"),
        (
            ("record", "CODE", "--yes", "help", "--text", "help=abc", "--at", "2999-01-01"),
            "to come",
        ),
        (("record", "CODE", "--yes", "help"), "--kept-at: where the paper lies"),
        (("record", "CODE", "--yes", "help", "--mode", "phone"), "--recording: the number"),
        (("record", "CODE", "--yes", "help", "--mode", "thumbprint"), "--witness-role: what the"),
        (("record", "CODE", "--yes", "help", "--mode", "in_person"), "--witness: who saw it"),
        (("withdraw", "CODE"), "no such yes stands"),
        (("show", "NOBODY"), "no child"),
    ],
)
def test_wrong_commands_say_what_to_do(
    tmp_path: Path, school: str, said: tuple[str, ...], fault: str
) -> None:
    words = [school if word == "CODE" else word for word in said]
    if words[0] == "withdraw":
        assert run(tmp_path, "consent", "withdraw", school)[0] == 0
    status, told = run(tmp_path, "consent", *words)
    assert status == 1
    assert fault in told


def test_a_child_nobody_spoke_about(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "school,grade,class,number,sex,birth_month,teacher_address\nNorth,1,A,1,f,2019-03,\n"
    )
    assert run(tmp_path, "import-roster", str(roster))[0] == 0
    with sqlite3.connect(next(tmp_path.glob("*demo.db"))) as conn:
        code = str(conn.execute("select code from children").fetchone()[0])
    assert "Nobody has said anything" in run(tmp_path, "consent", "show", code)[1]
