"""The demo's fourth phone: a handset that dials, and shows one USSD screen at a time."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.channels.base import DialogStep
from bot.demo_phones import Phone, Phones
from flows.ussd import Dialog

Dial = Callable[[DialogStep], Awaitable[Dialog]]
"""Answers a step of a session (`bot.dialogs.Dialogs.answer`)."""
OVER = "(The session is over. Dial again.)"


class Handset:
    """What a network keeps of one phone: its session and the path it came.

    Args:
        phone: Whose it is.
        phones: Where its screens are shown.
        dial: Answers a step.
        now: The clock.
    """

    def __init__(
        self, phone: Phone, phones: Phones, dial: Dial, *, now: Callable[[], datetime]
    ) -> None:
        self._phone = phone
        self._phones = phones
        self._dial = dial
        self._now = now
        self._session = ""
        self._path = ""

    async def press(self, typed: str) -> None:
        """Key something in the open session; where none is open, dial."""
        if not self._session:
            await self.dial()
        elif typed:
            self._path = f"{self._path}*{typed}" if self._path else typed
            await self._step(typed)

    async def dial(self) -> None:
        """Begin a session; one that was open is dropped, as when the battery dies."""
        self._session, self._path = f"demo-{secrets.token_hex(8)}", ""
        await self._step(self._phones.account(self._phone))

    async def _step(self, shown: str) -> None:
        session = self._session
        self._phones.show(self._phone, shown, mine=True)
        dialog = await self._dial(
            DialogStep(
                channel="ussd",
                account=self._phones.account(self._phone),
                address=self._phone.address,
                session=session,
                path=self._path,
                received_at=self._now(),
            )
        )
        text = dialog.screen if dialog.open else f"{dialog.screen}\n{OVER}"
        self._phones.show(self._phone, text, mine=False)
        if not dialog.open and self._session == session:
            self._session = ""
