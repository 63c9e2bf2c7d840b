from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, update

from storage.database import Database
from storage.families.learners import (
    JOIN_CODE_LIFE,
    Learner,
    NewChild,
    add_children,
    add_join_codes,
    correct_child,
    invite_caregiver,
    issue_join_codes,
    learners,
)
from storage.families.people import add_person
from storage.families.programmes import ensure_class, ensure_programme, ensure_school, ensure_wave
from storage.families.slips import count_learners, rooms, without_caregiver
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    assignments,
    child_caregiver,
    children,
    households,
    join_codes,
)
from storage.scope import system, user
from storage.talk.joining import joins

ALL = system("test")


class Classroom:
    """A class to put children into."""

    def __init__(self, conn: Connection, now: datetime) -> None:
        self.conn, self.now = conn, now
        self.programme = ensure_programme(conn, name="P", now=now)
        self.school = ensure_school(conn, programme_id=self.programme, name="S", now=now)
        self.id = ensure_class(conn, school_id=self.school, grade="1", name="A", now=now)
        self.wave = ensure_wave(conn, programme_id=self.programme, number=1, opens_at=now, now=now)

    def add(self, *numbers: int) -> list[Learner]:
        return add_children(
            self.conn,
            [NewChild(list_number=n, sex="f", birth_month="2019-03") for n in numbers],
            programme_id=self.programme,
            school_id=self.school,
            class_id=self.id,
            now=self.now,
        )


def test_every_child_has_a_household_and_a_code_of_her_own(
    database: Database, now: datetime
) -> None:
    def steps(conn: Connection) -> None:
        added = Classroom(conn, now).add(*range(1, 43))
        assert [child.list_number for child in added] == list(range(1, 43))
        assert len({child.household_id for child in added}) == 42
        assert len({child.code for child in added}) == 42
        stored = set(conn.execute(select(children.c.household_id)).scalars())
        assert stored == set(conn.execute(select(households.c.id)).scalars())

    database.write_sync(steps)


def test_codes_tell_nothing_and_are_never_a_word_or_a_number(
    database: Database, now: datetime
) -> None:
    codes = [
        child.code for child in database.write_sync(lambda c: Classroom(c, now).add(*range(1, 500)))
    ]
    assert {len(code) for code in codes} == {6}
    assert not [code for code in codes if code.isdigit() or code.isalpha() or "CWB" in code]
    assert codes != sorted(codes)


def test_the_class_list_is_read_in_order_and_in_scope(database: Database, now: datetime) -> None:
    def steps(conn: Connection) -> None:
        room = Classroom(conn, now)
        third, first = room.add(3, 1)
        gone = room.add(2)[0]
        conn.execute(update(children).where(children.c.id == gone.id).values(left_at=now))
        assert learners(conn, ALL, class_id=room.id) == [first, third]
        mine = user("u", [room.school], purpose="x")
        other = user("u", ["elsewhere"], purpose="x")
        assert len(learners(conn, mine, class_id=room.id)) == 2
        assert learners(conn, other, class_id=room.id) == []

    database.write_sync(steps)


def test_the_number_of_a_child_who_left_is_free_again(database: Database, now: datetime) -> None:
    def steps(conn: Connection) -> None:
        room = Classroom(conn, now)
        gone = room.add(1)[0]
        conn.execute(update(children).where(children.c.id == gone.id).values(left_at=now))
        new = room.add(1)[0]
        assert learners(conn, ALL, class_id=room.id) == [new]
        number = select(children.c.list_number).where(children.c.id == gone.id)
        assert conn.execute(number).scalar_one() is None

    database.write_sync(steps)


def test_nobody_to_add_adds_nobody(database: Database, now: datetime) -> None:
    assert database.write_sync(lambda conn: Classroom(conn, now).add()) == []


def test_what_the_list_had_wrong_is_put_right(database: Database, now: datetime) -> None:
    def steps(conn: Connection) -> None:
        room = Classroom(conn, now)
        child, other = room.add(1, 2)
        correct_child(conn, child.id, sex="m", birth_month="2018-12")
        found, untouched = learners(conn, ALL, class_id=room.id)
        assert (found.sex, found.birth_month) == ("m", "2018-12")
        assert untouched == other

    database.write_sync(steps)


def test_join_codes_are_kept_only_as_a_blind_index(
    database: Database, now: datetime, vault: Vault
) -> None:
    def steps(conn: Connection) -> None:
        added = Classroom(conn, now).add(1, 2)
        codes = issue_join_codes(conn, [child.id for child in added], vault=vault, now=now)
        assert set(codes) == {child.id for child in added}
        for row in conn.execute(select(join_codes)).mappings():
            code = codes[row["child_id"]]
            assert len(code) == 8
            assert any(letter.isdigit() for letter in code)
            assert any(letter.isalpha() for letter in code)
            assert row["blind"] == vault.blind("join", code)
            assert code not in {str(value) for value in row.values()}
            assert row["expires_at"] == now + JOIN_CODE_LIFE

    database.write_sync(steps)


