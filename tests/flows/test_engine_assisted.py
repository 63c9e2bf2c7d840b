"""Somebody helps her: one question at a time, mode and helper noted, and back to her own phone."""

from datetime import timedelta

import pytest

from flows.engine import AWAY, advance
from flows.messages import Ask, Phrase, Tell
from flows.sessions import (
    MODES,
    SELF,
    AskedAgain,
    Assisted,
    Changed,
    LanguageChosen,
    Replied,
    Resumed,
    Say,
    Session,
    WentBack,
)
from tests.flows.samples import ENGLISH, NOW, WEEK, Talk

PACK = Ask(items=("meals", "sick", "school"))


def helped(talk: Talk, mode: str = "phone") -> Talk:
    talk.does(Assisted(mode=mode, helper="h1"))
    return talk


def by(session: Session) -> tuple[str, str]:
    return session.mode, session.helper


@pytest.mark.parametrize("mode", MODES)
def test_a_pack_is_asked_one_by_one(mode: str) -> None:
    talk = helped(Talk(WEEK).starts(), mode)
    assert talk.parts == [Ask(items=("meals",))]
    assert by(talk.session) == (mode, "h1")
    assert talk.says("2").parts == [Ask(items=("sick",))]
    assert by(talk.session) == (mode, "h1")


def test_what_she_went_back_to_is_still_asked() -> None:
    talk = Talk(WEEK).starts().says("2 2 2")
    talk.does(WentBack())
    assert helped(talk).parts == [Ask(items=("school",))]


def test_her_own_phone_asks_what_is_left_as_before() -> None:
    talk = helped(Talk(WEEK).starts()).says("1")
    assert talk.parts == [Ask(items=("sick",))]
    talk.does(Resumed(channel="sms"))
    assert talk.parts == [Ask(items=("sick", "school"))]
    assert by(talk.session) == (SELF, "")


def test_helped_to_its_end_it_is_the_same_as_alone() -> None:
    alone = Talk(WEEK).starts().says("1 3 2", "no", "yes", "4", "1")
    aided = helped(Talk(WEEK).starts()).says("1", "3", "2", "no", "yes", "4", "1")
    assert aided.session.status == alone.session.status == "completed"
    assert aided.session.answers == alone.session.answers


def test_an_answer_changed_on_her_phone_is_her_own() -> None:
    talk = helped(Talk(WEEK).starts()).says("2", "2", "2", "3", "1")
    talk.does(Changed(item="adults", channel="sms"))
    assert (talk.session.asking, by(talk.session)) == (("adults",), (SELF, ""))


def test_what_is_asked_again_later_is_asked_on_her_phone() -> None:
    talk = helped(Talk(WEEK).starts()).says("2", "2", "2", "3", "1")
    talk.does(AskedAgain(item="agree", channel="telegram"))
    assert (talk.session.asking, by(talk.session)) == (("agree",), (SELF, ""))


def test_another_language_changes_nothing_about_who_helps() -> None:
    talk = helped(Talk(WEEK).starts())
    talk.does(LanguageChosen(language="en"))
    assert by(talk.session) == ("phone", "h1")


def test_the_helper_reads_the_welcome_after_a_long_silence() -> None:
    turn = advance(
        WEEK,
        Talk(WEEK).starts().session,
        Assisted(mode="phone", helper="h1"),
        now=NOW + AWAY + timedelta(minutes=1),
        lexicon=ENGLISH,
    )
    (said,) = [effect.prompt.parts for effect in turn.effects if isinstance(effect, Say)]
    assert said == (Phrase(key="welcome_back"), Ask(items=("meals",)))


def test_notes_are_told_once() -> None:
    talk = Talk(WEEK).starts()
    assert talk.parts == [Tell(item="intro"), PACK]
    assert Tell(item="intro") not in helped(talk).parts
    talk.does(Replied(text="1"))
    assert talk.parts == [Ask(items=("sick",))]
