"""Plays a bad day with names, numbers, words and tokens that must not get out; says what it sent.

`python -m tests.bot.canary FILE.db` logs on stderr like `run` and prints one JSON document.
"""

import asyncio
import json
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client import generate_latest
from sqlalchemy import select
from typing_extensions import override

from bot.channels.base import Destination, SendResult
from bot.logs import set_up
from bot.sending.delivery import Delivery
from flows.messages import ChannelName, Outbound
from storage.engines import parse_url, writing_engine
from storage.keyring.vault import Vault
from storage.schema import metadata, outbox
from tests.town import ZONE, FakeChannel, Resident, Town, open_town

NAME = "Nokuthula-Budgerigar"
WORDS = "my budgerigar words"
TOKEN = "8123:AAbudgerigarToken"  # noqa: S105 - it opens nothing
MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
OTHER = Resident(name="other", role="caregiver", channel="sms", place=2)


class Abroad(Resident):
    """Her number cannot stand in the file by chance, beside one of ours."""

    @override
    def on(self, channel: ChannelName) -> str:
        return "5519283746" if channel == "telegram" else "+4915519283746"


BOSS = Abroad(name=NAME, role="coordinator", channel="telegram", place=3)
CANARIES = (NAME, "Budgerigar", "budgerigar", TOKEN, *(r.on("sms") for r in (AMINA, OTHER, BOSS)))
CANARIES += (BOSS.on("telegram"), AMINA.on("sms").removeprefix("+"))


class Breaking(FakeChannel):
    """Breaks at its first send, with a token in the error as a provider's library may have it."""

    broke = False

    @override
    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        if not self.broke:
            self.broke = True
            raise RuntimeError(f"POST https://api/bot{TOKEN}/sendMessage {to.address}")
        return await super().send(message, to, key=key)


async def play(path: Path) -> dict[str, object]:
    vault = Vault.from_master(bytes(range(32)))
    engine = writing_engine(*parse_url(f"sqlite:///{path}"))
    metadata.create_all(engine)
    engine.dispose()
    async with open_town(f"sqlite:///{path}", vault, [AMINA, OTHER, BOSS], at=MONDAY) as town:
        channel = await bad_day(town)
        kinds = await town.database.read(
            lambda c: {r.id: r.message_class for r in c.execute(select(outbox))}
        )
    return {
        "sent": [(kinds[sent.key], sent.message.text) for sent in channel.sent],
        "metrics": generate_latest().decode(),
        "codes": list(town.codes.values()),
    }


async def bad_day(town: Town) -> FakeChannel:
    broken = Breaking()
    delivery = Delivery(town.queue, dict.fromkeys(broken.names, broken), clock=lambda: town.now)
    town.queue.attach(delivery)
    town.delivery = delivery
    good = town.queue.world

    def no_code(_length: int) -> str:
        raise ValueError(f"{WORDS} of {NAME} at {AMINA.address}")

    await reaches_the_last_core_question(town, AMINA, 17)
    # No alert can be made: her message is kept, and tried again until it is given to staff.
    town.queue.world = replace(good, new_code=no_code)
    await town.deliver(town.inbound(AMINA, text="3"))
    for _ in range(4):
        await town.wait(town.now + timedelta(minutes=2))
    town.queue.world = good
    await reaches_the_last_core_question(town, OTHER, 18)
    await town.deliver(town.inbound(OTHER, text="3"))
    await town.wait(town.now + timedelta(hours=26))
    await town.wait(town.now + timedelta(hours=50))
    return broken


async def reaches_the_last_core_question(town: Town, who: Resident, child: int) -> None:
    joining = (WORDS, f"JOIN {town.codes[child]}", "1", "1 1 1 1 2 2")
    for text in (*joining, WORDS, "1 1 1", "3 3 3", "3 3 3", "3 3 3"):
        await town.deliver(town.inbound(who, text=text))


if __name__ == "__main__":
    set_up()
    json.dump(asyncio.run(play(Path(sys.argv[1]))), sys.stdout)
