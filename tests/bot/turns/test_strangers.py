"""What somebody says before we know whose she is has a key of its own, and dies with it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, LargeBinary, select, update
from typing_extensions import override

from bot.turns.batch import Work, run
from storage import schema
from storage.database import Database
from storage.errors import KeyGone
from storage.keyring.keys import KeyStore
from storage.keyring.vault import PROGRAMME_KEY, Vault
from storage.rights.purge import purge_strangers
from storage.rights.redacting import key_of
from tests.bot.turns.crowd import Pen, make_world
from tests.live import Live, live

AMINA = "+27820000001"
NOMSA = "+27820000002"
Sealed = tuple[str, str, str, bytes]


async def sealed(running: Live) -> list[Sealed]:
    """Everything sealed about conversations, as a backup of this moment holds it."""
    found: list[Sealed] = []
    for name in ("addresses", "inbox", "outbox", "sessions", "events", "answers"):
        table = schema.metadata.tables[name]
        for column in (c for c in table.columns if isinstance(c.type, LargeBinary)):
            parts = list(table.primary_key.columns)
            rows = await running.rows(select(*parts, column).where(column.is_not(None)))
            found += [(name, column.name, ":".join(map(str, r[:-1])), r[-1]) for r in rows]
    return found


async def own_key(running: Live) -> str:
    """The key of the newest sender who belongs to nobody."""
    newest = schema.addresses.c.id.desc()
    (row, *_) = await running.rows(
        select(schema.addresses.c.key_id)
        .where(
            schema.addresses.c.person_id.is_(None), schema.addresses.c.last_inbound_at.is_not(None)
        )
        .order_by(newest)
    )
    return str(row.key_id)


async def forget(running: Live) -> int:
    """The week is over."""
    vault, later = running.bot.world.vault, running.clock() + timedelta(days=8)

    def work(conn: Connection) -> int:
        return purge_strangers(conn, before=later, now=later, vault=vault)

    return await running.bot.database.write(work)


async def test_from_her_first_message_on_a_sender_has_a_key_of_her_own(tmp_path: Path) -> None:
    async with live(tmp_path) as running:
        before = {blob for *_, blob in await sealed(running)}
        await running.says(AMINA, "there is no food in the house")
        await running.says(AMINA, f"JOIN {running.codes[0]}")
        await running.says(AMINA, "1")
        hers = await own_key(running)
        after = [each for each in await sealed(running) if each[3] not in before]
        await running.says(NOMSA, "hello")
        other = await own_key(running)
    assert {key_of(blob) for *_, blob in after} == {hers}
    assert {name for name, *_ in after} == {"addresses", "inbox", "sessions", "events"}
    assert len({hers, other, PROGRAMME_KEY}) == 3


async def test_joining_hands_her_key_to_her_and_what_she_said_goes_on(tmp_path: Path) -> None:
    async with live(tmp_path) as running:
        await running.says(AMINA, "hello")
        hers = await own_key(running)
        for words in (f"JOIN {running.codes[0]}", "1 1 2 1 2 3", "1 1 1"):
            await running.says(AMINA, words)
        (link,) = await running.rows(
            select(schema.person_address.c.key_id, schema.addresses.c.key_id.label("left"))
            .join(schema.addresses)
            .where(schema.person_address.c.key_id.is_not(None))
        )
        opened = [
            running.bot.world.vault.open(blob, table=table, column=column, row=row)
            for table, column, row, blob in await sealed(running)
            if key_of(blob) == hers
        ]
    assert (link.key_id, link.left) == (hers, None)
    assert any("hello" in text for text in opened)


async def test_when_a_stranger_is_forgotten_no_backup_opens_what_she_said(tmp_path: Path) -> None:
    async with live(tmp_path) as running:
        before = {blob for *_, blob in await sealed(running)}
        for words in ("there is no food", f"JOIN {running.codes[0]}", "1", "2"):
            await running.says(AMINA, words)
        backup = [each for each in await sealed(running) if each[3] not in before]
        assert len(backup) > 8
        assert await forget(running) == 1
        for table, column, row, blob in backup:
            with pytest.raises(KeyGone):
                running.bot.world.vault.open(blob, table=table, column=column, row=row)
        # She may begin anew, with another key; the code is free.
        gone = key_of(backup[0][3])
        await running.says(AMINA, f"JOIN {running.codes[0]}")
        assert await own_key(running) != gone
        assert await running.problems(ticking=False) == []


async def test_who_said_stop_stays_known_as_that_on_another_key(tmp_path: Path) -> None:
    async with live(tmp_path) as running:
        await running.says(AMINA, "hello")
        first = await own_key(running)
        await running.says(AMINA, "STOP")
        assert await forget(running) == 1
        second = await own_key(running)
        (row,) = await running.rows(
            select(schema.addresses).where(schema.addresses.c.key_id == second)
        )
        vault = running.bot.world.vault
        assert second != first
        assert row.opted_out_at is not None
        assert vault.open(row.value, table="addresses", column="value", row=row.id) == AMINA
        heard = len(running.heard(AMINA))
        await running.says(AMINA, f"JOIN {running.codes[0]}")
        assert len(running.heard(AMINA)) > heard


async def test_one_whose_key_is_gone_while_her_row_came_back_begins_anew(tmp_path: Path) -> None:
    async with live(tmp_path) as running:
        for words in ("hello", f"JOIN {running.codes[0]}", "1"):
            await running.says(AMINA, words)
        first = await own_key(running)
        running.bot.world.vault.destroy([first], at=running.clock())
        heard = len(running.heard(AMINA))
        await running.says(AMINA, "hello")
        second = await own_key(running)
        letters = await running.rows(select(schema.inbox.c.body).order_by(schema.inbox.c.id))
        assert second != first
        assert key_of(letters[-1].body) == second
        assert len(running.heard(AMINA)) > heard


async def test_a_number_that_was_somebodys_gets_a_key_of_its_own(tmp_path: Path) -> None:
    async with live(tmp_path) as running:
        for words in (f"JOIN {running.codes[0]}", "1 1 2 1 2 3", "1 1 1"):
            await running.says(AMINA, words)
        her = schema.addresses.c.person_id.in_(
            select(schema.persons.c.id).where(schema.persons.c.kind == "caregiver")
        )
        await running.bot.database.write(
            lambda c: c.execute(
                update(schema.addresses).where(her).values(person_id=None, open_prompt=None)
            )
        )
        await running.says(AMINA, "who is this")
        letters = await running.rows(select(schema.inbox.c.body).order_by(schema.inbox.c.id))
        assert key_of(letters[-1].body) == await own_key(running)


class Counting(KeyStore):
    """A key store that counts how often it is asked."""

    asked = 0

    @override
    def keys(self, key_ids: Collection[str], *, strict: bool = False) -> dict[str, bytes]:
        self.asked += 1
        return super().keys(key_ids, strict=strict)


async def test_a_batch_of_strangers_asks_the_key_store_once_and_then_no_more(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    store = Counting.open(f"sqlite:///{tmp_path / 'keys.db'}", bytes(32))
    vault = Vault.over(store, clock=lambda: 0.0)
    pen = Pen(make_world(vault), now)
    asked = []
    for _ in range(2):
        before = store.asked
        letters = [pen.letter("sms", f"+2782000000{n}", "hello") for n in range(5)]
        await database.write(
            lambda c, them=letters: run(c, Work(letters=them, me="test"), world=pen.world, now=now)
        )
        asked.append(store.asked - before)
    found = await database.read(
        lambda c: c.execute(select(schema.addresses.c.key_id)).scalars().all()
    )
    vault.close()
    assert asked == [1, 0]
    assert len(set(found) - {None}) == 5
