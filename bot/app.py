"""One place wires everything: database, content, channels, turns, delivery, clock, pages."""

import importlib
import os
import pkgutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute

from bot import channels as channel_folder
from bot.care import glass, signing
from bot.channels.base import Channel
from bot.channels.simulator import Simulator
from bot.clock import Clock
from bot.content.entries import SOURCE_LANGUAGE
from bot.content.library import Library, load
from bot.content.publishing import publish
from bot.dashboard.guard import SafeHeaders
from bot.dashboard.page import Deps
from bot.dashboard.routes import routes as dashboard_routes
from bot.demo import routes as demo_routes
from bot.demo_phones import Phones
from bot.demo_school import is_demo_school, seed
from bot.dialogs import Dialogs
from bot.health import routes as health_routes
from bot.hooks import App, Hooks
from bot.keyring.vaults import open_vault
from bot.launch import always_open, gate
from bot.policy import check_policy
from bot.rights.export import sweep as clear_exports
from bot.sending.delivery import ASK_AFTER, Delivery
from bot.sending.redaction import Redactor
from bot.settings import DEMO_DATABASE, Settings, SettingsError, problems_of
from bot.site import Site, read_site
from bot.trail.auditing import Keeper, head_keys
from bot.turns import gate as consent_gate
from bot.turns import permitted, staff
from bot.turns.queue import TurnQueue
from bot.turns.world import World
from flows.consent import ASKED
from flows.messages import ChannelName
from storage.database import Database
from storage.ids import new_code, new_id
from storage.keyring.binding import bind
from storage.migrate import upgrade
from storage.talk.content import content_sids
from storage.talk.outbox import LEASE, recover

DEMO_ACCOUNTS: Mapping[ChannelName, str] = {
    "sms": "+27000000000",
    "whatsapp": "+27000000000",
    "telegram": "1000",
    "ussd": "*120*1000#",
}

log = structlog.get_logger(__name__)


def now() -> datetime:
    """The only clock of the shell, in milliseconds as the database keeps them.

    Anything finer would be lost there: a session would not be the fold of its stored events.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def accounts_of(settings: Settings) -> dict[ChannelName, str]:
    """Our own account by channel that is set up."""
    if settings.is_demo:
        return dict(DEMO_ACCOUNTS)
    found: dict[ChannelName, str] = {}
    if settings.twilio_sms_from:
        found["sms"] = settings.twilio_sms_from
    if settings.twilio_whatsapp_from:
        found["whatsapp"] = settings.twilio_whatsapp_from.removeprefix("whatsapp:")
    if settings.telegram_bot_token:
        found["telegram"] = settings.telegram_bot_token.split(":")[0]
    if settings.ussd_secret:
        found["ussd"] = settings.ussd_service_code
    return found


def site_of(settings: Settings) -> Site:
    """The site's decisions. Raises SettingsError naming every problem."""
    site, problems = read_site(settings.site_file)
    if site is None:
        raise SettingsError(problems)
    return site


def open_channels(settings: Settings, contents: Mapping[str, str]) -> list[Channel]:
    """Every channel of the folder whose settings are there."""
    found = []
    for module in pkgutil.iter_modules(channel_folder.__path__):
        opened = importlib.import_module(f"bot.channels.{module.name}")
        open_channel = getattr(opened, "open_channel", None)
        channel = open_channel(settings, contents) if open_channel else None
        if channel is not None:
            found.append(channel)
    return found


def make_world(settings: Settings, site: Site, library: Library) -> World:
    """What turns know; made once."""
    return World(
        library=library,
        site=site,
        vault=open_vault(settings),
        zone=ZoneInfo(settings.timezone),
        accounts=accounts_of(settings),
        base_url=settings.base_url,
        mark_drafts=settings.is_demo,
        gate=always_open if settings.is_demo else gate,
        new_id=new_id,
        new_code=new_code,
    )


@dataclass(slots=True, kw_only=True)
class Bot:
    """A bot that is wired: what `run` serves and tests drive."""

    settings: Settings
    database: Database
    world: World
    channels: Sequence[Channel]
    queue: TurnQueue
    delivery: Delivery
    clock: Clock
    dialogs: Dialogs
    now: Callable[[], datetime] = now
    phones: Phones | None = None
    routes: list[BaseRoute] = field(default_factory=list)

    async def settle(self) -> None:
        """Wait until everything that can be done now is done."""
        for _ in range(4):
            await self.queue.drain()
            await self.delivery.drain()

    async def close(self) -> None:
        """Stop the clock, finish sends, release everything."""
        self.clock.stop()
        await self.settle()
        for channel in self.channels:
            await channel.close()
        await self.database.close()
        self.world.vault.close()


