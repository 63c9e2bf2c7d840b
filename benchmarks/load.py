"""A closed-loop load over keep-alive connections: each sends its next request when answered."""

import asyncio
import base64
import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from typing_extensions import override

from benchmarks.place import TOKEN
from benchmarks.school import ACCOUNT, Message, phone

PATH = "/hooks/twilio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a round took: seconds in all, and for each request."""

    seconds: float
    latencies: Sequence[float]
    refused: int


def request(message: Message, port: int) -> bytes:
    """The webhook of a message, signed, ready for the wire."""
    sid = f"SM{message.caregiver:016x}{message.turn:016x}"
    form = {
        "ToCountry": "ZA",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": message.text,
        "FromCountry": "ZA",
        "To": ACCOUNT,
        "ToZip": "",
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": "AC" + "0" * 32,
        "From": phone(message.caregiver),
        "ApiVersion": "2010-04-01",
    }
    return signed(PATH, form, port)


def signed(path: str, form: Mapping[str, str], port: int) -> bytes:
    """A form post as Twilio signs it."""
    url = f"http://127.0.0.1:{port}{path}"
    whole = url + "".join(key + value for key, value in sorted(form.items()))
    signature = base64.b64encode(hmac.digest(TOKEN.encode(), whole.encode(), "sha1")).decode()
    body = urlencode(form)
    return (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
        f"x-twilio-signature: {signature}\r\n"
        "content-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()


class _Client(asyncio.Protocol):
    """One connection. Answers are short and come whole or in two pieces."""

    def __init__(self, requests: Iterator[bytes], load: "_Round") -> None:
        self._requests = requests
        self._load = load
        self._got = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - says which kind it is
        self._transport = transport
        self._next()

    @override
    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._load.latencies.append(time.perf_counter() - self._sent_at)
        if not is_answered(head):
            self._load.refused += 1
        self._got = b""
        self._next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._load.left -= 1
        if not self._load.left:
            self._load.done.set()

    def _next(self) -> None:
        assert self._transport is not None  # noqa: S101 - connected
        following = next(self._requests, None)
        if following is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(following)


def is_answered(head: bytes) -> bool:
    """Whether the server took a request."""
    return head.startswith(b"HTTP/1.1 2")


class _Round:
    def __init__(self, connections: int) -> None:
        self.latencies: list[float] = []
        self.refused = 0
        self.left = connections
        self.done = asyncio.Event()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def put(requests: Sequence[bytes], port: int, *, connections: int) -> Load:
    """Send every request once over so many connections."""
    load = _Round(connections)
    waiting = iter(requests)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Client(waiting, load), "127.0.0.1", port)
    await load.done.wait()
    return Load(seconds=time.perf_counter() - began, latencies=load.latencies, refused=load.refused)
