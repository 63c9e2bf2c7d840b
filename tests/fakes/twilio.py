"""Twilio's REST interface as far as we use it, and its way to sign webhooks."""

import itertools
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator
from typing_extensions import override

from tests.fakes import FakeServer, Play

ACCOUNT = "AC" + "0" * 32
TOKEN = "test-auth-token"  # noqa: S105
FORGETTING = ("redact", "delete", "media", "media.delete")


def signed(url: str, params: Mapping[str, str] | Iterable[tuple[str, str]], token: str) -> str:
    """The X-Twilio-Signature of a form POST, by the SDK."""
    return RequestValidator(token).compute_signature(url, dict(params))


def encoded(params: Mapping[str, str] | Iterable[tuple[str, str]]) -> bytes:
    """The form as it travels."""
    pairs = list(params.items()) if isinstance(params, Mapping) else list(params)
    return urlencode(pairs).encode()


def variables(form: Mapping[str, str]) -> dict[str, str]:
    """A content's variables as a message fills them."""
    found: dict[str, str] = json.loads(form["ContentVariables"])
    return found


def refuses(code: int, *, status: int = 400) -> Play:
    """Refuses with one of Twilio's error codes."""
    body = {"code": code, "message": "refused", "status": status}
    return Play(status=status, body=body)


