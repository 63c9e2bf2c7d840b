"""What protects every answer and every form: headers, cookies, form tokens, the origin check.

Source: OWASP ASVS 5.0, 3.3.1-3.3.4, 3.4.1-3.4.8, 3.5.1-3.5.3, 14.3.2 (trust-and-dashboard.md §B2).
"""

import hmac
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from secure import (
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

YEAR_S = 365 * 24 * 3600

CookieKind = Literal["session", "form", "ask"]
_NAMES: Mapping[CookieKind, str] = {"session": "cwb", "form": "cwb-form", "ask": "cwb-ask"}


def safe_headers(*, https: bool, script: bool = False) -> Mapping[str, str]:
    """The headers of an answer.

    Args:
        https: Whether browsers reach us over https: then they are told to stay there.
        script: Whether the page has a script of ours (the demo page alone).
    """
    csp = (
        ContentSecurityPolicy()
        .default_src("'none'")
        .style_src("'self'")
        .img_src("'self'", "data:")
        .form_action("'self'")
        .base_uri("'none'")
        .frame_ancestors("'none'")
    )
    if script:
        csp = csp.script_src("'self'").connect_src("'self'")
    made = Secure(
        csp=csp,
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
        referrer=ReferrerPolicy().no_referrer(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=PermissionsPolicy().geolocation().camera().microphone(),
        cache=CacheControl().no_store(),
        hsts=StrictTransportSecurity().max_age(YEAR_S) if https else None,
    )
    return dict(made.headers)


class SafeHeaders:
    """ASGI middleware that adds `safe_headers` to every answer, where the answer has not its own.

    It may stand around one route and around the whole app at once, webhooks included: it costs them
    a few microseconds.
    """

    def __init__(self, app: ASGIApp, *, https: bool, script: bool = False) -> None:
        self._app = app
        self._headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in safe_headers(https=https, script=script).items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                there = {name.lower() for name, _ in own}
                message["headers"] = own + [h for h in self._headers if h[0] not in there]
            await send(message)

        await self._app(scope, receive, complete)


def cookie_name(kind: CookieKind, *, https: bool) -> str:
    """The cookie's name; `__Host-` makes browsers refuse one that a neighbour domain planted."""
    return f"__Host-{_NAMES[kind]}" if https else _NAMES[kind]


def form_token(secret: bytes, seed: str) -> str:
    """The token that forms of one session carry: without the session it cannot be made."""
    return hmac.digest(secret, b"form|" + seed.encode(), "sha256").hex()


def token_fits(secret: bytes, seed: str, token: str) -> bool:
    """Whether a form carries the token of its session."""
    return bool(seed) and hmac.compare_digest(form_token(secret, seed).encode(), token.encode())


def from_our_pages(request: Request, public_base_url: str) -> bool:
    """Whether a POST comes from a page of ours, as far as the browser says.

    Our pages send no referrer, for which browsers write `Origin: null` into form posts: that alone
    says nothing, so there `Sec-Fetch-Site` and the form's token decide.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return True
    ours = urlsplit(public_base_url)
    return origin == f"{ours.scheme}://{ours.netloc}" or (
        urlsplit(origin).netloc == request.headers.get("host", "")
    )


def inside(path: str, start: str = "/dashboard") -> str:
    """The page to go on to: only a path of the dashboard, so that no link leads elsewhere."""
    safe = path.startswith("/dashboard/") and not set(path) & set("\\\r\n") and "//" not in path
    return path if safe else start
