"""What she is promised at the end, and the helplines that close everything for everybody."""

import itertools

import pytest

from bot.site import Site
from flows.messages import ChannelName
from storage.keyring.vault import Vault
from tests.bot.turns.playing import BEST, Choose, play, worried
from tests.person import Person
from tests.test_transcripts import MONDAY
from tests.town import Resident, Town, open_town, site

CHANNELS: tuple[ChannelName, ...] = ("sms", "whatsapp", "telegram")
LANGUAGES = ("en", "zu")
COVERED = site(duty_officer=True)
CRITICAL = ({"hurt": "yes"}, {"hurt": "many"}, {"afraid": "many"}, {"want_call": "yes"})


def joining(**said: str) -> Choose:
    """How she answers the joining questions."""
    plain = {"consent_help": "yes", "capacity": "parent_or_guardian", "shared_phone": "no"}
    return lambda item: (plain | said).get(item.name, BEST.get(item.name, item.choices[0]))


async def joined(town: Town, amina: Person, language: str) -> None:
    """She is registered, and the first question about her child is asked."""
    await amina.says(f"JOIN {town.codes[17]}")
    await play(amina, joining(language=language), form="enrolment")


async def ends(
    url: str, vault: Vault, choose: Choose, *, channel: ChannelName, language: str, at: Site
) -> list[str]:
    """All that she hears from the first question about her child on."""
    who = Resident(name="amina", role="caregiver", channel=channel, place=1)
    async with open_town(url, vault, [who], at=MONDAY, decisions=at) as town:
        amina = Person(town=town, who=who)
        await joined(town, amina, language)
        return [*await play(amina, choose)]


@pytest.mark.parametrize("said", CRITICAL, ids=str)
async def test_after_a_protection_item_she_is_told_when_somebody_really_comes(
    said: dict[str, str], sqlite_url: str, vault: Vault
) -> None:
    told = await ends(
        sqlite_url, vault, worried(**said), channel="telegram", language="en", at=COVERED
    )
    assert "contact you today or tomorrow" in told[-1]
    assert "116" in told[-1]


async def test_where_the_cover_clock_names_hours_they_are_promised(
    sqlite_url: str, vault: Vault
) -> None:
    promised = COVERED.model_copy(update={"contact_hours": 6})
    told = await ends(
        sqlite_url,
        vault,
        worried(want_call="yes"),
        channel="whatsapp",
        language="zu",
        at=promised,
    )
    assert "amahora angu-6" in told[-1]


NO_TO_ALL = {"hurt": "no", "afraid": "no", "want_call": "no"}


@pytest.mark.parametrize(
    ("at", "said"),
    [(COVERED, NO_TO_ALL), (site(), {"breakfast": "none", "ate_today": "no_food"})],
    ids=["said no", "nobody on duty"],
)
async def test_else_the_day_stands_that_tasks_are_due(
    at: Site, said: dict[str, str], sqlite_url: str, vault: Vault
) -> None:
    told = await ends(sqlite_url, vault, worried(**said), channel="telegram", language="en", at=at)
    assert "contact you by 09/02" in told[-1]


@pytest.mark.parametrize(("channel", "language"), [*itertools.product(CHANNELS, LANGUAGES)])
async def test_the_caregivers_questions_end_with_the_helplines(
    channel: ChannelName, language: str, sqlite_url: str, vault: Vault
) -> None:
    told = await ends(sqlite_url, vault, worried(), channel=channel, language=language, at=site())
    assert "Childline 116; GBV 0800 428 428" in told[-1]


@pytest.mark.parametrize(("channel", "language"), [*itertools.product(CHANNELS, LANGUAGES)])
async def test_so_do_the_teachers(
    channel: ChannelName, language: str, sqlite_url: str, vault: Vault
) -> None:
    who = Resident(name="thoko", role="teacher", channel=channel, place=1)
    async with open_town(sqlite_url, vault, [who], at=MONDAY, consented=[3, 7]) as town:
        thoko = Person(town=town, who=who)
        await thoko.says("isiZulu" if language == "zu" else "English")
        await thoko.says("1")
        for _ in range(3):
            await thoko.says("3")
        told = await play(thoko, worried())
        assert sum("Childline 116" in words for words in told) == 1
        await thoko.says("1")
        told = await play(thoko, worried(), form="learner")
        assert "Childline 116" in told[-1]


@pytest.mark.parametrize(("channel", "language"), [*itertools.product(CHANNELS, LANGUAGES)])
@pytest.mark.parametrize("said", [{"consent_help": "no"}, {"capacity": "carer"}], ids=str)
async def test_and_joining_where_no_question_follows(
    channel: ChannelName, language: str, said: dict[str, str], sqlite_url: str, vault: Vault
) -> None:
    who = Resident(name="amina", role="caregiver", channel=channel, place=1)
    async with open_town(sqlite_url, vault, [who], at=MONDAY) as town:
        amina = Person(town=town, who=who)
        await amina.says(f"JOIN {town.codes[17]}")
        told = await play(amina, joining(language=language, **said))
        assert "Childline 116" in told[-1]


async def test_a_site_without_helplines_promises_none(sqlite_url: str, vault: Vault) -> None:
    told = await ends(
        sqlite_url,
        vault,
        worried(),
        channel="sms",
        language="en",
        at=site(helplines=()),
    )
    assert "Free help" not in "".join(told)
    assert told[-1].startswith("Thank you. That was all.")
