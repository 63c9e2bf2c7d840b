"""Which conversation a message belongs to: a pure decision, made before anything is written.

Order: STOP in every language; a button, which names what it answers; the other key words; a JOIN
code; a staff member's alert code; a bare digit, which binds only to the open prompt; the open
questionnaire; otherwise nothing waits for it.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from flows.keywords import Action, Keywords, join_code, keyword, language_named
from flows.lexicon import Lexicon
from flows.messages import Inbound
from flows.replies import normalise, trim

PromptKind = Literal["question", "language", "offer", "alert", "stop", "withdraw"]
MENUS = ("language", "offer", "stop", "withdraw")
AFTER_STOP: tuple[Action, ...] = ("start", "withdraw", "data", "delete")
"""What still counts after STOP: whoever wants no messages may still ask what we keep."""
LOGIN_LIFE = timedelta(minutes=10)
"""How long a sign-in to the dashboard waits for its number (OWASP ASVS 5.0, 6.6.2)."""


class OpenPrompt(Struct, frozen=True, kw_only=True):
    """What a bare digit answers now.

    Attributes:
        kind: A question of a session, the language menu, the offer of a questionnaire, an alert.
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
        staff: Whether she receives alerts.
        opted_out: Whether STOP holds for this address.
        login: Id of her sign-in to the dashboard, if its number was the last thing she was asked.
    """

    open_prompt: OpenPrompt | None = None
    session: str = ""
    staff: bool = False
    opted_out: bool = False
    login: str = ""


class Command(Struct, frozen=True, kw_only=True):
    """A key word: stop, withdraw, start, help, back, skip, menu, later, data, delete."""

    action: Action


class LanguageMenu(Struct, frozen=True, kw_only=True):
    """She wants another language and has not said which."""


class SwitchLanguage(Struct, frozen=True, kw_only=True):
    """She named a language or picked it from the menu."""

    language: str


class Join(Struct, frozen=True, kw_only=True):
    """She sent a child's JOIN code."""

    code: str


class AnswerTo(Struct, frozen=True, kw_only=True):
    """A reply to the questionnaire she is in."""

    session: str


class OfferReply(Struct, frozen=True, kw_only=True):
    """Her word on an offered questionnaire: now or later."""

    assignment: str
    choice: str


class WithdrawReply(Struct, frozen=True, kw_only=True):
    """What of her consent she takes back: all, partners, research or nothing."""

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


class Stale(Struct, frozen=True, kw_only=True):
    """A button of something that is over."""


class StillStopped(Struct, frozen=True, kw_only=True):
    """A message after STOP that is not START."""


class Unasked(Struct, frozen=True, kw_only=True):
    """Nothing waits for this message."""


Intent = (
    Command
    | LanguageMenu
    | SwitchLanguage
    | Join
    | AnswerTo
    | OfferReply
    | WithdrawReply
    | AlertReply
    | AlertList
    | LoginReply
    | Stale
    | StillStopped
    | Unasked
)

_NUMBER = re.compile(r"0|[1-9][0-9]")
_CODE = re.compile(r"(?:([123])\s+([0-9a-z]{6})|([0-9a-z]{6})\s+([123]))")


def route(
    conversation: Conversation,
    inbound: Inbound,
    *,
    keywords: Keywords,
    lexicons: Sequence[Lexicon],
) -> Intent:
    """Decide what a message is about. Total: every message has an intent."""
    said = trim(normalise(inbound.text))
    action = keyword(said, keywords) if said else None
    if action == "stop":
        return Command(action=action)
    if conversation.opted_out:
        return _after_stop(action, inbound, keywords)
    if inbound.token:
        return _tapped(conversation, inbound.token)
    if action is not None:
        return LanguageMenu() if action == "language" else Command(action=action)
    code = join_code(inbound.text, keywords)
    return Join(code=code) if code is not None else _typed(conversation, inbound, lexicons)


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


def _typed(conversation: Conversation, inbound: Inbound, lexicons: Sequence[Lexicon]) -> Intent:
    text = trim(normalise(inbound.text))
    if conversation.staff:
        staff = _staff(conversation, text)
        if staff is not None:
            return staff
    prompt = conversation.open_prompt
    if prompt is not None and prompt.kind in MENUS:
        choice = _menu(prompt, text)
        if choice is not None:
            return choice
    named = language_named(inbound.text, lexicons)
    if named is not None:
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
        return None
    if prompt.kind == "language":
        return SwitchLanguage(language=code)
    if prompt.kind == "stop":
        return Command(action="stop" if code == "yes" else "menu")
    if prompt.kind == "withdraw":
        return WithdrawReply(choice=code)
    return OfferReply(assignment=prompt.ref, choice=code)
