"""Whose answers count, and what is only for learning."""

from typing import get_args

import pytest

from flows.questionnaire import LEARNING, Informant, Questionnaire, Teller


def of(informant: Informant) -> Questionnaire:
    return Questionnaire(form_id="f", version="0", informant=informant, items=())


@pytest.mark.parametrize("informant", get_args(Teller))
def test_who_tells_about_a_child_is_a_teller(informant: Teller) -> None:
    assert (of(informant).teller, of(informant).is_learning) == (informant, False)


@pytest.mark.parametrize("informant", LEARNING)
def test_practice_and_lessons_tell_about_nobody(informant: Informant) -> None:
    assert (of(informant).teller, of(informant).is_learning) == (None, True)


def test_joining_tells_about_nobody_and_is_no_practice() -> None:
    assert (of("person").teller, of("person").is_learning) == (None, False)


def test_each_informant_either_tells_learns_or_joins() -> None:
    assert set(get_args(Informant)) == {*get_args(Teller), *LEARNING, "person"}
