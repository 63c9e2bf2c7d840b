"""Practice and lessons as they ship: short, for a basic phone, kind whichever answer was given."""

import re
from collections.abc import Callable

import pytest

from flows.content import CODE
from flows.messages import LIMITS, WHATSAPP, ChannelName
from flows.questionnaire import Item
from flows.rendering import check_rendering
from flows.roster import PRETEND
from flows.sms import segments
from tests.flows.test_content import SENTENCES, form, label, lexicon, play, translated

LESSONS = ("lesson_alert", "lesson_domains", "lesson_observe", "lesson_privacy", "lesson_tell")
PRACTICE = ("practice_caregiver", "practice_teacher")
EVERY = (*LESSONS, *PRACTICE)
NOTE_SMS = 2
WORDS_A_MINUTE = 130
MINUTES = 5
RIGHT = re.compile(r"\$\{(\w+)\} = '(\w+)'")


def right_answers(form_id: str) -> dict[str, str]:
    """What each question of a lesson calls right, by the note that says so."""
    notes = [i for i in form(form_id).questionnaire.items if i.name.endswith("_right")]
    found = [RIGHT.fullmatch(note.relevant.source) for note in notes if note.relevant]
    return {match[1]: match[2] for match in found if match}


@pytest.mark.parametrize("form_id", EVERY)
def test_it_is_for_somebody_we_know_and_about_nobody(form_id: str) -> None:
    made = form(form_id)
    assert made.questionnaire.is_learning
    assert made.audience == (("caregiver",) if "caregiver" in form_id else ("teacher", "staff"))
    assert "child_id" not in made.questionnaire.context
    assert CODE.fullmatch(form_id)


@pytest.mark.parametrize("form_id", EVERY)
def test_isizulu_is_complete(form_id: str) -> None:
    words = translated(form_id)
    assert words.keys() == form(form_id).texts.keys()
    assert all(text.strip() for text in words.values())


@pytest.mark.parametrize("form_id", EVERY)
@pytest.mark.parametrize("language", ["en", "zu"])
def test_each_text_is_two_sms_at_most(form_id: str, language: str) -> None:
    for text in lexicon(form(form_id), language).texts.values():
        size = segments(text)
        assert size.encoding == "GSM-7", text
        assert size.segments <= NOTE_SMS, text


@pytest.mark.parametrize("form_id", EVERY)
@pytest.mark.parametrize("language", ["en", "zu"])
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "telegram", "ussd"])
def test_everything_fits_every_channel(form_id: str, language: str, channel: ChannelName) -> None:
    made = form(form_id)
    found = check_rendering(made.questionnaire, lexicon(made, language), LIMITS[channel])
    assert found == []


@pytest.mark.parametrize("form_id", EVERY)
@pytest.mark.parametrize("language", ["en", "zu"])
def test_its_name_is_a_row_of_a_list_also_when_it_is_done(form_id: str, language: str) -> None:
    words = lexicon(form(form_id), language)
    done = {"en": SENTENCES, "zu": translated("bot")}[language]["learn.done"]
    title = done.format(title=words.texts[f"{form_id}/menu:title"])
    assert len(title) <= WHATSAPP.row_chars, title


@pytest.mark.parametrize("form_id", EVERY)
@pytest.mark.parametrize("language", ["en", "zu"])
def test_answers_are_buttons(form_id: str, language: str) -> None:
    made = form(form_id)
    words = lexicon(made, language)
    for item in made.questionnaire.items:
        shown = [words.choice(form_id, item.list_name, code) for code in item.choices]
        most = WHATSAPP.button_chars if len(shown) <= WHATSAPP.buttons else WHATSAPP.row_chars
        assert all(len(text) <= most for text in shown), shown


@pytest.mark.parametrize("form_id", LESSONS)
def test_a_lesson_has_three_to_six_ideas_with_a_question_each(form_id: str) -> None:
    made = form(form_id)
    names = [item.name for item in made.questionnaire.items]
    ideas = [name for name in names if name.startswith("idea_")]
    assert 3 <= len(ideas) <= 6
    assert len(right_answers(form_id)) == len(ideas)
    for idea in ideas:
        question, *after = names[names.index(idea) + 1 :][:4]
        assert after == [f"{question}_right", f"{question}_other", f"{question}_why"]
        assert label(made, question).endswith("?")


@pytest.mark.parametrize("form_id", LESSONS)
@pytest.mark.parametrize("language", ["en", "zu"])
def test_a_lesson_is_read_in_less_than_five_minutes(form_id: str, language: str) -> None:
    words = lexicon(form(form_id), language).texts.values()
    assert sum(len(text.split()) for text in words) <= MINUTES * WORDS_A_MINUTE


@pytest.mark.parametrize("form_id", LESSONS)
@pytest.mark.parametrize("language", ["en", "zu"])
def test_the_answer_is_explained_whichever_was_given(form_id: str, language: str) -> None:
    right = right_answers(form_id)

    def knows(item: Item) -> str:
        return right[item.name]

    def errs(item: Item) -> str:
        return next(code for code in item.choices if code != right[item.name])

    def told(pick: Callable[[Item], str]) -> set[str]:
        played = play(form(form_id), pick, language=language)
        assert played.session.status == "completed"
        return {name for name in played.shown if name.endswith(("_right", "_other", "_why"))}

    assert told(knows) == {f"{q}_{end}" for q in right for end in ("right", "why")}
    assert told(errs) == {f"{q}_{end}" for q in right for end in ("other", "why")}


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_practice_shows_several_answers_in_one_message_where_that_is_done(
    channel: ChannelName,
) -> None:
    played = play(form("practice_caregiver"), lambda item: item.choices[0], channel=channel)
    assert ("together" in played.shown, "one_by_one" in played.shown) == (
        (True, False) if channel == "sms" else (False, True)
    )
    assert played.replies == (3 if channel == "sms" else 4)


def test_the_pretend_class_holds_the_learners_it_speaks_of() -> None:
    made = form("practice_teacher")
    said = " ".join(made.texts.values())
    assert f"class of {len(PRETEND)} learners" in said
    numbers = re.findall(r"learners? (\d+)(?: and (\d+))?", said.casefold())
    assert {n for pair in numbers for n in pair if n} <= set(PRETEND)
