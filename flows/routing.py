"""Which conversation a message belongs to: a pure decision, made before anything is written.

Order: STOP in every language; words of danger (`flows.crisis`), which nothing else may swallow; a
button, which names what it answers; the other key words; a JOIN code; a staff member's alert code;
a bare digit, which binds only to the open prompt; the open questionnaire; otherwise nothing waits
for it.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from flows.crisis import NONE, CrisisWords, typed_in_crisis
from flows.keywords import (
    Action,
    Keywords,
    change_number,
    join_code,
    keyword,
    language_named,
    wrong_number,
)
from flows.lexicon import Lexicon
from flows.messages import Inbound
from flows.replies import normalise, trim

PromptKind = Literal[
    "question",
    "language",
    "offer",
    "alert",
    "stop",
    "withdraw",
    "later",
    "menu",
    "lessons",
    "restart",
    "child",
    "number",
    "away",
]
STRICT = ("menu", "lessons", "restart", "child", "number")
"""Menus that stand between her and an open question: another number is no answer to that."""
MENUS = ("language", "offer", "stop", "withdraw", "later", *STRICT)
AFTER_STOP: tuple[Action, ...] = ("start", "withdraw", "data", "delete", "call")
"""What still counts after STOP: whoever wants no messages may still ask what we keep, or a call."""
LOGIN_LIFE = timedelta(minutes=10)
"""How long a sign-in to the dashboard waits for its number (OWASP ASVS 5.0, 6.6.2)."""


class OpenPrompt(Struct, frozen=True, kw_only=True):
    """What a bare digit answers now.

    Attributes:
        kind: A question of a session, the language menu, the offer of a questionnaire, an alert,
            the questions she wanted to be asked later.
        ref: Id of the session, assignment or alert; empty for the language menu.
        options: Codes of a menu in the order shown; empty for a question.
        asked_at: When it was put.
    """

    kind: PromptKind
    ref: str
    options: tuple[str, ...] = ()
    asked_at: datetime


class Conversation(Struct, frozen=True, kw_only=True):
    """What routing must know of the sender's side.

    Attributes:
        open_prompt: What waits for a digit, if anything.
        session: Id of the questionnaire she is in (open or lapsed), else empty.
        joining: Whether that is the one by which she joins, and staff had invited her to it.
        staff: Whether she receives alerts.
        opted_out: Whether STOP holds for this address.
        login: Id of her sign-in to the dashboard, if its number was the last thing she was asked.
    """

    open_prompt: OpenPrompt | None = None
    session: str = ""
    joining: bool = False
    staff: bool = False
    opted_out: bool = False
    login: str = ""


class Command(Struct, frozen=True, kw_only=True):
    """A key word that stands alone (`flows.keywords.Action`)."""

    action: Action


class LanguageMenu(Struct, frozen=True, kw_only=True):
    """She wants another language and has not said which."""


class SwitchLanguage(Struct, frozen=True, kw_only=True):
    """She named a language or picked it from the menu."""

    language: str


class Change(Struct, frozen=True, kw_only=True):
    """CHANGE and a number: she wants to give that answer once more."""

    number: str


class MenuReply(Struct, frozen=True, kw_only=True):
    """What she chose from her menu or the list of lessons, or whether this is her new number.

    Empty for a number that is not there.
    """

    kind: Literal["menu", "lessons", "number"]
    choice: str


class RestartReply(Struct, frozen=True, kw_only=True):
    """Whether the questionnaire is to begin anew; empty for a number that is not there."""

    session: str
    choice: str


class Join(Struct, frozen=True, kw_only=True):
    """She sent a child's JOIN code."""

    code: str


class AnswerTo(Struct, frozen=True, kw_only=True):
    """A reply to the questionnaire she is in."""

    session: str


class OfferReply(Struct, frozen=True, kw_only=True):
    """Her word on an offered questionnaire: now or later; empty for a child that is not listed."""

    assignment: str
    choice: str


class WithdrawReply(Struct, frozen=True, kw_only=True):
    """What of her consent she takes back: all, partners, research or nothing."""

    choice: str


class LaterReply(Struct, frozen=True, kw_only=True):
    """Her word on the questions she wanted to be asked later: now, or later again."""

    session: str
    choice: str


