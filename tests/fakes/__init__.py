"""Providers played on the loopback interface: real HTTP servers that keep what they were sent.

A fake answers like its provider until told otherwise: `fake.plays(...)` queues what the next calls
of a kind shall do.
"""

import asyncio
import contextlib
import socket
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Before = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What one call shall meet.

    Attributes:
        status: HTTP status of a refusal; None answers as the provider does.
        body: JSON of the refusal; text stands as it is.
        headers: Its headers.
        accept: Whether the call is carried out all the same.
        hang: Whether no answer ever comes.
        before: Awaited, with what was accepted, before the answer goes out.
    """

    status: int | None = None
    body: Mapping[str, Any] | str = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    accept: bool = False
    hang: bool = False
    before: Before | None = None


NORMAL = Play(accept=True)
NO_CONTENT = 204


def hangs() -> Play:
    """Takes the message and never says so: the time-out after the acceptance."""
    return Play(accept=True, hang=True)


def calls_first(before: Before) -> Play:
    """Lets something happen (a status callback) before the answer to the send."""
    return Play(accept=True, before=before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request a fake got: which kind, and its fields."""

    kind: str
    fields: Mapping[str, Any]


class LoopServer(uvicorn.Server):
    """A server inside the running loop, which leaves signals alone and ends with `over`."""

    def __init__(self, config: uvicorn.Config, over: asyncio.Event) -> None:
        super().__init__(config)
        self._until = over

    async def main_loop(self) -> None:
        # The real one looks every tenth of a second whether to stop.
        await self._until.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals stay pytest's.
        yield


class FakeServer:
    """A provider on a free port. Use it as `async with`; `url` is its base address."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._plays: dict[str, deque[Play]] = defaultdict(deque)
        self._over = asyncio.Event()
        self._socket = socket.socket()
        self.url = ""

    def routes(self) -> list[Route]:
        """The provider's paths."""
        raise NotImplementedError

    def plays(self, kind: str, *plays: Play) -> None:
        """Queue what the next calls of `kind` meet, one a call; then it is the provider again."""
        self._plays[kind].extend(plays)

    def kinds(self) -> list[str]:
        """The kinds of calls so far, in order."""
        return [call.kind for call in self.calls]

    async def perform(
        self, kind: str, fields: Mapping[str, Any], accept: Callable[[], tuple[int, Any]]
    ) -> Response:
        """Note a call, do what is queued for it, else what `accept` does."""
        self.calls.append(Call(kind=kind, fields=fields))
        queue = self._plays[kind]
        play = queue.popleft() if queue else NORMAL
        status, body = accept() if play.accept else (play.status or 500, play.body)
        if play.before is not None:
            await play.before(body if isinstance(body, Mapping) else {})
        if play.hang:
            await self._over.wait()
        if play.status is not None:
            status, body = play.status, play.body
        if status == NO_CONTENT:
            return Response(status_code=status)
        if isinstance(body, str):
            return Response(body, status, play.headers, "text/html")
        return JSONResponse(body, status, play.headers)

    async def __aenter__(self) -> Self:
        self._socket.bind(("127.0.0.1", 0))
        # Listening from here on: whoever connects before the server runs waits in the backlog.
        self._socket.listen()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = Starlette(routes=self.routes())
        app.add_exception_handler(ClientDisconnect, _gone)
        config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False)
        self._server = LoopServer(config, self._over)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._over.set()
        self._server.force_exit = True
        await self._task
        self._socket.close()


async def _gone(request: Any, error: Exception) -> Response:
    return Response(status_code=400)


def unused_url() -> str:
    """An address where nobody listens: the connection is refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
