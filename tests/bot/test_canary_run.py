"""A day of the real program: what families and staff say, are and type gets out nowhere.

`main.py run` is a process of its own, on SQLite and on PostgreSQL. Two families, a coordinator who
signs in, providers that fail with what they were sent in their error pages, strangers at the door,
a table that is suddenly gone. Then everything that left the process is searched: its log, its
metrics, its error pages and redirects, other people's messages, and what rests in the database.
"""

import asyncio
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyotp
import pytest
from sqlalchemy import (
    Connection,
    Engine,
    LargeBinary,
    String,
    Text,
    cast,
    create_engine,
    inspect,
    select,
)
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.pool import NullPool

from bot.keyring.vaults import open_vault
from bot.login.users import add_user
from flows.messages import ChannelName
from storage.database import Database
from storage.engines import parse_url
from storage.families.people import add_address, add_person, grant_role
from storage.migrate import upgrade
from storage.schema import alerts, schools
from tests.conftest import _postgres_database
from tests.fakes import Play
from tests.fakes import telegram as fake_telegram
from tests.fakes import twilio as fake_twilio
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio
from tests.live import BOT_ID, environment, live_settings, seed_school, sms_request
from tests.rigs.kill import Process, _free_port

AMINA, BONGI = "+27820004711", "+27820004712"
NAME, CHAT = "Nokuthula-Budgerigar", "700048151623"
PASSWORD, NOTE = "seven green cockatiels", "A lorikeet of a note."
METRICS, STRANGER = "kakapo-metrics-token", "kakariki"
HERS: Mapping[str, str] = {AMINA: "amina's macaw words", BONGI: "bongi's conure words"}
PACKS = ("1 1 1", "1 1 1", "1 1 1", "1 1 1", "3")
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@dataclass(slots=True, kw_only=True)
class Day:
    """What left the process, and what stays."""

    log: str = ""
    metrics: str = ""
    faults: list[tuple[int, str]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    sms: list[Mapping[str, str]] = field(default_factory=list)
    chats: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    at_rest: list[tuple[str, bytes]] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    @property
    def canaries(self) -> dict[str, str]:
        """What must not get out, by what it is."""
        words = {f"words of {who}": said for who, said in HERS.items()}
        bare = {f"number {who}": who.removeprefix("+") for who in HERS}
        staff = {"name": NAME, "chat": CHAT, "note": NOTE, "stranger": STRANGER}
        return {**words, **bare, **staff, **self.secrets}


@pytest.fixture(scope="module", params=BOTH)
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("canary")
    if request.param == "sqlite":
        yield asyncio.run(play(folder, ""))
        return
    server: Engine = request.getfixturevalue("postgres_server")
    with _postgres_database(server, "template0") as (_, url):
        yield asyncio.run(play(folder, url))


async def play(folder: Path, database: str) -> Day:
    day = Day()
    async with FakeTwilio() as twilio, FakeTelegram() as telegram:
        base = f"http://127.0.0.1:{_free_port()}"
        env = environment(
            folder, base=base, twilio=twilio.url, telegram=telegram.url, database=database
        )
        env["METRICS_TOKEN"] = METRICS
        codes, totp = await seed(env)
        process = Process(env, base, folder)
        await process.start()
        try:
            async with httpx.AsyncClient(base_url=base, timeout=20) as client:
                await talk(client, base, twilio, telegram, codes)
                await knock(day, client, base)
                await staff(day, client, env["DATABASE_URL"], totp)
                asked = {"authorization": f"Bearer {METRICS}"}
                day.metrics = (await client.get("/metrics", headers=asked)).text
        finally:
            await process.end(signal.SIGTERM)
        day.sms = list(twilio.sent)
        day.chats = [str(m["text"]) for m in telegram.sent]
    day.log = (folder / "run.log").read_text()
    day.secrets |= {f"code {n}": code for n, code in enumerate(codes)}
    day.secrets |= {
        "password": PASSWORD,
        "authenticator": totp.secret,
        "twilio token": fake_twilio.TOKEN,
        "telegram token": fake_telegram.TOKEN.partition(":")[2],
        "webhook secret": fake_telegram.SECRET,
        "form key": env["SECRET_KEY"],
        "master key": env["MASTER_KEY"],
        "metrics token": METRICS,
    }
    day.at_rest = at_rest(folder, database)
    return day


async def seed(env: Mapping[str, str]) -> tuple[list[str], pyotp.TOTP]:
    """A school, and a coordinator who can sign in and is reached by Telegram."""
    upgrade(env["DATABASE_URL"])
    vault = open_vault(live_settings(env))
    database = Database.open(env["DATABASE_URL"])
    now = datetime.now(UTC)

    def put(conn: Connection) -> tuple[list[str], str]:
        codes = seed_school(conn, vault, now, learners=2)
        school = conn.execute(select(schools.c.id, schools.c.programme_id)).one()
        boss = add_person(
            conn,
            kind="staff",
            programme_id=school.programme_id,
            school_id=school.id,
            name=NAME,
            now=now,
            vault=vault,
        )
        to = {"channel": "telegram", "account": BOT_ID, "value": CHAT}
        add_address(conn, person_id=boss, vault=vault, now=now, **to)  # type: ignore[arg-type]
        grant_role(conn, person_id=boss, school_id=school.id, role="coordinator", now=now)
        accounts: dict[ChannelName, str] = {"telegram": BOT_ID}
        made = add_user(
            conn,
            login="thandi",
            role="coordinator",
            schools=["School"],
            password=PASSWORD,
            vault=vault,
            now=now,
            person_address=f"telegram:{CHAT}",
            accounts=accounts,
        )
        return codes, made.uri

    codes, uri = await database.write(put)
    await database.close()
    vault.close()
    totp = pyotp.parse_uri(uri)
    assert isinstance(totp, pyotp.TOTP)
    return codes, totp


async def talk(
    client: httpx.AsyncClient,
    base: str,
    twilio: FakeTwilio,
    telegram: FakeTelegram,
    codes: list[str],
) -> None:
    """Two families answer, while the providers fail with words of theirs in the error pages."""
    echo = Play(status=500, body=f"<html>{HERS[AMINA]} {AMINA}</html>", accept=True)
    twilio.plays("send", echo)
    twilio.plays("redact", Play(status=500, body=f"<html>{HERS[BONGI]}</html>"))
    telegram.plays("sendMessage", fake_telegram.refuses(400, f"Bad Request: {NAME} {CHAT}"))
    number = 0
    for sender, code in zip(HERS, codes, strict=True):
        for text in (HERS[sender], f"JOIN {code}", "1 1 2 1 2 3", HERS[sender], *PACKS):
            number += 1
            path, headers, body = sms_request(base, sender, text, f"SM{number:032x}")
            answer = await client.post(path, content=body, headers=headers)
            assert answer.status_code == 200
    await until(lambda: len(telegram.sent) >= 2)
    await until(lambda: "redact" in [c.kind for c in twilio.calls])


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110 - what another process does raises no event here
            await asyncio.sleep(0.05)


async def knock(day: Day, client: httpx.AsyncClient, base: str) -> None:
    """Strangers try the doors; every answer is kept."""
    form = {"From": AMINA, "To": STRANGER, "Body": HERS[AMINA], "MessageSid": "SM"}
    _, signed, body = sms_request(base, AMINA, STRANGER, "SMx")
    secret = {"x-telegram-bot-api-secret-token": fake_telegram.SECRET}
    broken = b"{" + HERS[AMINA].encode()
    answers = [
        await client.post("/hooks/twilio", data=form),
        await client.post("/hooks/twilio", content=body[:9], headers=signed),
        await client.post("/hooks/telegram", content=broken, headers=secret),
        await client.post(f"/hooks/{STRANGER}"),
        await client.get(f"/{STRANGER}?number={AMINA}"),
        await client.get(f"/dashboard/alerts/{STRANGER}"),
        await client.get(f"/dashboard/{STRANGER}"),
        await client.post("/dashboard/alerts/X/close", data={"reason": NOTE}),
        await client.get("/metrics", headers={"x-forwarded-for": STRANGER}),
        await client.get("/dashboard", headers={"cookie": f"cwb={STRANGER}"}),
    ]
    keep(day, answers)


def keep(day: Day, answers: list[httpx.Response]) -> None:
    day.faults += [(a.status_code, a.text) for a in answers]
    day.places += [a.headers.get("location", "") for a in answers]


async def staff(day: Day, client: httpx.AsyncClient, url: str, totp: pyotp.TOTP) -> None:
    """She mistypes, signs in, takes the alert and closes it; then a table is away for a moment."""
    keep(day, [await post(client, "/dashboard/login", "enter", login=STRANGER, password=PASSWORD)])
    right = {"login": "thandi", "password": PASSWORD, "code": totp.now()}
    entered = await post(client, "/dashboard/login", "enter", **right)
    assert entered.status_code == 303
    session = client.cookies.get("cwb")
    assert session
    day.secrets["session"] = session
    engine = create_engine(parse_url(url)[1], poolclass=NullPool)
    with engine.connect() as conn:
        codes = list(conn.execute(select(alerts.c.code)).scalars())
    assert len(codes) == 2
    page = f"/dashboard/alerts/{codes[0]}"
    for verb, fields in (("accept", {}), ("close", {"outcome": "confirmed", "reason": NOTE})):
        day.places.append((await post(client, page, verb, **fields)).headers["location"])
    closed = (await client.get(page)).text
    assert NOTE in closed
    day.pages.append(closed)
    with engine.begin() as conn:
        conn.exec_driver_sql("alter table alerts rename to elsewhere")
    gone = await client.get(f"/dashboard/alerts?school={STRANGER}")
    with engine.begin() as conn:
        conn.exec_driver_sql("alter table elsewhere rename to alerts")
    assert gone.status_code == 500
    keep(day, [gone, await client.get(f"{page}{STRANGER}")])
    engine.dispose()


async def post(client: httpx.AsyncClient, page: str, verb: str, **fields: str) -> httpx.Response:
    """Fill a form of a page, with the token the page gave."""
    token = re.search(r'name="token" value="([0-9a-f]{64})"', (await client.get(page)).text)
    assert token is not None
    return await client.post(f"{page}/{verb}", data={"token": token[1], **fields})


def at_rest(folder: Path, database: str) -> list[tuple[str, bytes]]:
    """Every file of the folder; with PostgreSQL, every text and bytea of every row as well."""
    found = [(str(path.name), path.read_bytes()) for path in sorted(folder.rglob("*"))]
    if not database:
        return found
    engine = create_engine(parse_url(database)[1], poolclass=NullPool)
    with engine.connect() as conn:
        look = inspect(conn)
        for name in look.get_table_names():
            for col in look.get_columns(name):
                kind = LargeBinary if isinstance(col["type"], LargeBinary) else Text
                value = sql_column(col["name"], col["type"])
                wanted = value if kind is LargeBinary else cast(value, String)
                for cell in conn.execute(select(wanted).select_from(sql_table(name))).scalars():
                    raw = cell if isinstance(cell, bytes) else str(cell).encode()
                    found.append((f"{name}.{col['name']}", bytes(raw)))
    engine.dispose()
    return found


def test_the_day_was_bad_enough(day: Day) -> None:
    for event in ("library_says", "ready"):
        assert f'"event": "{event}"' in day.log
    assert {400, 401, 403, 404, 500} <= {status for status, _ in day.faults}
    assert {form["To"] for form in day.sms} == {AMINA, BONGI}
    assert sum("urgent item" in text for text in day.chats) >= 2
    assert "cwb_turns_total" in day.metrics
    assert len(day.at_rest) >= 3


def test_nothing_of_anybody_is_in_the_log(day: Day) -> None:
    assert [what for what, canary in day.canaries.items() if canary in day.log] == []


def test_nothing_of_anybody_is_in_the_metrics(day: Day) -> None:
    assert [what for what, canary in day.canaries.items() if canary in day.metrics] == []


def test_no_answer_to_a_stranger_says_what_he_sent_or_what_we_know(day: Day) -> None:
    echoed = {STRANGER}  # the login form shows the login that was typed
    for status, text in day.faults:
        found = [w for w, c in day.canaries.items() if c in text and c not in echoed]
        assert found == [], status
        assert "Traceback" not in text
        assert "select " not in text.lower()


def test_no_address_of_a_page_holds_anything_of_anybody(day: Day) -> None:
    assert any(day.places)
    held = [w for w, c in day.canaries.items() if c != STRANGER and c in " ".join(day.places)]
    assert held == []


def test_no_message_holds_anything_of_anybody_else(day: Day) -> None:
    for form in day.sms:
        told = [w for w, canary in day.canaries.items() if canary in form["Body"]]
        assert told == [], form["To"]
    told = [w for w, canary in day.canaries.items() if canary in " ".join(day.chats)]
    assert told == []


def test_an_alert_says_a_code_and_where_to_sign_in(day: Day) -> None:
    about = re.compile(r"child|learner|food|hungry|risk|school", re.IGNORECASE)
    assert [text for text in day.chats if "urgent item" in text and about.search(text)] == []


def test_nothing_sealed_is_readable_where_it_rests(day: Day) -> None:
    for what, canary in day.canaries.items():
        shapes = (canary.encode(), canary.encode("utf-16-le"), canary.encode().hex().encode())
        held = [name for name, raw in day.at_rest if any(s in raw for s in shapes)]
        assert held == [], what


def test_the_search_would_find_what_is_public(day: Day) -> None:
    assert [name for name, raw in day.at_rest if b"Programme" in raw]
    assert [name for name, raw in day.at_rest if b"thandi" in raw]
