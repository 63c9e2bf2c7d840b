"""Slips to join with: what stands on them, whom they are for, and that they open the door."""

import re
import stat
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from typer.testing import CliRunner

from bot.lists.sheets import SlipError
from bot.lists.slips import Doors, Printed, links, print_slips, readable
from flows.keywords import join_code
from main import app
from storage.families.programmes import ensure_class, ensure_school
from storage.keyring.vault import Vault
from storage.schema import audit, programmes
from tests.person import Person
from tests.town import SCHOOL, ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
BONGI = Resident(name="bongi", role="caregiver", channel="whatsapp", place=2)
ALL = Doors(sms="+27600000001", whatsapp="+27600000002", telegram="our_bot")
LAST = 42


@pytest.fixture
async def town(sqlite_url: str, vault: Vault) -> AsyncIterator[Town]:
    async with open_town(sqlite_url, vault, [AMINA, BONGI], at=MONDAY, consented=[3]) as running:
        yield running


async def printed(
    town: Town,
    name: str = "1A",
    *,
    school: str = "",
    languages: tuple[str, ...] = (),
    doors: Doors = ALL,
) -> Printed:
    def work(conn: Connection) -> Printed:
        return print_slips(
            conn,
            town.world,
            name,
            school=school,
            languages=languages,
            doors=doors,
            now=town.now,
        )

    return await town.database.write(work)


def codes(page: str) -> list[str]:
    found = re.findall(r"JOIN<br>([0-9A-Z]{4}) ([0-9A-Z]{4})", page)
    return ["".join(halves) for halves in found]


async def test_each_learner_without_a_caregiver_has_one_in_two_languages(town: Town) -> None:
    done = await printed(town)
    page = done.page
    assert (done.slips, done.joined, done.begun) == (LAST - 1, 1, 0)
    assert len(set(codes(page))) == page.count('<article class="slip">') == LAST - 1
    assert page.count('<section class="page">') == 6
    assert "Class 1A, learner 2." in page
    assert "Ikilasi 1A, umfundi 2." in page
    assert "learner 3." not in page
    assert done.until in page
    assert (done.until, done.drafts) == ("03/05/2026", ("isiZulu",))
    assert page.count("[draft]") == LAST - 1
    assert "Not for handing out" in page


async def test_the_page_asks_nobody_for_anything_and_names_nobody(town: Town) -> None:
    page = (await printed(town)).page
    bare = re.sub(r'<img alt="" src="data:image/svg\+xml[^"]*">', "", page)
    assert re.findall(r"\bsrc=|href|url\(|@import|<script|<link|<img|http(?!-equiv)", bare) == []
    assert "default-src 'none'" in page
    assert "size: A4" in page
    assert page.count('src="data:image/svg+xml') == 2 * (LAST - 1)
    assert "2018-" not in page  # the months of birth of this class
    assert AMINA.address not in page


@pytest.mark.parametrize("languages", [("en",), ("en", "zu")])
async def test_the_page_lets_its_own_style_through_and_nothing_else(
    town: Town, languages: tuple[str, ...]
) -> None:
    page = (await printed(town, languages=languages)).page
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"repeat({len(languages)}, 1fr)" in style
    assert policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    assert re.findall(r"\sstyle=|\son\w+=", page) == []  # these would be shut out


async def test_only_doors_that_are_there_are_shown(town: Town) -> None:
    page = (await printed(town, doors=Doors(sms="+27600000001"), languages=("en",))).page
    assert "SMS: send JOIN" in page
    assert "060 000 0001" in page
    assert "data:image/svg+xml" not in page
    assert "scan the square" not in page
    assert "Ikilasi" not in page
    assert "Not for handing out" not in page
    page = (await printed(town, doors=Doors(telegram="our_bot"), languages=("en",))).page
    assert "Telegram: scan the square" in page
    assert "SMS" not in page
    with pytest.raises(SlipError, match="No channel is set up"):
        await printed(town, doors=Doors())


def test_the_codes_lead_to_a_message_the_bot_understands(town: Town) -> None:
    (whatsapp, telegram) = links("7KQ4M2XY", ALL)
    assert whatsapp == ("WhatsApp", "https://wa.me/27600000002?text=JOIN%207KQ4M2XY")
    assert telegram == ("Telegram", "https://t.me/our_bot?start=7KQ4M2XY")
    keywords = town.world.library.keywords
    for said in ("JOIN 7KQ4M2XY", "/start 7KQ4M2XY", "join 7KQ4 M2XY"):
        assert join_code(said, keywords) == "7KQ4M2XY"


async def test_an_earlier_slip_still_works_and_closes_the_newer_one(town: Town) -> None:
    first = town.codes[17]
    (second,) = [
        code
        for code, number in zip(
            codes((await printed(town)).page),
            [n for n in range(1, LAST + 1) if n != 3],
            strict=True,
        )
        if number == 17
    ]
    assert second != first
    amina, bongi = Person(town=town, who=AMINA), Person(town=town, who=BONGI)
    await amina.says(f"JOIN {first}")
    amina.hears("Joining costs you")
    await bongi.says(f"JOIN {second}")
    bongi.hears("Somebody from the school will contact you")
    await amina.says(f"JOIN {second}")
    assert "about this code" not in amina.answer[0].message.text
    done = await printed(town)
    assert (done.slips, done.joined, done.begun) == (LAST - 2, 1, 1)


