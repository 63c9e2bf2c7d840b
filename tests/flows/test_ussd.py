"""Screens of 182 characters, pages, the menu, and what a path of keys means."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from flows.lexicon import Lexicon
from flows.notices import NOTICES
from flows.phrases import PHRASES, source_lexicon
from flows.sms import segments
from flows.ussd import (
    IDLE,
    IN_QUESTION,
    SCREEN,
    Dialog,
    Typed,
    is_plain,
    menu,
    missing,
    paged,
    plain,
    read,
)

SENTENCES = {**PHRASES, **NOTICES}
EN = source_lexicon({}, phrases=SENTENCES)
QUESTION = Dialog(
    session="s1",
    path="1*2",
    pages=("first\n98 More", "second\n98 More", "third"),
    waits=True,
    menu="1 Go on\n2 Back\n3 Stop",
    actions=("back", "stop"),
)


def shown(page: int = 0, **changes: object) -> Dialog:
    return structs.replace(QUESTION, page=page, **changes)


class TestReading:
    @pytest.mark.parametrize("path", ["", "1", "1*2"])
    def test_a_step_that_was_taken_shows_what_stands_there(self, path: str) -> None:
        assert read(QUESTION, "s1", path) == QUESTION

    @pytest.mark.parametrize("path", ["", "1", "1*2*3"])
    def test_another_session_begins_anew(self, path: str) -> None:
        assert read(QUESTION, "s2", path) == Typed(opens=True)
        assert read(None, "s1", path) == Typed(opens=True)

    def test_a_path_that_is_not_hers_begins_anew(self) -> None:
        assert read(QUESTION, "s1", "1*4*1") == Typed(opens=True)
        assert read(QUESTION, "s1", "1*22") == Typed(opens=True)

    def test_only_the_last_step_is_new(self) -> None:
        assert read(shown(2), "s1", "1*2*3") == Typed(text="3")
        assert read(shown(2, path=""), "s1", "3") == Typed(text="3")

    def test_a_star_within_an_answer_is_a_space(self) -> None:
        assert read(QUESTION, "s1", "1*2*12*3*2018") == Typed(text="12 3 2018")

    def test_98_turns_the_page_while_there_is_one(self) -> None:
        second = read(QUESTION, "s1", "1*2*98")
        assert second == shown(1, path="1*2*98")
        third = read(second, "s1", "1*2*98*98")
        assert third == shown(2, path="1*2*98*98")
        assert read(third, "s1", "1*2*98*98*98") == Typed(text="98")

    def test_a_number_that_she_has_not_seen_turns_the_page(self) -> None:
        assert read(QUESTION, "s1", "1*2*1") == shown(1, path="1*2*1")
        assert read(shown(2), "s1", "1*2*1") == Typed(text="1"), "on the last page nothing is early"

    def test_a_number_that_she_has_seen_is_an_answer_on_every_page_after(self) -> None:
        pages = ("How often?\n1 Never\n98 More", "2 Often\n98 More", "3 Always")
        asked = shown(pages=pages)
        assert read(asked, "s1", "1*2*1") == Typed(text="1")
        assert read(asked, "s1", "1*2*2") == shown(1, pages=pages, path="1*2*2")
        assert read(shown(1, pages=pages), "s1", "1*2*2") == Typed(text="2")

    def test_words_are_heard_on_every_page(self) -> None:
        assert read(QUESTION, "s1", "1*2*STOP") == Typed(text="STOP")

    def test_00_opens_the_menu_where_there_is_one(self) -> None:
        assert read(QUESTION, "s1", "1*2*00") == shown(in_menu=True, path="1*2*00")
        assert read(shown(2, menu=""), "s1", "1*2*00") == Typed(text="00")

    def test_0_is_an_answer(self) -> None:
        assert read(shown(2), "s1", "1*2*0") == Typed(text="0")

    def test_the_menu_goes_on_at_the_first_page(self) -> None:
        assert read(shown(1, in_menu=True), "s1", "1*2*1") == shown(path="1*2*1")

    def test_the_menu_says_key_words(self) -> None:
        assert read(shown(in_menu=True), "s1", "1*2*2") == Typed(text="back")
        assert read(shown(in_menu=True), "s1", "1*2*3") == Typed(text="stop")

    def test_the_menu_stays_for_what_it_does_not_offer(self) -> None:
        assert read(shown(in_menu=True), "s1", "1*2*4") == shown(in_menu=True, path="1*2*4")


class TestADialog:
    def test_shows_its_page_or_its_menu(self) -> None:
        assert shown(1).screen == "second\n98 More"
        assert shown(1, in_menu=True).screen == QUESTION.menu

    def test_is_open_while_something_can_be_keyed(self) -> None:
        assert shown(2).open
        assert shown(0, waits=False).open, "there is more to read"
        assert not shown(2, waits=False).open
        assert shown(2, waits=False, in_menu=True).open


class TestPages:
    def test_a_short_text_is_one_screen(self) -> None:
        assert paged("Hello", EN, with_menu=False) == ("Hello",)
        assert paged("Hello", EN, with_menu=True) == ("Hello\n00 Menu",)

    def test_an_answer_is_never_parted_from_its_digit(self) -> None:
        options = [f"{n} Answer number {n} of eight in all" for n in range(1, 9)]
        pages = paged("\n".join(["How often?", *options]), EN, with_menu=True)

        lines = [line for page in pages for line in page.split("\n")]
        assert len(pages) > 1
        assert [line for line in lines if line in options] == options
        assert all("98 More" in page for page in pages[:-1])
        assert "98 More" not in pages[-1]
        assert all(page.endswith("00 Menu") for page in pages)

    def test_a_long_sentence_is_parted_between_words(self) -> None:
        words = [f"word{n}" for n in range(80)]
        pages = paged(" ".join(words), EN, with_menu=False)

        said = " ".join(page.removesuffix("\n98 More") for page in pages)
        assert said.split() == words

    def test_a_long_line_that_has_no_room_left_goes_to_the_next_screen(self) -> None:
        first, second = "a" * 160, "b" * 100 + " " + "c" * 20
        pages = paged(f"{first}\n{second}", EN, with_menu=False)

        assert pages == (f"{first}\n98 More", second)

    def test_a_word_longer_than_a_screen_is_cut(self) -> None:
        pages = paged("\u20ac" * 200, EN, with_menu=False)

        assert "".join(page.removesuffix("\n98 More") for page in pages) == "\u20ac" * 200
        assert all(segments(f"CON {page}").units <= SCREEN for page in pages)

    @given(
        st.text(alphabet="ab \n\u20ac[]1", max_size=900),
        st.booleans(),
    )
    def test_nothing_is_lost_and_every_screen_fits(self, text: str, with_menu: bool) -> None:
        pages = paged(text, EN, with_menu=with_menu)

        assert all(segments(f"CON {page}").units <= SCREEN for page in pages)
        bare = "".join(
            page.removesuffix("\n00 Menu").removesuffix("\n98 More")
            if with_menu
            else page.removesuffix("\n98 More")
            for page in pages
        )
        assert bare.split() == text.split() or "".join(bare.split()) == "".join(text.split())


class TestSpelling:
    def test_a_letter_of_a_name_that_cannot_be_shown_is_a_question_mark(self) -> None:
        assert plain("Sekolo sa Tšhiamo") == "Sekolo sa T?hiamo"
        assert plain("Ünal \u00e9") == "Ünal \u00e9"

    def test_what_cannot_be_spelled_is_named_for_a_questionnaire(self) -> None:
        texts = {
            "f/q:label": "Letšatši",
            "f/l/a:label": "Ee",
            "f/l/a:accept": "ê",
            "g/q:label": "š",
        }
        nso = replace(source_lexicon(texts, phrases=SENTENCES), language="nso")

        assert missing(nso, "f") == ("f/q:label",)
        assert missing(nso, "f") == ("f/q:label",), "and again from memory"
        assert missing(nso, "") == ()

    def test_so_is_a_sentence_of_the_bot_but_no_word_that_is_only_understood(self) -> None:
        phrases = {"menu.choose": "Kgêtha", "keyword.stop": "ê", "ussd.more": "More"}

        assert missing(Lexicon(language="tn", name="", phrases=phrases, texts={}), "") == (
            "bot/menu.choose",
        )

    def test_the_source_is_plain(self) -> None:
        assert missing(EN, "") == ()
        assert is_plain("a[b]\u20ac")
        assert not is_plain("š")


def test_a_menu_fits_on_one_screen_and_counts_from_going_on() -> None:
    assert menu(EN, ("back", "stop")) == "1 Go on\n2 Back\n3 Stop all messages"
    for actions in (IN_QUESTION, IDLE):
        assert paged(menu(EN, actions), EN, with_menu=False) == (menu(EN, actions),)
