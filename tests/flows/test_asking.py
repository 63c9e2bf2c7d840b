from datetime import timedelta

import pytest

from flows.asking import of_the_home, read_token, token
from flows.engine import advance
from flows.messages import Ask, Phrase, Tell
from flows.sessions import Answer, Recorded, Replied, Resumed, WentBack
from tests.flows.samples import CONSENT, ENGLISH, NOW, PRIVATE, WEEK, Talk, form, item

PACK = Ask(items=("meals", "sick", "school"))


def recorded(talk: Talk) -> dict[str, str]:
    return {e.item: e.answer.value for e in talk.effects if isinstance(e, Recorded)}


def test_answers_of_a_branch_not_taken_are_dropped_from_a_pack() -> None:
    talk = Talk(CONSENT).starts()
    assert talk.parts == [Ask(items=("agree", "food", "adults"))]
    talk.says("2 1 3")
    assert recorded(talk) == {"agree": "no"}
    assert talk.answers == {"agree": "no"}
    assert talk.session.status == "completed"


def test_a_wrong_answer_in_a_branch_not_taken_is_no_matter() -> None:
    talk = Talk(CONSENT).starts().says("2 9 3")
    assert talk.answers == {"agree": "no"}
    assert talk.session.misses == 0


def test_a_note_parts_a_pack() -> None:
    talk = Talk(CONSENT).starts().says("1 1 3")
    assert talk.parts == [Tell(item="end"), Ask(items=("shop",))]


def test_packs_of_different_names_are_asked_apart() -> None:
    questions = form(
        item("meals", list_name="often", pack="one"),
        item("sick", list_name="often", pack="two"),
        item("school", list_name="often"),
        item("food", list_name="yes_no"),
    )
    talk = Talk(questions).starts()
    assert [talk.parts, talk.says("1").parts, talk.says("1").parts, talk.says("1").parts] == [
        [Ask(items=("meals",))],
        [Ask(items=("sick",))],
        [Ask(items=("school",))],
        [Ask(items=("food",))],
    ]


def test_carried_answers_are_recorded_and_never_asked() -> None:
    talk = Talk(WEEK).starts(food="yes", adults="3", meals="never", shop="maybe")
    assert talk.parts[-1] == PACK  # the child's own question is asked all the same
    assert recorded(talk) == {"adults": "3"}
    talk.says("1 1 1")
    assert talk.session.answers["food"] == Answer("yes", "carried")
    assert talk.parts == [Tell(item="more"), Ask(items=("agree",))]
    assert "adults" not in talk.session.trail


def test_of_the_home_is_what_leads_to_no_other_question() -> None:
    assert of_the_home(WEEK) == {"shop", "adults"}  # "food" decides whether "shop" is asked


def test_a_carried_answer_that_fits_no_choice_is_asked() -> None:
    talk = Talk(WEEK).starts(food="perhaps").says("1 1 1")
    assert talk.parts[-1] == Ask(items=("food",))


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "q",
        "q.x.1.1",
        "q.123456789abc.99.0",
        "q.123456789abc.1.9",
        "q.123456789abc.0.0",
        "q.123456789abc.8.0",
        "q.123456789abc.1.1.1",
        "q.123456789abc.-1.0",
        "q.123456789abc.١.0",
        "m.123456789abc.1.0",
        "q.cba987654321.1.0",
    ],
)
def test_a_payload_of_something_else_stands_for_nothing(payload: str) -> None:
    assert read_token(Talk(WEEK).first, WEEK, payload) is None


def test_a_token_fits_telegram_and_reads_back() -> None:
    session = Talk(WEEK).first
    payload = token(session, 1, 2)
    assert payload == "q.123456789abc.1.2"
    assert len(payload.encode()) <= 64
    assert read_token(session, WEEK, payload) == ("meals", "often")