@pytest.mark.parametrize(
    "case",
    [
        {"claimed": False, "days": 0, "again": False, "issued": False},
        {"claimed": False, "days": 0, "again": True, "issued": True},
        {"claimed": False, "days": 91, "again": False, "issued": True},
        {"claimed": True, "days": 0, "again": True, "issued": False},
        {"claimed": True, "days": 91, "again": True, "issued": False},
        {"claimed": True, "days": 91, "again": False, "issued": False},
    ],
)
def test_a_used_code_is_never_issued_again(
    database: Database, now: datetime, vault: Vault, case: dict[str, Any]
) -> None:
    def steps(conn: Connection) -> None:
        (child,) = Classroom(conn, now).add(1)
        first = issue_join_codes(conn, [child.id], vault=vault, now=now)[child.id]
        if case["claimed"]:
            conn.execute(update(join_codes).values(claimed_at=now))
        later = now + timedelta(days=case["days"])
        codes = issue_join_codes(conn, [child.id], vault=vault, now=later, again=case["again"])
        assert bool(codes) is case["issued"]
        kept = conn.execute(select(join_codes.c.blind)).scalars().all()
        assert kept == [vault.blind("join", codes.get(child.id, first))]

    database.write_sync(steps)


def test_another_slip_leaves_the_earlier_ones_as_they_are(
    database: Database, now: datetime, vault: Vault
) -> None:
    def steps(conn: Connection) -> None:
        room = Classroom(conn, now)
        one, two = room.add(1, 2)
        first = issue_join_codes(conn, [one.id, two.id], vault=vault, now=now)
        more = add_join_codes(conn, [one.id], vault=vault, now=now + timedelta(days=1))
        assert list(more) == [one.id]
        assert more[one.id] != first[one.id]
        kept = set(conn.execute(select(join_codes.c.blind)).scalars())
        assert kept == {vault.blind("join", c) for c in (*first.values(), *more.values())}
        assert add_join_codes(conn, [], vault=vault, now=now) == {}
        her = stranger(conn, now, vault)
        used = {vault.blind("join", code): code for code in (first[one.id], more[one.id])}
        conn.execute(
            update(join_codes)
            .where(join_codes.c.blind == min(used))
            .values(claimed_by=her, claimed_at=now + timedelta(days=2))
        )
        assert {row.claimed_by for row in joins(conn, list(used)).values()} == {her}
        (other,) = joins(conn, [vault.blind("join", first[two.id])]).values()
        assert other.claimed_by is None

    database.write_sync(steps)


def stranger(conn: Connection, now: datetime, vault: Vault) -> str:
    made = "a" * 32
    conn.execute(
        insert(addresses).values(
            id=made,
            channel="sms",
            account="+2711",
            blind=vault.blind_address("sms", "+2711", "+2782"),
            value=b"",
            language="en",
            created_at=now,
        )
    )
    return made


def test_slips_are_for_learners_nobody_has_joined_for(
    database: Database, now: datetime, vault: Vault
) -> None:
    def steps(conn: Connection) -> None:
        room = Classroom(conn, now)
        one, two, three, four, left = room.add(1, 2, 3, 4, 5)
        codes = add_join_codes(conn, [three.id], vault=vault, now=now)
        assert len(codes) == 1
        conn.execute(update(join_codes).values(claimed_at=now))
        conn.execute(update(children).where(children.c.id == left.id).values(left_at=now))
        person = add_person(
            conn, kind="caregiver", programme_id=room.programme, now=now, vault=vault
        )
        cares = {"person_id": person, "capacity": "carer", "from_at": now}
        conn.execute(
            insert(child_caregiver),
            [
                {"child_id": two.id, "until_at": None, **cares},
                {"child_id": four.id, "until_at": now, **cares},
            ],
        )
        found = without_caregiver(conn, ALL, room.id)
        assert [(f.list_number, f.begun) for f in found] == [(1, False), (3, True), (4, False)]
        assert found[0].id == one.id
        assert count_learners(conn, ALL, room.id) == 4
        (place,) = rooms(conn, ALL)
        assert (place.id, place.school, place.called) == (room.id, "S", "1A")
        nobody = user("u", schools=[], purpose="test")
        assert rooms(conn, nobody) == without_caregiver(conn, nobody, room.id) == []

    database.write_sync(steps)


def test_a_caregiver_is_invited_once_for_a_child(
    database: Database, now: datetime, vault: Vault
) -> None:
    def steps(conn: Connection) -> None:
        room = Classroom(conn, now)
        child = room.add(1)[0]
        person = add_person(
            conn, kind="caregiver", programme_id=room.programme, now=now, vault=vault
        )
        asked = {"child_id": child.id, "person_id": person, "wave_id": room.wave, "now": now}
        assert invite_caregiver(conn, **asked)
        assert not invite_caregiver(conn, **asked)
        row = conn.execute(select(assignments)).mappings().one()
        assert row["key"] == f"enrolment:{child.id}:{person}"
        assert (row["form_id"], row["state"], row["reason"]) == ("enrolment", "due", "staff_entry")
        assert conn.execute(select(func.count()).select_from(assignments)).scalar_one() == 1

    database.write_sync(steps)
