"""The demo's invented school: a class of 42, twelve families enrolled, one waiting to join."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from argon2 import PasswordHasher
from sqlalchemy import Connection, insert, select

from bot.demo import Guide
from bot.demo_phones import PHONES, PhoneName
from bot.login.users import add_user
from flows.consent import ASKED, COMPETENT, Purpose
from flows.messages import ChannelName
from storage.families import people
from storage.families.people import Learner, NewChild
from storage.ids import new_code, new_id
from storage.keyring.vault import Vault
from storage.schema import child_caregiver, kept
from storage.talk import consents

PROGRAMME = "Demo programme"
SCHOOL = "Umthombo Primary"
LEARNERS = 42
JOINING = 17
"""The learner whose caregiver holds the simulated phone; she has not joined yet."""
ENROLLED = (2, 3, 5, 7, 11, 14, 19, 22, 26, 30, 35, 41)
LOGIN = "demo"
KEPT = "demo_guide"
YOUNGEST_MONTHS = 76
SPREAD_MONTHS = 24
STRIDE = 7
"""Coprime to the spread: every age from 6 years 4 months to 8 years 3 months turns up."""


def seed(
    conn: Connection,
    vault: Vault,
    now: datetime,
    *,
    accounts: Mapping[ChannelName, str],
    text_version: str,
    texts: Mapping[Purpose, str] | None = None,
    partners: str = "",
    hasher: PasswordHasher | None = None,
) -> Guide:
    """Make the demo school once; on a database that has it, only say what the page needs.

    The guide is kept readable in the demo's own database: its login opens nothing but the demo.

    Args:
        conn: Open write transaction on the demo's database.
        vault: Seals addresses and the authenticator's secret.
        now: Aware, UTC.
        accounts: Our own account by channel.
        text_version: Version of the enrolment form whose words the families agreed to.
        texts: Digests of those words by purpose.
        partners: Version of the list of named partners.
        hasher: How the password is hashed; None for the strong default.
    """
    stored = conn.execute(select(kept.c.value).where(kept.c.name == KEPT)).scalar()
    if stored is not None:
        return Guide(**json.loads(stored))
    programme_id = people.ensure_programme(conn, name=PROGRAMME, now=now)
    school_id = people.ensure_school(conn, programme_id=programme_id, name=SCHOOL, now=now)
    class_id = people.ensure_class(conn, school_id=school_id, grade="1", name="A", now=now)
    people.ensure_wave(conn, programme_id=programme_id, number=1, opens_at=now, now=now)
    learners = people.add_children(
        conn,
        [_child(number, now) for number in range(1, LEARNERS + 1)],
        programme_id=programme_id,
        school_id=school_id,
        class_id=class_id,
        now=now,
    )
    team = _Team(
        conn=conn,
        vault=vault,
        now=now,
        programme_id=programme_id,
        school_id=school_id,
        accounts=accounts,
        text_version=text_version,
        texts=texts or {},
        partners=partners,
    )
    people.set_teacher(conn, class_id, team.add("teacher", kind="teacher"))
    coordinator = team.add("coordinator", kind="staff", name="Demo coordinator")
    people.grant_role(conn, person_id=coordinator, school_id=school_id, role="coordinator", now=now)
    for number in ENROLLED:
        team.enrol(learners[number - 1])
    joining = learners[JOINING - 1].id
    guide = _account(
        conn,
        vault,
        now,
        accounts=accounts,
        join_code=people.issue_join_codes(conn, [joining], vault=vault, now=now)[joining],
        hasher=hasher,
    )
    conn.execute(insert(kept).values(name=KEPT, value=json.dumps(asdict(guide)), at=now))
    return guide


def is_demo_school(conn: Connection) -> bool:
    """Whether the database is a demo's: a live start must not mix invented families with real."""
    return conn.execute(select(kept.c.name).where(kept.c.name == KEPT)).first() is not None


def _child(number: int, now: datetime) -> NewChild:
    months = YOUNGEST_MONTHS + number * STRIDE % SPREAD_MONTHS
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return NewChild(
        list_number=number,
        sex="f" if number % 2 else "m",
        birth_month=f"{year}-{month + 1:02}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Team:
    """Adds people of one school with their addresses."""

    conn: Connection
    vault: Vault
    now: datetime
    programme_id: str
    school_id: str
    accounts: Mapping[ChannelName, str]
    text_version: str
    texts: Mapping[Purpose, str]
    partners: str

    def add(self, phone_name: PhoneName, *, kind: str, name: str = "") -> str:
        """Somebody who holds one of the page's phones."""
        phone = next(p for p in PHONES if p.name == phone_name)
        person_id = self._person(kind, name=name)
        self._address(person_id, phone.channel, phone.address)
        return person_id

    def enrol(self, learner: Learner) -> None:
        """A family that joined before the demo began, with consent to everything."""
        person_id = self._person("caregiver", household_id=learner.household_id)
        self._address(person_id, "sms", f"+2700000{learner.list_number:04}")
        self.conn.execute(
            insert(child_caregiver).values(
                child_id=learner.id,
                person_id=person_id,
                capacity=COMPETENT,
                from_at=self.now,
            )
        )
        given = consents.Given(
            person_id=person_id,
            capacity=COMPETENT,
            version=self.text_version,
            texts=self.texts,
            language="en",
            channel="sms",
            mode="self",
            partners=self.partners,
            at=self.now,
            now=self.now,
        )
        rows = [
            consents.row(
                given, id=new_id(self.now), child_id=learner.id, purpose=purpose, word="yes"
            )
            for purpose in ASKED
        ]
        consents.write(self.conn, rows)

    def _person(self, kind: str, *, name: str = "", household_id: str | None = None) -> str:
        return people.add_person(
            self.conn,
            kind=kind,
            programme_id=self.programme_id,
            school_id=self.school_id,
            household_id=household_id,
            name=name,
            now=self.now,
            vault=self.vault,
        )

    def _address(self, person_id: str, channel: ChannelName, value: str) -> None:
        people.add_address(
            self.conn,
            person_id=person_id,
            channel=channel,
            account=self.accounts[channel],
            value=value,
            vault=self.vault,
            now=self.now,
        )


def _account(
    conn: Connection,
    vault: Vault,
    now: datetime,
    *,
    accounts: Mapping[ChannelName, str],
    join_code: str,
    hasher: PasswordHasher | None,
) -> Guide:
    """A login for the coordinator of the page, and the guide that names it."""
    phone = next(p for p in PHONES if p.name == "coordinator")
    password = "-".join(new_code(4).lower() for _ in range(4))
    made = add_user(
        conn,
        login=LOGIN,
        role="coordinator",
        schools=[SCHOOL],
        password=password,
        vault=vault,
        now=now,
        person_address=f"{phone.channel}:{phone.address}",
        accounts=accounts,
        hasher=hasher,
    )
    return Guide(
        school=SCHOOL,
        learner=JOINING,
        join_code=join_code,
        login=LOGIN,
        password=password,
        totp_secret=parse_qs(urlsplit(made.uri).query)["secret"][0],
    )
