"""The webhooks: raw ASGI in front of everything else, since this path must be short.

A request is proved and understood by its channel; a 2xx leaves only after the commit that carries
what it said. 403: not the provider's. 400: the provider's, but unusable. 503: the database refuses;
deliver again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from bot.channels.base import (
    WITHHELD,
    Answers,
    Channel,
    ChannelEvent,
    DeliveryStatus,
    DialogStep,
    Ignored,
    Malformed,
    NotAuthentic,
    OptOut,
    WebAnswer,
    WebRequest,
)
from bot.dialogs import Dialogs
from bot.metrics import CALLS, WEBHOOKS
from bot.turns.queue import TurnQueue
from flows.messages import Inbound
from storage.errors import StorageError
from storage.talk.outbox import StatusRow

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

PREFIX = "/hooks/"
LARGEST_BODY = 256 * 1024
REFUSED = WebAnswer(status=403, body=b"not authentic")
NOT_FOUND = WebAnswer(status=404, body=b"no such webhook")
BAD = WebAnswer(status=400, body=b"malformed")
WRONG_METHOD = WebAnswer(status=405, body=b"use POST", headers={"allow": "POST"})
TOO_LARGE = WebAnswer(status=413, body=b"too large")
AWAY = WebAnswer(status=503, body=b"try again", headers={"retry-after": "5"})

log = structlog.get_logger(__name__)


class Hooks:
    """Answers the webhooks itself and hands every other request on."""

    def __init__(
        self,
        inner: App,
        channels: Sequence[Channel],
        queue: TurnQueue,
        *,
        clock: Callable[[], datetime],
        dialogs: Dialogs | None = None,
    ) -> None:
        """`inner` is the application for everything that is no webhook."""
        self._inner = inner
        self._queue = queue
        self._dialogs = dialogs
        self._clock = clock
        self._exact = {p: c for c in channels for p in c.paths if not p.endswith("/*")}
        self._below = [(p[:-1], c) for c in channels for p in c.paths if p.endswith("/*")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._inner(scope, receive, send)
            return
        answer = await self._answer(scope, receive)
        WEBHOOKS.labels(result=str(answer.status)).inc()
        headers = [(b"content-type", answer.content_type.encode())]
        headers += [(k.encode(), v.encode()) for k, v in answer.headers.items()]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> WebAnswer:
        channel = self._channel(scope["path"])
        if channel is None:
            return NOT_FOUND
        if scope["method"] != "POST":
            return WRONG_METHOD
        body = await _body(receive)
        if body is None:
            return TOO_LARGE
        request = WebRequest(
            path=scope["path"],
            headers={k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
            body=body,
            received_at=self._clock(),
            client=(scope.get("client") or ("",))[0],
        )
        return await self._handle(channel, request)

    async def _handle(self, channel: Channel, request: WebRequest) -> WebAnswer:
        try:
            for event in channel.parse(request):
                if isinstance(event, DialogStep):
                    return await self._step(channel, event)
                await self._take(event, request.received_at)
        except NotAuthentic:
            return REFUSED
        except Malformed:
            return BAD
        except StorageError:
            log.exception("webhook_not_stored")
            return AWAY
        return channel.answer(request)

    async def _step(self, channel: Channel, step: DialogStep) -> WebAnswer:
        """The one answer that carries words: what stands on her screen after the commit."""
        if self._dialogs is None or not isinstance(channel, Answers):
            return NOT_FOUND
        dialog = await self._dialogs.answer(step)
        return channel.screen(dialog.screen, waits=dialog.open)

    async def _take(self, event: ChannelEvent, now: datetime) -> None:
        """Everything a provider says ends in a commit, or in nothing at all (Ignored)."""
        match event:
            case Inbound(kind="call"):
                await self._rang(event)
            case Inbound():
                await self._queue.submit(event)
            case DeliveryStatus():
                await self._queue.status(
                    StatusRow(
                        id=self._queue.world.new_id(now),
                        outbox_id=event.outbox_id,
                        provider_id=event.provider_id,
                        state=event.state,
                        raw=event.raw[:64],
                        error=event.error[:64],
                        at=now,
                    )
                )
            case OptOut():
                await self._queue.submit(_as_word(event))
            case Ignored(kind=kind) if kind == WITHHELD:
                CALLS.labels(result="withheld").inc()
            case _:
                pass

    async def _rang(self, event: Inbound) -> None:
        """A call is turned away whatever happens: an error would be read out, at her cost."""
        try:
            await self._queue.submit(event)
        except StorageError:
            CALLS.labels(result="lost").inc()
            log.exception("call_not_stored")
        else:
            CALLS.labels(result="stored").inc()

    def _channel(self, path: str) -> Channel | None:
        found = self._exact.get(path)
        if found is not None:
            return found
        return next((c for prefix, c in self._below if path.startswith(prefix)), None)


def _as_word(event: OptOut) -> Inbound:
    """The provider heard STOP, or START: the same as if she had said it to us."""
    return Inbound(
        channel=event.channel,
        account=event.account,
        address=event.address,
        message_id=event.message_id,
        text="STOP" if event.out else "START",
        received_at=event.received_at,
    )


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None above the limit."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
