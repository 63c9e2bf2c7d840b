"""A provider that tells of each message it took that it was delivered: signed status callbacks.

The measured server names what it sent, a line a message, on its standard output.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import Popen

from benchmarks.load import is_answered, signed
from bot.channels.twilio import STATUS

CONNECTIONS = 4
QUIET_S = 0.1


class Callbacks:
    """Posts a callback for every message that is named, and counts the answers."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._named: asyncio.Queue[str] = asyncio.Queue()
        self._under_way = 0
        self.answered = 0
        self.refused = 0
        self.last_at = 0.0

    async def quiet(self) -> None:
        """Wait until nothing more is named and everything is answered."""
        known = -1
        while known != self.answered or self._under_way or not self._named.empty():
            known = self.answered
            await asyncio.sleep(QUIET_S)

    async def listen(self, lines: asyncio.StreamReader) -> None:
        """Take the names of messages until the server ends."""
        while line := await lines.readline():
            self._named.put_nowait(line.decode().strip())

    async def post(self) -> None:
        """One connection that posts one callback after the other."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while True:
                key = await self._named.get()
                self._under_way += 1
                writer.write(callback(key, self._port))
                head = await reader.readuntil(b"\r\n\r\n")
                self._under_way -= 1
                self.answered += 1
                self.last_at = time.perf_counter()
                self.refused += not is_answered(head)
        finally:
            writer.close()


def callback(key: str, port: int) -> bytes:
    """Twilio's word that a message arrived, signed, ready for the wire."""
    sid = f"SM{key}"
    form = {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "MessageSid": sid,
        "MessageStatus": "delivered",
        "SmsSid": sid,
        "SmsStatus": "delivered",
    }
    return signed(f"{STATUS}{key}", form, port)


@asynccontextmanager
async def calling_back(server: "Popen[bytes]", port: int) -> AsyncIterator[Callbacks]:
    """Callbacks for what this server sends, while the block lasts."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    pipe, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), server.stdout
    )
    told = Callbacks(port)
    tasks = [loop.create_task(told.listen(lines))]
    tasks += [loop.create_task(told.post()) for _ in range(CONNECTIONS)]
    try:
        yield told
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        pipe.close()
