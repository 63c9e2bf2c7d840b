"""Twilio's REST interface: one request, one reply, never a second attempt.

It goes through the SDK's client (authentication, connections) but not through its generated
resources: those hide Retry-After, and its asynchronous client sends JSON bodies as forms. A reply
that was never seen is told apart from a request that never left, because only the second may be
repeated without asking.
"""

import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import aiohttp
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from bot.channels.sdk import Lost, NotSent

Host = Literal["api", "content", "messaging"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back.

    Attributes:
        status: HTTP status.
        body: The JSON object, empty if there was none.
        retry_after_s: Seconds from Retry-After, None if absent or not a number.
    """

    status: int
    body: Mapping[str, object]
    retry_after_s: float | None

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004


class TwilioApi:
    """A connection pool to one Twilio account. Make it inside the event loop that uses it.

    Args:
        account_sid: The account.
        auth_token: Its primary token.
        api_url: Another base URL for all of Twilio's hosts (tests), else empty.
        timeout_s: Longest wait for a reply, in seconds.
    """

    def __init__(
        self, *, account_sid: str, auth_token: str, api_url: str, timeout_s: float
    ) -> None:
        # The SDK writes each URL at INFO, and a look-up's URL holds a phone number.
        log = logging.getLogger("twilio.async_http_client")
        log.setLevel(max(log.level, logging.WARNING))
        self._http = AsyncTwilioHttpClient(timeout=timeout_s)
        self._client = Client(
            account_sid,
            http_client=self._http,
            credential_provider=_Basic(account_sid, auth_token),
        )
        self._account_path = f"2010-04-01/Accounts/{account_sid}"
        self._api_url = api_url.rstrip("/")
        self._timeout_s = timeout_s

    def account(self, resource: str) -> str:
        """The path of a resource of this account on the `api` host."""
        return f"{self._account_path}/{resource}.json"

    async def get(
        self, path: str, *, host: Host = "api", params: Mapping[str, str] | None = None
    ) -> Reply:
        """Read a resource; see `post` for what it raises."""
        return await self._request("GET", host, path, params=dict(params or {}))

    async def post(
        self,
        path: str,
        *,
        host: Host = "api",
        form: Mapping[str, str] | None = None,
        document: Mapping[str, object] | None = None,
    ) -> Reply:
        """Send a form or, where `document` is given, a JSON body.

        Raises:
            NotSent: It certainly did not arrive.
            Lost: It may have arrived.
        """
        if document is None:
            return await self._request("POST", host, path, data=dict(form or {}))
        return await self._request(
            "POST",
            host,
            path,
            data=json.dumps(document),
            headers={"Content-Type": "application/json"},
        )

    async def delete(self, path: str) -> Reply:
        """Delete a resource; see `post` for what it raises."""
        return await self._request("DELETE", "api", path)

    async def close(self) -> None:
        """Release the connections."""
        await self._http.close()

    async def _request(self, method: str, host: Host, path: str, **arguments: object) -> Reply:
        base = self._api_url or f"https://{host}.twilio.com"
        try:
            # The SDK ignores its own time-out on this client: it has to be said each time.
            response = await self._client.request_async(
                method, f"{base}/{path}", timeout=self._timeout_s, **arguments
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(type(error).__name__) from None
        except (TimeoutError, aiohttp.ClientError, UnicodeError, LookupError) as error:
            raise Lost(type(error).__name__) from None
        return Reply(
            status=response.status_code,
            body=_object(response.text),
            retry_after_s=_seconds(response.headers.get("Retry-After", "")),
        )


class _Basic:
    """HTTP basic authentication as a header, in the SDK's roles of provider and strategy.

    The SDK's own way to the same header is deprecated by the HTTP library underneath.
    """

    def __init__(self, account_sid: str, auth_token: str) -> None:
        pair = f"{account_sid}:{auth_token}".encode()
        self._header = f"Basic {base64.b64encode(pair).decode()}"

    def to_auth_strategy(self) -> "_Basic":
        return self

    def get_auth_string(self) -> str:
        return self._header


def _object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(header: str) -> float | None:
    try:
        return max(0.0, float(header))
    except ValueError:
        return None
