"""The demo's school: who is in it, who has joined, and that its guide opens the demo."""

from collections.abc import AsyncIterator
from datetime import datetime

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from bot.demo import Guide
from bot.demo_phones import PHONES
from bot.demo_school import ENROLLED, JOINING, LEARNERS, seed
from bot.login.access import Access
from storage import schema
from storage.database import Database
from storage.families import people
from storage.keyring.vault import Vault
from storage.scope import system
from storage.staff import users
from storage.talk.starts import consented_children

ACCOUNTS = {
    "sms": "+27000000000",
    "whatsapp": "+27000000000",
    "telegram": "1000",
    "ussd": "*120*1000#",
}
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """An empty database."""
    opened = Database.open(sqlite_url)
    yield opened
    await opened.close()


async def sow(database: Database, vault: Vault, now: datetime) -> Guide:
    return await database.write(
        lambda conn: seed(conn, vault, now, accounts=ACCOUNTS, text_version="v1", hasher=QUICK)  # type: ignore[arg-type]
    )


async def test_a_class_of_42_between_six_and_eight(
    database: Database, vault: Vault, now: datetime
) -> None:
    await sow(database, vault, now)

    rows = await database.read(
        lambda conn: conn.execute(
            select(
                schema.children.c.list_number, schema.children.c.sex, schema.children.c.birth_month
            ).order_by(schema.children.c.list_number)
        ).all()
    )
    months = [
        now.year * 12 + now.month - int(m[:4]) * 12 - int(m[5:])
        for m in (r.birth_month for r in rows)
    ]
    assert [row.list_number for row in rows] == list(range(1, LEARNERS + 1))
    assert {row.sex for row in rows} == {"m", "f"}
    assert 6 * 12 <= min(months) < max(months) < 9 * 12
    assert all(1 <= int(row.birth_month[5:]) <= 12 for row in rows)


async def test_twelve_families_agreed_and_the_demos_own_did_not_yet(
    database: Database, vault: Vault, now: datetime
) -> None:
    await sow(database, vault, now)

    class_id = await database.read(
        lambda conn: conn.execute(select(schema.classes.c.id)).scalar_one()
    )
    agreed = await database.read(lambda conn: consented_children(conn, class_id))
    assert tuple(sorted(agreed)) == ENROLLED
    assert {3, 7, 19} <= set(agreed)
    assert JOINING not in agreed


async def test_the_teacher_and_the_coordinator_hold_the_pages_phones(
    database: Database, vault: Vault, now: datetime
) -> None:
    await sow(database, vault, now)

    def held(conn):  # type: ignore[no-untyped-def]
        found = {}
        for phone in PHONES:
            found[phone.name] = people.person_at(
                conn,
                system("test"),
                channel=phone.channel,
                account=ACCOUNTS[phone.channel],
                value=phone.address,
                vault=vault,
            )
        teacher = conn.execute(select(schema.classes.c.teacher_id)).scalar_one()
        return found, teacher, users.by_login(conn, "demo")

    found, teacher, user = await database.read(held)
    assert (found["caregiver"], found["handset"]) == (None, None)
    assert (found["teacher"].kind, found["teacher"].id) == ("teacher", teacher)
    assert (found["coordinator"].kind, found["coordinator"].id) == ("staff", user.person_id)


async def test_the_join_code_is_that_childs_and_kept_only_blind(
    database: Database, vault: Vault, now: datetime
) -> None:
    guide = await sow(database, vault, now)

    row = await database.read(
        lambda conn: conn.execute(
            select(schema.join_codes.c.blind, schema.children.c.list_number).join(
                schema.children, schema.children.c.id == schema.join_codes.c.child_id
            )
        ).one()
    )
    assert (row.blind, row.list_number) == (vault.blind("join", guide.join_code), JOINING)


async def test_the_guide_signs_in(database: Database, vault: Vault, now: datetime) -> None:
    guide = await sow(database, vault, now)

    result = await Access(database, vault, lambda: now, QUICK).sign_in(
        login=guide.login,
        password=guide.password,
        code=pyotp.TOTP(guide.totp_secret).at(now),
        client="127.0.0.1",
    )

    assert result.outcome == "in"


async def test_a_second_start_changes_nothing(
    database: Database, vault: Vault, now: datetime
) -> None:
    first = await sow(database, vault, now)
    second = await sow(database, vault, now)

    assert first == second
    count = await database.read(
        lambda conn: conn.execute(select(func.count()).select_from(schema.children)).scalar()
    )
    assert count == LEARNERS
