from dataclasses import replace

import pytest

from flows.engine import SIMPLER_AT, token
from flows.lexicon import Lexicon
from flows.messages import (
    LIMITS,
    SMS,
    TELEGRAM,
    WHATSAPP,
    Ask,
    Button,
    Correct,
    Limits,
    Menu,
    Outbound,
    Part,
    Phrase,
    Prompt,
    Tell,
)
from flows.questionnaire import Questionnaire
from flows.rendering import Problem, TooLong, check_rendering, render
from flows.sessions import Answer
from flows.sms import segments
from tests.flows.samples import ENGLISH, KINDS, WEEK, Talk, at, form, item, texts


def show(
    *parts: Part,
    limits: Limits = SMS,
    questionnaire: Questionnaire = WEEK,
    lexicon: Lexicon = ENGLISH,
    **session: object,
) -> tuple[Outbound, ...]:
    return render(
        Prompt(parts=parts),
        questionnaire=questionnaire,
        session=at(Talk(questionnaire).first, **session),
        lexicon=lexicon,
        limits=limits,
    )


def saying(**changed: str) -> Lexicon:
    """English with some item texts changed: `sick__hint` is the hint of `sick`."""
    new = {}
    for key, text in changed.items():
        name, _, kind = key.partition("__")
        new[f"f/{name}:{kind or 'label'}"] = text
    return replace(ENGLISH, texts={**texts(), **new})


PACK = Ask(items=("meals", "sick", "school"))


def test_sms_numbers_the_answers_below_the_question() -> None:
    assert show(Ask(items=("food",))) == (
        Outbound(text="Is there food at home today?\n1 Yes\n2 No"),
    )


def test_a_pack_says_a_shared_list_once() -> None:
    (message,) = show(PACK)
    assert message.text == (
        "Reply 3 numbers, like 1 3 2\n"
        "a) How often does your child eat well?\n"
        "b) How often is your child sick?\n"
        "c) How often is your child at school?\n"
        "1 Never 2 Now and then 3 Often"
    )
    assert segments(message.text).segments == 2


def test_a_pack_of_different_lists_says_each() -> None:
    (message,) = show(
        Ask(items=("food", "adults", "meals")), lexicon=saying(adults__hint="(over 18)")
    )
    assert message.text == (
        "Reply 3 numbers, like 1 3 2\n"
        "a) Is there food at home today? 1 Yes 2 No\n"
        "b) How many adults live at home? (over 18)\n"
        "c) How often does your child eat well? 1 Never 2 Now and then 3 Often"
    )


def test_the_example_of_a_pack_can_be_sent_as_it_is() -> None:
    (message,) = show(Ask(items=("food", "agree")))
    assert message.text.startswith("Reply 2 numbers, like 1 2\n")
    counts = form(item("adults", "integer"), item("weight", "integer"))
    (message,) = show(Ask(items=("adults", "weight")), questionnaire=counts)
    assert message.text == (
        "Reply 2 numbers, like 1 3\n"
        "a) How many adults live at home?\n"
        "b) How much does your child weigh, in kg?"
    )


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("weight", "Reply with a number."),
        ("born", "Reply with the date: day/month/year."),
        ("helpers", "Reply with one or more numbers, like 1 3"),
        ("absent", "Reply with list numbers like 3 7 19, or 0 for none."),
        ("words", "Reply in your own words."),
    ],
)
def test_other_kinds_say_how_to_answer(name: str, last: str) -> None:
    (message,) = show(Ask(items=(name,)), questionnaire=KINDS, limits=WHATSAPP)
    assert message.text.splitlines()[-1] == last
    assert message.buttons == ()


def test_two_answers_to_choose_from_make_a_shorter_example() -> None:
    few = form(item("helpers", "select_multiple", "people"))
    (message,) = show(Ask(items=("helpers",)), questionnaire=few)
    assert message.text.endswith("1 Aunt\n2 Friend\nReply with one or more numbers, like 1 2")


def test_the_authors_hint_stands_instead_of_ours() -> None:
    (message,) = show(Ask(items=("adults",)), lexicon=saying(adults__hint="Count yourself."))
    assert message.text == "How many adults live at home?\nCount yourself."


def test_something_that_is_not_asked_is_shown_as_it_is() -> None:
    assert show(Ask(items=("intro",)))[0].text == "A few questions about your child."


