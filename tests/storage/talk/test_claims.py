"""Two workers lease from one outbox: no message is ever leased to both."""

import threading
from datetime import datetime

import pytest
from sqlalchemy import Connection

from storage.database import Database
from storage.keyring.vault import Vault
from storage.talk.outbox import claim
from tests.storage.rows import School

MESSAGES = 60


async def fill(database: Database, now: datetime, vault: Vault) -> set[str]:
    def work(conn: Connection) -> set[str]:
        school = School(conn=conn, vault=vault, now=now)
        return {school.message(school.stranger(f"+27{n}")) for n in range(MESSAGES)}

    return await database.write(work)


def in_threads(*jobs: threading.Thread) -> None:
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(30)


@pytest.mark.postgres
async def test_while_both_hold_their_locks(postgres_url: str, now: datetime, vault: Vault) -> None:
    database = Database.open(postgres_url, workers=2)
    made = await fill(database, now, vault)
    both_hold, leased = threading.Barrier(2), {}

    def worker(me: str) -> None:
        def work(conn: Connection) -> None:
            go, stay = claim(conn, me=me, now=now, most=MESSAGES // 2)
            both_hold.wait(10)
            leased[me] = {message.id for message in (*go, *stay)}

        database.write_sync(work)

    in_threads(*(threading.Thread(target=worker, args=(me,)) for me in ("w1", "w2")))
    await database.close()
    assert [len(ids) for ids in leased.values()] == [MESSAGES // 2] * 2
    assert leased["w1"].isdisjoint(leased["w2"])
    assert leased["w1"] | leased["w2"] == made


async def test_over_many_small_claims(database: Database, now: datetime, vault: Vault) -> None:
    made = await fill(database, now, vault)
    start, leased = threading.Barrier(3), []

    def worker(me: str) -> None:
        start.wait(10)
        while True:
            go, _ = database.write_sync(lambda c: claim(c, me=me, now=now, most=7))
            if not go:
                return
            leased.extend(message.id for message in go)

    in_threads(*(threading.Thread(target=worker, args=(f"w{n}",)) for n in range(3)))
    assert len(leased) == MESSAGES
    assert set(leased) == made
