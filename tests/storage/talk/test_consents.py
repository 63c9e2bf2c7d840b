"""The consent ledger in the database: written once, read whole, never changed."""

from datetime import datetime, timedelta

from alembic import command
from sqlalchemy import Connection, insert, select, update

from flows.consent import Texts, digests
from storage import migrate
from storage.database import Database
from storage.families.learners import Learner
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import addresses, assignments, metadata, outbox
from storage.schema import consents as ledger
from storage.scope import system, user
from storage.talk import consent_words, consents, underway
from storage.talk.consents import NOWHERE, Given
from storage.talk.content import store_revision, store_version
from storage.talk.starts import consented_children
from storage.types import to_ms
from tests.storage.rows import School

SCOPE = system("test")
HOUR = timedelta(hours=1)
TODAY = Texts(current={("en", "help"): "h1"})


def given(person: str, now: datetime, **more: object) -> Given:
    base = {
        "person_id": person,
        "capacity": "parent_or_guardian",
        "version": "v1",
        "texts": {"help": "h1", "research": "r1"},
        "language": "en",
        "channel": NOWHERE,
        "mode": "paper",
        "partners": "list1",
        "at": now,
        "now": now + 2 * HOUR,
    }
    return Given(**{**base, **more})  # type: ignore[arg-type]


def says(
    conn: Connection, person: str, child: Learner, now: datetime, word: str = "yes", **more: object
) -> None:
    purpose = more.pop("purpose", "help")
    row = consents.row(
        given(person, now, **more),
        id=new_id(now),
        child_id=child.id,
        purpose=purpose,  # type: ignore[arg-type]
        word=word,  # type: ignore[arg-type]
    )
    consents.write(conn, [row])


