import pytest

from flows.engine import HANDOVER_AT, SIMPLER_AT, advance, begin
from flows.messages import Ask, ChannelName, Correct, Phrase, Prompt, Tell
from flows.sessions import (
    Answer,
    Completed,
    Handover,
    HelpAsked,
    LanguageChosen,
    Recorded,
    Replied,
    Say,
    Session,
    Skipped,
    WentBack,
)
from tests.flows.samples import (
    CONSENT,
    ENGLISH,
    ID,
    KINDS,
    NOW,
    WEEK,
    ZULU,
    Talk,
    at,
    form,
    item,
)

PACK = Ask(items=("meals", "sick", "school"))


def recorded(talk: Talk) -> dict[str, str]:
    return {e.item: e.answer.value for e in talk.effects if isinstance(e, Recorded)}


def test_begin_is_a_session_before_its_first_event() -> None:
    session = begin(
        ID, WEEK, channel="sms", language="zu", now=NOW, context={"roster": "1"}, mode="phone"
    )
    assert session == Session(
        id=ID,
        form_id="f",
        version="1",
        channel="sms",
        language="zu",
        mode="phone",
        context={"roster": "1"},
        changed_at=NOW,
    )


def test_start_tells_the_leading_notes_and_asks_the_pack() -> None:
    talk = Talk(WEEK).starts()
    assert talk.parts == [Tell(item="intro"), PACK]
    assert talk.session.asking == ("meals", "sick", "school")
    assert talk.session.rev == 1


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
def test_other_channels_ask_one_at_a_time(channel: ChannelName) -> None:
    talk = Talk(WEEK, channel).starts()
    assert talk.parts == [Tell(item="intro"), Ask(items=("meals",))]
    assert talk.says("2").parts == [Ask(items=("sick",))]


def test_a_whole_conversation() -> None:
    talk = Talk(WEEK).starts().says("1 3 2")
    assert talk.parts == [Tell(item="more"), Ask(items=("food",))]
    assert recorded(talk) == {
        "meals": "never",
        "sick": "often",
        "school": "sometimes",
        "size": "small",
    }
    talk.says("no", "yes", "4")
    assert talk.parts == [Ask(items=("agree",))]
    talk.says("1")
    assert talk.parts == [Tell(item="end")]
    assert talk.effects[-1] == Completed()
    assert talk.session.status == "completed"
    assert talk.session.asking == ()
    assert talk.session.trail == (
        "meals",
        "sick",
        "school",
        "food",
        "shop",
        "adults",
        "agree",
    )
    assert talk.answers["shop"] == "yes"


def test_what_is_not_relevant_is_neither_asked_nor_told() -> None:
    talk = Talk(WEEK).starts().says("2 3 2")
    assert talk.parts == [Ask(items=("adults",))]
    assert talk.answers["size"] == "big"


def test_a_questionnaire_with_nothing_to_ask_completes_at_once() -> None:
    talk = Talk(form(item("intro", "note"))).starts()
    assert talk.parts == [Tell(item="intro")]
    assert talk.effects[-1] == Completed()
    assert Talk(form()).starts().effects == (Completed(),)


def test_only_the_wrong_answers_of_a_pack_are_asked_again() -> None:
    talk = Talk(WEEK).starts().says("1 9 2")
    assert talk.parts == [Correct(item="sick", reason="reject.choice"), Ask(items=("sick",))]
    assert recorded(talk) == {"meals": "never", "school": "sometimes"}
    assert talk.session.misses == 1
    talk.says("3")
    assert talk.session.misses == 0
    assert talk.session.trail == ("meals", "school", "sick")


def test_the_rest_of_a_pack_is_asked_next() -> None:
    talk = Talk(WEEK).starts().says("1")
    assert talk.parts == [Ask(items=("sick", "school"))]
    assert talk.session.misses == 0
    assert talk.says("2 2").parts[-1] == Ask(items=("food",))


def test_a_constraint_is_explained_and_asked_again() -> None:
    talk = Talk(WEEK).starts().says("2 2 2", "30")
    assert talk.parts == [Correct(item="adults", reason="constraint"), Ask(items=("adults",))]
    assert talk.heard.startswith("Between 1 and 20, please.")
    assert talk.says("3").answers["adults"] == "3"


def test_a_constraint_in_a_pack_keeps_the_others() -> None:
    questions = form(
        item("meals", list_name="often", pack="p"),
        item("adults", "integer", pack="p", constraint=". < 20"),
    )
    talk = Talk(questions).starts().says("1 30")
    assert talk.parts == [Correct(item="adults", reason="constraint"), Ask(items=("adults",))]
    assert talk.answers == {"meals": "never"}


# Replies that are no answer.


def test_a_wrong_reply_says_why_and_asks_again() -> None:
    talk = Talk(WEEK).starts().says("2 2 2", "many")
    assert talk.parts == [Correct(item="adults", reason="reject.number"), Ask(items=("adults",))]
    assert talk.session.misses == 1


def test_numbers_off_the_class_list_are_named_back() -> None:
    talk = Talk(KINDS).starts().says("20", "1/1/2018", "1", "3 40")
    assert "40" in talk.heard.splitlines()[0]
    assert talk.says("3").answers["absent"] == "3"


def test_media_and_empty_messages_are_asked_again_as_text() -> None:
    talk = Talk(WEEK, "whatsapp").starts()
    talk.does(Replied(media=("audio",)))
    assert talk.parts == [Correct(item="meals", reason="reject.media"), Ask(items=("meals",))]
    talk.does(Replied(text=" "))
    assert talk.parts == [Correct(item="meals", reason="reject.empty"), Ask(items=("meals",))]
    talk.does(Replied(text="1", media=("image",)))
    assert talk.answers == {"meals": "never"}