async def start(settings: Settings, *, now: Callable[[], datetime] = now) -> Bot:
    """Wire a bot from its settings.

    Args:
        settings: The environment, checked here.
        now: The clock everything goes by.

    Raises:
        SettingsError: Settings or site forbid the start; every problem is named.
        LibraryError: The content has structural faults.
        StorageError: The database cannot be opened.
    """
    problems = problems_of(settings)
    if problems:
        raise SettingsError(problems)
    site = site_of(settings)
    library = load(languages=site.languages, rules=site.rules, drafts=settings.is_demo)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if settings.is_demo:
        _fresh_demo(settings)
    upgrade(settings.url)
    database = Database.open(settings.url)
    if not settings.is_demo and await database.read(is_demo_school):
        await database.close()
        raise SettingsError((DEMO_DATABASE,))
    world = make_world(settings, site, library)
    await database.write(lambda c: bind(c, world.vault, now=now()))
    world.hours(now())  # the library of holidays loads slowly: not while somebody waits
    await database.write(lambda c: publish(c, library, now=now()))
    if database.dialect == "sqlite":
        # The file is ours alone, so whoever held a lease is gone: no need to wait for its end.
        started = now()
        await database.write(lambda c: recover(c, now=started + LEASE, ask_at=started + ASK_AFTER))
    contents = await database.read(content_sids)
    phones = Phones(now, DEMO_ACCOUNTS) if settings.is_demo else None
    opened: list[Channel] = [Simulator(phones.deliver)] if phones else []
    opened += [] if phones else open_channels(settings, contents)
    queue = TurnQueue(database, world, clock=now, me=f"{socket.gethostname()}:{os.getpid()}"[:64])
    delivery = Delivery(queue, {n: c for c in opened for n in c.names}, clock=now)
    queue.attach(delivery)
    redactor = Redactor(
        database=database,
        vault=world.vault,
        channels=opened,
        providers=site.providers,
        now=now,
    )
    keeper = Keeper(
        database=database, key=head_keys(settings)[0], path=settings.audit_heads, now=now
    )
    bot = Bot(
        dialogs=Dialogs(database, queue, clock=now),
        settings=settings,
        database=database,
        world=world,
        channels=opened,
        queue=queue,
        delivery=delivery,
        clock=Clock(
            database,
            world,
            queue,
            now,
            more={
                "redaction": (10, redactor.tick),
                "audit": (30, keeper.tick),
                "exports": (
                    300,
                    partial(clear_exports, database, settings.data_dir / "exports", now),
                ),
            },
        ),
        now=now,
        phones=phones,
    )
    check_policy(world.policy, "chat", (*staff.VERBS, *permitted.VERBS))
    check_policy(world.policy, "jobs", ((name, "run") for name in bot.clock.ticks))
    bot.routes = await _routes(bot)
    return bot


async def _routes(bot: Bot) -> list[BaseRoute]:
    settings, world, now = bot.settings, bot.world, bot.now
    made: list[BaseRoute] = [
        *health_routes(bot.database, settings.metrics_token),
        *dashboard_routes(
            Deps(
                database=bot.database,
                vault=world.vault,
                secret_key=settings.secret,
                now=now,
                public_base_url=settings.base_url,
                ask=lambda c, person, login, at: signing.ask(c, person, login, at, world=world),
                tell_glass=lambda c, opening, at: glass.tell(c, world, opening, at),
                gate=lambda c, at: world.gate(c, world, at),
                world=world,
                exports=settings.data_dir / "exports",
                timezone=world.zone,
                describe=describe(world.library),
                help_phone=world.site.help_phone,
                demo=settings.is_demo,
            )
        ),
    ]
    if bot.phones is not None:
        version, words = world.library.current["enrolment"], consent_gate.words(world)
        guide = await bot.database.write(
            lambda c: seed(
                c,
                world.vault,
                now(),
                accounts=DEMO_ACCOUNTS,
                text_version=version,
                texts={p: words.current[SOURCE_LANGUAGE, p] for p in ASKED},
                partners=words.partners,
            )
        )
        made += demo_routes(
            bot.phones,
            bot.queue.submit,
            bot.settle,
            dial=bot.dialogs.answer,
            guide=guide,
            now=now,
        )
    return made


def describe(library: Library) -> Callable[[str, str], tuple[str, str]]:
    """English words for an item's address and a code, for the page that explains a flag."""
    texts = library.lexicons[SOURCE_LANGUAGE].texts

    def words(item: str, code: str) -> tuple[str, str]:
        form_id, _, name = item.partition("/")
        label = texts.get(f"{item}:label", name)
        version = library.current.get(form_id)
        if version is None or name not in library.questionnaire(version).index:
            return label, code
        list_name = library.questionnaire(version)[name].list_name
        return label, texts.get(f"{form_id}/{list_name}/{code}:label", code)

    return words


def application(bot: Bot) -> App:
    """The ASGI application around a wired bot: webhooks in front, pages behind."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        bot.clock.start()
        bot.queue.poke()
        log.info("ready", demo=bot.settings.is_demo, channels=len(bot.channels))
        yield
        await bot.close()

    guards: list[Middleware] = []
    if bot.settings.is_demo:
        # The demo shows a password: a page elsewhere must not reach it by a name of its own.
        guards.append(Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]))
    inner = Starlette(routes=bot.routes, lifespan=lifespan, middleware=guards)
    hooks: App = Hooks(inner, bot.channels, bot.queue, clock=bot.now, dialogs=bot.dialogs)
    # Around everything: an error page, a wrong method and a webhook get the headers as well.
    return SafeHeaders(hooks, https=bot.settings.base_url.startswith("https:"))


def _fresh_demo(settings: Settings) -> None:
    """The phones' memory ends with the process, so the demo's school begins anew with it."""
    files = [
        f"{name}{part}" for name in ("demo.db", "demo-keys.db") for part in ("", "-wal", "-shm")
    ]
    for file in (*files, "demo-audit-heads.txt"):
        (settings.data_dir / file).unlink(missing_ok=True)
