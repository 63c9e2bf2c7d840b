"""The golden conversations, and what joining and the core cost her by SMS."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.turns.starting import CORE_SMS, JOIN_SMS
from storage.keyring.vault import Vault
from storage.schema import events
from tests.person import Person
from tests.town import ZONE, Resident, open_town
from tests.transcript import TranscriptError, replay

FOLDER = Path(__file__).parent / "transcripts"
FILES = sorted(FOLDER.glob("*.txt"))
MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_conversation_goes_as_it_is_written(
    path: Path, sqlite_url: str, vault: Vault, request: pytest.FixtureRequest
) -> None:
    written = path.read_text(encoding="utf-8")
    language = path.stem.split(".")[1]
    played = asyncio.run(replay(written, url=sqlite_url, vault=vault, language=language))
    if request.config.getoption("--golden"):
        path.write_text(played, encoding="utf-8")
        state = "unchanged" if played == written else "rewritten: read the difference"
        pytest.fail(f"{path.name} {state}; run again without --golden", pytrace=False)
    assert played.splitlines() == written.splitlines()


def test_every_questionnaire_has_a_conversation() -> None:
    names = {path.stem.split(".")[0] for path in FILES}
    forms = {p.stem for p in (FOLDER.parents[1] / "flows" / "questionnaires").glob("*.yaml")}
    assert forms - names == set()


@pytest.mark.parametrize(("digit", "language"), [("1", "en"), ("2", "zu")])
async def test_joining_and_the_core_cost_what_she_is_told(
    digit: str, language: str, sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = Person(town=town, who=AMINA)
        await amina.says(f"JOIN {town.codes[17]}")
        amina.hears(f"Joining costs you {JOIN_SMS} SMS, the questions {CORE_SMS} SMS")
        await amina.says(digit)
        await amina.says("1 1 1 1 2 3")
        amina.hears(town.world.library.lexicons[language].say("enrol.done", {}))
        assert amina.sent <= JOIN_SMS
        joined = amina.sent
        for reply in ("4 4 4", "1 1 1", "1 1 1", "1 1 1"):
            await amina.says(reply)
        amina.hears("116")
        assert amina.sent - joined <= CORE_SMS


async def test_a_session_that_is_not_what_its_events_say_is_noticed(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = Person(town=town, who=AMINA)
        await amina.says(f"JOIN {town.codes[17]}")
        await amina.says("1")
        await town.database.write(lambda c: c.execute(delete(events).where(events.c.rev == 2)))
        with pytest.raises(AssertionError):
            await town.database.read(lambda c: amina.ledger.check(c, town.world))


async def test_an_answer_on_an_old_button_changes_nothing(sqlite_url: str, vault: Vault) -> None:
    amina = replace(AMINA, channel="whatsapp")
    async with open_town(sqlite_url, vault, [amina], at=MONDAY) as town:
        driver = Person(town=town, who=amina)
        await driver.says(f"JOIN {town.codes[17]}")
        await driver.taps("English")
        await driver.taps("Yes")
        await driver.taps("No", under="May we ask about your child?")
        driver.hears("May we share with partners?")
        with pytest.raises(AssertionError, match="has no button 'Maybe'"):
            await driver.taps("Maybe")
        with pytest.raises(AssertionError, match="heard"):
            driver.hears("Who are you?")


async def test_a_transcript_without_people_or_time_is_refused(
    sqlite_url: str, vault: Vault
) -> None:
    with pytest.raises(TranscriptError, match="when it is and who is there"):
        await replay("# at: 2026-02-02 09:00\n\n< hello\n", url=sqlite_url, vault=vault)


async def test_a_line_that_nobody_can_read_is_refused(sqlite_url: str, vault: Vault) -> None:
    head = "# at: 2026-02-02 09:00\n# amina: caregiver, sms\n\n"
    with pytest.raises(TranscriptError, match="nobody says"):
        await replay(f"{head}thandi < hello\n", url=sqlite_url, vault=vault)
