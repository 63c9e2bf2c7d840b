"""Asking by chat whether a sign-in to the dashboard is hers. Nothing in it opens anything."""

from datetime import datetime

from sqlalchemy import Connection, insert

from bot.sending.posting import queued
from bot.turns.world import World
from flows.messages import LIMITS, ChannelName, Outbound, Phrase, Prompt
from flows.rendering import render
from flows.routing import LOGIN_LIFE
from storage.schema import outbox
from storage.staff.logins import Reach, open_login_prompt, reaches

ORDER: tuple[ChannelName, ...] = ("telegram", "sms", "whatsapp")
"""Which address is asked: what costs nothing first; WhatsApp is closed 24 hours after her word."""


def ask(conn: Connection, person_id: str, login: str, now: datetime, *, world: World) -> bool:
    """Put the question into the outbox and open its prompt, so that her next number answers it.

    She asked for it herself a moment ago, so it goes out at any hour, and never late: a question
    that has not left when the sign-in is over is dropped.

    Args:
        conn: Open write transaction.
        person_id: Who is asked, at one address of hers.
        login: The sign-in.
        now: Aware, UTC.
        world: Words and keys.

    Returns:
        False where she has no address that works.
    """
    found = [
        reach
        for reach in reaches(conn, person_id)
        if reach.channel in ORDER and reach.channel in world.accounts
    ]
    if not found:
        return False
    reach = min(found, key=lambda one: ORDER.index(one.channel))
    open_login_prompt(conn, reach.address_id, prompt_id=login, now=now)
    row = queued(
        world,
        _question(world, reach),
        address_id=reach.address_id,
        person_id=person_id,
        key=f"login:{login}",
        message_class="reply",
        now=now,
        life=LOGIN_LIFE,
        sealed_with=world.vault.key_for(None),
    )
    conn.execute(insert(outbox).values(row))
    return True


def _question(world: World, reach: Reach) -> Outbound:
    (only,) = render(
        Prompt(parts=(Phrase(key="login.ask"),)),
        questionnaire=None,
        session=None,
        lexicon=world.library.lexicon(reach.language),
        limits=LIMITS[reach.channel],
    )
    return only
