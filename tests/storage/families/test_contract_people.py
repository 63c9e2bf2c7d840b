"""What `ensure_*` promises on both databases: asked again, or at once, there is one."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from storage.database import Database
from storage.families.programmes import ensure_class, ensure_programme, ensure_school, ensure_wave
from storage.schema import classes, programmes, schools, waves


class TestEnsuring:
    async def test_the_same_is_found_again(self, database: Database, now: datetime) -> None:
        def work(conn: Connection) -> tuple[str, str, str, str]:
            programme = ensure_programme(conn, name="P", now=now)
            school = ensure_school(conn, programme_id=programme, name="S", now=now)
            group = ensure_class(conn, school_id=school, grade="1", name="A", now=now)
            wave = ensure_wave(conn, programme_id=programme, number=1, opens_at=now, now=now)
            return programme, school, group, wave

        assert await database.write(work) == await database.write(work)

    async def test_another_name_is_another(self, database: Database, now: datetime) -> None:
        def work(conn: Connection) -> int:
            programme = ensure_programme(conn, name="P", now=now)
            other = ensure_programme(conn, name="Q", now=now)
            school = ensure_school(conn, programme_id=programme, name="S", now=now)
            return len(
                {
                    programme,
                    other,
                    school,
                    ensure_school(conn, programme_id=other, name="S", now=now),
                    ensure_class(conn, school_id=school, grade="1", name="A", now=now),
                    ensure_class(conn, school_id=school, grade="1", name="B", now=now),
                    ensure_class(conn, school_id=school, grade="2", name="A", now=now),
                }
            )

        assert await database.write(work) == 7

    async def test_a_wave_keeps_its_first_dates(self, database: Database, now: datetime) -> None:
        def work(conn: Connection, opens_at: datetime) -> None:
            programme = ensure_programme(conn, name="P", now=now)
            ensure_wave(conn, programme_id=programme, number=1, opens_at=opens_at, now=now)

        for days in (0, 7):
            opens_at = now + timedelta(days=days)
            await database.write(lambda conn, at=opens_at: work(conn, at))
        found = await database.read(
            lambda conn: conn.execute(select(waves.c.opens_at)).scalars().all()
        )
        assert found == [now]

    async def test_made_at_once_there_is_one(self, database: Database, now: datetime) -> None:
        programme = await database.write(lambda conn: ensure_programme(conn, name="P", now=now))

        def work(conn: Connection) -> str:
            school = ensure_school(conn, programme_id=programme, name="S", now=now)
            return ensure_class(conn, school_id=school, grade="1", name="A", now=now)

        made = await asyncio.gather(*(database.write(work) for _ in range(8)))
        assert len(set(made)) == 1
        for table in (programmes, schools, classes):
            count = select(func.count()).select_from(table)
            assert await database.read(lambda conn, c=count: conn.execute(c).scalar_one()) == 1
