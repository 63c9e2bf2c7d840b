"""SMS and WhatsApp through Twilio."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal, Protocol

from bot.channels import twilio_forgetting, twilio_intake
from bot.channels.base import (
    Accepted,
    Channel,
    ChannelEvent,
    Destination,
    ForgetResult,
    Ignored,
    Lookup,
    Malformed,
    NotAuthentic,
    Refused,
    Retry,
    SendResult,
    Unknown,
    Unreachable,
    WebAnswer,
    WebRequest,
)
from bot.channels.sdk import Lost, NotSent
from bot.channels.text import as_text
from bot.channels.twilio_errors import failure
from flows.messages import LIMITS, ChannelName, Limits, Outbound

if TYPE_CHECKING:
    from bot.channels.sdk.twilio import Reply, TwilioApi

MESSAGES = "/hooks/twilio"
STATUS = f"{MESSAGES}/status/"
VOICE = f"{MESSAGES}/voice"

_WHATSAPP = "whatsapp:"
_QUICK_REPLIES = 3
_LIST_ROWS = 10
_MAX_VALID_S = 36_000
"""Twilio's longest ValidityPeriod, and its default, in seconds."""
_CLOCK_SLACK = timedelta(seconds=5)
"""How far Twilio's clock may lag behind ours (it gives whole seconds only)."""
_PAGE = "1000"
_MAX_PAGES = 5


class Settings(Protocol):
    """What the environment says about Twilio (DESIGN §4)."""

    twilio_account_sid: str
    twilio_auth_token: str
    twilio_auth_token_old: str
    twilio_sms_from: str
    twilio_whatsapp_from: str
    twilio_messaging_service_sid: str
    twilio_api_url: str
    public_base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings:
    """One Twilio account as we use it.

    Attributes:
        account_sid: The account.
        auth_token: Its primary token; it signs webhooks.
        auth_token_old: The token before, accepted while rotating, else empty.
        sms_from: Our SMS number, E.164, or empty.
        whatsapp_from: Our WhatsApp number, with or without `whatsapp:`, or empty.
        messaging_service_sid: The service that sends SMS instead of a number, or empty.
        api_url: Another base URL for Twilio's REST interface (tests), else empty.
        public_base_url: Where Twilio reaches us; webhook signatures cover it.
    """

    account_sid: str
    auth_token: str
    auth_token_old: str = ""
    sms_from: str = ""
    whatsapp_from: str = ""
    messaging_service_sid: str = ""
    api_url: str = ""
    public_base_url: str


def open_channel(settings: Settings, contents: Mapping[str, str]) -> Channel | None:
    """The channel, or None where the account or every sender is missing.

    Args:
        settings: The environment.
        contents: Content SIDs by key: `quick-2`, `list-5`, `template:<name>`.
    """
    senders = (
        settings.twilio_sms_from,
        settings.twilio_whatsapp_from,
        settings.twilio_messaging_service_sid,
    )
    if not (settings.twilio_account_sid and settings.twilio_auth_token and any(senders)):
        return None
    return Twilio(
        TwilioSettings(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            auth_token_old=settings.twilio_auth_token_old,
            sms_from=settings.twilio_sms_from,
            whatsapp_from=settings.twilio_whatsapp_from,
            messaging_service_sid=settings.twilio_messaging_service_sid,
            api_url=settings.twilio_api_url,
            public_base_url=settings.public_base_url,
        ),
        contents,
    )