AlertChoice = Literal["accept", "pass", "phone"]
ALERT_CHOICES: tuple[AlertChoice, ...] = ("accept", "pass", "phone")


class AlertReply(Struct, frozen=True, kw_only=True):
    """A staff member's word on an alert, named by id (button, open prompt) or by code."""

    choice: AlertChoice
    alert: str = ""
    code: str = ""


class AlertList(Struct, frozen=True, kw_only=True):
    """A staff digit that no single alert waits for: the codes are listed, nothing is accepted."""


class LoginReply(Struct, frozen=True, kw_only=True):
    """A staff member's word on a sign-in to the dashboard: the number she sees, or 0 for not me."""

    login: str
    number: str


class Opened(Struct, frozen=True, kw_only=True):
    """She dialled (USSD) and has said nothing yet."""


class Called(Struct, frozen=True, kw_only=True):
    """She rang and hung up: she wants to be reached."""


class Unreadable(Struct, frozen=True, kw_only=True):
    """A voice note, a picture, a place; words she changed afterwards or passed on: for a person."""


class WrongNumber(Struct, frozen=True, kw_only=True):
    """Whoever has this phone is not whom we look for."""


class Stale(Struct, frozen=True, kw_only=True):
    """A button of something that is over."""


class StillStopped(Struct, frozen=True, kw_only=True):
    """A message after STOP that is not START."""


class Unasked(Struct, frozen=True, kw_only=True):
    """Nothing waits for this message."""


class InCrisis(Struct, frozen=True, kw_only=True):
    """She typed words that may mean danger; what it would have answered is asked again."""


Intent = (
    Command
    | LanguageMenu
    | SwitchLanguage
    | Change
    | MenuReply
    | RestartReply
    | Join
    | AnswerTo
    | OfferReply
    | WithdrawReply
    | LaterReply
    | AlertReply
    | AlertList
    | LoginReply
    | Opened
    | Called
    | Unreadable
    | WrongNumber
    | Stale
    | StillStopped
    | Unasked
    | InCrisis
)

_NUMBER = re.compile(r"0|[1-9][0-9]")
_CODE = re.compile(r"(?:([123])\s+([0-9a-z]{6})|([0-9a-z]{6})\s+([123]))")


def route(
    conversation: Conversation,
    inbound: Inbound,
    *,
    keywords: Keywords,
    lexicons: Sequence[Lexicon],
    crisis: CrisisWords = NONE,
) -> Intent:
    """Decide what a message is about. Total: every message has an intent."""
    if inbound.kind == "call":
        return Called()
    said = trim(normalise(inbound.text))
    action = keyword(said, keywords) if said else None
    if action == "stop":
        return Command(action=action)
    in_crisis = not conversation.staff and typed_in_crisis(inbound, crisis)
    if in_crisis or conversation.opted_out:
        return InCrisis() if in_crisis else _after_stop(action, inbound, keywords)
    if inbound.kind == "dial" or inbound.token:
        return Opened() if inbound.kind == "dial" else _tapped(conversation, inbound.token)
    if action is not None and not is_unreadable(inbound):
        return LanguageMenu() if action == "language" else Command(action=action)
    return _written(conversation, inbound, keywords, lexicons)


def _after_stop(action: Action | None, inbound: Inbound, keywords: Keywords) -> Intent:
    code = join_code(inbound.text, keywords)
    if code is not None:
        return Join(code=code)
    return Command(action=action) if action in AFTER_STOP else StillStopped()


def _tapped(conversation: Conversation, token: str) -> Intent:
    """A button says what it answers; the first letter names the kind."""
    kind, _, rest = token.partition(".")
    if kind == "q":
        return AnswerTo(session=conversation.session) if conversation.session else Stale()
    ref, _, number = rest.rpartition(".")
    if kind == "a" and number in ("1", "2", "3"):
        return AlertReply(choice=ALERT_CHOICES[int(number) - 1], alert=ref)
    prompt = conversation.open_prompt
    if prompt is None or prompt.kind not in MENUS or prompt.ref != ref:
        return Stale()
    return _menu(prompt, number) or Stale()


