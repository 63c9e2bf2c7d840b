from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, func, insert, select, update

from storage.database import Database
from storage.families.people import (
    StaffMember,
    add_address,
    add_person,
    ensure_class,
    ensure_person,
    ensure_programme,
    ensure_school,
    grant_role,
    person_at,
    school_names,
    set_teacher,
    staff,
)
from storage.keyring.vault import Vault
from storage.schema import addresses, classes, person_address, person_roles, persons
from storage.scope import system, user

ALL = system("test")


class House:
    """A programme with two schools, to put people into."""

    def __init__(self, conn: Connection, now: datetime, vault: Vault) -> None:
        self.conn, self.now, self.vault = conn, now, vault
        self.programme = ensure_programme(conn, name="P", now=now)
        self.schools = [
            ensure_school(conn, programme_id=self.programme, name=name, now=now)
            for name in ("North", "South")
        ]

    def person(self, name: str = "", kind: str = "staff", school: int = 0) -> str:
        return add_person(
            self.conn,
            kind=kind,
            programme_id=self.programme,
            school_id=self.schools[school],
            name=name,
            now=self.now,
            vault=self.vault,
        )

    def address(self, person_id: str, value: str, channel: str = "sms") -> str:
        return add_address(
            self.conn,
            person_id=person_id,
            channel=channel,
            account="+2711",
            value=value,
            vault=self.vault,
            now=self.now,
        )

    def role(self, person_id: str, role: str = "coordinator", school: int = 0) -> bool:
        return grant_role(
            self.conn,
            person_id=person_id,
            school_id=self.schools[school],
            role=role,
            now=self.now,
        )

    def coordinators(self, *school: int, later: timedelta = timedelta()) -> list[StaffMember]:
        ids = [self.schools[each] for each in school]
        return staff(self.conn, ids, scope=ALL, roles=["coordinator"], now=self.now + later)


@pytest.fixture
def in_house(
    database: Database, now: datetime, vault: Vault
) -> Callable[[Callable[[House], None]], None]:
    """Run a test's steps in one transaction."""
    return lambda steps: database.write_sync(lambda conn: steps(House(conn, now, vault)))


InHouse = Callable[[Callable[[House], None]], None]


