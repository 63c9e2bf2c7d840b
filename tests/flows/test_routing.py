"""Which conversation a message belongs to."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from flows.crisis import gathered as crisis_words
from flows.keywords import Action, collect
from flows.lexicon import Lexicon
from flows.messages import Inbound
from flows.phrases import source_lexicon
from flows.routing import (
    AlertList,
    AlertReply,
    AnswerTo,
    Called,
    Change,
    Command,
    Conversation,
    InCrisis,
    Intent,
    Join,
    LanguageMenu,
    LaterReply,
    LoginReply,
    MenuReply,
    OfferReply,
    Opened,
    OpenPrompt,
    PromptKind,
    RestartReply,
    Stale,
    StillStopped,
    SwitchLanguage,
    Unasked,
    Unreadable,
    WithdrawReply,
    WrongNumber,
    route,
)

AT = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
ENGLISH = source_lexicon({})
ZULU = Lexicon(
    language="zu",
    name="isiZulu",
    phrases={"keyword.stop": "yima", "keyword.help": "usizo", "word.language": "zulu"},
    texts={},
)
LEXICONS = (ENGLISH, ZULU)
KEYWORDS = collect(LEXICONS)
IDLE = Conversation()
STOPPED = Conversation(opted_out=True)
IN_SESSION = Conversation(session="s1")
STAFF = Conversation(staff=True)


def inbound(text: str = "", token: str = "") -> Inbound:
    return Inbound(
        channel="sms",
        account="+2711",
        address="+2782",
        message_id="m1",
        text=text,
        token=token,
        received_at=AT,
    )


def prompt(kind: PromptKind, ref: str = "r", *options: str) -> OpenPrompt:
    return OpenPrompt(kind=kind, ref=ref, options=options, asked_at=AT)


def says(conversation: Conversation, text: str) -> Intent:
    return route(conversation, inbound(text), keywords=KEYWORDS, lexicons=LEXICONS)


def taps(conversation: Conversation, token: str) -> Intent:
    return route(conversation, inbound(token=token), keywords=KEYWORDS, lexicons=LEXICONS)


OFFERED = Conversation(open_prompt=prompt("offer", "a1", "now", "later"))
CHOOSING = Conversation(open_prompt=prompt("language", "language", "en", "zu"))
ENDING = Conversation(session="s1", open_prompt=prompt("stop", "stop", "yes", "no"))
ONE_ALERT = Conversation(staff=True, open_prompt=prompt("alert", "alert9"))
SIGNING_IN = Conversation(staff=True, session="s1", login="login3")
EVERYWHERE = [
    *(IDLE, STOPPED, IN_SESSION, STAFF, OFFERED, CHOOSING, ENDING, ONE_ALERT),
    SIGNING_IN,
]


@pytest.mark.parametrize("where", EVERYWHERE)
@pytest.mark.parametrize("word", ["STOP", "stop.", "S T O P", "/stop", "Yima", "stopall"])
def test_stop_comes_before_everything_in_every_language(where: Conversation, word: str) -> None:
    assert says(where, word) == Command(action="stop")


@pytest.mark.parametrize("text", ["hello", "1", "help", "menu", "", "zulu", "1 A7F3K2"])
def test_after_stop_nothing_but_start_and_join_reopens(text: str) -> None:
    assert says(STOPPED, text) == StillStopped()


def test_after_stop_start_and_a_code_reopen() -> None:
    assert says(STOPPED, "START") == Command(action="start")
    assert says(STOPPED, "JOIN 7KQ4M2XY") == Join(code="7KQ4M2XY")


TAKING_BACK = Conversation(
    session="s1", open_prompt=prompt("withdraw", "withdraw", "all", "research", "nothing")
)


def test_take_back_is_understood_after_stop_too_and_its_menu_takes_digits_and_taps() -> None:
    for where in (IDLE, STOPPED, IN_SESSION, OFFERED):
        assert says(where, "take back") == Command(action="withdraw")
    assert says(TAKING_BACK, "2") == WithdrawReply(choice="research")
    assert taps(TAKING_BACK, "m.withdraw.1") == WithdrawReply(choice="all")
    assert taps(IN_SESSION, "m.withdraw.1") == Stale()
    assert says(TAKING_BACK, "4") == AnswerTo(session="s1")


@pytest.mark.parametrize(("word", "action"), [("DATA", "data"), ("delete me", "delete")])
def test_after_stop_she_may_still_ask_what_we_keep(word: str, action: Action) -> None:
    assert says(STOPPED, word) == Command(action=action)
    assert says(Conversation(), word) == Command(action=action)


def test_after_stop_a_tap_reopens_nothing() -> None:
    stopped = Conversation(opted_out=True, session="s1")
    assert taps(stopped, "q.s1.1") == StillStopped()


@pytest.mark.parametrize("word", ["help", "back", "skip", "menu", "later", "start"])
def test_key_words_are_commands(word: str) -> None:
    assert says(IN_SESSION, word) == Command(action=word)  # type: ignore[arg-type]


def test_the_word_language_asks_for_the_menu_and_a_language_s_name_switches() -> None:
    assert says(IN_SESSION, "language") == LanguageMenu()
    assert says(IN_SESSION, "Zulu") == SwitchLanguage(language="zu")
    assert says(IDLE, "isiZulu") == SwitchLanguage(language="zu")


def test_a_number_that_is_also_a_language_s_short_name_answers_a_question() -> None:
    sepedi = Lexicon(language="nso", name="Sepedi", phrases={}, texts={}, numbers={"pedi": "2"})

    def says_pedi(conversation: Conversation, text: str = "Pedi") -> Intent:
        return route(conversation, inbound(text), keywords=KEYWORDS, lexicons=(*LEXICONS, sepedi))

    joining = Conversation(session="s1", joining=True)
    assert says_pedi(IN_SESSION) == AnswerTo(session="s1")
    assert says_pedi(joining) == says_pedi(IDLE) == SwitchLanguage(language="nso")
    assert says_pedi(IN_SESSION, "Sepedi") == SwitchLanguage(language="nso")


@pytest.mark.parametrize("text", ["JOIN 7KQ4M2XY", "join 7kq4-m2xy", "/start 7KQ4M2XY", "7kq4m2xy"])
def test_a_join_code_joins_wherever_she_is(text: str) -> None:
    for where in (IDLE, IN_SESSION, OFFERED, STAFF):
        assert says(where, text) == Join(code="7KQ4M2XY")


def test_a_bare_digit_binds_to_the_open_prompt() -> None:
    assert says(OFFERED, "1") == OfferReply(assignment="a1", choice="now")
    assert says(OFFERED, "2.") == OfferReply(assignment="a1", choice="later")
    assert says(CHOOSING, "2") == SwitchLanguage(language="zu")
    assert says(ENDING, "1") == Command(action="stop")
    assert says(ENDING, "2") == MenuReply(kind="menu", choice="go_on")


@pytest.mark.parametrize("text", ["3", "0", "²", "yes please", "9" * 5000])
def test_what_a_menu_does_not_have_goes_to_the_questionnaire(text: str) -> None:
    assert says(ENDING, text) == AnswerTo(session="s1")
    assert says(OFFERED, text) == Unasked()


def test_with_an_open_question_everything_else_is_an_answer() -> None:
    asked = Conversation(session="s1", open_prompt=prompt("question", "s1"))
    for text in ("1", "often", "", "1 2 3"):
        assert says(asked, text) == AnswerTo(session="s1")


def test_where_nothing_waits_nothing_is_assumed() -> None:
    assert says(IDLE, "1") == Unasked()
    assert says(IDLE, "hello") == Unasked()


def test_a_tap_names_what_it_answers() -> None:
    assert taps(IN_SESSION, "q.s1.2") == AnswerTo(session="s1")
    assert taps(OFFERED, "m.a1.1") == OfferReply(assignment="a1", choice="now")
    assert taps(CHOOSING, "m.language.1") == SwitchLanguage(language="en")
    assert taps(IDLE, "a.alert9.1") == AlertReply(choice="accept", alert="alert9")
    assert taps(IDLE, "a.alert9.2") == AlertReply(choice="pass", alert="alert9")
    assert taps(IDLE, "a.alert9.3") == AlertReply(choice="phone", alert="alert9")


@pytest.mark.parametrize(
    ("where", "token"),
    [
        (IDLE, "q.s1.2"),
        (IDLE, "m.a1.1"),
        (OFFERED, "m.other.1"),
        (OFFERED, "m.a1.9"),
        (OFFERED, "m.a1."),
        (ONE_ALERT, "a.alert9.4"),
        (ONE_ALERT, "m.alert9.1"),
        (OFFERED, "nonsense"),
    ],
)
def test_a_button_of_something_that_is_over_is_stale(where: Conversation, token: str) -> None:
    assert taps(where, token) == Stale()


@pytest.mark.parametrize("text", ["1 A7F3K2", "a7f3k2 1", "1  a7f3k2."])
def test_staff_may_name_an_alert_by_its_code(text: str) -> None:
    for where in (STAFF, ONE_ALERT, Conversation(staff=True, session="s1")):
        assert says(where, text) == AlertReply(choice="accept", code="A7F3K2")


def test_the_number_before_the_code_is_the_choice() -> None:
    assert says(STAFF, "2 A7F3K2") == AlertReply(choice="pass", code="A7F3K2")
    assert says(STAFF, "A7F3K2 3") == AlertReply(choice="phone", code="A7F3K2")


def test_a_bare_digit_of_staff_takes_the_one_open_alert() -> None:
    assert says(ONE_ALERT, "1") == AlertReply(choice="accept", alert="alert9")
    assert says(ONE_ALERT, "3") == AlertReply(choice="phone", alert="alert9")


def test_a_bare_digit_of_staff_with_no_single_alert_accepts_nothing() -> None:
    assert says(STAFF, "1") == AlertList()
    assert says(STAFF, "4") == Unasked()


def test_a_coordinator_who_is_a_caregiver_too_is_never_misread() -> None:
    asked = Conversation(staff=True, session="s1", open_prompt=prompt("question", "s1"))
    assert says(asked, "1") == AnswerTo(session="s1")
    offered = Conversation(staff=True, open_prompt=prompt("offer", "a1", "now", "later"))
    assert says(offered, "1") == OfferReply(assignment="a1", choice="now")
    assert says(Conversation(staff=True, session="s1"), "1") == AnswerTo(session="s1")


@pytest.mark.parametrize(("text", "number"), [("42", "42"), (" 42. ", "42"), ("0", "0")])
def test_the_number_of_a_sign_in_answers_the_sign_in(text: str, number: str) -> None:
    assert says(SIGNING_IN, text) == LoginReply(login="login3", number=number)


@pytest.mark.parametrize("text", ["1", "3", "07", "142", "42 43", "forty-two"])
def test_a_sign_in_takes_no_other_answer_from_her(text: str) -> None:
    assert says(SIGNING_IN, text) == AnswerTo(session="s1")


def test_while_a_sign_in_waits_an_alert_can_be_taken() -> None:
    both = Conversation(staff=True, open_prompt=prompt("alert", "alert9"), login="login3")
    assert says(both, "1") == AlertReply(choice="accept", alert="alert9")
    assert says(both, "1 A7F3K2") == AlertReply(choice="accept", code="A7F3K2")
    assert says(both, "42") == LoginReply(login="login3", number="42")


def test_a_number_means_nothing_where_no_sign_in_waits() -> None:
    assert says(ONE_ALERT, "42") == Unasked()
    assert says(Conversation(login="login3"), "42") == Unasked()


def test_a_code_means_nothing_from_somebody_who_is_not_staff() -> None:
    assert says(IDLE, "1 A7F3K2") == Unasked()
    assert says(IN_SESSION, "1 A7F3K2") == AnswerTo(session="s1")


@given(text=st.text(max_size=200), token=st.text(max_size=64), where=st.sampled_from(EVERYWHERE))
def test_every_message_has_an_intent(text: str, token: str, where: Conversation) -> None:
    found = route(where, inbound(text, token), keywords=KEYWORDS, lexicons=LEXICONS)
    assert isinstance(found, Intent)


@given(text=st.text(max_size=40))
def test_nobody_who_is_not_staff_reaches_an_alert_by_typing(text: str) -> None:
    for where in (IDLE, IN_SESSION, OFFERED, CHOOSING):
        assert not isinstance(says(where, text), AlertReply | AlertList)


class TestWordsOfDanger:
    words = crisis_words(["kill myself"])

    def heard(self, where: Conversation, message: Inbound) -> Intent:
        return route(where, message, keywords=KEYWORDS, lexicons=LEXICONS, crisis=self.words)

    @pytest.mark.parametrize("where", [IDLE, IN_SESSION, STOPPED])
    def test_nothing_else_swallows_them(self, where: Conversation) -> None:
        assert self.heard(where, inbound("3 I will kill myself")) == InCrisis()

    def test_stop_alone_comes_first(self) -> None:
        assert self.heard(IN_SESSION, inbound("stop")) == Command(action="stop")

    def test_staff_and_buttons_do_not_count(self) -> None:
        assert self.heard(STAFF, inbound("kill myself")) == Unasked()
        tapped = self.heard(IN_SESSION, inbound("kill myself", "q.s1.0.0"))
        assert tapped == AnswerTo(session="s1")

    def test_without_lists_nothing_counts(self) -> None:
        assert says(IDLE, "kill myself") == Unasked()


@pytest.mark.parametrize(("text", "choice"), [("1", "now"), ("2", "later")])
def test_the_offer_of_put_off_questions_owns_its_digits(text: str, choice: str) -> None:
    where = Conversation(open_prompt=prompt("later", "s9", "now", "later"))
    assert says(where, text) == LaterReply(session="s9", choice=choice)
    assert taps(where, f"m.s9.{text}") == LaterReply(session="s9", choice=choice)
    assert says(where, "hello") == Unasked()


@pytest.mark.parametrize("conversation", [IDLE, STOPPED, IN_SESSION, STAFF])
def test_a_call_is_a_call_whatever_she_was_at(conversation: Conversation) -> None:
    rang = structs.replace(inbound(), kind="call")
    assert route(conversation, rang, keywords=KEYWORDS, lexicons=LEXICONS) == Called()


@pytest.mark.parametrize(
    ("conversation", "intent"),
    [
        (IDLE, WrongNumber()),
        (Conversation(open_prompt=prompt("offer", "a1", "now")), WrongNumber()),
        (Conversation(session="s1", joining=True), WrongNumber()),
        # In any other questionnaire it may be meant as an answer.
        (IN_SESSION, AnswerTo(session="s1")),
        (STOPPED, StillStopped()),
    ],
)
def test_a_wrong_number_ends_what_staff_began(conversation: Conversation, intent: Intent) -> None:
    assert says(conversation, "Wrong number") == intent


def dialled(conversation: Conversation) -> Intent:
    dial = structs.replace(inbound(), channel="ussd", kind="dial")
    return route(conversation, dial, keywords=KEYWORDS, lexicons=LEXICONS)


def test_who_dials_has_said_nothing_yet() -> None:
    offer = OpenPrompt(kind="offer", ref="a1", options=("now", "later"), asked_at=AT)
    for conversation in (IDLE, IN_SESSION, Conversation(open_prompt=offer)):
        assert dialled(conversation) == Opened()


def test_who_dials_after_stop_is_still_stopped() -> None:
    assert dialled(STOPPED) == StillStopped()


MENU = Conversation(session="s1", open_prompt=prompt("menu", "s1", "go_on", "stop"))
LESSONS = Conversation(open_prompt=prompt("lessons", "lessons", "lesson_a"))
RESTART = Conversation(session="s1", open_prompt=prompt("restart", "s1", "yes", "no"))


def test_a_digit_picks_from_the_menu_that_was_shown() -> None:
    assert says(MENU, "2") == MenuReply(kind="menu", choice="stop")
    assert taps(MENU, "m.s1.1") == MenuReply(kind="menu", choice="go_on")
    assert says(LESSONS, "1") == MenuReply(kind="lessons", choice="lesson_a")
    assert says(RESTART, "1") == RestartReply(session="s1", choice="yes")


def test_a_number_that_is_not_there_answers_nothing_behind_the_menu() -> None:
    assert says(MENU, "7") == MenuReply(kind="menu", choice="")
    assert says(LESSONS, "7") == MenuReply(kind="lessons", choice="")
    assert says(RESTART, "3") == RestartReply(session="s1", choice="")
    assert says(CHOOSING, "7") == Unasked()


def test_whoever_chooses_a_child_from_the_list_starts_with_it() -> None:
    listed = Conversation(session="s1", open_prompt=prompt("child", "r1", "a1", "a2", "later"))
    assert says(listed, "2") == OfferReply(assignment="a2", choice="now")
    assert taps(listed, "m.r1.1") == OfferReply(assignment="a1", choice="now")
    assert says(listed, "3") == OfferReply(assignment="r1", choice="later")
    assert says(listed, "4") == OfferReply(assignment="", choice="")
    assert taps(listed, "m.r0.1") == Stale()
    assert says(listed, "hello") == AnswerTo(session="s1")


def test_a_new_number_says_whether_it_is_hers() -> None:
    asked = Conversation(open_prompt=prompt("number", "old", "yes", "no"))
    assert says(asked, "1") == MenuReply(kind="number", choice="yes")
    assert says(asked, "2") == MenuReply(kind="number", choice="no")
    assert says(asked, "7") == MenuReply(kind="number", choice="")
    assert says(asked, "who is this") == Unasked()


def test_words_and_packed_answers_go_past_the_menu_to_the_question() -> None:
    for text in ("1 2 1", "never"):
        assert says(MENU, text) == AnswerTo(session="s1")


def test_change_and_restart_are_understood_anywhere() -> None:
    assert says(IN_SESSION, "change 3") == Change(number="3")
    assert says(MENU, "CHANGE 3") == Change(number="3")
    assert says(IDLE, "restart") == Command(action="restart")
    assert says(STOPPED, "change 3") == StillStopped()
    assert says(STOPPED, "call me") == Command(action="call")


@pytest.mark.parametrize(
    "changes",
    [
        {"media": ("audio",), "text": ""},
        {"media": ("image",), "text": "  "},
        {"media": ("edited",), "text": "2"},
        {"forwarded": True, "text": "menu"},
    ],
)
def test_what_only_a_person_can_read_answers_nothing(changes: dict[str, object]) -> None:
    sent = structs.replace(inbound("2"), **changes)
    assert route(IN_SESSION, sent, keywords=KEYWORDS, lexicons=LEXICONS) == Unreadable()


def test_a_picture_with_words_is_words_and_stop_counts_however_it_came() -> None:
    picture = structs.replace(inbound("2"), media=("image",))
    assert route(IN_SESSION, picture, keywords=KEYWORDS, lexicons=LEXICONS) == AnswerTo(
        session="s1"
    )
    stop = structs.replace(inbound("stop"), forwarded=True)
    assert route(IN_SESSION, stop, keywords=KEYWORDS, lexicons=LEXICONS) == Command(action="stop")
