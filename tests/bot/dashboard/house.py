"""A dashboard with two schools, a user of every role in the first one, and an alert in each."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pyotp
from argon2 import PasswordHasher
from sqlalchemy import Connection, insert, select, update
from starlette.applications import Starlette
from starlette.routing import Route

from bot.dashboard.page import Deps
from bot.dashboard.routes import routes
from bot.launch import always_open
from bot.login.access import digest
from bot.login.users import ROLES, TEAM, add_user
from bot.turns.world import World
from storage import schema
from storage.care.cases import profile_row
from storage.database import Database
from storage.families import people
from storage.families.people import NewChild
from storage.ids import new_code, new_id
from storage.keyring.vault import Vault
from storage.schema import alert_events, audit, profiles, timers
from storage.staff import logins, users
from storage.staff.users import User
from tests.town import ACCOUNTS, ZONE, library, site

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "seven green bicycles"  # noqa: S105
SECRETS: dict[str, str] = {}
OURS, THEIRS, OPENED, ERASED = "A7F3K2", "B8G4M3", "C9H5N4", "D2J6P5"
"""An alert of her school, of two others, and of hers whose household was erased."""
NUMBER = re.compile(r"<strong>([0-9]{2})</strong>")
TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')
BASE = "https://cwb.example.org"


def document(**changes: object) -> dict[str, object]:
    """A stored profile: education high by the caregiver, the others unknown."""
    unknown = {
        "band": "unknown",
        "score": None,
        "range": [0.0, 1.0],
        "thresholds": [0.25, 0.6],
        "disagree": False,
        "reasons": [],
        "sources": [],
        "missing": [],
    }
    names = ("material", "health", "nutrition", "education", "protection", "psychosocial")
    domains: dict[str, object] = {name: dict(unknown) for name in names}
    domains["education"] = {
        "band": "high",
        "score": 0.6667,
        "range": [0.4, 0.8],
        "thresholds": [0.25, 0.6],
        "disagree": True,
        "reasons": [
            {
                "item": "caregiver/missed_school",
                "answer": "often",
                "informant": "caregiver",
                "points": 6,
                "most": 6,
                "words": "The child often misses school.",
            }
        ],
        "sources": [
            {
                "informant": "caregiver",
                "band": "high",
                "score": 0.6667,
                "answered": 2,
                "of": 3,
                "as_of": "2026-02-02T08:00:00+00:00",
            },
            {
                "informant": "teacher",
                "band": "low",
                "score": 0.0,
                "answered": 2,
                "of": 2,
                "as_of": "2026-01-30T08:00:00+00:00",
            },
        ],
        "missing": ["caregiver/homework_help"],
    }
    return {
        "domains": domains,
        "caregiver": "unknown",
        "urgent": False,
        "level": "high",
        "critical": [],
        "plan": [{"id": "x", "words": "Offer reading help.", "domains": ["education"]}],
        "rules": "abc123",
        "as_of": "2026-02-02T08:00:00+00:00",
    } | changes


def world_of(vault: Vault) -> World:
    """What pages about requests need besides the database."""
    return World(
        library=library(),
        site=site(),
        vault=vault,
        zone=ZONE,
        accounts=ACCOUNTS,
        base_url=BASE,
        mark_drafts=False,
        gate=always_open,
        new_id=new_id,
        new_code=new_code,
    )


@dataclass(slots=True)
class House:
    """The dashboard under test and what a test wants to know of it."""

    database: Database
    vault: Vault
    now: datetime
    base: str = BASE
    schools: dict[str, str] = field(default_factory=dict)
    alerts: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    app: Starlette = field(default_factory=Starlette)
    routes: list[Route] = field(default_factory=list)
    exports: Path = Path("nowhere")
    tokens: int = 0
    told: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    tell: Callable[[str], None] = lambda code: None

    def __post_init__(self) -> None:
        """Whoever is told is kept."""
        self.tell = self.told.append

    def later(self, delta: timedelta) -> None:
        """Let time pass."""
        self.now += delta

    def build(self, conn: Connection) -> None:
        """Schools, children, alerts and users."""
        programme = people.ensure_programme(conn, name="P", now=self.now)
        wave = people.ensure_wave(
            conn, programme_id=programme, number=1, opens_at=self.now, now=self.now
        )
        places = (("Ours", OURS), ("Theirs", THEIRS), ("Opened", OPENED), ("Ours", ERASED))
        for number, (name, code) in enumerate(places, 17):
            school = people.ensure_school(conn, programme_id=programme, name=name, now=self.now)
            self.schools[name] = school
            group = people.ensure_class(conn, school_id=school, grade="1", name="A", now=self.now)
            child = people.add_children(
                conn,
                [NewChild(list_number=number, sex="f", birth_month="2019-01")],
                programme_id=programme,
                school_id=school,
                class_id=group,
                now=self.now,
            )[0]
            self.alerts[code] = self.raise_alert(
                conn, code, school=school, child=child.id, wave=wave
            )
            self.keep_profile(conn, school, child.id, wave)
        gone = select(schema.alerts.c.child_id).where(schema.alerts.c.code == ERASED)
        household = select(schema.children.c.household_id).where(schema.children.c.id.in_(gone))
        conn.execute(
            update(schema.households)
            .where(schema.households.c.id.in_(household))
            .values(erased_at=self.now)
        )
        self.ask_for_data(conn)
        for role in ROLES:
            made = add_user(
                conn,
                login=role,
                role=role,
                schools=["Ours"] if role in TEAM else [],
                password=PASSWORD,
                vault=self.vault,
                now=self.now,
                hasher=QUICK,
            )
            SECRETS[role] = pyotp.parse_uri(made.uri).secret
            user = users.by_login(conn, role)
            assert user is not None
            self.users[role] = user

    def raise_alert(
        self,
        conn: Connection,
        code: str,
        *,
        school: str,
        child: str,
        wave: str,
        level: str = "high",
    ) -> str:
        """An alert nobody has, whose clock runs for two hours."""
        alert_id = new_id(self.now)
        conn.execute(
            insert(schema.alerts).values(
                id=alert_id,
                key=f"{child}:{code}",
                code=code,
                child_id=child,
                school_id=school,
                wave_id=wave,
                level=level,
                rule="high",
                rules="abc123",
                state="opened",
                opened_at=self.now,
            )
        )
        conn.execute(
            insert(alert_events).values(
                id=new_id(self.now), alert_id=alert_id, kind="opened", at=self.now
            )
        )
        conn.execute(
            insert(timers).values(
                key=f"alert:{alert_id}:resend",
                kind="alert",
                ref=alert_id,
                due_at=self.now + timedelta(hours=2),
                data={},
                state="due",
            )
        )
        return alert_id

    def keep_profile(self, conn: Connection, school: str, child: str, wave: str) -> None:
        """The child's sealed profile."""
        body = self.vault.seal(
            json.dumps(document()), table="profiles", column="body", row=profile_row(child, wave)
        )
        conn.execute(
            insert(profiles).values(
                child_id=child,
                wave_id=wave,
                school_id=school,
                level="high",
                urgent=False,
                rules="abc123",
                body=body,
                as_of=self.now,
            )
        )

    def deps(self) -> Deps:
        """What the app stands on."""
        return Deps(
            database=self.database,
            vault=self.vault,
            secret_key=b"k" * 32,
            now=lambda: self.now,
            public_base_url=self.base,
            hasher=QUICK,
            world=world_of(self.vault),
            exports=self.exports,
            tell_glass=lambda conn, opening, at: self.tell(opening.code),
            ask=self.ask,
        )

    def ask(self, conn: Connection, person_id: str, login: str, at: datetime) -> bool:
        """Whoever is asked by chat about a sign-in is kept."""
        self.asked.append((person_id, login))
        return True

    async def answers(self, number: str) -> None:
        """The last who was asked by chat sends a number."""
        person_id, login = self.asked[-1]
        await self.database.write(
            lambda conn: logins.answer_prompt(
                conn, login, person_id=person_id, number=number, now=self.now
            )
        )

    def ask_for_data(self, conn: Connection) -> None:
        """A request of our school; its id is also our alert's code, so that one path fits both."""
        conn.execute(
            insert(schema.requests).values(
                id=OURS,
                key=f"access:{OURS}",
                kind="access",
                school_id=self.schools["Ours"],
                way="staff",
                received_at=self.now,
                due_at=self.now + timedelta(days=30),
                state="open",
            )
        )

    def open(self) -> None:
        """Make the app."""
        self.routes = routes(self.deps())
        self.app = Starlette(routes=self.routes)

    def browser(self) -> httpx.AsyncClient:
        """A browser that nobody has signed in with."""
        transport = httpx.ASGITransport(self.app, client=("203.0.113.9", 50000))
        return httpx.AsyncClient(transport=transport, base_url=self.base)

    async def signed_in(self, role: str) -> httpx.AsyncClient:
        """A browser with a session of this role."""
        self.tokens += 1
        token, user = f"token-{self.tokens}", self.users[role]
        await self.database.write(
            lambda conn: users.open_session(
                conn, digest=digest(token), user_id=user.id, now=self.now
            )
        )
        browser = self.browser()
        name = "__Host-cwb" if self.base.startswith("https") else "cwb"
        browser.cookies.set(name, token)
        return browser

    def code(self, role: str) -> str:
        """The authenticator's code now."""
        return pyotp.TOTP(SECRETS[role]).at(self.now)

    async def audited(self) -> list[tuple[str, str, str | None, str | None]]:
        """(verb, object kind, object id, actor) of every audit row of the dashboard."""
        found = await self.database.read(
            lambda conn: conn.execute(
                select(audit.c.verb, audit.c.object_kind, audit.c.object_id, audit.c.actor_id)
                .where(audit.c.actor_kind != "system")
                .order_by(audit.c.at, audit.c.id)
            ).all()
        )
        return [tuple(row) for row in found]


