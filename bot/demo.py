"""The demo page: four simulated phones side by side, to play a whole story without a provider.

What a person types or taps here becomes an `Inbound` like any other; what the bot says comes back
through the simulator channel. The page needs no script; with its own small one it updates itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

import pyotp
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.dashboard.guard import SafeHeaders, from_our_pages
from bot.dashboard.looks import templates
from bot.dashboard.routes import static_url
from bot.demo_handset import Dial, Handset
from bot.demo_phones import PHONES, Phone, Phones
from flows.messages import Inbound

REFRESH_S = 20
_FILES = {"style": "style.css", "look": "demo.css", "script": "demo.js"}
DEMO_ZONE = ZoneInfo("Africa/Johannesburg")

Submit = Callable[[Inbound], Awaitable[None]]
Settle = Callable[[], Awaitable[None]]


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


def routes(
    phones: Phones,
    submit: Submit,
    settle: Settle,
    *,
    dial: Dial,
    guide: Guide,
    now: Callable[[], datetime],
    zone: tzinfo = DEMO_ZONE,
) -> list[Route]:
    """The demo page and what its forms post to.

    Args:
        phones: The logs.
        submit: Takes a message in and returns once its turn is committed.
        settle: Returns once everything the turn said is on the phones.
        dial: Answers a step of a USSD session.
        guide: What the page tells whoever tries it.
        now: The clock, for the login's one-time code.
        zone: In which the phones show their clocks.
    """
    page = _Page(phones, submit, settle, dial=dial, guide=guide, now=now, zone=zone)
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
        dial: Dial,
        guide: Guide,
        now: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._phones = phones
        self._submit = submit
        self._settle = settle
        self._handsets = {
            phone.name: Handset(phone, phones, dial, now=now)
            for phone in PHONES
            if phone.channel == "ussd"
        }
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
        handset = self._handsets.get(phone.name)
        if handset is not None:
            await _press(handset, phone, request)
            await self._settle()
        elif (inbound := await _read(self._phones, phone, request)) is not None:
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


async def _press(handset: Handset, phone: Phone, request: Request) -> None:
    async with request.form(max_files=0, max_fields=10) as form:
        dials, typed = "dial" in form, str(form.get("text", ""))
    await (handset.dial() if dials else handset.press(typed.strip()[: phone.most]))
