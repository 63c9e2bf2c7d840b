"""The life of accounts in the database: last use, closing, what a leaver hands over."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from storage import schema
from storage.database import Database
from storage.families import people
from storage.families.people import NewChild
from storage.ids import new_id
from storage.kept import keep, kept_value
from storage.keyring.vault import Vault
from storage.staff import accounts, users
from storage.staff.standing import place_of_alert, roles_of
from storage.staff.users import User

DAY = timedelta(days=1)


def add_account(conn: Connection, login: str, person_id: str | None, now: datetime) -> str:
    account = User(
        id=new_id(now),
        login=login,
        person_id=person_id,
        role="coordinator",
        schools=frozenset(),
        password_hash="",
        totp_secret=b"x",
        totp_last=0,
        created_at=now,
        ends_at=None,
        disabled_at=None,
    )
    users.add(conn, account)
    return account.id


def leaver(conn: Connection, vault: Vault, now: datetime) -> tuple[str, str]:
    """A coordinator with an accepted alert. Returns her person and the alert."""
    programme = people.ensure_programme(conn, name="P", now=now)
    school = people.ensure_school(conn, programme_id=programme, name="S", now=now)
    group = people.ensure_class(conn, school_id=school, grade="1", name="A", now=now)
    wave = people.ensure_wave(conn, programme_id=programme, number=1, opens_at=now, now=now)
    (child,) = people.add_children(
        conn,
        [NewChild(list_number=1, sex="f", birth_month="2019-01")],
        programme_id=programme,
        school_id=school,
        class_id=group,
        now=now,
    )
    person = people.add_person(conn, kind="staff", programme_id=programme, vault=vault, now=now)
    people.grant_role(conn, person_id=person, school_id=school, role="coordinator", now=now)
    alert = new_id(now)
    conn.execute(
        insert(schema.alerts).values(
            id=alert,
            key=alert,
            code="A7F3K2",
            child_id=child.id,
            school_id=school,
            wave_id=wave,
            level="high",
            rule="high",
            rules="abc",
            state="accepted",
            owner_id=person,
            opened_at=now,
            accepted_at=now,
        )
    )
    return person, alert


async def test_last_use_is_the_newest_of_all_signs_of_life(
    database: Database, now: datetime
) -> None:
    def scene(conn: Connection) -> list[datetime]:
        account = add_account(conn, "ann", None, now)
        seen = [accounts.open_accounts(conn)[0].used_at]
        users.open_session(conn, digest="d", user_id=account, now=now + DAY)
        users.touch(conn, digest="d", now=now + 2 * DAY)
        seen.append(accounts.open_accounts(conn)[0].used_at)
        accounts.reopen(conn, account, ends_at=now + 9 * DAY, now=now + 3 * DAY)
        seen.append(accounts.open_accounts(conn)[0].used_at)
        return seen

    assert await database.write(scene) == [now, now + 2 * DAY, now + 3 * DAY]


async def test_a_closed_account_has_no_session_and_can_be_opened_again(
    database: Database, now: datetime
) -> None:
    def scene(conn: Connection) -> list[object]:
        account = add_account(conn, "ann", None, now)
        users.open_session(conn, digest="d", user_id=account, now=now)
        out: list[object] = [accounts.close(conn, account, now=now + DAY)]
        out += [accounts.close(conn, account, now=now + DAY), users.session(conn, "d")]
        out.append(accounts.open_accounts(conn))
        accounts.reopen(conn, account, ends_at=now + 9 * DAY, now=now + DAY)
        out += [a.ends_at for a in accounts.open_accounts(conn)]
        return out

    assert await database.write(scene) == [True, False, None, [], now + 9 * DAY]


async def test_a_leaver_hands_over_what_she_had(
    database: Database, vault: Vault, now: datetime
) -> None:
    person, alert = await database.write(lambda conn: leaver(conn, vault, now))

    def go(conn: Connection) -> int:
        return accounts.hand_over(
            conn, person, now=now + DAY, new_id=new_id, purpose="account_ended"
        )

    assert await database.write(go) == 1
    assert await database.write(go) == 0
    state = select(schema.alerts.c.state, schema.alerts.c.owner_id)
    assert tuple(await database.read(lambda c: c.execute(state).one())) == ("opened", None)
    roles = await database.read(lambda c: roles_of(c, person, now + DAY))
    assert roles == {}
    why = select(schema.audit.c.verb, schema.audit.c.purpose)
    noted = await database.read(lambda c: c.execute(why).all())
    assert [tuple(r) for r in noted] == [("passed", "account_ended")]
    assert alert


async def test_who_has_another_account_stays(
    database: Database, vault: Vault, now: datetime
) -> None:
    def scene(conn: Connection) -> int:
        person, _ = leaver(conn, vault, now)
        add_account(conn, "second", person, now)
        return accounts.hand_over(conn, person, now=now, new_id=new_id, purpose="account_ended")

    assert await database.write(scene) == 0
    nobody = await database.write(
        lambda c: accounts.hand_over(c, None, now=now, new_id=new_id, purpose="account_ended")
    )
    assert nobody == 0


async def test_what_the_policy_asks_about_staff_and_alerts(
    database: Database, vault: Vault, now: datetime
) -> None:
    person, alert = await database.write(lambda conn: leaver(conn, vault, now))

    roles = await database.read(lambda c: roles_of(c, person, now))
    place = await database.read(lambda c: place_of_alert(c, alert))
    await database.write(lambda c: c.execute(update(schema.households).values(erased_at=now)))

    assert place is not None
    assert roles == {"coordinator": frozenset({place[0]})}
    assert place[1] is False
    assert await database.read(lambda c: place_of_alert(c, alert)) == (place[0], True)
    assert await database.read(lambda c: place_of_alert(c, "0" * 32)) is None
    assert await database.read(lambda c: roles_of(c, person, now - DAY)) == {}


async def test_a_fact_is_kept_over_what_stood_there(database: Database, now: datetime) -> None:
    assert await database.read(lambda c: kept_value(c, "month")) is None
    for value in ("2026-01", "2026-02"):
        await database.write(lambda c, v=value: keep(c, "month", v, now=now))
    assert await database.read(lambda c: kept_value(c, "month")) == "2026-02"
