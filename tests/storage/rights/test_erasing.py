"""Erasing a household: gone from every table, proof kept as codes, everybody else untouched."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, LargeBinary, insert, select, update

from flows.sessions import from_json
from storage import schema
from storage.database import Database
from storage.errors import KeyGone
from storage.keyring.keys import KeyStore
from storage.keyring.vault import PROGRAMME_KEY, Vault
from storage.rights.belongings import household_belongings
from storage.rights.erasing import (
    erase_address,
    erase_household,
    forget_strangers,
    leftovers,
    replay,
    without_rule,
)
from storage.rights.erasing_rules import RULES
from storage.rights.redacting import key_of
from storage.schema import KEEPING, metadata
from tests.storage.homes import Family, Town, everything
from tests.storage.rows import ACCOUNT, School

STAY = {"households", "persons", "consents", "requests"}
"""Tables in which an erased household leaves a row without content."""


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Vault]:
    """A vault over a key store of its own: households have keys."""
    vault = Vault.over(KeyStore.open(f"sqlite:///{tmp_path / 'keys.db'}", bytes(range(32))))
    yield vault
    vault.close()


# -- the rules ------------------------------------------------------------------------------------


def test_every_table_says_how_it_forgets() -> None:
    assert without_rule() == []
    assert set(RULES) <= set(metadata.tables)
    household = {name for name, kept in KEEPING.items() if kept == "household"}
    assert household - set(RULES) == set()


def test_a_new_table_about_a_family_without_a_rule_is_found() -> None:
    rules = {name: rule for name, rule in RULES.items() if name not in {"profiles", "inbox"}}
    assert without_rule(rules) == ["inbox", "profiles"]


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_names_columns_there_are_and_gives_a_ground_for_what_stays(name: str) -> None:
    rule, table = RULES[name], metadata.tables[name]
    named = {*rule.delete, *rule.keep, *rule.kept, *rule.unlink, *rule.unlinks}
    assert named <= set(table.columns.keys())
    stays = rule.keep or not rule.delete
    assert bool(rule.ground) == bool(stays)


@pytest.mark.parametrize("name", sorted(n for n, rule in RULES.items() if rule.keep))
def test_what_stays_is_written_down_column_by_column(name: str) -> None:
    rule, table = RULES[name], metadata.tables[name]
    filled = set(rule.values(datetime(2026, 1, 1)))  # noqa: DTZ001 - only the names
    for column in table.columns:
        if column.name not in rule.kept and column.name not in filled:
            assert column.nullable, f"{column} can be neither kept nor emptied"
        if column.info.get("sealed"):
            assert column.name not in rule.kept, f"{column} is sealed and would stay"


# -- households filled through every table --------------------------------------------------------


def fill(conn: Connection, vault: Vault, now: datetime, seed: int) -> Town:
    chance = Random(seed)  # noqa: S311 - a test's dice
    town = Town(conn=conn, vault=vault, now=now)
    for number in range(1, 6):
        town.family(number, children=chance.randint(1, 3), carers=chance.randint(1, 2))
    roster = [str(child.list_number) for home in town.families for child in home.children]
    said = {
        item: " ".join(sorted(chance.sample(roster, chance.randint(0, 4)), key=int)) or "0"
        for item in ("screen_hungry", "screen_sick", "screen_sad")
    }
    town.class_screen(said, roster=" ".join(roster))
    return town


def test_a_family_of_the_test_has_a_row_in_every_table_that_forgets(
    sqlite_url: str, keys: Vault, now: datetime
) -> None:
    """Else the property below would prove nothing about that table."""
    database = Database.open(sqlite_url)
    town = database.write_sync(lambda c: fill(c, keys, now, 1))
    about = {name for name, rule in RULES.items() if rule.keep or rule.delete}
    for home in town.families:
        # Caregivers hold no role; who does is staff and stays (tested below).
        assert about - {name for name, _ in home.rows} == {"person_roles"}
    sealed = {
        (t.name, c.name) for t in metadata.sorted_tables for c in t.columns if c.info.get("sealed")
    }
    names = {table for table, _ in sealed}
    assert names & about == {n for n in names & about if n in {t for t, _ in town.families[0].rows}}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_erased_is_erased_and_everybody_else_is_untouched(
    database: Database, keys: Vault, now: datetime, seed: int
) -> None:
    def work(conn: Connection) -> None:
        town = fill(conn, keys, now, seed)
        gone = Random(seed).sample(town.families, 2)  # noqa: S311
        others = [home for home in town.families if home not in gone]
        before = everything(conn)
        lost = set().union(*(home.keys for home in gone))
        backup = sealed_by(conn, lost)
        assert len(backup) > 40
        early = sealed_by(conn, {key for home in gone for key in home.early})
        assert {table for table, *_ in early} == {"inbox", "outbox"}
        for home in gone:
            later = now + timedelta(days=1)
            done = erase_household(conn, home.id, at=later, vault=keys)
            assert done.keys == home.keys
            assert not done.rejudge
            assert sum(done.deleted.values()) > 20
            keys.destroy(done.keys, at=later)
        after = everything(conn)
        check_gone(conn, gone, after)
        check_untouched(others, before, after)
        check_class_screens(conn, keys, gone, others)
        assert not sealed_by(conn, lost)
        for table, column, row, blob in backup:
            with pytest.raises(KeyGone):
                keys.open(blob, table=table, column=column, row=row)
        # Again is nothing: only what stays is written once more.
        again = erase_household(conn, gone[0].id, at=now + timedelta(days=9), vault=keys)
        assert not again.deleted
        assert everything(conn) == after

    await database.write(work)


def check_gone(conn: Connection, gone: list[Family], after: dict[Any, Any]) -> None:
    for home in gone:
        left = {key for key in home.rows if key in after}
        assert {table for table, _ in left} == STAY
        assert leftovers(conn, home.id) == {}
        own = {*(c.id for c in home.children), *home.addresses, *(c.code for c in home.children)}
        own |= {home.canary, home.number, f"{home.number}0"}
        for (table, _), row in after.items():
            text = " ".join(row)
            assert not [value for value in own if value in text], table
            if home.id in text:
                assert table in {"households", "persons", "requests"}
            if any(person in text for person in home.persons):
                assert table in {"persons", "consents"}
        for name in STAY:
            table = metadata.tables[name]
            sealed = [c for c in table.columns if isinstance(c.type, LargeBinary)]
            for column in sealed:
                where = column.is_not(None) & (table.c.id.in_([k[0] for t, k in left if t == name]))
                assert conn.execute(select(column).where(where)).first() is None


def check_untouched(others: list[Family], before: dict[Any, Any], after: dict[Any, Any]) -> None:
    for home in others:
        for key in home.rows:
            assert after[key] == before[key]


def check_class_screens(
    conn: Connection, vault: Vault, gone: list[Family], others: list[Family]
) -> None:
    absent = {str(child.list_number) for home in gone for child in home.children}
    present = {str(child.list_number) for home in others for child in home.children}
    row = conn.execute(
        select(schema.sessions).where(schema.sessions.c.form_id == "class_screen")
    ).one()
    state = from_json(vault.open(row.state, table="sessions", column="state", row=row.id))
    assert set(state.context["roster"].split()) == present
    assert row.cut_at is not None
    stored = conn.execute(
        select(schema.answers.c.item, schema.answers.c.value).where(
            schema.answers.c.session_id == row.id
        )
    ).all()
    assert dict(stored) == {item: answer.value for item, answer in state.answers.items()}
    for _, value in stored:
        assert not absent & set(value.split())
        assert value
    told = select(schema.events).where(schema.events.c.session_id == row.id)
    assert conn.execute(told).first() is None


def sealed_by(conn: Connection, key_ids: set[str]) -> list[tuple[str, str, str, bytes]]:
    """Every sealed value of these keys: what a backup of this moment holds."""
    found = []
    for table in metadata.sorted_tables:
        for column in (c for c in table.columns if isinstance(c.type, LargeBinary)):
            parts = list(table.primary_key.columns)
            for row in conn.execute(select(*parts, column).where(column.is_not(None))):
                if key_of(row[-1]) in key_ids:
                    name = ":".join(map(str, row[:-1]))
                    found.append((table.name, column.name, name, row[-1]))
    return found


# -- what several families share ------------------------------------------------------------------


async def test_a_number_that_was_the_only_answer_leaves_nobody(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=vault, now=now)
        home, other = town.family(1), town.family(11)
        row = town.class_screen({"a": "1", "b": "1 11", "c": "11", "d": "0"}, roster="1 11")
        untouched = town.class_screen({"a": "11"}, roster="11")
        done = erase_household(conn, home.id, at=now, vault=vault)
        assert done.classes == 1
        found = dict(
            conn.execute(
                select(schema.answers.c.item, schema.answers.c.value).where(
                    schema.answers.c.session_id == row
                )
            ).all()
        )
        assert found == {"a": "0", "b": "11", "c": "11", "d": "0"}
        cut = select(schema.sessions.c.cut_at).where(schema.sessions.c.id == untouched)
        assert conn.execute(cut).scalar_one() is None
        letters = conn.execute(
            select(schema.inbox.c.body).where(schema.inbox.c.address_id == town.desk)
        )
        assert set(letters.scalars()) == {None}
        assert other.id

    await database.write(work)


async def test_a_number_was_another_childs_before_she_came(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=vault, now=now)
        home = town.family(7)
        row = town.class_screen({"a": "7"}, roster="7")
        conn.execute(
            update(schema.children).values(created_at=now + timedelta(days=1))
        )  # the list of last year
        assert erase_household(conn, home.id, at=now, vault=vault).classes == 0
        value = select(schema.answers.c.value).where(schema.answers.c.session_id == row)
        assert conn.execute(value).scalar_one() == "7"

    await database.write(work)


async def test_a_phone_that_is_shared_stays_with_the_neighbour(
    database: Database, keys: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=keys, now=now)
        home, neighbour = town.family(1), town.family(2)
        (phone,), friend = home.addresses, neighbour.persons[0]
        conn.execute(
            insert(schema.person_address).values(person_id=friend, address_id=phone, from_at=now)
        )
        done = erase_household(conn, home.id, at=now, vault=keys)
        keys.destroy(done.keys, at=now)
        row = conn.execute(select(schema.addresses).where(schema.addresses.c.id == phone)).one()
        assert (row.person_id, row.open_prompt) == (friend, None)
        opened = keys.open(row.value, table="addresses", column="value", row=phone)
        assert opened == f"{home.number}0"
        assert key_of(row.value) == neighbour.id  # so that it goes when she does
        bodies = conn.execute(
            select(schema.inbox.c.body).where(schema.inbox.c.address_id == phone)
        ).scalars()
        assert set(bodies) <= {None}
        assert leftovers(conn, home.id) == {}

    await database.write(work)


async def test_a_number_that_was_somebody_elses_before_keeps_her_answers_and_loses_itself(
    database: Database, keys: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=keys, now=now)
        home, before = town.family(1), town.family(2)
        (phone,) = home.addresses
        kept = town.told(before, before.children[0], by=before.persons[0], at=phone)
        done = erase_household(conn, home.id, at=now, vault=keys)
        keys.destroy(done.keys, at=now)
        row = conn.execute(select(schema.addresses).where(schema.addresses.c.id == phone)).one()
        assert keys.open(row.value, table="addresses", column="value", row=phone) == ""
        assert row.blind != keys.blind_address("sms", ACCOUNT, f"{home.number}0")
        assert (row.person_id, row.bad_at) == (before.persons[0], now)
        assert conn.execute(
            select(schema.answers).where(schema.answers.c.session_id == kept)
        ).first()

    await database.write(work)


async def test_a_mother_who_teaches_stays_as_a_teacher(
    database: Database, keys: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=keys, now=now)
        home = town.family(1)
        (mother,), (phone,) = home.persons, home.addresses
        conn.execute(update(schema.classes).values(teacher_id=mother))
        waiting = town.school.letter(phone, body=town.seal(home, schema.inbox, "body", "x", "y"))
        body = town.seal(home, schema.inbox, "body", waiting)
        conn.execute(update(schema.inbox).where(schema.inbox.c.id == waiting).values(body=body))
        done = erase_household(conn, home.id, at=now, vault=keys)
        keys.destroy(done.keys, at=now)
        row = conn.execute(select(schema.persons).where(schema.persons.c.id == mother)).one()
        assert (row.household_id, row.safe_hour, row.shared_phone) == (None, None, None)
        assert keys.open(row.name, table="persons", column="name", row=mother) == home.canary
        sealed = conn.execute(
            select(schema.addresses.c.value).where(schema.addresses.c.id == phone)
        ).scalar_one()
        assert keys.open(sealed, table="addresses", column="value", row=phone)
        letter = conn.execute(
            select(schema.inbox.c.body).where(schema.inbox.c.id == waiting)
        ).scalar_one()
        assert keys.open(letter, table="inbox", column="body", row=waiting) == home.canary
        assert leftovers(conn, home.id) == {}
        left = conn.execute(select(schema.children.c.id)).scalars().all()
        assert home.children[0].id not in left

    await database.write(work)


async def test_what_a_neighbour_told_about_another_child_goes_and_that_child_is_judged_anew(
    database: Database, keys: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=keys, now=now)
        home, other = town.family(1), town.family(2)
        child = other.children[0]
        session = town.told(other, child, by=home.persons[0], at=home.addresses[0])
        for word, withdrawn in (("yes", None), ("no", now)):
            conn.execute(
                insert(schema.consents).values(
                    id=town.school.new_id(),
                    person_id=home.persons[0],
                    child_id=child.id,
                    purpose="help",
                    granted=word == "yes",
                    capacity="parent_or_guardian",
                    text_version="v",
                    language="en",
                    channel="sms",
                    mode="self",
                    at=now,
                    withdrawn_at=withdrawn,
                )
            )
        done = erase_household(conn, home.id, at=now, vault=keys)
        assert done.rejudge == {(child.id, town.school.wave)}
        assert not conn.execute(
            select(schema.answers).where(schema.answers.c.session_id == session)
        ).first()
        about = conn.execute(
            select(schema.consents.c.granted).where(
                schema.consents.c.person_id == home.persons[0],
                schema.consents.c.child_id == child.id,
            )
        ).scalars()
        assert list(about) == [False]

    await database.write(work)


async def test_what_was_asked_about_a_child_who_moved_follows_her(
    database: Database, keys: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=keys, now=now)
        home, new_home = town.family(1), town.family(2)
        child = home.children[0]
        told = town.told(home, child, by=new_home.persons[0], at=new_home.addresses[0])
        conn.execute(
            update(schema.children)
            .where(schema.children.c.id == child.id)
            .values(household_id=new_home.id)
        )
        name = keys.seal("Bongi", table="children", column="name", row=child.id, key=home.id)
        conn.execute(
            update(schema.children).where(schema.children.c.id == child.id).values(name=name)
        )
        done = erase_household(conn, home.id, at=now, vault=keys)
        keys.destroy(done.keys, at=now)
        left = {table for table, *_ in sealed_by(conn, done.keys)}
        assert left <= {"outbox"}  # a word to staff, which the builder seals like all of theirs
        name = conn.execute(
            select(schema.children.c.name).where(schema.children.c.id == child.id)
        ).scalar_one()
        assert keys.open(name, table="children", column="name", row=child.id) == "Bongi"
        row = conn.execute(select(schema.sessions).where(schema.sessions.c.id == told)).one()
        assert row.household_id == new_home.id
        assert key_of(row.state) == new_home.id
        assert keys.open(row.state, table="sessions", column="state", row=told)
        answer = conn.execute(
            select(schema.answers).where(schema.answers.c.session_id == told)
        ).one()
        opened = keys.open(answer.text, table="answers", column="text", row=f"{told}:worry:1")
        assert (opened, answer.household_id) == (home.canary, new_home.id)
        assert leftovers(conn, home.id) == {}
        # The home she came from has nobody left now: its key goes with her new one.
        conn.execute(update(schema.sessions).values(household_id=home.id))
        conn.execute(
            update(schema.persons)
            .where(schema.persons.c.household_id == home.id)
            .values(household_id=None)
        )
        last = erase_household(conn, new_home.id, at=now, vault=keys)
        assert last.keys == new_home.keys | {home.id}

    await database.write(work)


async def test_a_question_under_way_is_withheld_and_its_prompt_taken_back(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=vault, now=now)
        home, other = town.family(1), town.family(2)
        session = town.told(home, home.children[0], by=town.teacher, at=town.desk, form="learner")
        prompt = {"kind": "question", "ref": session, "options": [], "asked_at": now.isoformat()}
        conn.execute(
            update(schema.addresses)
            .where(schema.addresses.c.id == town.desk)
            .values(open_prompt=prompt)
        )
        asked = town.school.message(town.desk)
        sent = town.school.message(town.desk, state="sent", final_at=now, body=None)
        erase_household(conn, home.id, at=now, vault=vault)
        left = set(
            conn.execute(
                select(schema.outbox.c.id).where(schema.outbox.c.address_id == town.desk)
            ).scalars()
        )
        assert (asked in left, sent in left) == (False, True)
        row = select(schema.addresses.c.open_prompt).where(schema.addresses.c.id == town.desk)
        assert conn.execute(row).scalar_one() is None
        assert other.id

    await database.write(work)


# -- strangers, restores --------------------------------------------------------------------------


async def test_a_stranger_is_erased_by_her_address_and_a_person_is_not(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=vault, now=now)
        home = town.family(1)
        before = everything(conn)
        at = town.school.stranger("+2784")
        town.school.session(at, form_id="enrolment")
        town.school.letter(at)
        town.school.message(at, state="sent", provider_id="SM9", final_at=now)
        done = erase_address(conn, at, at=now)
        assert done.copies == {"sms": 1}
        assert done.deleted == {"addresses": 1, "inbox": 1, "outbox": 1, "sessions": 1}
        assert everything(conn) == before
        with pytest.raises(ValueError, match="a person"):
            erase_address(conn, home.addresses[0], at=now)

    await database.write(work)


async def test_a_restored_backup_forgets_strangers_whose_key_is_gone(
    database: Database, keys: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=keys, now=now)
        own = [school.new_id() for _ in range(3)]
        gone = school.stranger("+27820000001", key_id=own[0])
        stopped = school.stranger("+27820000002", key_id=own[1], opted_out_at=now)
        stays = school.stranger("+27820000003", key_id=own[2])
        school.letter(gone, "done")
        assert forget_strangers(conn, own[:2], at=now) == 1
        assert set(conn.execute(select(schema.addresses.c.id)).scalars()) == {stopped, stays}
        assert school.count(schema.inbox) == 0

    await database.write(work)


async def test_a_restored_backup_is_erased_again_from_the_ledger(
    database: Database, keys: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=keys, now=now)
        home, other = town.family(1), town.family(2)
        before = everything(conn)
        keys.destroy({home.id}, at=now)  # the backup is older than the erasure
        assert leftovers(conn, home.id)["children"] == 1
        ledger = {home.id: now, "f" * 32: now}
        assert [done.household_id for done in replay(conn, ledger, vault=keys)] == [home.id]
        assert leftovers(conn, home.id) == {}
        assert replay(conn, ledger, vault=keys) == []
        check_untouched([other], before, everything(conn))
        erased = select(schema.households.c.erased_at).where(schema.households.c.id == home.id)
        assert conn.execute(erased).scalar_one() == now

    await database.write(work)


async def test_a_household_nobody_knows_leads_to_nothing(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=vault, now=now)
        town.family(1)
        before = everything(conn)
        done = erase_household(conn, "0" * 32, at=now, vault=vault)
        assert (done.deleted, done.kept) == ({}, {})
        assert everything(conn) == before
        assert household_belongings(conn, "0" * 32).marks["child"] == frozenset()
        assert key_of(b"") == ""
        assert PROGRAMME_KEY

    await database.write(work)