def test_a_name_is_sealed_in_its_row(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        named, unnamed = house.person("Thandi"), house.person()
        rows = dict(house.conn.execute(select(persons.c.id, persons.c.name)).all())
        assert b"Thandi" not in rows[named]
        place = {"table": "persons", "column": "name", "row": named}
        assert house.vault.open(rows[named], **place) == "Thandi"
        assert rows[unnamed] is None

    in_house(steps)


def test_an_address_is_sealed_and_found_by_its_blind_index(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        person = house.person()
        address = house.address(person, "+27821234567")
        row = house.conn.execute(select(addresses)).mappings().one()
        assert row["blind"] == house.vault.blind_address("sms", "+2711", "+27821234567")
        assert b"27821234567" not in row["value"]
        place = {"table": "addresses", "column": "value", "row": address}
        assert house.vault.open(row["value"], **place) == "+27821234567"
        asked = {"channel": "sms", "account": "+2711", "vault": house.vault}
        found = person_at(house.conn, ALL, value="+27821234567", **asked)
        assert found is not None
        assert found.id == person
        assert person_at(house.conn, ALL, value="+27829999999", **asked) is None
        foreign = user("u", [house.schools[1]], purpose="test")
        assert person_at(house.conn, foreign, value="+27821234567", **asked) is None

    in_house(steps)


def test_linking_twice_is_linking_once(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        person = house.person()
        assert house.address(person, "+2782") == house.address(person, "+2782")
        assert house.address(person, "+2782", "whatsapp") != house.address(person, "+2782")
        count = select(func.count()).select_from(person_address)
        assert house.conn.execute(count).scalar_one() == 2

    in_house(steps)


def test_two_people_on_one_phone_leave_it_to_the_first(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        first, second = house.person(), house.person()
        address = house.address(first, "+2782")
        assert house.address(second, "+2782") == address
        holder = house.conn.execute(select(addresses.c.person_id)).scalar_one()
        linked = house.conn.execute(select(person_address.c.person_id)).scalars().all()
        assert holder == first
        assert set(linked) == {first, second}

    in_house(steps)


def test_an_address_without_a_holder_gets_one(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        address = house.address(house.person(), "+2782")
        house.conn.execute(update(addresses).values(person_id=None))
        second = house.person()
        assert house.address(second, "+2782") == address
        assert house.conn.execute(select(addresses.c.person_id)).scalar_one() == second

    in_house(steps)


def test_whoever_answers_at_an_address_is_not_made_again(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        asked = {
            "channel": "sms",
            "account": "+2711",
            "value": "+2782",
            "programme_id": house.programme,
            "now": house.now,
            "vault": house.vault,
        }
        person, made = ensure_person(house.conn, ALL, kind="teacher", **asked)
        assert made
        assert ensure_person(house.conn, ALL, kind="caregiver", **asked) == (person, False)
        assert house.conn.execute(select(persons.c.kind)).scalars().all() == ["teacher"]

    in_house(steps)


def test_coordinators_come_with_all_their_addresses(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        person = house.person()
        house.role(person)
        phone, chat = house.address(person, "+2782"), house.address(person, "7", "telegram")
        house.conn.execute(
            update(addresses).where(addresses.c.id == phone).values(opted_out_at=house.now)
        )
        (found,) = house.coordinators(0, 1)
        assert (found.person_id, found.school_id) == (person, house.schools[0])
        assert {(each.id, each.channel, each.usable) for each in found.addresses} == {
            (phone, "sms", False),
            (chat, "telegram", True),
        }

    in_house(steps)


def test_a_coordinator_nobody_can_reach_is_still_named(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        person = house.person()
        house.role(person)
        house.address(person, "+2782")
        house.conn.execute(update(person_address).values(until_at=house.now))
        (found,) = house.coordinators(0)
        assert found.addresses == ()

    in_house(steps)


def test_only_this_role_at_these_schools_in_scope(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        here, nurse, there = (house.person() for _ in range(3))
        house.role(here)
        house.role(nurse, "nurse")
        house.role(there, school=1)
        assert [each.person_id for each in house.coordinators(0)] == [here]
        assert {each.person_id for each in house.coordinators(0, 1)} == {here, there}
        foreign = user("u", [house.schools[1]], purpose="test")
        role = ["coordinator"]
        seen = staff(house.conn, house.schools, scope=foreign, roles=role, now=house.now)
        assert [each.person_id for each in seen] == [there]
        assert staff(house.conn, [], scope=ALL, roles=role, now=house.now) == []
        roles = ("nurse", "coordinator")
        both = staff(house.conn, house.schools[:1], scope=ALL, roles=roles, now=house.now)
        assert {each.role for each in both} == set(roles)

    in_house(steps)


def test_a_role_that_ended_is_over_and_can_be_given_again(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        person = house.person()
        assert house.role(person)
        assert not house.role(person)
        ends = house.now + timedelta(days=1)
        house.conn.execute(update(person_roles).values(until_at=ends))
        assert len(house.coordinators(0)) == 1
        assert house.coordinators(0, later=timedelta(days=1)) == []
        house.conn.execute(update(person_roles).values(until_at=house.now))
        assert house.coordinators(0) == []
        assert house.role(person)
        assert len(house.coordinators(0)) == 1

    in_house(steps)


def test_a_role_counts_from_its_first_day(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        person = house.person()
        house.conn.execute(
            insert(person_roles).values(
                person_id=person,
                school_id=house.schools[0],
                role="coordinator",
                from_at=house.now + timedelta(days=3),
            )
        )
        assert house.coordinators(0) == []
        assert len(house.coordinators(0, later=timedelta(days=3))) == 1

    in_house(steps)


def test_a_class_has_one_teacher(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        made = ensure_class(
            house.conn, school_id=house.schools[0], grade="1", name="A", now=house.now
        )
        first, second = house.person(kind="teacher"), house.person(kind="teacher")
        assert set_teacher(house.conn, made, first)
        assert not set_teacher(house.conn, made, first)
        assert set_teacher(house.conn, made, second)
        assert house.conn.execute(select(classes.c.teacher_id)).scalar_one() == second

    in_house(steps)


def test_school_names_in_scope(in_house: InHouse) -> None:
    def steps(house: House) -> None:
        asked = {"programme_id": house.programme}
        assert school_names(house.conn, ALL, **asked) == {"North", "South"}
        foreign = user("u", [house.schools[1]], purpose="test")
        assert school_names(house.conn, foreign, **asked) == {"South"}

    in_house(steps)