def test_a_branch_no_longer_taken_is_withdrawn() -> None:
    talk = Talk(WEEK).starts().says("1 3 2", "2", "1")
    for _ in range(5):
        talk.does(WentBack())
    assert talk.session.asking == ("meals",)
    talk.says("3")
    assert [(type(e).__name__, getattr(e, "item", "")) for e in talk.effects[:-1]] == [
        ("Recorded", "meals"),
        ("Recorded", "size"),
        ("Withdrawn", "food"),
        ("Withdrawn", "shop"),
    ]
    assert talk.answers["size"] == "big"
    assert talk.session.trail == ("meals", "sick", "school")
    assert talk.parts == [Ask(items=("adults",))]


def test_a_branch_taken_only_now_is_told_and_asked() -> None:
    talk = Talk(WEEK).starts().says("2 3 2")
    for _ in range(3):
        talk.does(WentBack())
    talk.says("1")
    assert talk.parts == [Tell(item="more"), Ask(items=("food",))]


def test_a_calculation_that_comes_to_nothing_is_withdrawn() -> None:
    questions = form(
        item("meals", list_name="often"),
        item("size", "calculate", calculation="if(${meals} = 'never', 'small', '')"),
        item("more", "calculate"),
        item("adults", "integer"),
    )
    talk = Talk(questions).starts().says("1")
    assert talk.answers == {"meals": "never", "size": "small"}
    talk.does(WentBack())
    talk.says("2")
    assert talk.answers == {"meals": "sometimes"}


def test_a_calculation_stays_while_nothing_it_reads_changes() -> None:
    questions = form(
        item("size", "calculate", calculation="string(now())"),
        item("food", list_name="yes_no"),
        item("shop", list_name="yes_no"),
    )
    talk = Talk(questions).starts()
    first = talk.answers["size"]
    turn = advance(
        questions,
        talk.session,
        Replied(text="1"),
        now=NOW + timedelta(days=1),
        lexicon=ENGLISH,
    )
    assert turn.session.answers["size"].value == first != ""


def test_a_tap_answers_what_is_asked() -> None:
    talk = Talk(WEEK, "telegram").starts()
    talk.does(Replied(token=token(talk.session, 1, 2)))
    assert talk.answers == {"meals": "often"}


def test_the_first_tap_wins() -> None:
    talk = Talk(WEEK, "telegram").starts()
    first, second = token(talk.session, 1, 2), token(talk.session, 1, 0)
    talk.does(Replied(token=first))
    talk.does(Replied(token=second))
    assert talk.answers == {"meals": "often"}
    assert talk.parts == [Phrase(key="tap.stale"), Ask(items=("sick",))]
    assert talk.session.misses == 0


def test_what_a_channel_must_not_show_is_not_asked_there_wherever_she_began() -> None:
    talk = Talk(PRIVATE, "telegram").starts().says("yes")
    assert talk.session.asking == ("food",)
    talk.does(Resumed(channel="sms"))
    assert talk.parts == [Ask(items=("meals",))]


def test_answers_given_elsewhere_stand_but_nobody_goes_back_to_them_here() -> None:
    talk = Talk(PRIVATE, "telegram").starts().says("yes", "no", "1")
    talk.does(WentBack())
    talk.does(Resumed(channel="sms"))
    assert talk.parts == [Ask(items=("meals",))]
    talk.does(WentBack())
    assert talk.parts == [Phrase(key="back.none"), Ask(items=("meals",))]
    talk.says("2")
    assert talk.answers == {"agree": "yes", "food": "no", "meals": "sometimes"}
    talk.does(Resumed(channel="telegram"))
    talk.does(WentBack())
    assert talk.parts == [Ask(items=("food",))]
    talk.does(Resumed(channel="sms"))
    assert talk.parts == [Ask(items=("adults",))]


def test_an_answer_that_closes_a_branch_withdraws_it_on_any_channel() -> None:
    talk = Talk(PRIVATE, "telegram").starts().says("yes", "no")
    talk.does(WentBack())
    talk.does(WentBack())
    talk.says("no")
    assert talk.answers == {"agree": "no"}
