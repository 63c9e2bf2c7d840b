from datetime import timedelta

import pytest
from msgspec.structs import replace

from flows.engine import AWAY, advance, fold
from flows.messages import Ask, Phrase, Tell
from flows.sessions import (
    AskedAgain,
    Completed,
    Event,
    LanguageChosen,
    Lapsed,
    Replied,
    Resumed,
    Say,
    Started,
    Stopped,
    Turn,
    WentBack,
    Withdrawn,
    from_json,
    to_json,
)
from tests.flows.samples import (
    CONTEXT,
    ENGLISH,
    NOW,
    PRIVATE,
    WEEK,
    ZULU,
    Talk,
    at,
)

PACK = Ask(items=("meals", "sick", "school"))
ELSEWHERE = "q.x.1.1"


def test_a_lapse_is_silent_and_an_answer_wakes_the_session() -> None:
    talk = Talk(WEEK).starts().says("2 2 2")
    talk.does(Lapsed())
    assert (talk.session.status, talk.effects) == ("lapsed", ())
    talk.says("3")
    assert talk.session.status == "open"
    assert talk.answers["adults"] == "3"


@pytest.mark.parametrize(
    "event",
    [
        Replied(text="hello"),
        Replied(token=ELSEWHERE),
        Replied(media=("image",)),
        LanguageChosen(language="en"),
        Resumed(channel="sms"),
        Started(),
    ],
)
def test_anything_else_wakes_it_with_a_welcome(event: Event) -> None:
    talk = Talk(WEEK).starts().says("2 2 2")
    talk.does(Lapsed())
    talk.does(event)
    assert talk.session.status == "open"
    assert talk.parts == [Phrase(key="welcome_back"), Ask(items=("adults",))]
    assert talk.session.misses == 0


def test_after_a_reminder_any_word_is_a_greeting_and_an_answer_an_answer() -> None:
    asked = Talk(WEEK).starts().says("2 2 2").session
    turn = advance(WEEK, asked, Replied(text="ok"), now=NOW + AWAY, lexicon=ENGLISH)
    words = [part for said in turn.effects if isinstance(said, Say) for part in said.prompt.parts]
    assert words == [Phrase(key="welcome_back"), Ask(items=("adults",))]
    assert turn.session.misses == 0
    answered = advance(WEEK, asked, Replied(text="3"), now=NOW + AWAY, lexicon=ENGLISH)
    assert answered.session.answers["adults"].value == "3"
    soon = NOW + AWAY - timedelta(minutes=1)
    assert advance(WEEK, asked, Replied(text="ok"), now=soon, lexicon=ENGLISH).session.misses == 1


def test_she_may_come_back_on_another_channel() -> None:
    talk = Talk(WEEK).starts()
    talk.does(Resumed(channel="telegram"))
    assert talk.session.channel == "telegram"
    assert talk.parts == [Ask(items=("meals",))]
    talk.does(Resumed(channel="sms"))
    assert talk.parts == [PACK]


def test_what_she_went_back_to_is_still_asked_on_the_other_channel() -> None:
    talk = Talk(WEEK).starts().says("2 2 2")
    talk.does(WentBack())
    talk.does(Resumed(channel="whatsapp"))
    assert talk.parts == [Ask(items=("school",))]


def test_stop_ends_it_without_a_word() -> None:
    talk = Talk(WEEK).starts()
    talk.does(Stopped())
    assert (talk.session.status, talk.effects) == ("stopped", ())


@pytest.mark.parametrize("status", ["completed", "stopped"])
@pytest.mark.parametrize("event", [Replied(text="1"), Started(), Lapsed(), WentBack()])
def test_what_is_over_stays_as_it_is(status: str, event: Event) -> None:
    session = at(Talk(WEEK).starts().session, status=status)
    turn = advance(WEEK, session, event, now=NOW + timedelta(days=1), lexicon=ENGLISH)
    assert turn == Turn(session=session, effects=())