class Twilio:
    """The Twilio account: SMS and WhatsApp, in and out.

    Args:
        settings: The account.
        contents: Content SIDs by key; what is missing is sent as numbered text.
        timeout_s: Longest wait for Twilio's answer to a send, in seconds.
    """

    paths: tuple[str, ...] = (MESSAGES, f"{STATUS}*", VOICE)

    def __init__(
        self, settings: TwilioSettings, contents: Mapping[str, str], *, timeout_s: float = 10.0
    ) -> None:
        self._settings = settings
        self._contents = contents
        self._timeout_s = timeout_s
        self._bases = twilio_intake.base_urls(settings.public_base_url)
        self._tokens = (settings.auth_token, settings.auth_token_old)
        self._api: TwilioApi | None = None
        names: list[ChannelName] = []
        if settings.sms_from or settings.messaging_service_sid:
            names.append("sms")
        if settings.whatsapp_from:
            names.append("whatsapp")
        self.names: tuple[ChannelName, ...] = tuple(names)

    def limits(self, channel: ChannelName) -> Limits:
        """What a message on `channel` can carry."""
        return LIMITS[channel]

    def parse(self, request: WebRequest) -> tuple[ChannelEvent, ...]:
        """Prove and understand a webhook: a message, a status callback or a call.

        Raises:
            NotAuthentic: The signature is missing or wrong.
            Malformed: The form is too large or lacks what it must have.
        """
        header = request.headers.get("x-twilio-signature", "")
        if not header:
            raise NotAuthentic("the request is not signed")
        pairs = twilio_intake.fields(request.body)
        urls = [base + request.path for base in self._bases]
        if not twilio_intake.is_authentic(urls, pairs, header, self._tokens):
            raise NotAuthentic("the signature does not fit")
        if request.path == VOICE and "sms" not in self.names:
            return (Ignored(kind="voice"),)  # nothing could be sent back
        return (_event(request.path, dict(pairs), request.received_at),)

    def answer(self, request: WebRequest) -> WebAnswer:
        """An empty reply: any text in it would be sent to the person, and billed."""
        if request.path.startswith(STATUS):
            return WebAnswer(status=204)
        inside = "<Response><Reject/></Response>" if request.path == VOICE else "<Response/>"
        return WebAnswer(status=200, body=inside.encode(), content_type="text/xml")

    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        """Hand one message over, once; `key` comes back in the path of its status callbacks."""
        form = self._form(message, to, key=key)
        if isinstance(form, Refused):
            return form
        api = self._open()
        try:
            reply = await api.post(api.account("Messages"), form=form)
        except NotSent as error:
            return Retry(reason=f"unreachable {error}")
        except Lost as error:
            return Unknown(reason=f"ambiguous {error}")
        return _outcome(reply)

    async def look_up(
        self,
        message: Outbound,
        to: Destination,
        *,
        since: datetime,
        key: str,  # noqa: ARG002 - the protocol's
    ) -> Lookup:
        """Look for the message among those Twilio has for this person since then.

        Twilio takes no id of ours, so the text decides; for a template, whose text Twilio holds,
        any message to the person in that time counts.
        """
        api = self._open()
        earliest = since.astimezone(UTC) - _CLOCK_SLACK
        path = api.account("Messages")
        params: Mapping[str, str] = {
            "To": _prefixed(to.channel, to.address),
            "DateSent>": earliest.date().isoformat(),
            "PageSize": _PAGE,
        }
        texts = None if _is_template(message, to) else {_folded(message.text)}
        if texts is not None:
            texts.add(_folded(as_text(message)))
        for _ in range(_MAX_PAGES):
            try:
                reply = await api.get(path, params=params)
            except (NotSent, Lost) as error:
                raise Unreachable(str(error)) from None
            listed = reply.body.get("messages")
            if not reply.ok or not isinstance(listed, list):
                raise Unreachable(f"HTTP {reply.status}")
            found = _find(listed, texts=texts, earliest=earliest)
            following = reply.body.get("next_page_uri")
            if found or not isinstance(following, str):
                return Lookup(known=True, provider_id=found)
            path, params = following.lstrip("/"), {}
        raise Unreachable("too many messages to tell")

    async def forget(
        self, provider_id: str, *, step: Literal["redact", "delete"], media: int
    ) -> ForgetResult:
        """Empty a message that Twilio keeps, or delete its record; attachments go either way."""
        return await twilio_forgetting.forget(self._open(), provider_id, step=step, media=media)

    async def close(self) -> None:
        """Release the connections; a later send opens new ones."""
        if self._api is not None:
            await self._api.close()
            self._api = None

    def _open(self) -> "TwilioApi":
        # Here and not in __init__: the SDK's client belongs to the running event loop.
        if self._api is None:
            from bot.channels.sdk.twilio import TwilioApi  # noqa: PLC0415 - loaded when needed

            self._api = TwilioApi(
                account_sid=self._settings.account_sid,
                auth_token=self._settings.auth_token,
                api_url=self._settings.api_url,
                timeout_s=self._timeout_s,
            )
        return self._api

    def _form(self, message: Outbound, to: Destination, *, key: str) -> dict[str, str] | Refused:
        form = self._sender(to)
        if not form:
            return Refused(reason="sender missing", scope="account")
        form["To"] = _prefixed(to.channel, to.address)
        if self._settings.public_base_url:
            form["StatusCallback"] = f"{self._bases[0]}{STATUS}{key}"
        if to.channel == "sms":
            if to.valid_s is not None:
                form["ValidityPeriod"] = str(min(max(to.valid_s, 1), _MAX_VALID_S))
            return {**form, "Body": as_text(message)}
        if not to.window_open:
            sid = self._contents.get(f"template:{message.template}")
            return {**form, "ContentSid": sid} if sid else Refused(reason="template missing")
        sid = self._contents.get(_content_key(message), "")
        if not sid:
            return {**form, "Body": as_text(message)}
        variables = json.dumps(_variables(message), ensure_ascii=False)
        return {**form, "ContentSid": sid, "ContentVariables": variables}

    def _sender(self, to: Destination) -> dict[str, str]:
        """The account a person wrote to answers her; the configured sender starts."""
        if to.channel == "sms" and self._settings.messaging_service_sid:
            return {"MessagingServiceSid": self._settings.messaging_service_sid}
        own = {"sms": self._settings.sms_from, "whatsapp": self._settings.whatsapp_from}
        number = to.account or own.get(to.channel, "")
        return {"From": _prefixed(to.channel, number)} if number else {}