def test_media_in_a_pack_is_explained_once() -> None:
    talk = Talk(WEEK).starts()
    talk.does(Replied(media=("image",)))
    assert talk.heard.count(ENGLISH.phrases["reject.media"]) == 1


def test_after_three_misses_one_question_at_a_time_with_simpler_help() -> None:
    talk = Talk(WEEK).starts().says("what", "who", "why")
    assert talk.session.misses == SIMPLER_AT
    assert talk.parts == [
        Phrase(key="help.simple", values={"digits": "1, 2, 3"}),
        Phrase(key="help.skip"),
        Ask(items=("meals",)),
    ]
    talk.says("2")
    assert talk.session.misses == 0
    assert talk.parts == [Ask(items=("sick", "school"))]


def test_simpler_help_for_open_and_for_required_questions() -> None:
    talk = Talk(WEEK).starts().says("2 2 2", "x", "x", "x")
    assert talk.parts[1:3] == [Phrase(key="help.simple_open"), Phrase(key="help.skip")]
    talk.says("3", "x", "x", "x")
    assert talk.parts[1:] == [
        Phrase(key="help.simple", values={"digits": "1, 2"}),
        Ask(items=("agree",)),
    ]


def test_a_person_is_called_once_and_the_question_still_asked() -> None:
    talk = Talk(WEEK).starts()
    calls = []
    for _ in range(HANDOVER_AT + 2):
        talk.says("?!")
        calls += [effect for effect in talk.effects if isinstance(effect, Handover)]
        if talk.session.misses == HANDOVER_AT:
            assert Phrase(key="handover.told") in talk.parts
        assert talk.parts[-1] == Ask(items=talk.session.asking)
    assert calls == [Handover(item="meals")]


# SKIP, BACK, HELP, language.


def test_skip_passes_everything_asked() -> None:
    talk = Talk(WEEK).starts()
    talk.does(Skipped())
    assert {n: a for n, a in talk.session.answers.items() if n != "size"} == dict.fromkeys(
        ("meals", "sick", "school"), Answer("", "skipped")
    )
    assert talk.parts == [Ask(items=("adults",))]


def test_skip_passes_what_is_left_of_a_pack() -> None:
    talk = Talk(WEEK).starts().says("2")
    talk.does(Skipped())
    assert talk.answers["meals"] == "sometimes"
    assert talk.session.answers["school"] == Answer("", "skipped")


def test_skip_is_kindly_refused_where_an_answer_is_needed() -> None:
    talk = Talk(WEEK).starts().says("2 2 2", "3")
    talk.does(Skipped())
    assert talk.parts == [Phrase(key="skip.refused"), Ask(items=("agree",))]
    talk = Talk(CONSENT).starts()
    talk.does(Skipped())
    assert talk.parts == [Phrase(key="skip.refused"), Ask(items=("agree",))]
    assert talk.answers == {"food": "", "adults": ""}


def test_skipping_the_rest_can_make_a_needed_answer_needless() -> None:
    questions = form(
        item("food", list_name="yes_no", pack="p"),
        item("shop", list_name="yes_no", pack="p", required=True, relevant="${meals} = 'never'"),
        item("meals", list_name="often"),
    )
    session = at(Talk(questions).starts().session, asking=("food", "shop"))
    turn = advance(questions, session, Skipped(), now=NOW, lexicon=ENGLISH)
    assert turn.effects == (
        Recorded(item="food", answer=Answer("", "skipped")),
        Say(prompt=Prompt(parts=(Ask(items=("meals",)),))),
    )


def test_back_asks_the_last_answer_alone_and_amends_it() -> None:
    talk = Talk(WEEK).starts().says("1 3 2", "2")
    assert talk.session.asking == ("shop",)
    talk.does(WentBack())
    assert talk.parts == [Ask(items=("food",))]
    talk.does(WentBack())
    assert talk.parts == [Ask(items=("school",))]
    talk.says("3")
    assert talk.effects[0] == Recorded(item="school", answer=Answer("often"), amended=True)
    assert talk.parts == [Ask(items=("shop",))]


def test_the_same_answer_again_changes_nothing() -> None:
    talk = Talk(WEEK).starts().says("2 3 2")
    talk.does(WentBack())
    talk.says("2")
    assert recorded(talk) == {}
    assert talk.parts == [Ask(items=("adults",))]


def test_back_at_the_beginning_says_so() -> None:
    talk = Talk(WEEK).starts()
    talk.does(WentBack())
    assert talk.parts == [Phrase(key="back.none"), PACK]
    talk.says("2 2 2")
    for _ in range(4):
        talk.does(WentBack())
    assert talk.parts == [Phrase(key="back.none"), Ask(items=("meals",))]


def test_an_answer_gone_back_to_can_be_skipped() -> None:
    talk = Talk(WEEK).starts().says("2 2 2")
    talk.does(WentBack())
    talk.does(Skipped())
    assert talk.effects[0] == Recorded(item="school", answer=Answer("", "skipped"), amended=True)


def test_help_explains_and_asks_again() -> None:
    talk = Talk(WEEK).starts()
    talk.does(HelpAsked())
    assert talk.parts == [Phrase(key="help.question"), PACK]
    assert talk.session.misses == 0


def test_another_language_asks_the_same_again() -> None:
    talk = Talk(WEEK, "telegram").starts()
    talk.lexicon = ZULU
    talk.does(LanguageChosen(language="zu"))
    assert talk.session.language == "zu"
    assert talk.heard == "Ingane yakho idla kahle kangaki?"
    talk.others = (ENGLISH,)
    assert talk.says("often").answers == {"meals": "often"}
