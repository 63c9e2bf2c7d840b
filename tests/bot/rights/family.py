"""A family with a file: what the mother told, what others told, messages, alerts, looks.

Each thing that must not reach her by default has a word of its own, so that a test can look for it.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, update

from bot.rights.correction import rejudge
from bot.sending.envelopes import dump_outbound
from bot.turns.world import World
from flows.messages import Outbound
from scoring.ruleset import Rules
from storage import scope
from storage.families.learners import Learner
from storage.families.people import add_person
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import metadata, profiles, users
from storage.scope import Scope
from storage.trail import audit
from tests.storage.rows import ACCOUNT, School
from tests.town import ZONE, library, site

MOTHER, SON = "Nomvula Canaryname", "Sipho Canaryson"
NUMBER = "+27821230001"
HER_WORDS = "we eat porridge"
TEACHERS, CHILDS, SCREENS = "sleepy in class", "I am afraid at night", "17"
MOTHERS_LETTER, SENT = "3 3 canaryletter", "Your canaryquestions wait"


def world(vault: Vault) -> World:
    """What turns know, with our account on SMS."""
    return World(
        library=library(),
        site=site(),
        vault=vault,
        zone=ZONE,
        accounts={"sms": ACCOUNT},
        base_url="https://cwb.example.org",
        mark_drafts=False,
        new_id=new_id,
        new_code=lambda length: "A7F3K2"[:length],
    )


@dataclass(slots=True)
class Family:
    """The family's ids, and who works on requests."""

    world: World
    school: School
    child: Learner
    mother: str
    address: str
    session: str
    officers: dict[str, str] = field(default_factory=dict)

    def officer(self, login: str = "thandi") -> Scope:
        """A data officer's scope of this school."""
        return scope.user(self.officers[login], [self.school.id], purpose="requests", erased=True)

    @property
    def rules(self) -> Rules:
        return self.world.library.rules


def settle(conn: Connection, vault: Vault, now: datetime, *, language: str = "en") -> Family:
    """The family on an empty database that has all tables."""
    made = world(vault)
    school = School(conn=conn, vault=vault, now=now)
    child = school.child(17)
    mother = add_person(
        conn,
        kind="caregiver",
        programme_id=school.programme,
        school_id=school.id,
        household_id=child.household_id,
        now=now,
        vault=vault,
        name=MOTHER,
        language=language,
    )
    address = school.reached_at(mother, NUMBER)
    school.cares_for(mother, child)
    school.agreed(child, mother)
    about = {"child_id": child.id, "household_id": child.household_id, "wave_id": school.wave}
    session = _session(school, address, mother, "caregiver", **about)
    version = made.library.current["caregiver"]
    for item, value in (("breakfast", "none"), ("supper_home", "few"), ("trusted_adult", "no")):
        school.answer(session, item, value, version=version, **about)
    school.answer(session, "money", None, version=version, state="skipped", **about)
    school.answer(session, "vegetables", HER_WORDS, version=version, **about)
    _others(school, made, child, about)
    _letters(school, made, mother, address)
    family = Family(made, school, child, mother, address, session)
    for login in ("thandi", "zinhle"):
        family.officers[login] = _user(school, login)
    audit.record(
        conn,
        [
            audit.row(
                scope.user(family.officers["thandi"], [school.id], purpose="care"),
                "read",
                "children",
                child.id,
                id=new_id(now),
                at=now,
                school_id=school.id,
            )
        ],
    )
    school.put(
        profiles,
        child_id=child.id,
        wave_id=school.wave,
        school_id=school.id,
        level="none",
        urgent=False,
        rules="none",
        body=vault.seal("{}", table="profiles", column="body", row=f"{child.id}:{school.wave}"),
        as_of=now,
    )
    rejudge(conn, made, child.id, now=now)
    return family


def _session(school: School, address: str, person: str, form: str, **more: object) -> str:
    version = library().current[form]
    return school.session(
        address, person_id=person, form_id=form, version=version, status="completed", **more
    )


def _others(school: School, made: World, child: Learner, about: dict[str, str]) -> None:
    """A teacher's answers about the child, the class screen, and the child's own words."""
    teacher = school.person("teacher")
    desk = school.reached_at(teacher, "700000009", "telegram")
    learner = _session(school, desk, teacher, "learner", child_id=child.id, wave_id=school.wave)
    version = made.library.current["learner"]
    told = {**about, "version": version, "form_id": "learner", "informant": "teacher"}
    school.answer(learner, "hungry", "often", **told)
    school.answer(learner, "sad", TEACHERS, **told)
    told = {**told, "form_id": "own", "informant": "child"}
    school.answer(learner, "voice", CHILDS, **told)
    screen = _session(
        school, desk, teacher, "class_screen", class_id=school.class_id, wave_id=school.wave
    )
    version = made.library.current["class_screen"]
    item = made.library.questionnaire(version).items[-1].name
    school.answer(
        screen,
        item,
        f"3 {SCREENS} 31",
        version=version,
        form_id="class_screen",
        informant="teacher",
        wave_id=school.wave,
    )


def _letters(school: School, made: World, mother: str, address: str) -> None:
    came = school.letter(address, "done")
    body = made.vault.seal(
        json.dumps({"channel": "sms", "text": MOTHERS_LETTER}),
        table="inbox",
        column="body",
        row=came,
    )
    went = school.message(address, person_id=mother, state="queued")
    said = made.vault.seal(
        dump_outbound(Outbound(text=SENT)), table="outbox", column="body", row=went
    )
    _set(school, "inbox", came, body)
    _set(school, "outbox", went, said)


def _set(school: School, table: str, row: str, body: bytes) -> None:
    found = metadata.tables[table]
    school.conn.execute(update(found).where(found.c.id == row).values(body=body))


def _user(school: School, login: str) -> str:
    made = school.new_id()
    school.put(
        users,
        id=made,
        login=login,
        role="data_officer",
        schools=[school.id],
        password_hash="x",  # noqa: S106
        totp_secret=b"x",
        totp_last=0,
        created_at=school.now,
    )
    return made
