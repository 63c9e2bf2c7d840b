"""A live bot over HTTP: real settings, real signatures, providers played on the loopback interface.

`Live` runs the application in the test's own loop; `seed_school` and the requests also serve rigs
that start `main.py run` as a process of its own.
"""

import asyncio
import base64
import itertools
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import Connection, Row, Select, TextClause, select
from structlog.testing import capture_logs

from bot.app import Bot, application, start
from bot.content.library import Library
from bot.settings import Settings
from flows.engine import begin, fold
from flows.sessions import Event, Session
from storage.families import people
from storage.families.learners import NewChild, add_children, issue_join_codes
from storage.families.programmes import ensure_class, ensure_programme, ensure_school, ensure_wave
from storage.invariants import Refold, problems
from storage.keyring.vault import Vault
from storage.schema import outbox
from tests.fakes import LoopServer
from tests.fakes import telegram as fake_telegram
from tests.fakes import twilio as fake_twilio
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

SMS, WHATSAPP = "+27600000001", "+27600000002"
USSD_SECRET, USSD_CODE = "u" * 40, "*384*57#"
BOT_ID = fake_telegram.TOKEN.partition(":")[0]
COORDINATOR = "9001"
MASTER = base64.b64encode(bytes(range(32))).decode()
Body = tuple[str, dict[str, str], bytes]
"""Path, headers and body of a provider's request."""


def environment(
    folder: Path, *, base: str, twilio: str, telegram: str, database: str = ""
) -> dict[str, str]:
    """The settings of a live start, as an operator would write them."""
    return {
        "DATABASE_URL": database or f"sqlite:///{folder / 'live.db'}",
        "DATA_DIR": str(folder),
        "PUBLIC_BASE_URL": base,
        "SECRET_KEY": "k" * 43,
        "MASTER_KEY": MASTER,
        "TWILIO_ACCOUNT_SID": fake_twilio.ACCOUNT,
        "TWILIO_AUTH_TOKEN": fake_twilio.TOKEN,
        "TWILIO_SMS_FROM": SMS,
        "TWILIO_WHATSAPP_FROM": WHATSAPP,
        "TWILIO_API_URL": twilio,
        "TELEGRAM_BOT_TOKEN": fake_telegram.TOKEN,
        "TELEGRAM_WEBHOOK_SECRET": fake_telegram.SECRET,
        "TELEGRAM_API_URL": telegram,
    }


def live_settings(env: Mapping[str, str], **changed: object) -> Settings:
    """The same as `Settings`, without looking at this machine's own environment."""
    values = {name.lower(): value for name, value in env.items()}
    return Settings(_env_file=None, **{**values, **changed})


def seed_school(conn: Connection, vault: Vault, now: datetime, *, learners: int) -> list[str]:
    """A school with a class, an open wave and a coordinator on Telegram; returns JOIN codes."""
    programme = ensure_programme(conn, name="Programme", now=now)
    school = ensure_school(conn, programme_id=programme, name="School", now=now)
    class_id = ensure_class(conn, school_id=school, grade="1", name="A", now=now)
    ensure_wave(conn, programme_id=programme, number=1, opens_at=now, now=now)
    made = add_children(
        conn,
        [NewChild(list_number=n, sex="f", birth_month="2019-03") for n in range(1, learners + 1)],
        programme_id=programme,
        school_id=school,
        class_id=class_id,
        now=now,
    )
    staff = people.add_person(
        conn, kind="staff", programme_id=programme, school_id=school, now=now, vault=vault
    )
    people.add_address(
        conn,
        person_id=staff,
        channel="telegram",
        account=BOT_ID,
        value=COORDINATOR,
        vault=vault,
        now=now,
    )
    people.grant_role(conn, person_id=staff, school_id=school, role="coordinator", now=now)
    codes = issue_join_codes(conn, [learner.id for learner in made], vault=vault, now=now)
    return [codes[learner.id] for learner in made]


