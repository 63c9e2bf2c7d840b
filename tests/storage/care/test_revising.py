"""Alerts whose answers changed."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from storage.care.revising import judged_before, raised_about
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import alert_events, profiles
from tests.storage.rows import School


async def test_each_alert_comes_with_the_last_thing_noted(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, other = school.child(1), school.child(2)
        high, hurt = school.alert(child), school.alert(child, "child_hurt", state="closed")
        school.alert(other)

        def note(kind: str, minutes: int) -> None:
            school.put(
                alert_events,
                id=school.new_id(),
                alert_id=high["id"],
                kind=kind,
                at=now + timedelta(minutes=minutes),
            )

        for minute, kind in enumerate(("opened", "answers_changed", "answers_back", "accepted")):
            note(kind, minute)
        found = {one.rule: one for one in raised_about(conn, {child.id})}
        assert set(found) == {"high", "child_hurt"}
        assert (found["high"].id, found["high"].note) == (high["id"], "answers_back")
        assert (found["child_hurt"].id, found["child_hurt"].note) == (hurt["id"], "")
        assert found["child_hurt"].state == "closed"
        assert raised_about(conn, ()) == []

    await database.write(work)


async def test_who_has_a_profile_was_judged_before(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, other = school.child(1), school.child(2)
        school.put(
            profiles,
            child_id=child.id,
            wave_id=school.wave,
            school_id=school.id,
            level="none",
            urgent=False,
            rules="r",
            body=b"sealed",
            as_of=now,
        )
        assert judged_before(conn, {child.id, other.id}, school.wave) == {child.id}
        assert judged_before(conn, {child.id}, "0" * 32) == set()

    await database.write(work)