def test_placeholders_are_filled_with_labels_and_context() -> None:
    (message,) = show(Ask(items=("who",)), questionnaire=KINDS, answers={"agree": Answer("no")})
    assert message.text.startswith("You said No. Who are you?\n1 Parent or guardian")
    (message,) = show(Ask(items=("absent",)), questionnaire=KINDS)
    assert "absent from 2B?" in message.text
    (message,) = show(Tell(item="intro"), lexicon=saying(intro="A ${adults} ${ food }${gone}."))
    assert message.text == "A  ."
    (message,) = show(
        Tell(item="intro"),
        lexicon=saying(intro="${adults} ${food}"),
        answers={"adults": Answer("3"), "food": Answer("", "skipped")},
    )
    assert message.text == "3 "


def test_whatsapp_shows_few_short_answers_as_buttons() -> None:
    (message,) = show(Ask(items=("food",)), limits=WHATSAPP)
    session = Talk(WEEK).first
    assert message == Outbound(
        text="Is there food at home today?",
        buttons=(
            Button(title="Yes", token=token(session, 6, 0)),
            Button(title="No", token=token(session, 6, 1)),
        ),
    )


def test_whatsapp_shows_more_or_longer_answers_as_a_list() -> None:
    longer = saying(**{"often/never": "Not even one single day"})
    (message,) = show(Ask(items=("meals",)), limits=WHATSAPP, lexicon=longer)
    assert len(message.buttons) == 3
    assert message.menu == "Choose"
    short = saying(**{"who/carer": "Somebody else"})
    (message,) = show(Ask(items=("who",)), limits=WHATSAPP, questionnaire=KINDS, lexicon=short)
    assert [len(message.buttons), message.menu] == [4, "Choose"]


@pytest.mark.parametrize(
    "label", ["Somebody else who cares for her", "parent OR guardian", "😀" * 13]
)
def test_answers_that_do_not_fit_or_differ_are_numbered(label: str) -> None:
    (message,) = show(
        Ask(items=("who",)),
        limits=WHATSAPP,
        questionnaire=KINDS,
        lexicon=saying(**{"who/carer": label}),
    )
    assert (message.buttons, message.menu) == ((), "")
    assert f"\n2 {label}\n" in message.text


def test_telegram_shows_buttons() -> None:
    (message,) = show(Ask(items=("who",)), limits=TELEGRAM, questionnaire=KINDS)
    assert len(message.buttons) == 4
    assert message.menu == ""
    assert all(len(button.token.encode()) <= 64 for button in message.buttons)


def test_who_misses_the_buttons_is_shown_digits_too() -> None:
    (message,) = show(Ask(items=("food",)), limits=TELEGRAM, misses=SIMPLER_AT)
    assert message.text == "Is there food at home today?\n1 Yes\n2 No"
    assert len(message.buttons) == 2


def test_payloads_that_are_too_long_are_not_sent() -> None:
    menu = Menu(ref="l." + "x" * 70, options=(("en", "English"),), literal=True)
    (message,) = show(menu, limits=TELEGRAM)
    assert message == Outbound(text="1 English")


MENU = Menu(ref="l.1", options=(("now", "word.and"), ("zu", "menu.choose")))


def test_a_menu_is_numbered_or_tapped() -> None:
    hello = Phrase(key="welcome_back")
    words = ENGLISH.phrases["welcome_back"]
    assert show(hello, MENU) == (Outbound(text=f"{words}\n1 and\n2 Choose"),)
    buttons = tuple(
        Button(title=title, token=f"{MENU.ref}.{number}")
        for number, title in enumerate(("and", "Choose"), start=1)
    )
    assert show(hello, MENU, limits=TELEGRAM) == (Outbound(text=words, buttons=buttons),)
    assert show(MENU, limits=TELEGRAM) == (Outbound(text="Choose", buttons=buttons),)


def test_a_menu_of_native_names_is_said_as_it_stands() -> None:
    menu = Menu(
        ref="l.1",
        options=(("en", "English"), ("zu", "isiZulu"), ("st", "Sesotho"), ("xh", "isiXhosa")),
        literal=True,
    )
    (message,) = render(
        Prompt(parts=(menu,)), questionnaire=None, session=None, lexicon=ENGLISH, limits=WHATSAPP
    )
    assert [button.title for button in message.buttons][1] == "isiZulu"
    assert message.menu == message.text == "Choose"


def test_parts_share_a_message_while_it_holds_them() -> None:
    (message,) = show(Tell(item="intro"), Phrase(key="help.skip"), Ask(items=("food",)))
    assert message.text.splitlines() == [
        "A few questions about your child.",
        ENGLISH.phrases["help.skip"],
        "Is there food at home today?",
        "1 Yes",
        "2 No",
    ]