def twilio_request(base: str, path: str, form: Mapping[str, str]) -> Body:
    """A signed form of Twilio's."""
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": fake_twilio.signed(base + path, form, fake_twilio.TOKEN),
    }
    return path, headers, fake_twilio.encoded(form)


def sms_request(base: str, sender: str, text: str, sid: str, **more: str) -> Body:
    """An SMS that Twilio brings."""
    form = {"MessageSid": sid, "From": sender, "To": SMS, "Body": text, "NumMedia": "0", **more}
    return twilio_request(base, "/hooks/twilio", form)


def status_request(base: str, sid: str, word: str, *, outbox_id: str = "", **more: str) -> Body:
    """A status callback, by the message's own path or by the service's."""
    path = f"/hooks/twilio/status/{outbox_id}" if outbox_id else "/hooks/twilio"
    return twilio_request(base, path, {"MessageSid": sid, "MessageStatus": word, **more})


def ussd_request(number: str, session: str, path: str, *, secret: str = USSD_SECRET) -> Body:
    """A step of a USSD session that Africa's Talking brings."""
    form = {
        "sessionId": session,
        "serviceCode": USSD_CODE,
        "phoneNumber": number,
        "networkCode": "65510",
        "text": path,
    }
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return f"/hooks/ussd/{secret}", headers, fake_twilio.encoded(form)


def telegram_request(update: Mapping[str, object]) -> Body:
    """An update that Telegram brings."""
    headers = {
        "content-type": "application/json",
        "x-telegram-bot-api-secret-token": fake_telegram.SECRET,
    }
    return "/hooks/telegram", headers, json.dumps(update).encode()


def refold(library: Library) -> Refold:
    """Makes a session anew from its events with the content of a library."""

    def again(stored: Session, events: list[tuple[datetime, Event]]) -> Session:
        questionnaire = library.questionnaire(stored.version)
        first = begin(
            stored.id,
            questionnaire,
            channel=stored.context.get("channel") or stored.channel,
            language="en",
            now=events[0][0],
            context=stored.context,
        )
        lexicons = [library.lexicon(tag, stored.version) for tag in library.offered]
        return fold(questionnaire, first, events, lexicons)

    return again