async def test_a_newer_slip_works_as_well(town: Town) -> None:
    amina = Person(town=town, who=AMINA)
    await amina.says(f"JOIN {codes((await printed(town)).page)[0]}")
    amina.hears("Joining costs you")


async def test_every_print_is_written_down(town: Town) -> None:
    for _ in range(2):
        await printed(town)

    def read(conn: Connection) -> list[tuple[str, str]]:
        rows = conn.execute(select(audit).where(audit.c.verb == "printed"))
        return [(row.object_kind, row.school_id) for row in rows]

    (first, second) = await town.database.read(read)
    assert first == second
    assert first[0] == "classes"
    assert first[1]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"name": "9Z"}, "There is no class '9Z'. There are: 1A"),
        ({"school": "Nowhere"}, f"no school 'Nowhere'. There are: {SCHOOL}"),
        ({"languages": ("en", "fr")}, "'fr' is not there"),
        ({"languages": ("en", "en")}, "two different ones"),
        ({"languages": ("en", "zu", "af")}, "two different ones"),
    ],
)
async def test_what_cannot_be_printed_is_said(
    town: Town, asked: dict[str, object], says: str
) -> None:
    with pytest.raises(SlipError, match=re.escape(says)):
        await printed(town, **asked)  # type: ignore[arg-type]


async def test_the_school_is_asked_for_where_two_have_such_a_class(
    town: Town, vault: Vault
) -> None:
    def more(conn: Connection) -> None:
        programme = conn.execute(select(programmes.c.id)).scalar_one()
        school = ensure_school(conn, programme_id=programme, name="North", now=town.now)
        ensure_class(conn, school_id=school, grade="1", name="A", now=town.now)
        ensure_class(conn, school_id=school, grade="R", name="B", now=town.now)

    await town.database.write(more)
    with pytest.raises(SlipError, match=f"Add --school: North, {SCHOOL}"):
        await printed(town)
    assert (await printed(town, "Grade 1 a", school=SCHOOL.lower())).room.school == SCHOOL
    with pytest.raises(SlipError, match="Class RB of North: every learner has a caregiver"):
        await printed(town, "RB")


def test_numbers_are_written_as_people_here_write_them() -> None:
    assert readable("+27821234567") == "082 123 4567"
    assert readable("+27000000000") == "+27000000000"  # nobody's: shown as it is
    assert readable("+442079460958") == "+44 20 7946 0958"
    assert readable("short") == "short"


def run(folder: Path, *said: str) -> tuple[int, str]:
    env = {"DEMO": "1", "DATA_DIR": str(folder)}
    result = CliRunner().invoke(app, list(said), env=env)
    return result.exit_code, result.output


@pytest.fixture
def school(tmp_path: Path) -> Path:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "school,grade,class,number,sex,birth_month,teacher_address\n"
        "North,1,A,1,f,2019-03,\nNorth,1,A,2,m,2019-04,\n"
    )
    assert run(tmp_path, "import-roster", str(roster))[0] == 0
    return tmp_path


def test_the_command(school: Path) -> None:
    out = school / "slips.html"
    status, told = run(school, "slips", "1A", "--out", str(out), "--languages", "en,zu")
    assert status == 0
    assert "2 slips for class 1A of North, with 2 new codes" in told
    assert "Slips printed earlier still work" in told
    assert "The words in isiZulu are a machine draft" in told
    page = out.read_text(encoding="utf-8")
    assert len(codes(page)) == 2
    assert page.count("<figcaption>WhatsApp") == 2
    assert "Telegram" not in page
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    status, told = run(school, "slips", "1A", "--out", str(out), "--telegram-name", "@our_bot")
    assert status == 0
    assert "Telegram" in out.read_text(encoding="utf-8")
    assert not set(codes(page)) & set(codes(out.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (("9Z",), "no class '9Z'"),
        (("1A", "--telegram-name", "no name"), "--telegram-name"),
        (("1A", "--languages", "xx"), "'xx' is not there"),
    ],
)
def test_wrong_commands_say_what_to_do(school: Path, said: tuple[str, ...], fault: str) -> None:
    out = school / "slips.html"
    status, told = run(school, "slips", *said, "--out", str(out))
    assert (status, fault in told) == (1, True)
    assert not out.exists()


def test_where_nothing_can_be_written_no_code_is_made(school: Path) -> None:
    status, told = run(school, "slips", "1A", "--out", str(school / "none" / "slips.html"))
    assert status == 1
    assert "check the name and the rights" in told
    status, told = run(school, "slips", "1A", "--out", str(school / "slips.html"))
    assert "2 new codes" in told
