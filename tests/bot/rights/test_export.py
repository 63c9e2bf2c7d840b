"""Files made for one reader: sealed at rest, in scope when handed out, gone after a day."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.rights.export import LIFE, MARK, marked, prepare, read, store, sweep
from bot.rights.file import gather
from storage import scope
from storage.database import Database
from storage.errors import SealBroken
from storage.keyring.vault import Vault
from storage.rights import exports
from storage.rights.exports import ExportRow
from storage.rights.request_steps import add
from storage.rights.requests import asker_of
from storage.schema import requests
from tests.bot.rights import family as words
from tests.bot.rights.family import Family

WHO = {"for": "thandi", "at": "2026-02-02 11:00", "purpose": "answer_request"}


async def content_of(database: Database, family: Family, now: datetime) -> str:
    """What a file of the mother holds."""
    folder = await database.read(
        lambda conn: gather(conn, family.officer(), family.world, family.mother)
    )
    assert folder is not None
    return prepare(folder, {}, family.world, now=now)


async def made(
    database: Database, family: Family, place: Path, now: datetime, *, state: str = "granted"
) -> ExportRow:
    """A file for a request of hers, as the page makes it."""
    content = await content_of(database, family, now)
    export_id = store(
        place, family.world.vault, content, household_id=family.child.household_id, now=now
    )

    def noting(conn: object) -> ExportRow:
        asker = asker_of(conn, family.officer(), family.mother)  # type: ignore[arg-type]
        assert asker is not None
        request_id, _ = add(
            conn,  # type: ignore[arg-type]
            kind="access",
            asker=asker,
            way="staff",
            due_at=now + timedelta(days=30),
            now=now,
            new_id=family.world.new_id,
        )
        conn.execute(  # type: ignore[attr-defined]
            update(requests).where(requests.c.id == request_id).values(state=state)
        )
        row = ExportRow(
            id=export_id,
            kind="subject",
            request_id=request_id,
            household_id=family.child.household_id,
            person_id=family.mother,
            school_id=family.school.id,
            made_by=family.officers["thandi"],
            purpose="answer_request",
            made_at=now,
            expires_at=now + LIFE,
        )
        exports.add(conn, row)  # type: ignore[arg-type]
        return row

    return await database.write(noting)


async def test_the_file_at_rest_says_nothing_and_is_ours_alone(
    database: Database, family: Family, tmp_path: Path, now: datetime
) -> None:
    place = tmp_path / "exports"
    await made(database, family, place, now)

    (file,) = place.iterdir()
    raw = file.read_bytes()
    assert b"Canary" not in raw
    assert words.NUMBER.encode() not in raw
    assert file.stat().st_mode & 0o077 == 0
    assert place.stat().st_mode & 0o077 == 0


async def test_whoever_takes_it_stands_on_it(
    database: Database, family: Family, tmp_path: Path, now: datetime
) -> None:
    row = await made(database, family, tmp_path, now)
    content = read(tmp_path, family.world.vault, row.id)

    page, data = marked(content, "html", WHO), json.loads(marked(content, "json", WHO))

    assert "for: thandi, at: 2026-02-02 11:00, purpose: answer_request" in page
    assert MARK not in page
    assert words.MOTHER in page
    assert data["handed_out"] == WHO
    assert data["person"]["name"] == words.MOTHER
    evil = marked(content, "html", {"for": "<script>"})
    assert "<script>" not in evil


async def test_a_file_moved_to_another_name_or_damaged_does_not_open(
    database: Database, family: Family, tmp_path: Path, now: datetime
) -> None:
    row = await made(database, family, tmp_path, now)
    other = f"{row.id[:-1]}{'0' if row.id[-1] != '0' else '1'}"
    (tmp_path / f"{row.id}.sealed").rename(tmp_path / f"{other}.sealed")

    with pytest.raises(SealBroken):
        read(tmp_path, family.world.vault, other)


@pytest.mark.parametrize("state", ["open", "held", "refused", "second"])
async def test_a_file_is_handed_out_only_while_its_request_is_granted(
    database: Database, family: Family, tmp_path: Path, now: datetime, state: str
) -> None:
    row = await made(database, family, tmp_path, now, state=state)

    found = await database.read(lambda conn: exports.find(conn, family.officer(), row.id, now=now))

    assert found is None


async def test_scope_and_time_are_asked_again_at_the_moment_of_handing_out(
    database: Database, family: Family, tmp_path: Path, now: datetime
) -> None:
    row = await made(database, family, tmp_path, now)
    elsewhere = scope.user(family.officers["thandi"], ["f" * 32], purpose="requests")
    mine = family.officer()

    assert await database.read(lambda c: exports.find(c, mine, row.id, now=now)) == row
    assert await database.read(lambda c: exports.find(c, elsewhere, row.id, now=now)) is None
    late = now + LIFE
    assert await database.read(lambda c: exports.find(c, mine, row.id, now=late)) is None
    assert row.request_id
    listed = await database.read(
        lambda c: exports.of_request(c, mine, row.request_id or "", now=now)
    )
    assert listed == [row]


async def test_files_are_swept_when_their_day_is_over(
    database: Database, family: Family, tmp_path: Path, now: datetime
) -> None:
    row = await made(database, family, tmp_path, now)
    assert await sweep(database, tmp_path, lambda: now + LIFE - timedelta(minutes=1)) == 0
    assert read(tmp_path, family.world.vault, row.id)

    assert await sweep(database, tmp_path, lambda: now + LIFE) == 1

    assert not (tmp_path / f"{row.id}.sealed").exists()
    assert await sweep(database, tmp_path, lambda: now + LIFE) == 0


async def test_a_file_without_a_row_is_swept_but_not_while_it_is_being_made(
    database: Database, vault: Vault, tmp_path: Path, now: datetime
) -> None:
    store(tmp_path, vault, "{}", household_id=None, now=now)

    assert await sweep(database, tmp_path, lambda: now + timedelta(minutes=5)) == 0
    assert await sweep(database, tmp_path, lambda: now + timedelta(minutes=11)) == 1


async def test_nothing_is_swept_where_nothing_was_ever_made(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    assert await sweep(database, tmp_path / "none", lambda: now) == 0


def test_two_files_never_share_a_name(vault: Vault, tmp_path: Path, now: datetime) -> None:
    made = {store(tmp_path, vault, "{}", household_id=None, now=now) for _ in range(3)}
    assert len(made) == len(list(tmp_path.iterdir())) == 3
