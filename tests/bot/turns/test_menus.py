"""MENU fits: two SMS at most in every language, ten rows at most; each row can be chosen."""

import pytest

from bot.turns import acts
from flows.messages import LIMITS, ChannelName, Menu, Phrase, Prompt
from flows.rendering import render
from flows.sms import segments
from storage.keyring.vault import Vault
from tests.person import Person
from tests.test_transcripts import AMINA, MONDAY
from tests.town import Resident, library, open_town

EVERY_ROW = ("alerts", "go_on", "child", "learn", "language", "call", "data", "stop")
MOST_ROWS, MOST_SMS, MOST_DEAR = 10, 2, 4
DEAR = {"nso", "ve"}
"""Languages whose everyday letters an SMS cannot carry at the usual price."""
THOKO = Resident(name="thoko", role="teacher", channel="sms", place=2)
NOMSA = Resident(name="nomsa", role="coordinator", channel="sms", place=3)


def test_every_row_does_something() -> None:
    assert set(EVERY_ROW) | {"class"} == set(acts.FROM_MENU)


@pytest.mark.parametrize("language", sorted(library().lexicons))
@pytest.mark.parametrize("welcome", [True, False])
def test_the_longest_menu_fits_in_two_sms(language: str, *, welcome: bool) -> None:
    rows = ("language", "data", "stop") if welcome else EVERY_ROW
    before = (Phrase(key="idle.welcome"),) if welcome else ()
    menu = Menu(ref="m.x", options=tuple((code, f"menu.{code}") for code in rows))
    messages = render(
        Prompt(parts=(*before, Phrase(key="menu.ask"), menu)),
        questionnaire=None,
        session=None,
        lexicon=library().lexicons[language],
        limits=LIMITS["sms"],
    )
    costs = [segments(message.text) for message in messages]
    dear = any(cost.encoding == "UCS-2" for cost in costs)  # until a spelling for SMS is reviewed
    assert sum(cost.segments for cost in costs) <= (MOST_DEAR if dear else MOST_SMS)
    assert dear == (language in DEAR)


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
def test_in_english_every_row_can_be_tapped(channel: ChannelName) -> None:
    menu = Menu(ref="m.x", options=tuple((code, f"menu.{code}") for code in EVERY_ROW))
    (message,) = render(
        Prompt(parts=(Phrase(key="menu.ask"), menu)),
        questionnaire=None,
        session=None,
        lexicon=library().lexicons["en"],
        limits=LIMITS[channel],
    )
    assert len(message.buttons) == len(EVERY_ROW) <= MOST_ROWS


@pytest.mark.parametrize("who", [AMINA, THOKO, NOMSA], ids=lambda who: who.role)
async def test_every_number_of_a_menu_is_answered(
    who: Resident, sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [who], at=MONDAY, consented=[3]) as town:
        person = Person(town=town, who=who)
        await person.says("menu")
        count = sum(line[:1].isdigit() for line in person.answer[0].message.text.split("\n"))
        for number in range(1, count + 1):
            await person.says("menu")
            await person.says(str(number))
            assert person.answer, f"{number} of {who.role} was not answered"
