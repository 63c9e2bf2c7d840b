"""Languages on a channel: USSD shows what GSM-7 can spell, and English in its place."""

from dataclasses import replace

import pytest

from bot.content.library import Library
from bot.content.spoken import lexicon_on, offered_on
from flows.lexicon import Lexicon
from tests.town import own_library


@pytest.fixture
def library() -> Library:
    """What ships, with an isiZulu that has one letter more than GSM-7 in a question."""
    shipped = own_library()
    zu = shipped.lexicons["zu"]
    texts = {**zu.texts, "caregiver/sick:label": "Kuš?"}
    lexicons: dict[str, Lexicon] = {**shipped.lexicons, "zu": replace(zu, texts=texts)}
    return replace(shipped, lexicons=lexicons, offered=("en", "zu"))


def test_a_questionnaire_that_cannot_be_spelled_is_not_offered_on_ussd(library: Library) -> None:
    assert "zu" in offered_on(library, "sms", "caregiver")
    assert "zu" not in offered_on(library, "ussd", "caregiver")
    assert "zu" in offered_on(library, "ussd", "enrolment")
    assert "zu" in offered_on(library, "ussd")


def test_english_stands_in_for_it_and_for_nothing_else(library: Library) -> None:
    caregiver, enrolment = library.current["caregiver"], library.current["enrolment"]
    assert lexicon_on(library, "ussd", "zu", caregiver).language == "en"
    assert lexicon_on(library, "ussd", "zu", enrolment).language == "zu"
    assert lexicon_on(library, "ussd", "zu").language == "zu"
    assert lexicon_on(library, "sms", "zu", caregiver).language == "zu"


def test_where_nothing_can_be_spelled_english_is_offered(library: Library) -> None:
    only = replace(library, offered=("zu",))
    assert offered_on(only, "ussd", "caregiver") == ("en",)


def test_an_sms_spelling_is_good_enough(library: Library) -> None:
    zu = library.lexicons["zu"]
    spelled = replace(zu, spellings={"caregiver/sick:label": "Kus?"})
    mended = replace(library, lexicons={**library.lexicons, "zu": spelled})
    assert "zu" in offered_on(mended, "ussd", "caregiver")
