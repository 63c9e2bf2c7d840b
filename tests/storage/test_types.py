from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select

from storage.database import Database
from storage.schema import kept
from storage.types import to_ms


def test_a_moment_counts_milliseconds_since_1970() -> None:
    assert to_ms(datetime(1970, 1, 1, 0, 0, 1, 500_999, tzinfo=UTC)) == 1500
    assert to_ms(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -1000


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        to_ms(datetime(2026, 2, 2))  # noqa: DTZ001 - that is what is refused


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 2, 2, 9, 0, 0, 123_000, tzinfo=UTC),
        datetime(2026, 2, 2, 11, 0, tzinfo=timezone(timedelta(hours=2))),
        datetime(2106, 1, 1, tzinfo=UTC),
    ],
)
async def test_a_moment_comes_back_as_it_went_in(database: Database, moment: datetime) -> None:
    await database.write(
        lambda conn: conn.execute(insert(kept).values(name="n", value="v", at=moment)) and None
    )
    found = await database.read(lambda conn: conn.execute(select(kept.c.at)).scalar_one())
    assert found == moment
    assert found.tzinfo is UTC


async def test_moments_sort_and_compare_in_the_database(database: Database, now: datetime) -> None:
    rows = [
        {"name": str(hours), "value": "", "at": now + timedelta(hours=hours)} for hours in (2, 0, 1)
    ]
    await database.write(lambda conn: conn.execute(insert(kept), rows) and None)
    later = select(kept.c.name).where(kept.c.at > now).order_by(kept.c.at)
    assert await database.read(lambda conn: conn.execute(later).scalars().all()) == ["1", "2"]
