"""Telegram's Bot API as far as we use it."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes import FakeServer, Play

TOKEN = "424242:test-bot-token"  # noqa: S105
SECRET = "test-webhook-secret"  # noqa: S105


def refuses(status: int, description: str, **parameters: int) -> Play:
    """Refuses as the Bot API does; `retry_after=7` goes to the parameters."""
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    if parameters:
        body["parameters"] = parameters
    return Play(status=status, body=body)


def throttled(seconds: int) -> Play:
    """429 with the seconds to wait."""
    return refuses(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def fails(status: int = 502, *, accept: bool = False) -> Play:
    """A server error that says nothing, with or without the message taken."""
    return Play(status=status, body="<html>oops</html>", accept=accept)


class FakeTelegram(FakeServer):
    """`sent` holds the fields of the messages it took, in order.

    Kinds of calls: the Bot API's method names. `webhook` and `commands` hold what was set.
    """

    def __init__(self, *, token: str = TOKEN) -> None:
        super().__init__()
        self.sent: list[Mapping[str, Any]] = []
        self.webhook: Mapping[str, Any] = {}
        self.commands: dict[str, list[Mapping[str, str]]] = {}
        self._token = token

    def routes(self) -> list[Route]:
        return [Route("/bot{token}/{method}", self._call, methods=["POST"])]

    async def _call(self, request: Request) -> Response:
        fields = {key: _value(str(text)) for key, text in (await request.form()).items()}
        method = request.path_params["method"]

        def accept() -> tuple[int, Any]:
            if request.path_params["token"] != self._token:
                return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
            return 200, {"ok": True, "result": self._result(method, fields)}

        return await self.perform(method, fields, accept)

    def _result(self, method: str, fields: Mapping[str, Any]) -> Any:
        if method == "sendMessage":
            self.sent.append(fields)
            return self._message(fields, 100 + len(self.sent))
        if method == "editMessageReplyMarkup":
            return self._message(fields, int(fields["message_id"]))
        if method == "getMe":
            bot = {"id": int(self._token.partition(":")[0]), "is_bot": True}
            return {**bot, "first_name": "Bot", "username": "test_bot"}
        if method == "getWebhookInfo":
            url = self.webhook.get("url", "")
            return {"url": url, "has_custom_certificate": False, "pending_update_count": 0}
        if method == "setWebhook":
            self.webhook = fields
        if method == "setMyCommands":
            self.commands[fields.get("language_code", "")] = fields["commands"]
        return True

    def _message(self, fields: Mapping[str, Any], message_id: int) -> dict[str, Any]:
        chat = {"id": int(fields["chat_id"]), "type": "private"}
        return {"message_id": message_id, "date": 1_790_000_000, "chat": chat, "text": "x"}


def _value(text: str) -> Any:
    """Objects and lists travel as JSON inside the form."""
    return json.loads(text) if text[:1] in {"{", "["} else text