def test_starting_twice_asks_again() -> None:
    talk = Talk(WEEK).starts().starts()
    assert talk.parts == [PACK]
    assert talk.session.rev == 2


def test_whatever_comes_first_starts_it() -> None:
    talk = Talk(WEEK)
    talk.does(Replied(text="hello"))
    assert talk.parts == [Tell(item="intro"), PACK]


def test_every_event_counts_and_is_dated() -> None:
    later = NOW + timedelta(hours=2)
    started = Talk(WEEK).starts().session
    turn = advance(WEEK, started, Replied(text="x"), now=later, lexicon=ENGLISH)
    assert (turn.session.rev, turn.session.changed_at) == (2, later)


def test_fold_replays_events_in_the_language_of_each() -> None:
    talk = Talk(WEEK, others=(ZULU,)).starts()
    talk.lexicon, talk.others = ZULU, (ENGLISH,)
    talk.does(LanguageChosen(language="zu"))
    talk.says("akwenzeki njalo njalo", "cha", "2", "kuthathu", "yebo")
    assert talk.session.status == "completed"
    assert fold(WEEK, talk.first, talk.events, [ENGLISH, ZULU]) == talk.session
    assert from_json(to_json(talk.session)) == talk.session


def test_fold_needs_no_events_and_takes_what_languages_there_are() -> None:
    talk = Talk(WEEK)
    assert fold(WEEK, talk.first, [], [ENGLISH]) == talk.first
    xhosa = replace(talk.first, language="xh")
    started = fold(WEEK, xhosa, [(NOW, Started())], [ENGLISH])
    assert started.asking == ("meals", "sick", "school")
    assert started.context == CONTEXT


@pytest.mark.parametrize("text", ["{}", "", '{"id": 1}'])
def test_a_session_is_not_read_from_anything_else(text: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        from_json(text)


class TestAskedAgain:
    """What she put off is asked on another day: her completed session opens at that question."""

    def ended(self) -> Talk:
        talk = Talk(PRIVATE, "telegram").starts().says("no", "never", "2")
        assert talk.session.status == "completed"
        return talk

    def test_it_opens_at_the_question_and_goes_where_its_answer_leads(self) -> None:
        talk = self.ended()
        turn = talk.does(AskedAgain(item="agree", channel="telegram"))
        assert (turn.session.status, turn.session.asking) == ("open", ("agree",))
        assert [e.item for e in turn.effects if isinstance(e, Withdrawn)] == ["agree"]
        talk.says("yes")
        assert talk.session.asking == ("food",)
        talk.says("no")
        assert talk.session.status == "completed"
        assert talk.answers == {"agree": "yes", "food": "no", "meals": "never", "adults": "2"}

    def test_the_same_answer_ends_it_again(self) -> None:
        talk = self.ended()
        talk.does(AskedAgain(item="agree", channel="whatsapp"))
        talk.says("no")
        assert (talk.session.status, talk.session.channel) == ("completed", "whatsapp")
        assert Completed() in talk.effects

    def test_on_a_channel_where_it_is_not_asked_it_ends_at_once(self) -> None:
        turn = self.ended().does(AskedAgain(item="agree", channel="sms"))
        assert turn.session.status == "completed"
        assert not any(isinstance(effect, Say) for effect in turn.effects)

    def test_an_open_session_only_asks_again_and_a_stopped_one_nothing(self) -> None:
        talk = Talk(PRIVATE, "telegram").starts()
        turn = talk.does(AskedAgain(item="agree", channel="telegram"))
        assert (turn.session.asking, turn.session.status) == (("agree",), "open")
        talk.does(Stopped())
        assert talk.does(AskedAgain(item="agree", channel="telegram")).effects == ()

    def test_its_events_lead_to_it(self) -> None:
        talk = self.ended()
        talk.does(AskedAgain(item="agree", channel="telegram"))
        talk.says("yes")
        assert fold(PRIVATE, talk.first, talk.events, [ENGLISH]) == talk.session
