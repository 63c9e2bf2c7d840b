"""Every answer of the whole application has every header: pages, webhooks, health, errors."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.app import Bot, application, start
from bot.settings import Settings
from tests.live import environment, live_settings

BASE = "https://bot.umthombo.org.za"
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), camera=(), microphone=()",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")
NOWHERE = ("/nowhere", "/hooks/nowhere", "/dashboard/no/where", "/static/no.css", "//", "/%2e%2e/x")
MANY = 20


async def broken(request: Request) -> Response:
    """A page with a fault in it."""
    raise ZeroDivisionError


def browser(bot: Bot, base: str) -> httpx.AsyncClient:
    bot.routes = [Route("/broken", broken), *bot.routes]
    transport = httpx.ASGITransport(application(bot), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot behind https with both providers set up."""
    nowhere = "http://127.0.0.1:1"
    env = environment(tmp_path, base=BASE, twilio=nowhere, telegram=nowhere)
    bot = await start(live_settings(env))
    yield bot
    await bot.close()


def paths(bot: Bot) -> list[str]:
    """An address for every route, every webhook, and for what is none."""
    routes = [r.path for r in bot.routes if isinstance(r, Route)]
    hooks = [path.replace("*", "abc") for channel in bot.channels for path in channel.paths]
    found = [*routes, *hooks, *NOWHERE]
    for name, value in (("{name}", "style.css"), ("{rest:path}", "a/b"), ("{phone}", "teacher")):
        found = [path.replace(name, value) for path in found]
    return [path.replace("{", "").replace("}", "") for path in found]


async def test_every_route_and_method_answers_with_every_header(live: Bot) -> None:
    outside = browser(live, BASE)
    seen = set()
    addresses = paths(live)
    assert len(addresses) > MANY
    for path in addresses:
        for method in METHODS:
            answer = await outside.request(method, path)
            seen.add(answer.status_code)
            found = {name: answer.headers.get(name) for name in HEADERS}
            wanted = dict(HEADERS)
            if path.startswith("/static/") and answer.is_success:
                wanted["cache-control"] = "max-age=86400"  # no data in them
            assert found == wanted, f"{method} {path} {answer.status_code}"
            assert all(answer.headers.get_list(n) == [v] for n, v in wanted.items()), path
    assert {200, 303, 403, 404, 405, 500} <= seen


async def test_an_error_page_tells_nothing_of_the_fault(live: Bot) -> None:
    answer = await browser(live, BASE).get("/broken")

    assert answer.status_code == 500
    assert "Zero" not in answer.text
    assert "Traceback" not in answer.text


async def test_every_cookie_is_bound_to_the_host(live: Bot) -> None:
    outside = browser(live, BASE)
    cookies = [
        cookie
        for path in paths(live)
        for cookie in (await outside.get(path)).headers.get_list("set-cookie")
    ]

    assert cookies
    for cookie in cookies:
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert cookie.startswith("__Host-"), cookie
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts, cookie
        assert not any(part.startswith("domain") for part in parts), cookie


async def test_the_demo_is_strict_too_and_its_page_alone_runs_our_script(tmp_path: Path) -> None:
    bot = await start(Settings(_env_file=None, demo=True, data_dir=tmp_path))
    try:
        outside = browser(bot, "http://127.0.0.1:8000")
        for path in paths(bot):
            answer = await outside.get(path)
            csp = answer.headers["content-security-policy"]
            assert "unsafe" not in csp
            ours = not path.strip("/") or path.startswith("/demo/")
            assert "script-src" not in csp or ours, path
            assert "script-src" in csp or path != "/"
            assert "strict-transport-security" not in answer.headers
        elsewhere = httpx.AsyncClient(
            transport=httpx.ASGITransport(application(bot)), base_url="http://rebound.example"
        )
        refused = await elsewhere.get("/")
        assert (refused.status_code, refused.headers["x-frame-options"]) == (400, "DENY")
    finally:
        await bot.close()


def test_no_policy_of_ours_allows_what_is_unsafe() -> None:
    rooms = Path(__file__).parents[2] / "bot"
    for path in [*rooms.rglob("*.py"), *rooms.rglob("*.html")]:
        text = path.read_text(encoding="utf-8")
        assert "unsafe-inline" not in text, path
        assert "unsafe-eval" not in text, path
