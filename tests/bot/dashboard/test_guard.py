"""Where a POST comes from, and tokens that hang on a session."""

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from bot.dashboard.guard import SafeHeaders, form_token, from_our_pages, safe_headers, token_fits


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"origin": "https://cwb.example.org"}, True),
        ({"origin": "https://cwb.example.org.evil.example"}, False),
        ({"origin": "http://cwb.example.org"}, False),
        ({"origin": "http://10.0.0.1:8000", "host": "10.0.0.1:8000"}, True),
        ({"origin": "null"}, True),
        ({"origin": "null", "sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-site"}, False),
    ],
)
def test_where_a_post_comes_from(headers: dict[str, str], ours: bool) -> None:
    assert from_our_pages(request(**headers), "https://cwb.example.org") is ours


def test_a_token_fits_its_own_session_and_key_only() -> None:
    token = form_token(b"key", "session")

    assert token_fits(b"key", "session", token)
    assert not token_fits(b"key", "another", token)
    assert not token_fits(b"other", "session", token)
    assert not token_fits(b"key", "session", "ü")
    assert not token_fits(b"key", "", form_token(b"key", ""))


def test_only_a_page_with_a_script_may_run_one() -> None:
    without = safe_headers(https=True)["Content-Security-Policy"]
    with_script = safe_headers(https=True, script=True)["Content-Security-Policy"]

    assert "script-src" not in without
    assert "script-src 'self'; connect-src 'self'" in with_script
    assert "unsafe" not in with_script


async def test_an_answers_own_header_is_kept_and_other_traffic_left_alone() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"cache-control", b"max-age=1")]
        await send({"type": f"{scope['type']}.response.start", "status": 200, "headers": headers})

    async def receive() -> Message:
        return {}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    guarded = SafeHeaders(app, https=True)
    await guarded({"type": "http"}, receive, send)
    await guarded({"type": "lifespan"}, receive, send)

    first, second = (dict(message["headers"]) for message in sent)
    assert first[b"cache-control"] == b"max-age=1"
    assert first[b"x-content-type-options"] == b"nosniff"
    assert list(second) == [b"cache-control"]
