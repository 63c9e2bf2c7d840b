"""USSD outside of the turn: the answer to a step leaves in the response to the same request.

A step that says something is a message like any other: stored, handled, committed; only then its
screen is read back and shown. A page turned and a repeated delivery are answered from the screen
that is kept, without a turn.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from bot.channels.base import DialogStep
from bot.content.spoken import lexicon_on
from bot.turns import dialling
from bot.turns.queue import TurnQueue
from flows.messages import Inbound
from flows.ussd import Dialog, Typed, paged, read
from storage.database import Database
from storage.errors import SealBroken
from storage.rights.redacting import key_of
from storage.talk.dialogs import Screen, find, keep
from storage.talk.outbox import Outcome

PATIENCE_S = 8.0
"""How long a step may take: the networks end a session that hears nothing for about ten seconds."""

log = structlog.get_logger(__name__)


class Dialogs:
    """Answers the steps of USSD sessions. One a process."""

    def __init__(
        self,
        database: Database,
        queue: TurnQueue,
        *,
        clock: Callable[[], datetime],
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`patience_s`: after so long she is asked to dial again; the turn goes on to its end."""
        self._database = database
        self._queue = queue
        self._clock = clock
        self._patience_s = patience_s
        self._late: set[asyncio.Task[Dialog]] = set()

    async def answer(self, step: DialogStep) -> Dialog:
        """What she sees now.

        Raises:
            StorageError: The database refuses; nothing of this step was taken.
        """
        languages = [self._queue.world.library.offered[0]]
        task = asyncio.get_running_loop().create_task(self._take(step, languages))
        await asyncio.wait({task}, timeout=self._patience_s)
        if task.done():
            return task.result()
        self._late.add(task)
        task.add_done_callback(self._ended)
        return self._sorry(step, languages[-1], "ussd.later")

    async def drain(self) -> None:
        """Wait until no step is under way that came too late."""
        while self._late:
            await asyncio.wait(set(self._late))

    def _ended(self, task: "asyncio.Task[Dialog]") -> None:
        self._late.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("dialog_failed_late", error=type(task.exception()).__name__)

    async def _take(self, step: DialogStep, languages: list[str]) -> Dialog:
        screen = await self._find(step)
        if screen is not None:
            languages.append(screen.language)
        before = self._opened(screen)
        said = read(before, step.session, step.path)
        if isinstance(said, Typed):
            return await self._say(step, said, languages)
        if screen is not None and said != before:
            await self._keep(screen, said)
        return said

    async def _say(self, step: DialogStep, said: Typed, languages: list[str]) -> Dialog:
        now = self._clock()
        await self._queue.submit(
            Inbound(
                channel=step.channel,
                account=step.account,
                address=step.address,
                message_id=dialling.message_id(step.session, step.path),
                text=said.text,
                kind="dial" if said.opens else "message",
                received_at=now,
            )
        )
        screen = await self._find(step)
        if screen is not None:
            languages.append(screen.language)
        shown = self._opened(screen)
        if shown is None or isinstance(read(shown, step.session, step.path), Typed):
            # Stored, but its turn did not end well: the clock tries again, then staff look at it.
            return self._sorry(step, languages[-1], "trouble")
        for row in shown.rows:
            self._queue.outcome(Outcome(id=row, fence=1, state="accepted"))
        return shown

    async def _find(self, step: DialogStep) -> Screen | None:
        vault = self._queue.world.vault
        blinds = vault.blinds(step.channel, step.account, step.address)
        return await self._database.read(
            lambda c: find(c, channel=step.channel, account=step.account, blinds=blinds)
        )

    def _opened(self, screen: Screen | None) -> Dialog | None:
        if screen is None or screen.body is None:
            return None
        try:
            text = self._queue.world.vault.open(
                screen.body, table="dialogs", column="body", row=screen.address_id
            )
        except SealBroken:
            return None  # of a family that was erased: she begins anew
        return dialling.load(text)

    async def _keep(self, screen: Screen, dialog: Dialog) -> None:
        body = self._queue.world.vault.seal(
            dialling.dump(dialog),
            table="dialogs",
            column="body",
            row=screen.address_id,
            key=key_of(screen.body or b""),
        )
        now = self._clock()
        await self._database.write(
            lambda c: keep(c, address_id=screen.address_id, body=body, at=now)
        )

    def _sorry(self, step: DialogStep, language: str, key: str) -> Dialog:
        lexicon = lexicon_on(self._queue.world.library, "ussd", language)
        pages = paged(lexicon.plain.say(key, {}), lexicon, with_menu=False)
        return Dialog(session=step.session, path=step.path, pages=pages[:1])
