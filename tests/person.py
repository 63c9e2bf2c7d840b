"""Somebody with a phone: `await amina.says("2")`, `amina.hears("Thank you")`.

Every message is delivered twice by the provider, the second time without any effect, and after
each one every stored session equals the fold of its events.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import structs
from sqlalchemy import Connection, func, select

from flows.messages import Button, ChannelName, Inbound, Outbound
from storage import schema
from tests.stored import Ledger
from tests.town import PAUSE, Resident, Sent, Town

GROWING = (
    schema.inbox,
    schema.outbox,
    schema.events,
    schema.answers,
    schema.alerts,
    schema.alert_events,
    schema.tasks,
    schema.consents,
    schema.assignments,
    schema.sessions,
)
"""Tables that a second delivery must not add to."""


@dataclass(slots=True)
class Person:
    """A resident at her phone.

    Attributes:
        sent: How many messages she has sent; on SMS she pays for each.
        answer: What reached her since (and by) her last message.
        session: Her USSD session, and the path she came in it.
    """

    town: Town
    who: Resident
    ledger: Ledger = field(default_factory=Ledger)
    sent: int = 0
    answer: Sequence[Sent] = ()
    session: str = ""
    path: str = ""

    async def says(self, text: str, *, on: ChannelName | None = None) -> None:
        """She types a message, or keys a step on USSD."""
        if (on or self.who.channel) == "ussd":
            self.path = f"{self.path}*{text}" if self.path else text
            await self._steps()
            return
        await self._sends(self.town.inbound(self.who, text=text, channel=on))

    async def dials(self) -> None:
        """She dials the service code: a new USSD session, whatever became of the last one."""
        self.session, self.path = f"ussd-{self.town.count}-{self.who.place}", ""
        await self._steps()

    async def rings(self) -> None:
        """She rings our SMS number and hangs up."""
        await self._sends(self.town.inbound(self.who, channel="sms", kind="call"))

    async def shows(self, kind: str) -> None:
        """She sends a picture, a voice note or the like."""
        await self._sends(self.town.inbound(self.who, media=(kind,)))

    async def passes_on(self, text: str, *, edited: bool = False) -> None:
        """She forwards somebody's words, or changes her own after they were sent."""
        media = ("edited",) if edited else ()
        sent = self.town.inbound(self.who, text=text, media=media)
        await self._sends(structs.replace(sent, forwarded=not edited))

    async def taps(self, title: str, *, under: str = "") -> None:
        """She taps a button of the newest message that has it (and says `under`)."""
        shown, button = self._button(title, under)
        await self._sends(
            self.town.inbound(self.who, token=button.token, shown_in=f"fake-{shown.key}")
        )

    def hears(self, text: str) -> None:
        """Her last message was answered with these words."""
        heard = "\n".join(sent.message.text for sent in self.answer)
        assert text in heard, f"{self.who.name} heard {heard!r}"

    def phone(self) -> list[Sent]:
        """Everything that ever reached her."""
        return [s for s in self.town.channel.sent if self.who.has(s.address)]

    def _button(self, title: str, under: str) -> tuple[Sent, Button]:
        for sent in reversed(self.phone()):
            for button in sent.message.buttons:
                if button.title == title and under in sent.message.text:
                    return sent, button
        raise AssertionError(f"{self.who.name} has no button {title!r} under {under!r}")

    async def _steps(self) -> None:
        """One step of her USSD session, brought twice: the same screen, and no second turn."""
        town, before = self.town, len(self.phone())
        town.now += PAUSE
        town.count += 1
        shown = await town.step(self.who, self.session, self.path)
        once = await town.database.read(count_rows)
        again = await town.step(self.who, self.session, self.path)
        assert again == shown, "a second delivery showed another screen"
        assert await town.database.read(count_rows) == once, "a second delivery had an effect"
        screen = Outbound(text=shown)
        number = self.who.on("ussd")
        key = f"{self.session}-{town.count}"
        town.channel.sent.append(Sent(channel="ussd", address=number, key=key, message=screen))
        await town.database.read(lambda c: self.ledger.check(c, town.world))
        self.answer = self.phone()[before:]

    async def _sends(self, inbound: Inbound) -> None:
        town, before = self.town, len(self.phone())
        await town.deliver(inbound)
        once = await town.database.read(count_rows)
        heard = len(town.channel.sent)
        await town.deliver(inbound)
        assert await town.database.read(count_rows) == once, "a second delivery had an effect"
        assert len(town.channel.sent) == heard, "a second delivery was answered"
        await town.database.read(lambda c: self.ledger.check(c, town.world))
        self.sent += 1
        self.answer = self.phone()[before:]


def count_rows(conn: Connection) -> list[int]:
    """How many rows stand in each of the growing tables."""
    return [conn.execute(select(func.count()).select_from(t)).scalar_one() for t in GROWING]
