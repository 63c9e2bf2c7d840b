"""CHANGE 3 and RESTART: an answer given once more, and everything given once more."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.asking import changeable
from flows.messages import Ask, ChannelName, Phrase
from flows.sessions import (
    Answer,
    Changed,
    Completed,
    Lapsed,
    Recorded,
    Restarted,
    Stopped,
    Withdrawn,
)
from tests.flows.samples import NOW, PRIVATE, WEEK, Talk
from tests.flows.test_engine_properties import CHOICES, until_last


def again(item: str, channel: ChannelName = "telegram") -> Changed:
    return Changed(item=item, channel=channel)


def may_change(talk: Talk, channel: ChannelName = "telegram") -> tuple[str, ...]:
    return changeable(talk.questionnaire, talk.session, channel=channel, now=NOW)


def test_an_answer_is_given_once_more_and_she_goes_on_where_she_was() -> None:
    talk = Talk(WEEK, "telegram").starts().says("2", "2", "2")
    assert may_change(talk) == ("meals", "sick", "school")
    talk.does(again("sick"))
    assert talk.parts == [Ask(items=("sick",))]
    talk.says("3")
    assert talk.effects[0] == Recorded(item="sick", answer=Answer("often"), amended=True)
    assert talk.session.asking == ("adults",)


def test_a_completed_questionnaire_opens_again_and_closes_with_the_new_answer() -> None:
    talk = Talk(WEEK, "telegram").starts().says("1", "2", "2", "2", "1", "3", "1")
    assert talk.session.status == "completed"
    talk.does(again("meals"))
    assert (talk.session.status, talk.session.asking) == ("open", ("meals",))
    talk.says("2")
    assert Withdrawn(item="food") in talk.effects
    assert Withdrawn(item="shop") in talk.effects
    assert talk.effects[-1] == Completed()


def test_a_change_that_opens_a_branch_asks_it() -> None:
    talk = Talk(WEEK, "telegram").starts().says("2", "2", "2", "3", "1")
    assert talk.session.status == "completed"
    talk.does(again("meals"))
    talk.says("1")
    assert (talk.session.status, talk.session.asking) == ("open", ("food",))


def test_a_lapsed_one_wakes_with_a_welcome() -> None:
    talk = Talk(WEEK, "telegram").starts().says("2")
    talk.does(Lapsed())
    talk.does(again("meals"))
    assert talk.parts == [Phrase(key="welcome_back"), Ask(items=("meals",))]


def test_what_she_did_not_answer_is_not_changed() -> None:
    talk = Talk(WEEK, "telegram").starts().says("2")
    talk.does(again("adults"))
    assert (talk.parts, talk.session.asking) == ([Ask(items=("sick",))], ("sick",))


def test_a_completed_one_opens_only_for_what_she_answered() -> None:
    talk = Talk(WEEK, "telegram").starts().says("2", "2", "2", "3", "1")
    done = talk.session
    talk.does(again("food"))
    assert (talk.session, talk.effects) == (done, ())


def test_a_stopped_one_stays_stopped() -> None:
    talk = Talk(WEEK, "telegram").starts().says("2")
    stopped = talk.does(Stopped()).session
    assert talk.does(again("meals")).session == stopped


def test_what_is_for_chats_is_not_changed_by_sms() -> None:
    talk = Talk(PRIVATE, "telegram").starts().says("1", "1", "2")
    assert may_change(talk) == ("agree", "food", "meals")
    assert may_change(talk, "sms") == ("meals",)
    talk.does(again("agree", "sms"))
    assert talk.session.asking == ("adults",)
    talk.does(again("meals", "sms"))
    assert (talk.session.channel, talk.session.asking) == ("sms", ("meals",))


def test_beginning_anew_ends_it_and_takes_every_answer_back() -> None:
    talk = Talk(WEEK, "telegram").starts().says("1", "2")
    talk.does(Restarted())
    assert talk.session.status == "stopped"
    assert (talk.session.answers, talk.session.trail, talk.session.asking) == ({}, (), ())
    assert talk.effects == tuple(Withdrawn(item=name) for name in ("meals", "sick"))


@given(CHOICES, CHOICES, st.integers(0, 7), st.booleans())
@settings(deadline=None, max_examples=100)
def test_changing_answers_equals_answering_right_first_time(
    at_first: dict[str, int], wanted: dict[str, int], stop: int, finished: bool
) -> None:
    talk = until_last(Talk(WEEK, "telegram").starts(), at_first, 99 if finished else stop)
    if finished:
        talk.says("1")
    for name in talk.session.trail:
        if name in may_change(talk):
            talk.does(again(name))
            talk.says(str(wanted[name]))
    right = to_the_end(Talk(WEEK, "telegram").starts(), wanted)
    assert to_the_end(talk, wanted).answers == right.answers


def to_the_end(talk: Talk, wanted: dict[str, int]) -> Talk:
    while talk.session.status == "open":
        talk.says(str(wanted[talk.session.asking[0]]))
    return talk
