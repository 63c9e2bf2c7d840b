"""Numbers of a class list that nobody's yes carries any more."""

from flows.messages import Ask, Correct, Phrase
from flows.roster import Sifted, sift
from flows.sessions import Completed, Replied
from tests.flows.samples import Talk, form, item

HUNGRY = item("hungry", "select_multiple_from_roster", about="class")
SICK = item("sick", "select_multiple_from_roster", about="class")
FOOD = item("food", list_name="yes_no")


def told(numbers: str) -> tuple[Phrase]:
    return (Phrase(key="roster.left_out", values={"numbers": numbers}),)


def refused(name: str, numbers: str) -> dict[str, Correct]:
    return {name: Correct(item=name, reason="reject.roster", values={"numbers": numbers})}


def test_where_everybody_agrees_nothing_changes() -> None:
    values = {"hungry": "3 17", "food": "yes"}

    assert sift([HUNGRY, FOOD], values, ()) == Sifted(values=values, wrong={})
    assert sift([HUNGRY, FOOD], values, ["4"]) == Sifted(values=values, wrong={})
    assert sift([HUNGRY], {"hungry": "0"}, ["3"]) == Sifted(values={"hungry": "0"}, wrong={})
    assert sift([HUNGRY], {}, ["3"]) == Sifted(values={}, wrong={})


def test_the_others_of_a_reply_go_on() -> None:
    found = sift([HUNGRY, SICK], {"hungry": "3 17 19", "sick": "9 17 40"}, ["9", "17", "19"])

    assert found == Sifted(values={"hungry": "3", "sick": "40"}, wrong={}, told=told("9 17 19"))


def test_a_reply_of_which_nothing_is_left_is_not_taken() -> None:
    found = sift([HUNGRY, SICK], {"hungry": "17", "sick": "3 17"}, ["17"])

    assert found == Sifted(values={"sick": "3"}, wrong=refused("hungry", "17"), told=told("17"))
    alone = sift([HUNGRY], {"hungry": "9 17"}, ["9", "17"])
    assert alone == Sifted(values={}, wrong=refused("hungry", "9 17"))


def test_a_number_that_is_no_list_number_is_left_alone() -> None:
    assert sift([item("adults", "integer")], {"adults": "17"}, ["17"]).values == {"adults": "17"}


def test_an_open_class_screen_leaves_out_who_is_not_asked_about_any_more() -> None:
    talk = Talk(form(HUNGRY, SICK, context=("roster",))).starts()

    talk.does(Replied(text="3 7", left_out=("7",)))
    assert (talk.answers, talk.session.misses) == ({"hungry": "3"}, 0)
    assert talk.parts == [*told("7"), Ask(items=("sick",))]

    talk.does(Replied(text="7", left_out=("7",)))
    assert (talk.answers, talk.session.misses) == ({"hungry": "3"}, 1)
    assert talk.parts == [refused("sick", "7")["sick"], Ask(items=("sick",))]

    talk.does(Replied(text="7 19", left_out=("7",)))
    assert talk.answers == {"hungry": "3", "sick": "19"}
    assert talk.parts == [*told("7")]
    assert talk.effects[-1] == Completed()
