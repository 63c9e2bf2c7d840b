"""The audit page: who did or saw what, by codes, and the same as a file."""

import csv
import io
import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, update

from bot.dashboard.audit import COLUMNS, PAGE_ROWS
from bot.lists.csvs import BOM
from storage.database import Database
from storage.ids import new_id
from storage.schema import user_sessions
from storage.scope import system, user
from storage.trail import audit, audit_list, chaining
from storage.trail.audit_list import Wanted
from tests.bot.dashboard.house import House, post

PAGE = "/dashboard/audit"


def note(
    conn: Connection,
    at: datetime,
    *,
    actor: str = "",
    verb: str = "read",
    school: str | None = None,
    count: int = 1,
) -> None:
    """Rows of one actor, a second apart."""
    who = user(actor, [school] if school else [], purpose="care") if actor else system("job")
    record = []
    for number in range(count):
        moment = at + timedelta(seconds=number)
        record.append(
            audit.row(
                who, verb, "children", "c" * 32, id=new_id(moment), at=moment, school_id=school
            )
        )
    audit.record(conn, record)


def rows(page: str) -> list[list[str]]:
    body = re.search(r"<tbody>(.*)</tbody>", page, re.DOTALL)
    if body is None:
        return []
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in body[1].split("</tr>")]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells if row]


async def test_rows_stand_newest_first_with_codes_and_no_login(house: House) -> None:
    mine = house.users["supervisor"]
    yesterday = house.now - timedelta(days=1)
    await house.database.write(
        lambda c: note(c, yesterday, actor=mine.id, school=house.schools["Ours"])
    )
    await house.database.write(chaining.extend)
    browser = await house.signed_in("auditor")
    page = await browser.get(PAGE)
    assert page.status_code == 200
    oldest = rows(page.text)[-1]
    assert oldest[1:] == [
        f"supervisor {mine.id[-8:]}",
        "read",
        f"children {'c' * 8}",
        house.schools["Ours"][-8:],
        "care",
        oldest[6],
    ]
    assert int(oldest[6]) >= 1
    assert f'title="{mine.id}"' in page.text
    for login in ("coordinator", "social_worker"):  # users were added: their ids, not their logins
        assert f">{login}<" not in page.text


async def test_it_is_filtered_by_day_actor_and_verb(house: House) -> None:
    first, other = "a" * 31 + "1", "b" * 31 + "2"
    at = datetime.fromisoformat("2026-01-10T22:30:00+00:00")  # half past midnight there, the 11th
    await house.database.write(lambda c: note(c, at, actor=first, verb="exported"))
    later = at + timedelta(minutes=1)
    await house.database.write(lambda c: note(c, later, actor=other, verb="read"))
    browser = await house.signed_in("auditor")

    async def found(**fields: str) -> list[str]:
        page = await browser.get(PAGE, params=fields)
        return [row[1].split()[-1] for row in rows(page.text)]

    day = {"since": "2026-01-11", "until": "2026-01-11"}
    assert await found(**day) == [other[-8:], first[-8:]]
    assert await found(since="2026-01-10", until="2026-01-10") == []
    assert await found(**day, verb="exported") == [first[-8:]]
    assert await found(**day, actor=other) == [other[-8:]]
    assert await found(**day, actor=other[-8:]) == [other[-8:]]
    assert await found(**day, actor="%") == []


async def test_a_day_that_is_none_is_said_and_the_form_stays_filled(house: House) -> None:
    browser = await house.signed_in("auditor")
    page = await browser.get(PAGE, params={"since": "31/01/2026", "verb": "<b>"})
    assert "31/01/2026 is no day" in page.text
    assert 'value="31/01/2026"' in page.text
    assert "<b>" not in page.text
    assert (await browser.get(PAGE, params={"since": "0001-01-01"})).status_code == 200


