"""Commands that only certain people may decide: their login is asked, and the policy."""

from datetime import datetime, timedelta

import pytest

from bot.login.users import add_user
from bot.policy import shipped
from bot.trail.acting import acting, roles_for
from storage.database import Database
from storage.keyring.vault import Vault
from tests.bot.dashboard.house import QUICK

POLICY = shipped()
HOLD = ("hold", "decide")


@pytest.mark.parametrize(
    ("role", "days", "may"),
    [
        ("data_officer", 0, True),
        ("manager", 0, True),
        ("tech", 0, False),
        ("auditor", 0, False),
        ("data_officer", 400, False),
    ],
)
async def test_an_open_account_with_the_role_may(
    sqlite_url: str, vault: Vault, now: datetime, *, role: str, days: int, may: bool
) -> None:
    database = Database.open(sqlite_url)
    await database.write(
        lambda c: add_user(
            c,
            login="ann",
            role=role,
            schools=[],
            password="seven green bicycles",  # noqa: S106
            vault=vault,
            now=now,
            hasher=QUICK,
        )
    )
    at = now + timedelta(days=days)

    found = await database.read(lambda c: acting(c, POLICY, " Ann ", *HOLD, now=at))
    nobody = await database.read(lambda c: acting(c, POLICY, "bob", *HOLD, now=at))
    await database.close()

    assert (found is not None, nobody) == (may, None)


def test_a_refusal_can_name_the_roles() -> None:
    assert roles_for(POLICY, *HOLD) == ("data_officer", "manager", "supervisor")
