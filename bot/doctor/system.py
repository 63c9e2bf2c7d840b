"""The machine room: what must hold in the database, room on the disk, the providers."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select
from telegram.error import TelegramError

from bot.channels import telegram, twilio
from bot.channels.sdk import Lost, NotSent
from bot.channels.sdk.telegram import TelegramApi
from bot.channels.sdk.twilio import TwilioApi
from bot.content.library import Library
from bot.content.publishing import adopt
from bot.doctor.base import Ctx, Verdict, ok, red, warn
from flows.engine import begin, fold
from flows.sessions import Event, Session
from storage.invariants import Refold, problems
from storage.schema import inbox, outbox
from storage.talk.content import published

MIB = 1024 * 1024
RED_FREE, LOW_FREE = 256 * MIB, 2048 * MIB
TIMEOUT_S = 15.0
MOST_SAID = 20
AGE = timedelta(minutes=10)


def checks(ctx: Ctx) -> list[Verdict]:
    """The ordinary checks, and the providers where `--online` was told."""
    free = shutil.disk_usage(ctx.settings.data_dir).free
    found = [*_invariants(ctx), room(free), *_stuck(ctx)]
    return [*found, *asyncio.run(_providers(ctx))] if ctx.online else found


def refold(library: Library) -> Refold:
    """Makes a session anew from its events with the content of a library."""

    def again(stored: Session, events: Sequence[tuple[datetime, Event]]) -> Session:
        questionnaire = library.questionnaire(stored.version)
        first = begin(
            stored.id,
            questionnaire,
            channel=stored.context.get("channel") or stored.channel,  # type: ignore[arg-type]
            language="en",
            now=events[0][0],
            context=stored.context,
        )
        lexicons = [library.lexicon(tag, stored.version) for tag in library.offered]
        return fold(questionnaire, first, events, lexicons)

    return again


def _invariants(ctx: Ctx) -> list[Verdict]:
    def look(conn: Connection) -> list[str]:
        for version in published(conn):
            adopt(conn, ctx.library, version)
        return problems(
            conn,
            now=ctx.now,
            rules=ctx.library.rules,
            vault=ctx.vault,
            refold=refold(ctx.library),
            ticking=False,
        )

    found = ctx.read(look)
    if not found:
        return [ok("invariants", "Everything stored fits together.")]
    shown = " ".join(found[:MOST_SAID])
    more = f" And {len(found) - MOST_SAID} more." if len(found) > MOST_SAID else ""
    return [red("invariants", f"{shown}{more}", "Back up first, then report these lines.")]


def room(free: int) -> Verdict:
    """The verdict on so many free bytes."""
    said = f"{free // MIB} MiB are free where DATA_DIR is."
    if free < RED_FREE:
        return red("disk", said, "Make room now: without it messages are refused.")
    if free < LOW_FREE:
        return warn("disk", said, "Make room before it is needed.")
    return ok("disk", said)


def _stuck(ctx: Ctx) -> list[Verdict]:
    """Messages whose handling failed, and messages that are due and do not leave."""

    def count(conn: Connection) -> tuple[int, int, int]:
        waiting = select(func.count()).select_from(inbox).where(inbox.c.status == "waiting")
        dead = select(func.count()).select_from(outbox).where(outbox.c.state == "dead")
        old = (
            select(func.count())
            .select_from(outbox)
            .where(outbox.c.state == "queued", outbox.c.not_before < ctx.now - AGE)
        )
        return tuple(conn.execute(one).scalar_one() for one in (waiting, dead, old))  # type: ignore[return-value]

    waiting, dead, old = ctx.read(count)
    found = []
    if waiting:
        said = f"{waiting} received messages could not be handled yet."
        found.append(warn("inbox", said, "They are tried again; look at the log of that time."))
    if dead:
        found.append(warn("dead letters", f"{dead} messages were given up.", "See the tasks."))
    if old:
        said = f"{old} messages are due for more than ten minutes."
        found.append(warn("outbox", said, "Is the bot running, and the provider reachable?"))
    return found or [ok("messages", "Nothing waits, nothing was given up.")]


async def _providers(ctx: Ctx) -> list[Verdict]:
    found = []
    if ctx.settings.telegram_bot_token:
        found.append(await _telegram(ctx))
    if ctx.settings.twilio_account_sid:
        found.append(await _twilio(ctx))
    return found


async def _telegram(ctx: Ctx) -> Verdict:
    settings, name = ctx.settings, "telegram"
    api = TelegramApi(
        token=settings.telegram_bot_token,
        api_url=settings.telegram_api_url,
        timeout_s=TIMEOUT_S,
    )
    try:
        me = await api.bot.get_me()
        hook = await api.bot.get_webhook_info()
    except TelegramError as error:
        # The class only: the message of a failed connection may hold the URL with the token.
        said = f"It does not answer us ({type(error).__name__})."
        return red(name, said, "Check TELEGRAM_BOT_TOKEN and the network.")
    finally:
        await api.close()
    wanted = settings.public_base_url.rstrip("/") + telegram.PATH
    if hook.url != wanted:
        return red(name, f"@{me.username} sends its messages elsewhere.", "main.py webhooks set")
    if hook.last_error_date is not None and ctx.now - hook.last_error_date < timedelta(hours=1):
        said = f"It could not reach us {hook.last_error_date:%H:%M} UTC."
        return warn(name, said, "Is PUBLIC_BASE_URL reachable from outside?")
    return ok(name, f"@{me.username} answers and sends its messages here.")


async def _twilio(ctx: Ctx) -> Verdict:
    settings, name = ctx.settings, "twilio"
    api = TwilioApi(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        api_url=settings.twilio_api_url,
        timeout_s=TIMEOUT_S,
    )
    number = settings.twilio_sms_from
    asked = {"PhoneNumber": number} if number else {"PageSize": "1"}
    try:
        reply = await api.get(api.account("IncomingPhoneNumbers"), params=asked)
    except (NotSent, Lost) as error:
        return red(name, f"It cannot be reached ({type(error).__name__}).", "Check the network.")
    finally:
        await api.close()
    if not reply.ok:
        said = f"It refuses us with status {reply.status}."
        return red(name, said, "Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.")
    if number and not _comes_here(reply.body, settings.public_base_url.rstrip("/")):
        return red(name, "TWILIO_SMS_FROM does not send its messages here.", "main.py webhooks set")
    return ok(name, "It answers us and sends its messages here.")


def _comes_here(body: Mapping[str, object], base: str) -> bool:
    """Whether a listed number's webhook is ours; what follows the path is Twilio's own."""
    listed = body.get("incoming_phone_numbers")
    urls = [entry.get("sms_url") for entry in listed] if isinstance(listed, list) else []
    return any(str(url).partition("#")[0] == base + twilio.MESSAGES for url in urls)
