"""What `main.py webhooks set` does: tell the providers where we are, and make what we send.

Every step reads before it writes, so that running it again changes nothing and says so. What no
interface can do is printed as a step to do by hand.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from telegram import Bot, BotCommand
from telegram.error import TelegramError

from bot.channels import telegram, twilio
from bot.channels.sdk import Lost, NotSent
from bot.channels.sdk.telegram import TelegramApi
from bot.channels.sdk.twilio import Host, Reply, TwilioApi

_TIMEOUT_S = 30.0
_QUICK_REPLIES = 3
_LIST_ROWS = 10
_MAX_PAGES = 20
_PAGE = "500"
_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
_CONNECTIONS = 40
_ISO_639_1 = 2
_OVERRIDES = "#rc=3&rp=ct,rt,5xx&rt=5000"
"""Ask Twilio to try again after a failure, which it does not by itself; not part of the signature.

Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
"""


class Settings(telegram.Settings, twilio.Settings, Protocol):
    """What the environment says about both providers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the report; `ok` is False where somebody has to look into it."""

    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """A provider's resource and the values it shall have: field as read → (as written, value)."""

    name: str
    path: str
    host: Host
    wanted: Mapping[str, tuple[str, str]]


Store = Callable[[Mapping[str, str]], Awaitable[None]]
"""Keeps content SIDs by key (`quick-2`, `list-5`)."""


async def set_webhooks(
    settings: Settings,
    *,
    commands: Mapping[str, Mapping[str, str]],
    store: Store,
    templates: Iterable[str] = (),
    name: Callable[[str], Awaitable[None]] | None = None,
) -> tuple[Step, ...]:
    """Set both providers' webhooks, the bot's commands and WhatsApp's generic contents.

    Args:
        settings: The environment; a provider that is not configured is passed over.
        commands: Language tag (empty for everybody else) → command → what it does.
        store: Called once with every content's SID by key.
        templates: Names of the WhatsApp templates the site uses; WhatsApp approves them, so they
            are made by hand and only looked up here.
        name: Called with the Telegram bot's user name, which printed slips lead to.

    Returns:
        The report, in the order things were done.
    """
    report: list[Step] = []
    if settings.telegram_bot_token and settings.telegram_webhook_secret:
        report += await _telegram(settings, commands, name)
    else:
        report.append(Step(text="Telegram: not configured, nothing to do."))
    if settings.twilio_account_sid and settings.twilio_auth_token:
        report += await _twilio(settings, store, sorted(set(templates)))
    else:
        report.append(Step(text="Twilio: not configured, nothing to do."))
    return tuple(report)


def contents() -> dict[str, dict[str, object]]:
    """The generic contents by key, as the Content API takes them: every field is a variable.

    One a number of choices serves every question in every language: 1 is the text, in a list 2 is
    the label that opens it, then come title and token of each choice in turn.
    """
    found: dict[str, dict[str, object]] = {}
    for count in range(1, _QUICK_REPLIES + 1):
        actions = [
            {"type": "QUICK_REPLY", "title": _variable(2 * n), "id": _variable(2 * n + 1)}
            for n in range(1, count + 1)
        ]
        body: dict[str, object] = {"body": _variable(1), "actions": actions}
        found[f"quick-{count}"] = _content("quick", count, "twilio/quick-reply", body, first=2)
    for count in range(1, _LIST_ROWS + 1):
        items = [
            {"item": _variable(2 * n + 1), "id": _variable(2 * n + 2)} for n in range(1, count + 1)
        ]
        body = {"body": _variable(1), "button": _variable(2), "items": items}
        found[f"list-{count}"] = _content("list", count, "twilio/list-picker", body, first=3)
    return found


def _variable(number: int) -> str:
    return "{{" + str(number) + "}}"


def _content(
    word: str, count: int, kind: str, body: dict[str, object], *, first: int
) -> dict[str, object]:
    samples = {"1": "Text", "2": "Choose"} if first > 2 else {"1": "Text"}  # noqa: PLR2004
    for n in range(count):
        samples |= {str(first + 2 * n): f"Choice {n + 1}", str(first + 2 * n + 1): f"c{n + 1}"}
    return {
        "friendly_name": f"cwb_{word}_{count}",
        "language": "en",
        "variables": samples,
        "types": {kind: body},
    }


async def _telegram(
    settings: Settings,
    commands: Mapping[str, Mapping[str, str]],
    name: Callable[[str], Awaitable[None]] | None,
) -> list[Step]:
    api = TelegramApi(
        token=settings.telegram_bot_token,
        api_url=settings.telegram_api_url,
        timeout_s=_TIMEOUT_S,
    )
    url = settings.public_base_url.rstrip("/") + telegram.PATH
    report: list[Step] = []
    try:
        await api.bot.set_webhook(
            url,
            secret_token=settings.telegram_webhook_secret,
            allowed_updates=_UPDATES,
            max_connections=_CONNECTIONS,
        )
        report.append(Step(text=f"Telegram: webhook set to {url}"))
        for tag, words in commands.items():
            report.append(await _commands(api.bot, tag, words))
        if name is not None:
            await name((await api.bot.get_me()).username or "")
    except TelegramError as error:
        # The class only: the message of a failed connection may hold the URL with the token.
        report.append(Step(text=f"Telegram: refused ({type(error).__name__}).", ok=False))
    finally:
        await api.close()
    return report


async def _commands(bot: Bot, tag: str, words: Mapping[str, str]) -> Step:
    language = tag.replace("_", "-").partition("-")[0]
    if language and len(language) != _ISO_639_1:
        return Step(text=f"Telegram: no command menu in '{tag}', it takes two-letter codes only.")
    listed = [BotCommand(command, description) for command, description in words.items()]
    await bot.set_my_commands(listed, language_code=language or None)
    return Step(text=f"Telegram: {len(listed)} commands set for '{tag or 'all others'}'.")


