"""A database refuses the keys of another one."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from storage.database import Database
from storage.errors import ForeignKeys
from storage.ids import new_id
from storage.keyring.binding import bind
from storage.keyring.keys import KeyStore
from storage.keyring.vault import Vault
from tests.storage.rows import School

MASTER = bytes(range(32))


@pytest.fixture
def vaults(tmp_path: Path, now: datetime) -> Iterator[list[Vault]]:
    made = [
        Vault.over(KeyStore.open(f"sqlite:///{tmp_path / name}", master, at=now))
        for name, master in (("keys.db", MASTER), ("lost.db", MASTER), ("new.db", bytes(32)))
    ]
    yield made
    for vault in made:
        vault.close()


async def test_the_first_store_stays_and_another_is_refused(
    database: Database, vaults: list[Vault], now: datetime
) -> None:
    mine, lost, _ = vaults
    for _ in range(2):
        await database.write(lambda c: bind(c, mine, now=now))
    with pytest.raises(ForeignKeys, match="KEYS_URL"):
        await database.write(lambda c: bind(c, lost, now=now))


async def test_a_database_sealed_with_another_master_is_refused_at_once(
    database: Database, vaults: list[Vault], now: datetime
) -> None:
    """Before there was a key store: its values open with the same master key only."""
    before = Vault.from_master(MASTER)
    await database.write(lambda c: School(conn=c, vault=before, now=now).stranger("+27821"))
    with pytest.raises(ForeignKeys, match="MASTER_KEY"):
        await database.write(lambda c: bind(c, vaults[2], now=now))
    await database.write(lambda c: bind(c, vaults[0], now=now))


async def test_an_erased_address_says_nothing_against_the_store(
    database: Database, vaults: list[Vault], now: datetime
) -> None:
    vault, home = vaults[0], new_id(now)

    def fill(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        person = school.person(household=school.child(1).household_id)
        school.reached_at(person, "+27821")

    await database.write(fill)
    vault.destroy([*vault.store.ids().keys() - {"k1", "b1", "a1"}, home], at=now)  # type: ignore[union-attr]
    await database.write(lambda c: bind(c, vault, now=now))


async def test_a_vault_without_a_store_is_bound_to_nothing(
    database: Database, vaults: list[Vault], vault: Vault, now: datetime
) -> None:
    await database.write(lambda c: bind(c, vault, now=now))
    await database.write(lambda c: bind(c, vaults[1], now=now))
