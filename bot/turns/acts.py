"""What each intent leads to. One function an intent; nobody is left without an answer."""

from collections.abc import Callable, Mapping
from functools import partial

from bot.turns import closing, consenting, enrol, requests, staff, talk, upnext
from bot.turns.desk import Desk, Sender
from flows.keywords import Action
from flows.messages import Menu, Phrase
from flows.routing import (
    AlertList,
    AlertReply,
    AnswerTo,
    Command,
    Intent,
    Join,
    LanguageMenu,
    LoginReply,
    OfferReply,
    Stale,
    StillStopped,
    SwitchLanguage,
    Unasked,
    WithdrawReply,
)
from flows.sessions import HelpAsked, LanguageChosen, Resumed, Skipped, Stopped, WentBack
from storage.schema import addresses, persons
from storage.talk.conversations import opt_out_person


def act(desk: Desk, sender: Sender, intent: Intent) -> None:
    """Do what the message asks for."""
    if not consenting.held_back(desk, sender, intent):
        _act(desk, sender, intent)


def _act(desk: Desk, sender: Sender, intent: Intent) -> None:
    match intent:
        case AnswerTo() | Unasked() | Stale() | StillStopped():
            _plain(desk, sender, intent)
        case Command(action=action):
            _command(desk, sender, action)
        case LanguageMenu() | SwitchLanguage():
            _language(desk, sender, intent)
        case Join(code=code):
            enrol.join(desk, sender, code)
        case OfferReply() | WithdrawReply():
            _chosen(desk, sender, intent)
        case AlertReply() | AlertList():
            staff.answer(desk, sender, intent)
        case LoginReply():
            staff.sign_in(desk, sender, intent)


def _chosen(desk: Desk, sender: Sender, intent: OfferReply | WithdrawReply) -> None:
    if isinstance(intent, OfferReply):
        upnext.answer_offer(desk, sender, intent.assignment, intent.choice)
    else:
        consenting.take_back(desk, sender, intent.choice)


def _plain(desk: Desk, sender: Sender, intent: AnswerTo | Unasked | Stale | StillStopped) -> None:
    match intent:
        case AnswerTo() if sender.live is not None:
            talk.reply(desk, sender, sender.live)
        case Stale():
            desk.say(sender, Phrase(key="tap.stale"))
        case StillStopped():
            desk.say(sender, Phrase(key="stop.still"))
        case _:
            _unasked(desk, sender)


def _unasked(desk: Desk, sender: Sender) -> None:
    """Offer what is due; else the welcome that everybody hears, known or not."""
    sender.address.open_prompt = None
    if not upnext.offer(desk, sender):
        desk.say(sender, Phrase(key="idle.welcome"), *_own_address(sender))


def _own_address(sender: Sender) -> tuple[Phrase, ...]:
    """A stranger on Telegram has no other way to learn what a staff list wants of her."""
    if sender.channel != "telegram" or sender.person is not None:
        return ()
    return (Phrase(key="idle.address", values={"number": sender.letter.inbound.address}),)


def _command(desk: Desk, sender: Sender, action: Action) -> None:
    if action in IN_SESSION:
        _in_session(desk, sender, IN_SESSION[action])
    elif action in ALONE:
        ALONE[action](desk, sender)
    elif sender.live is not None:
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel))
    else:
        _unasked(desk, sender)


def _in_session(desk: Desk, sender: Sender, event: HelpAsked | WentBack | Skipped) -> None:
    if sender.live is not None:
        talk.carry_on(desk, sender, sender.live, event)
    else:
        desk.say(sender, Phrase(key="help.general"))


def _stop(desk: Desk, sender: Sender) -> None:
    """STOP: end what is open, confirm once, start nothing more on any channel of hers."""
    already = sender.address.opted_out_at is not None
    if sender.live is not None:
        talk.carry_on(desk, sender, sender.live, Stopped())
        closing.touch(desk, sender.live)
        sender.live = None
    sender.address.opted_out_at = sender.address.opted_out_at or desk.now
    sender.address.open_prompt = None
    desk.writes.change(addresses, sender.address.id, opted_out_at=sender.address.opted_out_at)
    if sender.person is not None:
        opt_out_person(desk.conn, sender.person.id, now=desk.now)
    is_caregiver = sender.person is not None and sender.person.kind == "caregiver"
    more = (Phrase(key="stop.take_back"),) if is_caregiver and not already else ()
    desk.say(sender, Phrase(key="stop.still" if already else "stop.done"), *more)


def _cancel(desk: Desk, sender: Sender) -> None:
    """END, QUIT: the SMS network has stopped us already; elsewhere we ask what she means."""
    if sender.channel == "sms":
        _stop(desk, sender)
        return
    desk.ask_menu(sender, "stop", "stop", ("yes", "no"))
    options = (("yes", "stop.yes"), ("no", "stop.no"))
    desk.say(sender, Phrase(key="stop.ask"), Menu(ref="m.stop", options=options))


def _start_again(desk: Desk, sender: Sender) -> None:
    """START reopens messages; it gives no consent that was not given before."""
    if sender.address.opted_out_at is None:
        _unasked(desk, sender)
        return
    sender.address.opted_out_at = None
    desk.writes.change(addresses, sender.address.id, opted_out_at=None)
    desk.say(sender, Phrase(key="start.done"))


def _later(desk: Desk, sender: Sender) -> None:
    """LATER keeps everything as it is; the nudges know when to ask again."""
    sender.address.open_prompt = None
    desk.say(sender, Phrase(key="offer.deferred"))


def _language(desk: Desk, sender: Sender, intent: LanguageMenu | SwitchLanguage) -> None:
    if isinstance(intent, SwitchLanguage):
        _switch(desk, sender, intent.language)
        return
    library = desk.world.library
    names = tuple((tag, library.lexicons[tag].name) for tag in library.offered)
    desk.ask_menu(sender, "language", "language", library.offered)
    desk.say(
        sender,
        Phrase(key="language.choose"),
        Menu(ref="m.language", options=names, literal=True),
    )


def _switch(desk: Desk, sender: Sender, language: str) -> None:
    """A new language, at once and for everything after; what is open is asked again in it."""
    if language not in desk.world.library.offered:
        desk.say(sender, Phrase(key="language.unchanged"))
        return
    sender.address.language = language
    sender.address.open_prompt = None
    desk.writes.change(addresses, sender.address.id, language=language)
    if sender.person is not None:
        sender.person.language = language
        desk.writes.change(persons, sender.person.id, language=language)
    if sender.live is not None:
        talk.carry_on(desk, sender, sender.live, LanguageChosen(language=language))
    else:
        _unasked(desk, sender)


IN_SESSION: Mapping[Action, HelpAsked | WentBack | Skipped] = {
    "help": HelpAsked(),
    "back": WentBack(),
    "skip": Skipped(),
}
ALONE: Mapping[Action, Callable[[Desk, Sender], None]] = {
    "stop": _stop,
    "cancel": _cancel,
    "withdraw": consenting.ask,
    "start": _start_again,
    "later": _later,
    "data": partial(requests.received, kind="access"),
    "delete": partial(requests.received, kind="erasure"),
}
"""What the other key words do; MENU and a bare JOIN show what is open or due."""
