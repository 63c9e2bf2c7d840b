"""Legal holds: set, listed in scope, over when their day is over or somebody ends them."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from storage.database import Database
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.rights.holds import add_hold, end_hold, holds, is_held
from storage.scope import system, user
from tests.storage.rows import School

DAY = timedelta(days=1)


async def test_a_hold_stands_until_its_day_or_until_it_is_ended(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, other = school.child(1), school.child(2)

        def hold(household: str, until: datetime | None) -> str:
            return add_hold(
                conn,
                household_id=household,
                reason="a claim",
                by="u" * 32,
                until_at=until,
                vault=vault,
                now=now,
                new_id=new_id,
            )

        dated, undated = hold(child.household_id, now + DAY), hold(other.household_id, None)
        assert is_held(conn, child.household_id, now=now)
        assert not is_held(conn, child.household_id, now=now + DAY)
        assert is_held(conn, other.household_id, now=now + 9999 * DAY)
        everywhere = system("test")
        found = holds(conn, everywhere, now=now)
        assert {each.id: each.children for each in found} == {
            dated: (child.code,),
            undated: (other.code,),
        }
        opened = vault.open(found[0].reason, table="legal_holds", column="reason", row=found[0].id)
        assert opened == "a claim"
        assert [each.id for each in holds(conn, everywhere, now=now + DAY)] == [undated]
        assert len(holds(conn, everywhere, now=now + DAY, ended=True)) == 2
        assert holds(conn, user("u", ["s" * 32], purpose="test"), now=now) == []
        assert end_hold(conn, undated, now=now + DAY)
        assert not end_hold(conn, undated, now=now + DAY)
        assert not is_held(conn, other.household_id, now=now + DAY)
        last = holds(conn, everywhere, now=now + DAY, ended=True)
        assert not any(each.stands(now + DAY) for each in last)

    await database.write(work)
