"""Every key word is a question to the policy before it is acted on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import get_args

import pytest
from sqlalchemy import select

from bot.policy import Policy, shipped
from bot.turns import permitted
from flows.keywords import Action
from flows.routing import (
    AlertList,
    AnswerTo,
    Command,
    Intent,
    Join,
    LanguageMenu,
    OfferReply,
    Stale,
    SwitchLanguage,
    WithdrawReply,
)
from storage.keyring.vault import Vault
from storage.schema import requests
from tests.person import Person
from tests.town import ZONE, Resident, open_town

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
THOKO = Resident(name="thoko", role="teacher", channel="telegram", place=2)
SIPHO = Resident(name="sipho", role="coordinator", channel="telegram", place=3)


def only(roles: Mapping[str, set[str]]) -> Policy:
    """The table that ships, with some words for these roles alone."""
    policy = shipped()
    rules = dict(policy.rules)
    for word, allowed in roles.items():
        key = ("chat", permitted.WORDS, word)
        rules[key] = replace(rules[key], roles=frozenset(allowed))  # type: ignore[index]
    return replace(policy, rules=rules)


@pytest.mark.parametrize(
    ("intent", "word"),
    [
        *((Command(action=action), action) for action in get_args(Action)),
        (LanguageMenu(), "language"),
        (SwitchLanguage(language="zu"), "language"),
        (Join(code="7KQ4M2XY"), "join"),
        (WithdrawReply(choice="all"), "withdraw"),
        (AnswerTo(session="s"), None),
        (OfferReply(assignment="a", choice="now"), None),
        (AlertList(), None),
        (Stale(), None),
    ],
)
def test_what_a_message_comes_down_to(intent: Intent, word: str | None) -> None:
    assert permitted.asked_for(intent) == word


@pytest.mark.parametrize(
    ("who", "counted"), [(AMINA, False), (THOKO, True), (SIPHO, True)], ids=lambda x: str(x)[:40]
)
async def test_a_word_for_some_roles_is_refused_to_others(
    who: Resident, counted: bool, sqlite_url: str, vault: Vault
) -> None:
    policy = only({"data": {"teacher", "coordinator"}})
    residents = [AMINA, THOKO, SIPHO]
    async with open_town(sqlite_url, vault, residents, at=MONDAY, policy=policy) as town:
        person = Person(town, who)
        await person.says("DATA")

        asked = await town.database.read(lambda c: c.execute(select(requests.c.kind)).all())
        assert [row.kind for row in asked] == (["access"] if counted else [])
        person.hears("we have your request" if counted else "This is the child wellbeing line")


async def test_a_caregiver_is_known_by_what_she_is(sqlite_url: str, vault: Vault) -> None:
    policy = only({"data": {"caregiver"}})
    async with open_town(sqlite_url, vault, [AMINA, THOKO], at=MONDAY, policy=policy) as town:
        amina, thoko = Person(town, AMINA), Person(town, THOKO)
        await amina.says("DATA")
        amina.hears("This is the child wellbeing line")
        for said in (f"JOIN {town.codes[17]}", "1", "1 1 1 1 2 3"):
            await amina.says(said)
        await amina.says("DATA")
        amina.hears("we have your request")
        await thoko.says("DATA")
        thoko.hears("This is the child wellbeing line")


async def test_joining_is_asked_for_as_well(sqlite_url: str, vault: Vault) -> None:
    policy = only({"join": set()})
    async with open_town(sqlite_url, vault, [AMINA, THOKO], at=MONDAY, policy=policy) as town:
        amina = Person(town, AMINA)
        await amina.says(f"JOIN {town.codes[17]}")
        amina.hears("This is the child wellbeing line")