def is_unreadable(inbound: Inbound) -> bool:
    """Whether it is nothing that answers a question: no text, an edit, somebody else's words."""
    no_text = bool(inbound.media) and not inbound.text.strip()
    return no_text or inbound.forwarded or "edited" in inbound.media


def _written(
    conversation: Conversation, inbound: Inbound, keywords: Keywords, lexicons: Sequence[Lexicon]
) -> Intent:
    """A key word with something after it; else what she typed herself, just now."""
    if is_unreadable(inbound):
        return Unreadable()
    code = join_code(inbound.text, keywords)
    if code is not None:
        return Join(code=code)
    number = change_number(inbound.text, keywords, lexicons)
    return Change(number=number) if number is not None else _typed(conversation, inbound, lexicons)


def _typed(conversation: Conversation, inbound: Inbound, lexicons: Sequence[Lexicon]) -> Intent:
    text = trim(normalise(inbound.text))
    if conversation.staff:
        staff = _staff(conversation, text)
        if staff is not None:
            return staff
    if (conversation.joining or not conversation.session) and wrong_number(text, lexicons):
        return WrongNumber()
    prompt = conversation.open_prompt
    if prompt is not None and prompt.kind in MENUS:
        choice = _menu(prompt, text)
        if choice is not None:
            return choice
    named = language_named(inbound.text, lexicons)
    # "pedi" is short for Sepedi, and two: within a questionnaire about a child it is an answer.
    answering = bool(conversation.session) and not conversation.joining
    if named is not None and not (answering and any(text in x.numbers for x in lexicons)):
        return SwitchLanguage(language=named)
    if conversation.session:
        return AnswerTo(session=conversation.session)
    return Unasked()


def _staff(conversation: Conversation, text: str) -> Intent | None:
    """`1 A7F3K2` always names its alert; a bare digit only the one that is the open prompt.

    A sign-in's number has two digits, so it takes no menu's and no alert's digit from her.
    """
    if conversation.login and _NUMBER.fullmatch(text):
        return LoginReply(login=conversation.login, number=text)
    found = _CODE.fullmatch(text)
    if found is not None:
        number = found[1] or found[4]
        code = found[2] or found[3]
        return AlertReply(choice=ALERT_CHOICES[int(number) - 1], code=code.upper())
    if text not in ("1", "2", "3"):
        return None
    prompt = conversation.open_prompt
    if prompt is not None and prompt.kind == "alert":
        return AlertReply(choice=ALERT_CHOICES[int(text) - 1], alert=prompt.ref)
    return AlertList() if prompt is None and not conversation.session else None


def _menu(prompt: OpenPrompt, number: str) -> Intent | None:
    places = {str(place): code for place, code in enumerate(prompt.options, 1)}
    code = places.get(number)
    if code is None:
        strict = prompt.kind in STRICT and number.isdecimal()
        return _of_menu(prompt, "") if strict else None
    return _of_menu(prompt, code)


def _of_menu(prompt: OpenPrompt, code: str) -> Intent:
    """What a choice of the menu asks for; an empty one only of the strict menus."""
    match prompt.kind:
        case "menu" | "lessons" | "restart" | "number":
            return _of_strict(prompt, code)
        case "language":
            return SwitchLanguage(language=code)
        case "stop":
            ends = code == "yes"
            return Command(action="stop") if ends else MenuReply(kind="menu", choice="go_on")
        case "withdraw":
            return WithdrawReply(choice=code)
        case "later":
            return LaterReply(session=prompt.ref, choice=code)
        case _:
            return _of_offer(prompt, code)


def _of_offer(prompt: OpenPrompt, code: str) -> Intent:
    """Now or later; in a list of children whoever is chosen, and that means now."""
    if prompt.kind != "child" or code == "later":
        return OfferReply(assignment=prompt.ref, choice=code)
    return OfferReply(assignment=code, choice="now" if code else "")


def _of_strict(prompt: OpenPrompt, code: str) -> Intent:
    if prompt.kind == "restart":
        return RestartReply(session=prompt.ref, choice=code)
    if prompt.kind == "number":
        return MenuReply(kind="number", choice=code)
    return MenuReply(kind="lessons" if prompt.kind == "lessons" else "menu", choice=code)
