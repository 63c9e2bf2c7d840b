"""A message on its way into the outbox: one row, sealed, with its place in the line."""

from datetime import datetime, timedelta
from typing import Any

from bot.sending.envelopes import dump_outbound
from bot.turns.world import World
from flows.messages import MessageClass, Outbound
from storage.types import to_ms

PRIORITY: dict[MessageClass, int] = {
    "alert": 0,
    "safety": 1,
    "reply": 2,
    "notice": 3,
    "invitation": 4,
    "reminder": 5,
}
SEQ_PER_MS = 1000
"""Messages of one moment keep the order in which they were made."""


def queued(
    world: World,
    message: Outbound,
    *,
    address_id: str,
    person_id: str | None,
    key: str,
    message_class: MessageClass,
    now: datetime,
    life: timedelta,
    sealed_with: str,
    not_before: datetime | None = None,
    count: int = 0,
) -> dict[str, Any]:
    """The row of a message that waits to be sent.

    Args:
        world: Ids and keys.
        message: Rendered for the address's channel.
        address_id: Where it goes.
        person_id: To whom, if we know.
        key: Makes it once: a key that exists already makes it nothing.
        message_class: What it is for; decides its priority.
        now: Aware, UTC.
        life: How long it is of use, from `not_before` on.
        sealed_with: The key's id (`Vault.key_for`).
        not_before: When it may go; at once if not said.
        count: How many were made at this moment before it.
    """
    row_id, from_at = world.new_id(now), not_before or now
    body = world.vault.seal(
        dump_outbound(message), table="outbox", column="body", row=row_id, key=sealed_with
    )
    return {
        "id": row_id,
        "address_id": address_id,
        "person_id": person_id,
        "key": key,
        "message_class": message_class,
        "priority": PRIORITY[message_class],
        "seq": to_ms(now) * SEQ_PER_MS + count,
        "state": "queued",
        "body": body,
        "not_before": from_at,
        "expires_at": from_at + life,
        "created_at": now,
    }
