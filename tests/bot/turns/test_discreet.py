"""Whoever looks at her screen cannot see from the questions that an answer was critical."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from flows.messages import ChannelName
from storage.keyring.vault import Vault
from storage.schema import alerts
from tests.bot.turns.playing import play, worried
from tests.bot.turns.test_promising import COVERED, joining
from tests.person import Person
from tests.test_transcripts import MONDAY
from tests.town import Resident, Town, open_town

HARMLESS = {"hurt": "no", "afraid": "no", "want_call": "no", "ate_today": "yes", "sick_today": "no"}
CASES: tuple[tuple[ChannelName, dict[str, str], dict[str, str]], ...] = (
    ("telegram", {}, {"hurt": "yes"}),
    ("telegram", {}, {"hurt": "many", "afraid": "many"}),
    ("whatsapp", {}, {"hurt": "yes"}),
    ("telegram", {}, {"want_call": "yes"}),
    ("sms", {"breakfast": "none"}, {"ate_today": "no_food"}),
    ("whatsapp", {"breakfast": "none"}, {"ate_today": "no_food"}),
    ("sms", {"sick": "often"}, {"sick_today": "no_care"}),
)


async def heard(town: Town, who: Resident, number: int, said: dict[str, str]) -> Sequence[str]:
    """All she hears about the child with this list number, from JOIN to the last word."""
    person = Person(town=town, who=who)
    await person.says(f"JOIN {town.codes[number]}")
    joined = await play(person, joining(language="en"), form="enrolment")
    return [*joined, *await play(person, worried(**{**HARMLESS, **said}))]


@pytest.mark.parametrize(("channel", "worry", "critical"), CASES, ids=str)
async def test_a_critical_answer_changes_nothing_she_sees_until_the_end(
    channel: ChannelName,
    worry: dict[str, str],
    critical: dict[str, str],
    sqlite_url: str,
    vault: Vault,
) -> None:
    amina, bongi = (
        Resident(name=name, role="caregiver", channel=channel, place=place)
        for place, name in enumerate(("amina", "bongi"), 1)
    )
    people = [amina, bongi, Resident(name="n", role="coordinator", channel="sms", place=3)]
    async with open_town(sqlite_url, vault, people, at=MONDAY, decisions=COVERED) as town:
        quiet = await heard(town, amina, 17, worry)
        assert await town.database.read(lambda c: c.execute(select(alerts.c.rule)).all()) == []
        loud = await heard(town, bongi, 18, worry | critical)
        raised = await town.database.read(
            lambda c: c.execute(select(alerts.c.level)).scalars().all()
        )
        assert "urgent" in raised
    assert len(quiet) == len(loud) > 4
    assert loud[:-1] == quiet[:-1]
    assert "Thank you. That was all." in loud[-1]
    assert "Thank you. That was all." in quiet[-1]