async def _twilio(settings: Settings, store: Store, templates: Sequence[str]) -> list[Step]:
    api = TwilioApi(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        api_url=settings.twilio_api_url,
        timeout_s=_TIMEOUT_S,
    )
    messages = settings.public_base_url.rstrip("/") + twilio.MESSAGES + _OVERRIDES
    voice = settings.public_base_url.rstrip("/") + twilio.VOICE
    report: list[Step] = []
    try:
        if settings.twilio_sms_from:
            report.append(await _number(api, settings.twilio_sms_from, messages, voice))
        if settings.twilio_messaging_service_sid:
            service = _service(settings.twilio_messaging_service_sid, messages)
            report.append(await _set(api, service))
        if settings.twilio_whatsapp_from:
            report += await _make_contents(api, store, templates)
            report.append(
                Step(
                    text="Twilio: by hand, in the console under WhatsApp senders, set 'Webhook URL "
                    f"for incoming messages' of {settings.twilio_whatsapp_from} to {messages} "
                    "with method POST."
                )
            )
    except (NotSent, Lost) as error:
        report.append(Step(text=f"Twilio: no answer ({error}).", ok=False))
    finally:
        await api.close()
    return report


async def _number(api: TwilioApi, number: str, messages: str, voice: str) -> Step:
    reply = await api.get(api.account("IncomingPhoneNumbers"), params={"PhoneNumber": number})
    if not reply.ok:
        return _refused(f"number {number}", reply)
    # Their filter is a pattern: only the exact number is ours.
    sid = _listed(reply, "incoming_phone_numbers", name="phone_number").get(number, "")
    if not sid:
        return Step(text=f"Twilio: this account has no number {number}.", ok=False)
    wanted = {
        "sms_url": ("SmsUrl", messages),
        "sms_method": ("SmsMethod", "POST"),
        "voice_url": ("VoiceUrl", voice),
        "voice_method": ("VoiceMethod", "POST"),
    }
    path = api.account(f"IncomingPhoneNumbers/{sid}")
    return await _set(api, _Setting(name=f"number {number}", path=path, host="api", wanted=wanted))


def _service(sid: str, messages: str) -> _Setting:
    return _Setting(
        name=f"messaging service {sid}",
        path=f"v1/Services/{sid}",
        host="messaging",
        wanted={
            "inbound_request_url": ("InboundRequestUrl", messages),
            "inbound_method": ("InboundMethod", "POST"),
            # A reply has to come from the number the person knows.
            "sticky_sender": ("StickySender", "true"),
            "use_inbound_webhook_on_number": ("UseInboundWebhookOnNumber", "false"),
        },
    )


async def _set(api: TwilioApi, setting: _Setting) -> Step:
    """Write what differs from what is there."""
    before = await api.get(setting.path, host=setting.host)
    if not before.ok:
        return _refused(setting.name, before)
    form = {
        written: value
        for read, (written, value) in setting.wanted.items()
        if _plain(before.body.get(read)) != value
    }
    if not form:
        return Step(text=f"Twilio: {setting.name} is set already.")
    after = await api.post(setting.path, host=setting.host, form=form)
    if not after.ok:
        return _refused(setting.name, after)
    return Step(text=f"Twilio: {setting.name}: {', '.join(form)} set.")


async def _make_contents(api: TwilioApi, store: Store, templates: Sequence[str]) -> list[Step]:
    there: dict[str, str] = {}
    path, params = "v1/Content", {"PageSize": _PAGE}
    for _ in range(_MAX_PAGES):
        page = await api.get(path, host="content", params=params)
        if not page.ok:
            return [_refused("contents", page)]
        there |= _listed(page, "contents", name="friendly_name")
        meta = page.body.get("meta")
        following = meta.get("next_page_url") if isinstance(meta, dict) else None
        if not isinstance(following, str):
            break
        # Its host is Twilio's own, whatever address we were told to use: only the rest counts.
        parts = urlsplit(following)
        path, params = f"{parts.path.lstrip('/')}?{parts.query}", {}
    sids: dict[str, str] = {}
    for key, document in contents().items():
        name = str(document["friendly_name"])
        if name in there:
            sids[key] = there[name]
            continue
        made = await api.post("v1/Content", host="content", document=document)
        if not made.ok:
            return [_refused(f"content {name}", made)]
        sids[key] = str(made.body.get("sid", ""))
    new = sum(sid not in there.values() for sid in sids.values())
    report = [Step(text=f"Twilio: {len(sids)} WhatsApp contents, {new} of them made now.")]
    await store(sids | {f"template:{name}": there[name] for name in templates if name in there})
    return report + [_template(name, found=name in there) for name in templates]


def _template(name: str, *, found: bool) -> Step:
    if found:
        return Step(text=f"Twilio: template {name} found.")
    return Step(
        text=f"Twilio: by hand, make the template {name} in the console, have WhatsApp approve it, "
        "run this again. Until then what needs it does not go out on WhatsApp."
    )


def _listed(reply: Reply, key: str, *, name: str) -> dict[str, str]:
    """The SID of each resource in a list, by its field `name`."""
    found = reply.body.get(key)
    entries: list[object] = found if isinstance(found, list) else []
    return {
        str(entry.get(name, "")): str(entry.get("sid", ""))
        for entry in entries
        if isinstance(entry, dict)
    }


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value or "")


def _refused(what: str, reply: Reply) -> Step:
    code = reply.body.get("code", reply.status)
    return Step(
        text=f"Twilio: {what} refused with {code}, see twilio.com/docs/api/errors.", ok=False
    )
