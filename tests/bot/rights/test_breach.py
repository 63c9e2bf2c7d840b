"""The breach worksheet: who was affected, told by codes; names and numbers only in the annex."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from bot.rights import breach, export
from bot.rights.breach import BreachError, Question, Worksheet, code_of
from storage import scope
from storage.database import Database
from storage.ids import new_id
from storage.rights import exports
from storage.schema import user_sessions
from storage.trail import audit
from tests.bot.rights import family as words
from tests.bot.rights.family import Family
from tests.storage.rows import School

HOUR = timedelta(hours=1)


def question(now: datetime, **more: object) -> Question:
    base = {"start": now - HOUR, "end": now + HOUR, "found_at": now + 50 * HOUR}
    return Question(**{**base, **more})  # type: ignore[arg-type]


def noted(conn: Connection, family: Family, kind: str, object_id: str | None, at: datetime) -> None:
    """Something a second officer looked at."""
    who = scope.user(family.officers["zinhle"], [family.school.id], purpose="care")
    audit.record(conn, [audit.row(who, "read", kind, object_id, id=new_id(at), at=at)])


def neighbour(conn: Connection, family: Family) -> tuple[str, str]:
    """Another child of the school, with a father: (child, father)."""
    school = School(
        conn=conn,
        vault=family.world.vault,
        now=family.school.now,
        programme=family.school.programme,
    )
    child = school.child(23)
    father = school.person(household=child.household_id)
    school.cares_for(father, child)
    school.reached_at(father, "+27821230077")
    return child.code, father


async def test_who_was_looked_at_is_affected_and_her_mother_is_told(
    database: Database, family: Family, now: datetime
) -> None:
    other, father = await database.write(lambda conn: neighbour(conn, family))

    sheet = await database.read(lambda conn: breach.find(conn, question(now)))

    assert [child.code for child in sheet.children] == [family.child.code]
    assert [person.id for person in sheet.people] == [family.mother]
    assert sheet.people[0].children == (family.child.code,)
    assert sheet.kinds == {"children": 2}
    assert other not in {child.code for child in sheet.children}
    assert father not in {person.id for person in sheet.people}


@pytest.mark.parametrize("kind", ["addresses", "persons", "sessions", "households", "requests"])
async def test_every_kind_of_thing_leads_to_its_people(
    database: Database, family: Family, now: datetime, kind: str
) -> None:
    ids = {
        "addresses": family.address,
        "persons": family.mother,
        "sessions": family.session,
        "households": family.child.household_id,
        "requests": "0" * 32,
    }
    later = now + 5 * HOUR
    await database.write(lambda conn: noted(conn, family, kind, ids[kind], later))

    asked = question(later, login="Zinhle")
    sheet = await database.read(lambda conn: breach.find(conn, asked))

    found = {person.id for person in sheet.people}
    assert found == (set() if kind == "requests" else {family.mother})
    assert len(sheet.seen) == 1


async def test_a_list_counts_as_seen_whole(
    database: Database, family: Family, now: datetime
) -> None:
    other, _ = await database.write(lambda conn: neighbour(conn, family))
    later = now + 5 * HOUR
    await database.write(lambda conn: noted(conn, family, "tasks", None, later))

    sheet = await database.read(lambda conn: breach.find(conn, question(later)))

    assert {child.code for child in sheet.children} == {family.child.code, other}

    alerts_only = later + 5 * HOUR
    await database.write(lambda conn: noted(conn, family, "alerts", None, alerts_only))
    sheet = await database.read(lambda conn: breach.find(conn, question(alerts_only)))
    assert other not in {child.code for child in sheet.children}

    nameless = later + 10 * HOUR
    await database.write(lambda conn: noted(conn, family, "requests", None, nameless))
    sheet = await database.read(lambda conn: breach.find(conn, question(nameless)))
    assert list(sheet.children) == []


async def test_a_copy_of_the_database_affects_everybody_and_one_school_only_its_own(
    database: Database, family: Family, now: datetime
) -> None:
    other, father = await database.write(lambda conn: neighbour(conn, family))

    sheet = await database.read(lambda conn: breach.find(conn, question(now, whole=True)))
    north = await database.read(
        lambda conn: breach.find(conn, question(now, whole=True, school="North"))
    )

    assert {child.code for child in sheet.children} == {family.child.code, other}
    assert father in {person.id for person in sheet.people}
    assert any(person.kind == "teacher" for person in sheet.people)
    assert len(north.children) == 2


async def test_one_session_counts_for_its_time_only(
    database: Database, family: Family, now: datetime
) -> None:
    begun = now + 2 * HOUR

    def build(conn: Connection) -> None:
        conn.execute(
            insert(user_sessions).values(
                digest="abc123" + "0" * 58,
                user_id=family.officers["zinhle"],
                created_at=begun,
                seen_at=begun,
                ended_at=begun + HOUR,
            )
        )
        noted(conn, family, "persons", family.mother, begun - HOUR)
        noted(conn, family, "addresses", family.address, begun)

    await database.write(build)
    asked = question(now, end=now + 9 * HOUR, session="abc123")
    sheet = await database.read(lambda conn: breach.find(conn, asked))

    assert [row.object_kind for row in sheet.seen] == ["addresses"]
    assert (sheet.start, sheet.end) == (begun, begun + HOUR)


@pytest.mark.parametrize("wrong", [{"school": "Nowhere"}, {"login": "nobody"}, {"session": "zzz"}])
async def test_what_is_not_there_is_said(
    database: Database, family: Family, now: datetime, wrong: dict[str, str]
) -> None:
    with pytest.raises(BreachError):
        await database.read(lambda conn: breach.find(conn, question(now, **wrong)))


async def sheet_of(database: Database, now: datetime) -> Worksheet:
    return await database.read(lambda conn: breach.find(conn, question(now)))


async def test_the_folder_names_codes_and_the_annex_names_people(
    database: Database, family: Family, tmp_path: Path, now: datetime
) -> None:
    sheet = await sheet_of(database, now)
    annex_id = breach.seal(sheet, family.world, tmp_path, now=now)
    await database.write(lambda conn: breach.keep(conn, annex_id, now=now))

    folder = "\n".join(breach.papers(sheet, family.world, annex_id=annex_id).values())
    for canary in (words.MOTHER, words.NUMBER, words.TEACHERS, words.CHILDS, family.mother):
        assert canary not in folder
    assert family.child.code in folder
    assert code_of(sheet.people[0]) in folder
    assert "since 1 April 2025" in folder
    assert "2 days after it began" in folder

    found = await database.read(
        lambda conn: exports.find(conn, family.officer(), annex_id, now=now)
    )
    assert found is not None
    assert found.kind == "breach"
    content = export.read(tmp_path, family.world.vault, annex_id)
    page = export.marked(content, "html", {"for": "thandi"})
    assert words.MOTHER in page
    assert f"sms: {words.NUMBER}" in page
    assert "for: thandi" in page
    assert await database.read(lambda conn: exports.annexes(conn, family.officer(), now=now)) == [
        found
    ]


async def test_whoever_may_see_no_school_sees_no_list_of_numbers(
    database: Database, family: Family, tmp_path: Path, now: datetime
) -> None:
    sheet = await sheet_of(database, now)
    annex_id = breach.seal(sheet, family.world, tmp_path, now=now)
    await database.write(lambda conn: breach.keep(conn, annex_id, now=now))
    nobody = scope.user(family.officers["thandi"], [], purpose="requests")

    assert await database.read(lambda conn: exports.annexes(conn, nobody, now=now)) == []
    assert await database.read(lambda c: exports.find(c, nobody, annex_id, now=now)) is None


async def test_the_notice_is_in_the_language_of_those_affected_marked_as_a_draft(
    database: Database, family: Family, now: datetime
) -> None:
    sheet = await sheet_of(database, now)
    people = [
        type(person)(**{f: getattr(person, f) for f in person.__slots__} | {"language": "zu"})
        for person in sheet.people
    ]
    spoken = Worksheet(
        question=sheet.question,
        start=sheet.start,
        end=sheet.end,
        seen=sheet.seen,
        children=sheet.children,
        people=people,
    )

    papers = breach.papers(spoken, family.world, annex_id="a" * 32)

    assert {"notice-people.en.md", "notice-people.zu.md"} <= set(papers)
    assert papers["notice-people.zu.md"].startswith("DRAFT, machine translation")
    assert "ulwazi" in papers["notice-people.zu.md"].lower()
    assert "DRAFT: not sent by the bot" in papers["notice-people.en.md"]