async def token_of(browser: httpx.AsyncClient) -> str:
    """The form token of a browser that is signed in."""
    return (await browser.get("/dashboard/account")).text.split('name="token" value="')[1][:64]


async def post(browser: httpx.AsyncClient, page: str, verb: str, **fields: str) -> httpx.Response:
    """Fill a form of a page as a person would, with the token the page gave."""
    shown = await browser.get(page)
    token = TOKEN.search(shown.text)
    assert token is not None, f"{page} answers {shown.status_code} without a form"
    return await browser.post(f"{page}/{verb}", data={"token": token[1], **fields})


async def log_in(
    house: House,
    browser: httpx.AsyncClient,
    login: str,
    *,
    password: str = PASSWORD,
    code: str | None = None,
    where: str = "",
) -> httpx.Response:
    """Fill the login form; the code of the moment unless told."""
    typed = house.code(login) if code is None else code
    return await post(
        browser,
        "/dashboard/login",
        "enter",
        login=login,
        password=password,
        code=typed,
        next=where,
    )


async def step_up(house: House, browser: httpx.AsyncClient, role: str) -> httpx.Response:
    """Prove oneself again, with the next code of the authenticator."""
    house.later(timedelta(seconds=60))  # the code of the moment may have been used to sign in
    return await post(browser, "/dashboard/step", "prove", password=PASSWORD, code=house.code(role))