def _event(path: str, form: Mapping[str, str], received_at: datetime) -> ChannelEvent:
    if path == VOICE:
        return twilio_intake.call(form, received_at=received_at)
    if path.startswith(STATUS):
        outbox_id = path.removeprefix(STATUS)
        if not outbox_id or "/" in outbox_id:
            raise Malformed("the path names no message of ours")
        return twilio_intake.status(form, outbox_id=outbox_id, received_at=received_at)
    if path != MESSAGES:
        raise Malformed("no such webhook")
    if "MessageStatus" in form:
        # A Messaging Service's own callback URL may point here: no path id, the rest is the same.
        return twilio_intake.status(form, outbox_id="", received_at=received_at)
    return twilio_intake.message(form, received_at=received_at)


def _prefixed(channel: ChannelName, number: str) -> str:
    bare = number.removeprefix(_WHATSAPP)
    return _WHATSAPP + bare if channel == "whatsapp" else bare


def _is_template(message: Outbound, to: Destination) -> bool:
    return to.channel == "whatsapp" and not to.window_open and bool(message.template)


def _content_key(message: Outbound) -> str:
    """Which generic content shows the buttons; empty where none can."""
    count = len(message.buttons)
    if message.menu:
        return f"list-{count}" if 1 <= count <= _LIST_ROWS else ""
    return f"quick-{count}" if 1 <= count <= _QUICK_REPLIES else ""


def _variables(message: Outbound) -> dict[str, str]:
    """Text, the list's label if it is one, then title and token of each button: 1, 2, 3, ..."""
    values = [message.text]
    if message.menu:
        values.append(message.menu)
    for button in message.buttons:
        values += (button.title, button.token)
    return {str(number): value for number, value in enumerate(values, 1)}


def _outcome(reply: "Reply") -> SendResult:
    sid = reply.body.get("sid")
    if reply.ok and isinstance(sid, str) and sid:
        return Accepted(provider_id=sid)
    code = reply.body.get("code")
    return failure(
        reply.status, code if isinstance(code, int) else None, after_s=reply.retry_after_s
    )


def _find(messages: Sequence[object], *, texts: set[str] | None, earliest: datetime) -> str:
    """The id of the first listed message that is the one we ask for, else empty."""
    for entry in messages:
        if not isinstance(entry, dict):
            continue
        outbound = str(entry.get("direction", "")).startswith("outbound")
        fits = texts is None or _folded(str(entry.get("body", ""))) in texts
        if outbound and fits and _created(entry.get("date_created")) >= earliest:
            return str(entry.get("sid", ""))
    return ""


def _created(date: object) -> datetime:
    """The resource's RFC 2822 date; an unreadable one is taken as old, so it matches nothing."""
    try:
        found = parsedate_to_datetime(str(date))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _folded(text: str) -> str:
    return " ".join(text.split())