async def test_pages_have_a_hundred_rows_and_keep_the_filter(house: House) -> None:
    await house.database.write(
        lambda c: note(c, house.now - timedelta(hours=1), actor="a" * 32, count=PAGE_ROWS + 5)
    )
    browser = await house.signed_in("auditor")
    fields = {"actor": "a" * 32, "verb": "read"}
    one = (await browser.get(PAGE, params=fields)).text
    assert len(rows(one)) == PAGE_ROWS
    assert f"Rows 1 to {PAGE_ROWS} of {PAGE_ROWS + 5}" in one
    link = re.search(r'href="\?([^"]*page=2)"', one)
    assert link is not None
    two = (await browser.get(f"{PAGE}?{link[1].replace('&amp;', '&')}")).text
    assert len(rows(two)) == 5
    assert "page=1" in two
    assert "No row fits" in (await browser.get(PAGE, params=fields | {"page": "9"})).text


async def test_looking_at_the_audit_is_a_row_of_the_audit(house: House) -> None:
    browser = await house.signed_in("auditor")
    await browser.get(PAGE)
    assert ("listed", "audit", None, house.users["auditor"].id) in await house.audited()


async def proved(house: House) -> None:
    """Everybody who is signed in has just proved herself again."""
    await house.database.write(
        lambda c: c.execute(update(user_sessions).values(stepped_at=house.now))
    )


async def test_a_file_is_handed_over_only_after_proving_oneself_again(house: House) -> None:
    browser = await house.signed_in("auditor")
    answer = await post(browser, PAGE, "csv", since="2026-01-01")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/dashboard/step?next=/dashboard/audit")
    assert "exported" not in [row[0] for row in await house.audited()]


async def test_the_file_has_the_same_rows_and_says_who_took_it(house: House) -> None:
    at = house.now - timedelta(days=3)
    await house.database.write(lambda c: note(c, at, actor="a" * 32, verb="=cmd()"))
    browser = await house.signed_in("auditor")
    await proved(house)
    answer = await post(browser, PAGE, "csv", actor="a" * 32)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-2026')
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith(BOM)
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix(BOM), newline=""))
    assert tuple(row) == COLUMNS
    assert row["at"] == at.isoformat(timespec="milliseconds")
    assert row["verb"] == "'=cmd()"
    assert row["actor_id"] == "a" * 32
    assert ("exported", "audit", None, house.users["auditor"].id) in await house.audited()


async def test_a_file_with_a_wrong_day_is_not_made(house: House) -> None:
    browser = await house.signed_in("auditor")
    await proved(house)
    answer = await post(browser, PAGE, "csv", since="soon")
    assert answer.status_code == 422
    assert "soon is no day" in answer.text
    assert "exported" not in [row[0] for row in await house.audited()]


async def test_nobody_else_sees_it(house: House) -> None:
    for role in ("supervisor", "coordinator", "tech", "data_officer"):
        browser = await house.signed_in(role)
        assert (await browser.get(PAGE)).status_code == 403


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    name = "postgres_url" if request.param == "postgresql" else "sqlite_url"
    return str(request.getfixturevalue(name))


async def test_rows_of_schools_out_of_scope_are_not_there(url: str, now: datetime) -> None:
    database = Database.open(url)
    for school in ("s1", "s2", None):
        await database.write(lambda c, s=school: note(c, now, actor="u1", school=s))

    def look(conn: Connection, *schools: str) -> list[str | None]:
        scope, any_row = user("me", schools, purpose="care"), Wanted()
        listed = audit_list.entries(conn, scope, any_row, limit=9)
        assert audit_list.count_entries(conn, scope, any_row) == len(listed)
        assert list(audit_list.all_entries(conn, scope, any_row)) == listed
        assert audit_list.verbs(conn, scope, any_row) == ["read"]
        return sorted((row.school_id for row in listed), key=str)

    assert await database.read(lambda c: look(c, "s1")) == [None, "s1"]
    assert await database.read(look) == [None]
    assert await database.read(lambda c: look(c, "s1", "s2")) == [None, "s1", "s2"]
    await database.close()
