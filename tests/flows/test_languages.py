"""Eleven languages: what they call themselves, in which order, and a question that fits a phone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flows.engine import advance, begin
from flows.forms import Form
from flows.languages import LIST, OWN, in_order, own_name
from flows.lexicon import Lexicon
from flows.messages import LIMITS, ChannelName, Menu, Outbound, Phrase, Prompt
from flows.phrases import PHRASES
from flows.questionnaire import OFFERED, offering
from flows.rendering import render
from flows.replies import trim
from flows.sessions import LanguageChosen, Recorded, Replied, Say, Session, Started, Turn
from flows.sms import segments
from tests.flows.samples import form as questionnaire
from tests.flows.samples import item
from tests.flows.test_content import JOINING
from tests.flows.test_content import form as shipped_form
from tests.flows.test_content import lexicon as words_of

NOW = datetime(2026, 2, 2, 9, tzinfo=UTC)
ELEVEN = in_order(OWN, first="en")
MENU = (
    "1 English\n2 Afrikaans\n3 isiNdebele\n4 isiXhosa\n5 isiZulu\n6 Sepedi\n7 Sesotho\n8 Setswana\n"
    "9 siSwati\n10 Tshivenda\n11 Xitsonga"
)


@pytest.fixture(scope="module")
def made() -> Form:
    return shipped_form("enrolment")


def start(made: Form, channel: ChannelName, *, offered: str = " ".join(ELEVEN)) -> Turn:
    context = {**JOINING, "channel": channel, OFFERED: offered}
    session = begin(
        "0" * 32, made.questionnaire, channel=channel, language="en", now=NOW, context=context
    )
    return said(made, session, Started())


def said(made: Form, session: Session, event: object) -> Turn:
    words = words_of(made, "en")
    return advance(made.questionnaire, session, event, now=NOW, lexicon=words)  # type: ignore[arg-type]


def shown(made: Form, turn: Turn) -> tuple[Outbound, ...]:
    (prompt,) = (effect.prompt for effect in turn.effects if isinstance(effect, Say))
    return render(
        prompt,
        questionnaire=made.questionnaire,
        session=turn.session,
        lexicon=words_of(made, "en"),
        limits=LIMITS[turn.session.channel],
    )


def chosen(turn: Turn) -> list[str]:
    found = (effect for effect in turn.effects if isinstance(effect, Recorded))
    return [effect.answer.value for effect in found if effect.item == "language"]


def test_every_name_can_be_sent_by_sms() -> None:
    assert len(OWN) == 11
    assert {segments(name).encoding for name in OWN.values()} == {"GSM-7"}
    assert own_name("nso") == "Sepedi"
    assert own_name("fr") == "français"
    assert [own_name(tag) for tag in ("tlh", "no such tag")] == ["tlh", "no such tag"]


def test_a_menu_begins_with_the_source_and_goes_on_by_name() -> None:
    assert in_order(["zu", "xh", "nso", "en", "af"], first="en") == ("en", "af", "xh", "zu", "nso")


def test_eleven_languages_are_one_sms_and_with_the_cost_two(made: Form) -> None:
    (message,) = shown(made, start(made, "sms"))
    cost, _, question = message.text.partition("\n")
    assert cost.startswith("Joining costs you")
    assert question.partition("\n")[2] == MENU
    assert (segments(question).segments, segments(message.text).segments) == (1, 2)


@pytest.mark.parametrize("reply", ["11", " 11. ", "xitsonga", "(11)", "eleven", "k"])
def test_number_or_name_answers_it(made: Form, reply: str) -> None:
    turn = said(made, start(made, "sms").session, Replied(text=reply))
    assert chosen(turn) == ["ts"]
    assert turn.session.asking != ("language",)


@pytest.mark.parametrize("reply", ["12", "0", "klingon", "1 or 2"])
def test_anything_else_asks_again(made: Form, reply: str) -> None:
    turn = said(made, start(made, "sms").session, Replied(text=reply))
    assert (chosen(turn), turn.session.asking) == ([], ("language",))


def test_a_language_that_is_named_is_the_answer(made: Form) -> None:
    """Else naming it would cost her one more SMS than its number."""
    turn = said(made, start(made, "sms").session, LanguageChosen(language="xh"))
    assert (chosen(turn), turn.session.language) == (["xh"], "xh")
    assert turn.session.asking != ("language",)


def test_a_language_that_is_not_on_offer_is_no_answer(made: Form) -> None:
    turn = said(made, start(made, "sms", offered="en zu").session, LanguageChosen(language="xh"))
    assert (chosen(turn), turn.session.asking) == ([], ("language",))


def test_a_list_of_ten_rows_leaves_the_last_one_to_be_typed(made: Form) -> None:
    (message,) = shown(made, start(made, "whatsapp"))
    assert [button.title for button in message.buttons] == [own_name(t) for t in ELEVEN[:10]]
    assert message.menu == "Choose"
    assert message.text.endswith("\nOr send the number:\n11 Xitsonga")
    turn = said(made, start(made, "whatsapp").session, Replied(token=message.buttons[9].token))
    assert chosen(turn) == ["ve"]


def test_telegram_has_a_button_for_each(made: Form) -> None:
    (message,) = shown(made, start(made, "telegram"))
    assert [button.title for button in message.buttons] == [own_name(t) for t in ELEVEN]
    assert "11" not in message.text


@pytest.mark.parametrize(
    ("channel", "buttons", "text"),
    [
        ("sms", 0, f"Choose a language:\n{MENU}"),
        ("whatsapp", 10, "Choose a language:\nOr send the number:\n11 Xitsonga"),
        ("telegram", 11, "Choose a language:"),
    ],
)
def test_the_language_menu_is_one_message(channel: ChannelName, buttons: int, text: str) -> None:
    menu = Menu(ref="m.language", options=tuple((t, own_name(t)) for t in ELEVEN), literal=True)
    (message,) = render(
        Prompt(parts=(Phrase(key="language.choose"), menu)),
        questionnaire=None,
        session=None,
        lexicon=words_of(shipped_form("enrolment"), "en"),
        limits=LIMITS[channel],
    )
    assert (len(message.buttons), message.text) == (buttons, text)
    assert segments(message.text).segments == 1


def test_a_questionnaire_that_asks_no_language_stays_the_same_value() -> None:
    plain = questionnaire(item("meals", list_name="often"))
    assert offering(plain, {OFFERED: "en zu"}) is plain


def test_choices_are_the_languages_on_offer(made: Form) -> None:
    asked = offering(made.questionnaire, {OFFERED: "en nso"})["language"]
    assert (asked.type, asked.list_name, asked.choices) == ("select_one", LIST, ("en", "nso"))
    assert offering(made.questionnaire, {})["language"].choices == ()


def test_others_call_a_language_by_other_names() -> None:
    words = Lexicon(
        language="nso", name="Sepedi", phrases={"word.language": "pedi|northern sotho"}, texts={}
    )
    assert words.accept("enrolment", LIST, "nso") == ("pedi", "northern sotho")
    assert words.accept("enrolment", LIST, "zu") == ()
    assert replace(words, phrases=PHRASES).choice("enrolment", LIST, "zu") == trim("isiZulu")