async def test_what_is_written_is_what_is_read(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, other = school.child(1), school.child(2)
        amina = school.person(household=child.household_id)
        consents.write(conn, [])
        says(conn, amina, child, now, purpose="partners")
        says(conn, amina, child, now + HOUR, "withdrawn", purpose="partners")
        says(conn, amina, child, now, "no", purpose="research")
        says(conn, amina, other, now)
        found = {(e.purpose, e.word): e for e in consents.about(conn, [child.id])}
        yes, taken = found["partners", "yes"], found["partners", "withdrawn"]
        no = found["research", "no"]
        assert len(found) == 3
        assert (yes.word, yes.partners, yes.text) == ("yes", "list1", "")
        assert (yes.at, yes.known_at) == (now, now + 2 * HOUR)
        assert (taken.word, taken.at, taken.known_at) == ("withdrawn", now + HOUR, now + 3 * HOUR)
        assert (no.word, no.text, no.partners) == ("no", "r1", "")
        assert consents.about(conn, [child.id], purpose="research") == [no]
        assert consents.about(conn, []) == consents.said_by(conn, []) == []
        assert {e.child for e in consents.said_by(conn, [amina])} == {child.id, other.id}
        assert consents.said_by(conn, [school.person()]) == []

    await database.write(work)


async def test_the_class_list_is_who_may_be_asked_about(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        assert consents.listed_children(conn, school.class_id) == {}
        family = {n: school.child(n) for n in (1, 2, 3, 4)}
        for number, child in family.items():
            person = school.person(household=child.household_id)
            says(conn, person, child, now, texts={"help": "h0"} if number == 2 else {"help": "h1"})
            if number == 3:
                says(conn, person, child, now + HOUR, "withdrawn")
            if number == 4:
                says(conn, school.person(), child, now + HOUR, "no")
        assert set(consented_children(conn, school.class_id)) == {1, 2}
        assert set(consents.listed_children(conn, school.class_id, TODAY)) == {1}

    await database.write(work)


async def test_what_hangs_on_a_child_s_consent(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, other = school.child(1), school.child(2)
        amina, thoko = school.person(), school.person("teacher")
        at, desk = school.reached_at(amina, "+2782"), school.reached_at(thoko, "+2783")
        mine = school.session(at, person_id=amina, child_id=child.id)
        left = school.session(at, person_id=amina, child_id=child.id, status="lapsed")
        school.session(at, person_id=amina, child_id=child.id, status="completed")
        school.session(at, person_id=amina, child_id=other.id)
        due = school.assignment(thoko, "learner", child_id=child.id)
        school.assignment(thoko, "learner", child_id=child.id, state="done")
        gone = school.assignment(thoko, "learner", child_id=child.id, state="withdrawn")
        found = underway.under_way(conn, [child.id])
        assert {row.id for row in found.sessions} == {mine, left}
        assert [row.id for row in found.assignments] == [due]
        assert underway.waiting_addresses(conn, [child.id]) == {at, desk}
        assert underway.waiting_addresses(conn, [other.id]) == {at}
        assert underway.dropped(conn, [child.id]) == [gone]

    await database.write(work)


async def test_only_questions_on_their_way_out_are_withheld(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at, elsewhere = school.stranger("+2782"), school.stranger("+2783")
        gone = {
            school.message(at),
            school.message(elsewhere, message_class="reminder", key="nudge:s1:1"),
        }
        kept = {
            school.message(at, state="sending"),
            school.message(at, message_class="safety"),
            school.message(at, message_class="alert"),
            school.message(elsewhere),
            school.message(elsewhere, message_class="reminder", key="nudge:s2:1"),
        }
        count = underway.withhold(conn, address_ids={at}, keys=["nudge:s1:1"], now=now)
        assert count == len(gone)
        rows = {r.id: r for r in conn.execute(select(outbox))}
        assert {rows[i].state for i in gone} == {"expired"}
        assert {rows[i].error for i in gone} == {"withdrawn"}
        assert {rows[i].body for i in gone} == {None}
        assert not {rows[i].state for i in kept} & {"expired"}
        assert underway.withhold(conn, address_ids=set(), keys=[], now=now) == 0

    await database.write(work)


def publish(conn: Connection, version: str, revision: int, words: str, at: datetime) -> str:
    """Digest of the words to help."""
    texts = {"enrolment/who_sees:label": words}
    store_version(conn, version=version, form_id="enrolment", definition="{}", now=at)
    store_revision(
        conn,
        version=version,
        language="en",
        revision=revision,
        texts=texts,
        state="approved",
        digest=words,
        now=at,
    )
    return digests(texts)["help"]


def current(words: str) -> dict[tuple[str, str], str]:
    marks = digests({"enrolment/who_sees:label": words})
    return {("en", purpose): mark for purpose, mark in marks.items()}


async def test_since_when_today_s_words_stand(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> None:
        assert consent_words.words_since(conn, current("a")) == ""
        for number, words in enumerate(["a", "b", "a"]):
            publish(conn, "v1", number, words, now + number * HOUR)
        publish(conn, "v2", 1, "a", now + 5 * HOUR)
        since = consent_words.words_since(conn, current("a"))
        assert since == f"{to_ms(now + 2 * HOUR):012x}"
        assert new_id(now + HOUR) < since < new_id(now + 2 * HOUR)
        assert consent_words.words_since(conn, current("c")) == ""

    await database.write(work)


async def test_older_rows_learn_which_words_they_agreed_to(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        assert consent_words.fill_digests(conn) == 0
        first = publish(conn, "v1", 1, "a", now - HOUR)
        child = school.child(1)
        school.agreed(child, school.person(), text_version="v1")
        school.agreed(child, school.person(), text_version="v9")
        school.agreed(child, school.person(), text_version="v1", purpose="contact")
        assert consent_words.fill_digests(conn) == 1
        assert consent_words.fill_digests(conn) == 0
        assert sorted(e.text for e in consents.about(conn, [child.id])) == ["", "", first]

    await database.write(work)


async def test_what_staff_read_of_a_child_in_scope(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child = school.child(1)
        amina = school.person(household=child.household_id)

        def sealed(row: str) -> bytes:
            return vault.seal("Zodwa", table="consents", column="witness_name", row=row)

        says(conn, amina, child, now, witness_name=sealed, helper_id=amina)
        says(conn, amina, child, now + HOUR, "no", witness_id=amina, recorded_by=amina)
        first, second = consents.lines(conn, SCOPE, child.id, vault=vault)
        assert (first.witness, first.helper, first.recorded_by) == ("Zodwa", amina, "")
        assert (second.witness, second.helper, second.recorded_by) == (amina, "", amina)
        assert (first.version, first.channel, first.mode) == ("v1", "none", "paper")
        subject = consents.child_by_code(conn, SCOPE, f" {child.code.lower()} ")
        assert subject is not None
        assert (subject.id, subject.household_id) == (child.id, child.household_id)
        stranger = user("u", ["elsewhere"], purpose="work")
        assert consents.child_by_code(conn, stranger, child.code) is None
        assert consents.lines(conn, stranger, child.id, vault=vault) == []

    await database.write(work)


async def test_who_cares_for_a_child_and_where_she_is_reached(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, amina = school.child(1), school.person()
        link = {"child_id": child.id, "person_id": amina, "capacity": "carer", "now": now}
        assert consents.carers(conn, child.id) == {}
        consents.link_carer(conn, **link)  # type: ignore[arg-type]
        consents.link_carer(conn, **link)  # type: ignore[arg-type]
        assert consents.carers(conn, child.id) == {amina: "carer"}
        assert consents.reached_at(conn, [amina]) == {}
        school.reached_at(amina, "+2782")
        used = school.reached_at(amina, "+2783", "whatsapp")
        conn.execute(update(addresses).where(addresses.c.id == used).values(last_inbound_at=now))
        assert consents.reached_at(conn, [amina])[amina].address_id == used
        conn.execute(update(addresses).values(opted_out_at=now))
        assert consents.reached_at(conn, [amina]) == {}

    await database.write(work)


def test_who_was_entered_before_had_agreed_on_paper(empty_url: str, now: datetime) -> None:
    with migrate._connected(empty_url) as conn:  # noqa: SLF001 - a migration half-way has no door
        command.upgrade(migrate._config(conn), "0009_rights")  # noqa: SLF001
    with migrate._connected(empty_url) as conn:  # noqa: SLF001
        ids = {name: new_id(now) for name in ("p", "s", "h", "w", "c", "who", "given", "other")}
        put = {
            "programmes": {"id": ids["p"], "name": "P"},
            "schools": {"id": ids["s"], "programme_id": ids["p"], "name": "S"},
            "waves": {"id": ids["w"], "programme_id": ids["p"], "number": 1, "opens_at": now},
            "households": {"id": ids["h"], "programme_id": ids["p"], "school_id": ids["s"]},
            "children": {
                "id": ids["c"],
                "programme_id": ids["p"],
                "school_id": ids["s"],
                "household_id": ids["h"],
                "code": "C",
                "sex": "f",
                "birth_month": "2019-03",
            },
            "persons": {"id": ids["who"], "programme_id": ids["p"], "kind": "caregiver"},
        }
        stamped = {"programmes", "households", "children", "persons"}
        for name, row in put.items():
            more = {"created_at": now} if name in stamped else {}
            more |= {"language": "zu"} if name == "persons" else {}
            conn.execute(insert(metadata.tables[name]).values(**row, **more))
        for key, reason in (("given", "staff_entry"), ("other", None)):
            conn.execute(
                insert(assignments).values(
                    id=ids[key],
                    key=key,
                    person_id=ids["who"],
                    child_id=ids["c"],
                    wave_id=ids["w"],
                    form_id="enrolment",
                    state="due",
                    reason=reason,
                    priority=0,
                    created_at=now,
                )
            )
    migrate.upgrade(empty_url)
    with migrate._connected(empty_url) as conn:  # noqa: SLF001
        (row,) = conn.execute(select(ledger)).all()
        assert (row.id, row.purpose, row.granted) == (ids["given"], "contact", True)
        assert (row.mode, row.language, row.at) == ("paper", "zu", now)
        (entry,) = consents.about(conn, [ids["c"]])
        assert entry.word == "yes"
    with migrate._connected(empty_url) as conn:  # noqa: SLF001
        command.downgrade(migrate._config(conn), "0009_rights")  # noqa: SLF001
    assert migrate.current(empty_url) == "0009_rights"