class HandClock:
    """A clock that a test moves."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        # A little later at each look: ids and revisions stay in the order of what happened.
        self.at += timedelta(milliseconds=1)
        return self.at

    def moves(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True, kw_only=True)
class Live:
    """A running bot with both providers; `codes` are JOIN codes of its learners."""

    bot: Bot
    base: str
    client: httpx.AsyncClient
    twilio: FakeTwilio
    telegram: FakeTelegram
    clock: HandClock
    codes: list[str]
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def post(self, request: Body) -> httpx.Response:
        path, headers, body = request
        return await self.client.post(path, content=body, headers=headers)

    def sid(self) -> str:
        """A message id of Twilio's that was never used."""
        return f"SMe{next(self.numbers):031x}"

    async def says(self, sender: str, text: str, *, sid: str = "", **more: str) -> httpx.Response:
        """An SMS comes in, and everything it leads to goes out."""
        answer = await self.post(sms_request(self.base, sender, text, sid or self.sid(), **more))
        await self.bot.settle()
        return answer

    async def keys(self, number: str, session: str, path: str) -> str:
        """A step of a USSD session, and the screen in its answer."""
        answer = await self.post(ussd_request(number, session, path))
        assert answer.status_code == 200, answer.text
        await self.bot.settle()
        return answer.text

    async def writes(self, chat: str, text: str) -> httpx.Response:
        """A Telegram message comes in."""
        number = next(self.numbers)
        person = {"id": int(chat), "type": "private"}
        return await self._update(
            update_id=number, message={"message_id": number, "chat": person, "text": text}
        )

    async def taps(self, chat: str, token: str, *, update_id: int = 0) -> httpx.Response:
        """A button is tapped."""
        shown = {"message_id": 5, "chat": {"id": int(chat), "type": "private"}}
        number = update_id or next(self.numbers)
        query = {"id": f"q{number}", "data": token, "message": shown}
        return await self._update(update_id=number, callback_query=query)

    async def _update(self, **update: object) -> httpx.Response:
        answer = await self.post(telegram_request(update))
        await self.bot.settle()
        return answer

    def heard(self, sender: str) -> list[str]:
        """The texts an SMS number got."""
        return [form["Body"] for form in self.twilio.sent if form["To"] == sender]

    def chats(self, chat: str) -> list[str]:
        """The texts a Telegram chat got."""
        return [str(m["text"]) for m in self.telegram.sent if str(m["chat_id"]) == chat]

    async def later(self, seconds: float) -> None:
        """Time passes, every tick comes once, and what is due goes out."""
        self.clock.moves(seconds)
        await self.bot.clock.tick()
        await self.bot.settle()

    async def rows(self, statement: Select) -> list[Row]:
        """What the database holds."""
        return await self.bot.database.read(lambda c: list(c.execute(statement).all()))

    async def sent_rows(self, *, after: str = "") -> list[Row]:
        """The outbox in order."""
        return await self.rows(select(outbox).where(outbox.c.id > after).order_by(outbox.c.seq))

    async def problems(self, *, ticking: bool = False) -> list[str]:
        """Every invariant that does not hold."""
        return await self.bot.database.read(lambda c: self._problems(c, ticking=ticking))

    def problems_after(self, conn: Connection, faults: list[TextClause]) -> list[str]:
        """What would not hold after some statements, which are taken back."""
        conn.exec_driver_sql("pragma defer_foreign_keys=on")
        with conn.begin_nested() as step:
            for fault in faults:
                conn.execute(fault)
            found = self._problems(conn, ticking=True)
            step.rollback()
        return found

    def _problems(self, conn: Connection, *, ticking: bool) -> list[str]:
        world = self.bot.world
        return problems(
            conn,
            now=self.clock.at,
            rules=world.library.rules,
            vault=world.vault,
            refold=refold(world.library),
            ticking=ticking,
        )


@asynccontextmanager
async def serving(bot: Bot, sock: socket.socket) -> AsyncIterator[None]:
    """The bot's application on a socket, without its clock: tests tick by hand."""
    over = asyncio.Event()
    config = uvicorn.Config(application(bot), log_config=None, lifespan="off", access_log=False)
    server = LoopServer(config, over)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        over.set()
        server.force_exit = True
        await task


@asynccontextmanager
async def live(
    folder: Path,
    *,
    learners: int = 3,
    database: str = "",
    telegram_url: str = "",
    site_file: Path | None = None,
    ussd: bool = False,
) -> AsyncIterator[Live]:
    """A live bot at a Monday morning in a school term, with nobody enrolled; `ussd` as well."""
    clock = HandClock(datetime(2026, 2, 2, 9, 0, tzinfo=UTC))
    async with AsyncExitStack() as stack:
        # structlog's own way to print an exception walks through all of the library: minutes.
        stack.enter_context(capture_logs())
        twilio = await stack.enter_async_context(FakeTwilio())
        telegram = await stack.enter_async_context(FakeTelegram())
        twilio.now = clock.at
        sock = stack.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        base = f"http://127.0.0.1:{sock.getsockname()[1]}"
        env = environment(
            folder,
            base=base,
            twilio=twilio.url,
            telegram=telegram_url or telegram.url,
            database=database,
        )
        if ussd:
            env |= {"USSD_SECRET": USSD_SECRET, "USSD_SERVICE_CODE": USSD_CODE}
        bot = await start(live_settings(env, site_file=site_file), now=clock)
        stack.push_async_callback(bot.close)
        codes = await bot.database.write(
            lambda c: seed_school(c, bot.world.vault, clock(), learners=learners)
        )
        await stack.enter_async_context(serving(bot, sock))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=base))
        yield Live(
            bot=bot,
            base=base,
            client=client,
            twilio=twilio,
            telegram=telegram,
            clock=clock,
            codes=codes,
        )
