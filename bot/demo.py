"""The demo page: three simulated phones side by side, to play a whole story without a provider.

What a person types or taps here becomes an `Inbound` like any other; what the bot says comes back
through the simulator channel. The page needs no script; with its own small one it updates itself.
The logs are in memory and end with the process.
"""

import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

import pyotp
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.channels.base import Destination
from bot.dashboard.guard import SafeHeaders, from_our_pages
from bot.dashboard.looks import templates
from bot.dashboard.routes import static_url
from flows.messages import Button, ChannelName, Inbound, Outbound
from flows.sms import segments

PhoneName = Literal["caregiver", "teacher", "coordinator"]
LINES = 200
"""Messages a phone remembers."""
SMS_CHARS = 160
CHAT_CHARS = 1600
REFRESH_S = 20
_FILES = {"style": "style.css", "look": "demo.css", "script": "demo.js"}
DEMO_ZONE = ZoneInfo("Africa/Johannesburg")

Submit = Callable[[Inbound], Awaitable[None]]
Settle = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One of the three phones.

    Attributes:
        name: Its name in addresses of the page.
        title: Whose it is.
        about: What kind of phone it is.
        channel: The channel it plays.
        address: The number or id it writes from; none is anybody's.
        most: Characters one message can have.
    """

    name: PhoneName
    title: str
    about: str
    channel: ChannelName
    address: str
    most: int


PHONES: tuple[Phone, ...] = (
    Phone(
        name="caregiver",
        title="Caregiver",
        about="Basic phone, SMS",
        channel="sms",
        address="+27000000017",
        most=SMS_CHARS,
    ),
    Phone(
        name="teacher",
        title="Teacher",
        about="WhatsApp",
        channel="whatsapp",
        address="+27000000101",
        most=CHAT_CHARS,
    ),
    Phone(
        name="coordinator",
        title="Coordinator",
        about="Telegram",
        channel="telegram",
        address="700000001",
        most=CHAT_CHARS,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """What the page tells whoever tries the demo; nothing of it opens anything outside the demo.

    Attributes:
        school: The invented school.
        learner: The list number of the child the caregiver joins for.
        join_code: What she sends after JOIN.
        login: A login of the dashboard.
        password: Its password.
        totp_secret: The secret of its authenticator: the page shows the code of the moment.
    """

    school: str
    learner: int
    join_code: str
    login: str
    password: str
    totp_secret: str


@dataclass(slots=True, kw_only=True)
class Bubble:
    """One message on a phone.

    Attributes:
        key: The provider id it would have.
        mine: Whether the phone's owner sent it.
        parts: SMS it takes; 0 on channels that do not count.
    """

    key: str
    mine: bool
    text: str
    at: datetime
    parts: int
    buttons: tuple[Button, ...] = ()
    menu: str = ""


@dataclass(slots=True)
class Log:
    """What a phone shows, and since which change of the page."""

    bubbles: deque[Bubble] = field(default_factory=lambda: deque(maxlen=LINES))
    changed: int = 0
    sent: int = 0
    got: int = 0


class Phones:
    """The three phones' logs.

    Args:
        now: The clock.
        accounts: Our own account by channel, as the turns know it.
    """

    def __init__(self, now: Callable[[], datetime], accounts: Mapping[ChannelName, str]) -> None:
        self._now = now
        self._accounts = accounts
        self._logs: dict[PhoneName, Log] = {phone.name: Log() for phone in PHONES}
        self.version = 0

    async def deliver(self, message: Outbound, to: Destination, key: str) -> None:
        """Show a message, as the simulator channel hands it over.

        Addresses without a phone on the page (the other families of the demo) show nothing. The
        same key is shown once.
        """
        phone = next(
            (p for p in PHONES if (p.channel, p.address) == (to.channel, to.address)), None
        )
        if phone is None:
            return
        log = self._logs[phone.name]
        name = f"sim-{key}"
        if message.strip:
            for bubble in log.bubbles:
                if bubble.key == message.strip:
                    bubble.buttons = ()
        if (message.text or message.buttons) and all(b.key != name for b in log.bubbles):
            parts = _parts(phone, message.text)
            log.got += parts
            log.bubbles.append(
                Bubble(
                    key=name,
                    mine=False,
                    text=message.text,
                    at=self._now(),
                    parts=parts,
                    buttons=message.buttons,
                    menu=message.menu,
                )
            )
        self._touch(log)

    def typed(self, phone: Phone, text: str) -> Inbound:
        """A message typed on a phone: shown there, and as the channel would hand it over."""
        return self._inbound(phone, text=text, shown=text)

    def tapped(self, phone: Phone, token: str, shown_in: str) -> Inbound | None:
        """A tap on a button, or None where that button is not on the phone (any more)."""
        for bubble in self._logs[phone.name].bubbles:
            if bubble.key == shown_in:
                for button in bubble.buttons:
                    if button.token == token:
                        return self._inbound(
                            phone, token=token, shown_in=shown_in, shown=button.title
                        )
        return None

    def log(self, phone: Phone) -> Log:
        """What a phone shows now."""
        return self._logs[phone.name]

    def _inbound(
        self, phone: Phone, *, shown: str, text: str = "", token: str = "", shown_in: str = ""
    ) -> Inbound:
        now, key = self._now(), f"demo-{secrets.token_hex(8)}"
        log = self._logs[phone.name]
        parts = _parts(phone, shown)
        log.sent += parts
        log.bubbles.append(Bubble(key=key, mine=True, text=shown, at=now, parts=parts))
        self._touch(log)
        return Inbound(
            channel=phone.channel,
            account=self._accounts[phone.channel],
            address=phone.address,
            message_id=key,
            text=text,
            token=token,
            ack=f"tap-{key}" if token and phone.channel == "telegram" else "",
            shown_in=shown_in,
            sent_at=now,
            received_at=now,
        )

    def _touch(self, log: Log) -> None:
        self.version += 1
        log.changed = self.version


def _parts(phone: Phone, text: str) -> int:
    return segments(text).segments if phone.channel == "sms" else 0


def routes(
    phones: Phones,
    submit: Submit,
    settle: Settle,
    *,
    guide: Guide,
    now: Callable[[], datetime],
    zone: tzinfo = DEMO_ZONE,
) -> list[Route]:
    """The demo page and what its forms post to.

    Args:
        phones: The logs.
        submit: Takes a message in and returns once its turn is committed.
        settle: Returns once everything the turn said is on the phones.
        guide: What the page tells whoever tries it.
        now: The clock, for the login's one-time code.
        zone: In which the phones show their clocks.
    """
    page = _Page(phones, submit, settle, guide=guide, now=now, zone=zone)
    headers = [Middleware(SafeHeaders, https=False, script=True)]
    return [
        Route("/", page.show, middleware=headers),
        Route("/demo/messages", page.news, middleware=headers),
        Route("/demo/{phone}", page.post, methods=["POST"], middleware=headers),
    ]


class _Page:
    """The page's handlers."""

    def __init__(
        self,
        phones: Phones,
        submit: Submit,
        settle: Settle,
        *,
        guide: Guide,
        now: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._phones = phones
        self._submit = submit
        self._settle = settle
        self._guide = guide
        self._now = now
        self._zone = zone
        self._templates = templates()
        self._templates.globals |= {name: static_url(file) for name, file in _FILES.items()}

    async def show(self, request: Request) -> Response:  # noqa: ARG002 - Starlette hands it over
        """The whole page."""
        html = self._render(
            "demo.html",
            guide=self._guide,
            code=self._code(),
            screens=[(phone, self._screen(phone)) for phone in PHONES],
            version=self._phones.version,
            refresh=REFRESH_S,
        )
        return HTMLResponse(html)

    async def news(self, request: Request) -> Response:
        """The screens that changed after version `after`, as JSON."""
        after = request.query_params.get("after", "")
        since = int(after) if after.isdecimal() and after.isascii() else 0
        changed = [p for p in PHONES if self._phones.log(p).changed > since]
        return JSONResponse(
            {
                "version": self._phones.version,
                "code": self._code(),
                "phones": {phone.name: self._screen(phone) for phone in changed},
            }
        )

    async def post(self, request: Request) -> Response:
        """A message or a tap; answered once the bot's replies are on the phones."""
        phone = next((p for p in PHONES if p.name == request.path_params["phone"]), None)
        if phone is None:
            return Response("There is no such phone.", status_code=404)
        if not from_our_pages(request, ""):
            return Response("Use the demo page itself.", status_code=403)
        inbound = await _read(self._phones, phone, request)
        if inbound is not None:
            await self._submit(inbound)
            await self._settle()
        if request.headers.get("accept") == "application/json":
            return await self.news(request)
        return RedirectResponse(f"/#{phone.name}", status_code=303)

    def _render(self, name: str, **context: object) -> str:
        return self._templates.get_template(name).render(
            {"local": lambda moment: moment.astimezone(self._zone), **context}
        )

    def _screen(self, phone: Phone) -> str:
        return self._render("_phone.html", phone=phone, log=self._phones.log(phone))

    def _code(self) -> str:
        return pyotp.TOTP(self._guide.totp_secret).at(self._now())


async def _read(phones: Phones, phone: Phone, request: Request) -> Inbound | None:
    """What a form of the page says; None for an empty message or a button that is gone."""
    async with request.form(max_files=0, max_fields=10) as form:
        text, token, shown_in = (str(form.get(name, "")) for name in ("text", "token", "shown_in"))
    if token:
        return phones.tapped(phone, token, shown_in)
    typed = text.strip()[: phone.most]
    return phones.typed(phone, typed) if typed else None
