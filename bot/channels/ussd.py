"""USSD through Africa's Talking: a form for each step, a screen in the response to it.

The provider signs nothing. What proves a request is a secret in the webhook's path, known to the
provider and to us, over https; where it is set, also the network the request comes from. Neither
proves the number in the form: docs/threats.md says what follows.

Source: developers.africastalking.com, USSD: handling notifications (reference/channels.md §7).
"""

# ruff: noqa: ARG001, ARG002 - the protocol hands over more than this channel needs

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Protocol
from urllib.parse import parse_qsl

from bot.channels.base import (
    Channel,
    ChannelEvent,
    Destination,
    DialogStep,
    Ignored,
    Lookup,
    Malformed,
    NotAuthentic,
    Refused,
    SendResult,
    WebAnswer,
    WebRequest,
)
from flows.messages import LIMITS, ChannelName, Limits, Outbound

PREFIX = "/hooks/ussd/"
NO_DIALOG = "no_dialog"
"""Why a message is refused: nobody waits on the other side, and nothing is pushed."""
_NUMBER = re.compile(r"\+?[0-9]{6,15}")
_SESSION = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_PATH = re.compile(r"[^\x00-\x1f\x7f]{0,1000}")
_CODE_CHARS = re.compile(r"[^0-9*]")
_MOST_FIELDS = 50

Network = IPv4Network | IPv6Network


class Settings(Protocol):
    """What the environment says about USSD."""

    ussd_secret: str
    ussd_service_code: str
    ussd_networks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdSettings:
    """One service code as we use it.

    Attributes:
        secret: Last part of the webhook's path, known to the provider.
        service_code: What people dial (`*384*123#`); also our account's name.
        networks: Where requests may come from; empty for anywhere.
    """

    secret: str
    service_code: str
    networks: tuple[Network, ...] = ()


def open_channel(settings: Settings, contents: Mapping[str, str]) -> Channel | None:
    """The channel, or None where the secret or the service code is missing."""
    if not (settings.ussd_secret and settings.ussd_service_code):
        return None
    return Ussd(
        UssdSettings(
            secret=settings.ussd_secret,
            service_code=settings.ussd_service_code,
            networks=networks_of(settings.ussd_networks),
        )
    )


def networks_of(listed: str) -> tuple[Network, ...]:
    """Networks as an operator lists them (`196.201.0.0/16, 2001:db8::/32`).

    Raises:
        ValueError: One of them is none.
    """
    return tuple(ip_network(word) for word in listed.replace(",", " ").split())


class Ussd:
    """A service code: steps in, screens out. Made by `open_channel`."""

    names: tuple[ChannelName, ...] = ("ussd",)
    paths: tuple[str, ...] = (f"{PREFIX}*",)

    def __init__(self, settings: UssdSettings) -> None:
        self._settings = settings

    def limits(self, channel: ChannelName) -> Limits:
        """What a reply on `channel` can carry, over all of its screens."""
        return LIMITS[channel]

    def parse(self, request: WebRequest) -> tuple[ChannelEvent, ...]:
        """Prove and understand a step.

        Raises:
            NotAuthentic: The secret in the path is wrong, or the request is from elsewhere.
            Malformed: The form is no step of a session with our service code.
        """
        given = request.path.removeprefix(PREFIX)
        # As bytes: compare_digest takes text only while it is ASCII, and a path may be anything.
        equal = hmac.compare_digest(
            given.encode("utf-8", "surrogatepass"), self._settings.secret.encode()
        )
        if not (self._settings.secret and equal and self._comes_from_them(request.client)):
            raise NotAuthentic("the webhook's secret is wrong, or the network it comes from")
        return (self._event(_form(request.body), request.received_at),)

    def answer(self, request: WebRequest) -> WebAnswer:
        """An empty reply, to what asks for no screen."""
        return WebAnswer(status=200)

    def screen(self, text: str, *, waits: bool) -> WebAnswer:
        """`CON` and the text, or `END` and the text where nothing more is asked."""
        words = f"{'CON' if waits else 'END'} {text}"
        return WebAnswer(
            status=200,
            body=words.encode(),
            content_type="text/plain; charset=utf-8",
            headers={"cache-control": "no-store"},
        )

    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        """Refuse: nothing is pushed on USSD, and replies leave in the response to their request."""
        return Refused(reason=NO_DIALOG)

    async def look_up(
        self, message: Outbound, to: Destination, *, since: datetime, key: str
    ) -> Lookup:
        """Nobody can say whether a screen was seen."""
        return Lookup(known=False)

    async def close(self) -> None:
        """Nothing to release."""

    def _comes_from_them(self, client: str) -> bool:
        if not self._settings.networks:
            return True
        try:
            address = ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._settings.networks)

    def _event(self, form: Mapping[str, str], received_at: datetime) -> ChannelEvent:
        session, number = form.get("sessionId", ""), form.get("phoneNumber", "")
        if not (_SESSION.fullmatch(session) and _NUMBER.fullmatch(number)):
            raise Malformed("no session or no number")
        if "text" not in form:
            return Ignored(kind="session_over")  # their notice that a session has ended
        if not _PATH.fullmatch(form["text"]):
            raise Malformed("no path of a session")
        ours = self._settings.service_code
        if _digits(form.get("serviceCode", "")) != _digits(ours):
            raise Malformed("another service code")
        return DialogStep(
            channel="ussd",
            account=ours,
            address=f"+{number.removeprefix('+')}",
            session=session,
            path=form["text"],
            received_at=received_at,
        )


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise Malformed("no form") from error
    return dict(pairs)


def _digits(code: str) -> str:
    """A service code without what providers write differently: `#`, spaces, the first star."""
    return _CODE_CHARS.sub("", code).strip("*")
