"""The limit over HTTP: prove the signature, commit one row with whatever else waits, answer.

Usage: python -m benchmarks.echo PORT FILE
"""

import asyncio
import base64
import hmac
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from benchmarks.place import TOKEN

Job = tuple[str, str, "asyncio.Future[None]"]
MOST = 128


class Echo:
    """The application."""

    def __init__(self, port: int, file: str) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._file = file

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await receive()
            threading.Thread(
                target=self._write, args=(asyncio.get_running_loop(),), daemon=True
            ).start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        pairs = parse_qsl((await receive())["body"].decode(), keep_blank_values=True)
        signed = self._url + scope["path"] + "".join(k + v for k, v in sorted(pairs))
        digest = base64.b64encode(hmac.digest(TOKEN.encode(), signed.encode(), "sha1"))
        if digest != dict(scope["headers"]).get(b"x-twilio-signature"):
            raise ValueError("wrongly signed")
        form = dict(pairs)
        stored = asyncio.get_running_loop().create_future()
        self._jobs.put((form["MessageSid"], form["Body"], stored))
        await stored
        headers = [(b"content-type", b"text/xml"), (b"content-length", b"11")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<Response/>"})

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        conn = sqlite3.connect(self._file, isolation_level=None)
        conn.execute("pragma journal_mode=wal")
        conn.execute("pragma synchronous=full")
        conn.execute("create table t(id text primary key, body text) without rowid")
        while True:
            jobs = [self._jobs.get()]
            while not self._jobs.empty() and len(jobs) < MOST:
                jobs.append(self._jobs.get())
            conn.execute("begin")
            conn.executemany("insert into t values(?,?)", [(sid, body) for sid, body, _ in jobs])
            conn.execute("commit")
            loop.call_soon_threadsafe(_settle, jobs)


def _settle(jobs: list[Job]) -> None:
    for _, _, stored in jobs:
        stored.set_result(None)


if __name__ == "__main__":
    uvicorn.run(
        Echo(int(sys.argv[1]), sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