def throttled(seconds: int | None = None) -> Play:
    """429, never processed."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Play(status=429, body={"code": 20429, "status": 429}, headers=headers)


def fails(status: int = 500, *, accept: bool = False) -> Play:
    """A server error that says nothing, with or without the message taken."""
    return Play(status=status, body="<html>oops</html>", accept=accept)


class FakeTwilio(FakeServer):
    """`sent` holds the forms of the messages it took, in order.

    Kinds of calls: send, list, redact, delete, media, media.delete, number, number.set, service,
    service.set, contents, content.new. `gone` holds the SIDs of deleted messages and media.
    """

    def __init__(self, *, numbers: Iterable[str] = (), page_size: int = 50) -> None:
        super().__init__()
        self.sent: list[Mapping[str, str]] = []
        self.messages: list[dict[str, Any]] = []
        self.numbers: dict[str, dict[str, str]] = {
            f"PN{n:032d}": {"sid": f"PN{n:032d}", "phone_number": number}
            for n, number in enumerate(numbers)
        }
        self.service: dict[str, Any] = {"sid": "MG1", "use_inbound_webhook_on_number": True}
        self.contents: list[dict[str, Any]] = []
        self.media: dict[str, list[str]] = {}
        self.gone: list[str] = []
        self.now = datetime.now(UTC)
        self._page_size = page_size
        self._sids = itertools.count()

    @override
    def kinds(self) -> list[str]:
        """The kinds of calls a conversation makes; what is taken away afterwards is in `calls`."""
        return [call.kind for call in self.calls if call.kind not in FORGETTING]

    def routes(self) -> list[Route]:
        account = "/2010-04-01/Accounts/{account}"
        return [
            Route(f"{account}/Messages.json", self._send, methods=["POST"]),
            Route(f"{account}/Messages.json", self._list),
            Route(f"{account}/Messages/{{sid}}.json", self._redact, methods=["POST"]),
            Route(f"{account}/Messages/{{sid}}.json", self._delete, methods=["DELETE"]),
            Route(f"{account}/Messages/{{sid}}/Media.json", self._media),
            Route(
                f"{account}/Messages/{{sid}}/Media/{{name}}.json",
                self._delete_media,
                methods=["DELETE"],
            ),
            Route(f"{account}/IncomingPhoneNumbers.json", self._numbers),
            Route(f"{account}/Calls/{{sid}}.json", self._delete_call, methods=["DELETE"]),
            Route(f"{account}/IncomingPhoneNumbers/{{sid}}.json", self._number),
            Route(
                f"{account}/IncomingPhoneNumbers/{{sid}}.json", self._set_number, methods=["POST"]
            ),
            Route("/v1/Services/{sid}", self._service),
            Route("/v1/Services/{sid}", self._set_service, methods=["POST"]),
            Route("/v1/Content", self._contents),
            Route("/v1/Content", self._new_content, methods=["POST"]),
        ]

    def holds(self, *, to: str, body: str, at: datetime, direction: str = "outbound-api") -> str:
        """Put a message on the list without a send; returns its SID."""
        sid = f"SM{next(self._sids):032d}"
        self.messages.append(
            {
                "sid": sid,
                "to": to,
                "body": body,
                "direction": direction,
                "date_created": format_datetime(at.astimezone(UTC)),
            }
        )
        return sid

    async def _send(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}

        def accept() -> tuple[int, Any]:
            self.sent.append(form)
            sid = self.holds(to=form["To"], body=form.get("Body", ""), at=self.now)
            return 201, {"sid": sid, "status": "queued", "num_segments": "0"}

        return await self.perform("send", form, accept)

    async def _list(self, request: Request) -> Response:
        query = dict(request.query_params)

        def accept() -> tuple[int, Any]:
            fitting = [m for m in reversed(self.messages) if m["to"] == query["To"]]
            page = int(query.get("Page", "0"))
            first = page * self._page_size
            more = len(fitting) > first + self._page_size
            following = urlencode({**query, "Page": page + 1})
            return 200, {
                "messages": fitting[first : first + self._page_size],
                "next_page_uri": f"{request.url.path}?{following}" if more else None,
            }

        return await self.perform("list", query, accept)

    async def _redact(self, request: Request) -> Response:
        sid = request.path_params["sid"]
        form = {key: str(value) for key, value in (await request.form()).items()}

        def accept() -> tuple[int, Any]:
            found = [m for m in self.messages if m["sid"] == sid]
            if not found:
                return 404, {"code": 20404, "status": 404}
            found[0]["body"] = form["Body"]
            return 200, {"sid": sid, "body": form["Body"]}

        return await self.perform("redact", {"sid": sid, **form}, accept)

    async def _delete(self, request: Request) -> Response:
        sid = request.path_params["sid"]

        def accept() -> tuple[int, Any]:
            if not any(m["sid"] == sid for m in self.messages):
                return 404, {"code": 20404, "status": 404}
            self.messages = [m for m in self.messages if m["sid"] != sid]
            self.gone.append(sid)
            return 204, {}

        return await self.perform("delete", {"sid": sid}, accept)

    async def _delete_call(self, request: Request) -> Response:
        sid = request.path_params["sid"]

        def accept() -> tuple[int, Any]:
            self.gone.append(sid)
            return 204, {}

        return await self.perform("call.delete", {"sid": sid}, accept)

    async def _media(self, request: Request) -> Response:
        sid = request.path_params["sid"]
        listed = [{"sid": name} for name in self.media.get(sid, [])]
        return await self.perform("media", {"sid": sid}, lambda: (200, {"media_list": listed}))

    async def _delete_media(self, request: Request) -> Response:
        sid, name = request.path_params["sid"], request.path_params["name"]

        def accept() -> tuple[int, Any]:
            self.media[sid].remove(name)
            self.gone.append(name)
            return 204, {}

        return await self.perform("media.delete", {"sid": sid, "name": name}, accept)

    async def _numbers(self, request: Request) -> Response:
        wanted = request.query_params["PhoneNumber"]
        found = [n for n in self.numbers.values() if wanted in n["phone_number"]]
        return await self.perform(
            "number", {"PhoneNumber": wanted}, lambda: (200, {"incoming_phone_numbers": found})
        )

    async def _number(self, request: Request) -> Response:
        found = self.numbers[request.path_params["sid"]]
        return await self.perform("number", {}, lambda: (200, found))

    async def _set_number(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        found = self.numbers[request.path_params["sid"]]
        snake = {"SmsUrl": "sms_url", "SmsMethod": "sms_method"}
        snake |= {"VoiceUrl": "voice_url", "VoiceMethod": "voice_method"}

        def accept() -> tuple[int, Any]:
            found.update({snake[key]: value for key, value in form.items()})
            return 200, found

        return await self.perform("number.set", form, accept)

    async def _service(self, request: Request) -> Response:
        return await self.perform("service", {}, lambda: (200, self.service))

    async def _set_service(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}

        def accept() -> tuple[int, Any]:
            self.service |= {
                "inbound_request_url": form.get("InboundRequestUrl"),
                "inbound_method": form.get("InboundMethod"),
                "sticky_sender": form.get("StickySender") == "true",
                "use_inbound_webhook_on_number": False,
            }
            return 200, self.service

        return await self.perform("service.set", form, accept)

    async def _contents(self, request: Request) -> Response:
        page = int(request.query_params.get("Page", "0"))
        first = page * self._page_size
        more = len(self.contents) > first + self._page_size
        following = f"https://content.twilio.com/v1/Content?Page={page + 1}"
        answer = {
            "contents": self.contents[first : first + self._page_size],
            "meta": {"next_page_url": following if more else None},
        }
        return await self.perform("contents", {}, lambda: (200, answer))

    async def _new_content(self, request: Request) -> Response:
        document = await request.json()

        def accept() -> tuple[int, Any]:
            made = {**document, "sid": f"HX{len(self.contents):032d}"}
            self.contents.append(made)
            return 201, made

        return await self.perform("content.new", document, accept)