def test_what_does_not_fit_becomes_a_further_message() -> None:
    long = saying(intro="x" * 440)
    messages = show(Tell(item="intro"), Ask(items=("food",)), lexicon=long)
    assert [message.text for message in messages] == [
        "x" * 440,
        "Is there food at home today?\n1 Yes\n2 No",
    ]


def test_buttons_close_their_message() -> None:
    messages = show(Ask(items=("food",)), Tell(item="intro"), limits=TELEGRAM)
    assert [bool(message.buttons) for message in messages] == [True, False]


def test_a_part_that_does_not_fit_alone_is_refused_not_cut() -> None:
    with pytest.raises(TooLong, match=r"f/intro takes 4 of 3 in one message") as caught:
        show(Tell(item="intro"), lexicon=saying(intro="x" * 460))
    assert (caught.value.address, caught.value.units, caught.value.limit) == ("f/intro", 4, 3)
    with pytest.raises(TooLong, match="1026 of 1024"):
        show(Tell(item="intro"), lexicon=saying(intro="😀" * 513), limits=WHATSAPP)


@pytest.mark.parametrize(
    ("part", "address"),
    [
        (PACK, "f/meals+sick+school"),
        (Correct(item="adults", reason="constraint"), "f/adults:constraint_message"),
        (Ask(items=("adults",)), "f/adults"),
        (Menu(ref="l.1", options=(("a", "b" * 500),), literal=True), "menu/l.1"),
        (Phrase(key="ask.pack", values={"count": "3" * 500, "example": ""}), "bot/ask.pack"),
    ],
)
def test_a_refusal_names_the_text(part: Part, address: str) -> None:
    long = saying(adults="x" * 500, school="x" * 500, adults__constraint_message="x" * 500)
    with pytest.raises(TooLong) as caught:
        show(part, lexicon=long)
    assert caught.value.address == address


def test_corrections_use_the_authors_words_where_there_are_any() -> None:
    assert show(Correct(item="adults", reason="constraint"))[0].text == "Between 1 and 20, please."
    assert (
        show(Correct(item="food", reason="constraint"))[0].text
        == (ENGLISH.phrases["reject.constraint"])
    )
    (message,) = show(Correct(item="food", reason="reject.roster", values={"numbers": "40 41"}))
    assert "40 41" in message.text


def test_the_same_correction_is_said_once() -> None:
    twice = tuple(Correct(item=name, reason="reject.pack") for name in ("meals", "sick"))
    (message,) = show(*twice, PACK)
    assert message.text.count(ENGLISH.phrases["reject.pack"]) == 1


@pytest.mark.parametrize(
    "part", [Ask(items=("food",)), Tell(item="intro"), Correct(item="food", reason="constraint")]
)
def test_items_need_their_questionnaire(part: Part) -> None:
    with pytest.raises(ValueError, match="within a questionnaire"):
        render(Prompt(parts=(part,)), questionnaire=None, session=None, lexicon=ENGLISH, limits=SMS)


@pytest.mark.parametrize("limits", LIMITS.values())
@pytest.mark.parametrize("questionnaire", [WEEK, KINDS])
def test_a_questionnaire_that_fits_has_no_problems(
    questionnaire: Questionnaire, limits: Limits
) -> None:
    assert check_rendering(questionnaire, ENGLISH, limits) == []


def test_every_text_that_does_not_fit_is_found() -> None:
    long = saying(
        intro="x" * 460,
        food="x" * 460,
        school="x" * 400,
        adults__constraint_message="x" * 460,
        agree="${meals}" * 39,
    )
    assert check_rendering(WEEK, long, SMS) == [
        Problem(address="f/intro", found="4 segments", limit="3 segments"),
        Problem(address="f/food", found="4 segments", limit="3 segments"),
        Problem(address="f/adults:constraint_message", found="4 segments", limit="3 segments"),
        Problem(address="f/agree", found="4 segments", limit="3 segments"),
        Problem(address="f/meals+sick+school", found="4 segments", limit="3 segments"),
    ]
    assert check_rendering(WEEK, long, WHATSAPP) == []


def test_the_bots_own_sentences_are_measured_filled() -> None:
    wordy = replace(ENGLISH, phrases={**ENGLISH.phrases, "help.question": "{a}" * 39})
    assert [problem.address for problem in check_rendering(WEEK, wordy, SMS)] == [
        "bot/help.question"
    ]


def test_a_text_that_is_not_there_is_found() -> None:
    gone = {key: text for key, text in texts().items() if key != "f/food:label"}
    (problem,) = check_rendering(WEEK, replace(ENGLISH, texts=gone), SMS)
    assert (problem.address, problem.limit) == ("f/food", "none")
    assert "f/food:label" in problem.found
