"""What each intent leads to. One function an intent; nobody is left without an answer."""

from collections.abc import Callable, Mapping
from functools import partial

from bot.content.spoken import offered_on
from bot.turns import (
    calls,
    changing,
    consenting,
    danger,
    enrol,
    idle,
    later,
    learning,
    leaving,
    letters,
    menus,
    moving,
    pausing,
    permitted,
    requests,
    restarting,
    staff,
    stopping,
    talk,
    upnext,
    whose,
    wrong_number,
)
from bot.turns.desk import Desk, Sender
from flows.keywords import Action
from flows.messages import Menu, Phrase
from flows.routing import (
    AlertList,
    AlertReply,
    AnswerTo,
    Called,
    Change,
    Command,
    InCrisis,
    Intent,
    Join,
    LanguageMenu,
    LaterReply,
    LoginReply,
    MenuReply,
    OfferReply,
    Opened,
    RestartReply,
    Stale,
    StillStopped,
    SwitchLanguage,
    Unasked,
    Unreadable,
    WithdrawReply,
    WrongNumber,
)
from flows.sessions import HelpAsked, LanguageChosen, Resumed, Skipped, WentBack
from storage.schema import addresses, persons


def act(desk: Desk, sender: Sender, intent: Intent) -> None:
    """Do what the message asks for, if the policy lets her."""
    if isinstance(intent, Called) and not calls.may_answer(desk, sender):
        return
    action = permitted.asked_for(intent)
    if action is not None and not permitted.allowed(desk, sender, action):
        desk.say(sender, Phrase(key="help.general"))
        return
    if action == "call":
        calls.put_on_list(desk, sender)
    if not consenting.held_back(desk, sender, intent):
        _act(desk, sender, intent)


def _act(desk: Desk, sender: Sender, intent: Intent) -> None:
    match intent:
        case AnswerTo() | Unasked() | Opened() | Stale() | StillStopped() | InCrisis():
            _plain(desk, sender, intent)
        case Unreadable():
            letters.unreadable(desk, sender)
        case Command(action=action):
            _command(desk, sender, action)
        case LanguageMenu() | SwitchLanguage():
            _language(desk, sender, intent)
        case Join(code=code):
            enrol.join(desk, sender, code)
        case Called() | WrongNumber():
            _about_the_phone(desk, sender, intent)
        case AlertReply() | AlertList() | LoginReply():
            _by_staff(desk, sender, intent)
        case _:
            _chosen(desk, sender, intent)


def _by_staff(desk: Desk, sender: Sender, intent: AlertReply | AlertList | LoginReply) -> None:
    if isinstance(intent, LoginReply):
        staff.sign_in(desk, sender, intent)
    else:
        staff.answer(desk, sender, intent)


def _about_the_phone(desk: Desk, sender: Sender, intent: Called | WrongNumber) -> None:
    """It rang, or it is somebody else's."""
    if isinstance(intent, Called):
        calls.answer(desk, sender)
    elif (sender.address.open_prompt or {}).get("kind") == moving.KIND:
        moving.answer(desk, sender, "no")
    else:
        wrong_number.say_so(desk, sender)


def _chosen(
    desk: Desk,
    sender: Sender,
    intent: OfferReply | WithdrawReply | LaterReply | RestartReply | MenuReply | Change,
) -> None:
    match intent:
        case OfferReply():
            _offered(desk, sender, intent)
        case LaterReply(session=session, choice=choice):
            later.answer(desk, sender, session, choice)
        case RestartReply(session=session, choice=choice):
            restarting.answer(desk, sender, session, choice)
        case MenuReply(kind="number", choice=choice):
            _at_new_number(desk, sender, choice)
        case WithdrawReply(choice=choice):
            consenting.take_back(desk, sender, choice)
        case Change(number=number):
            changing.change(desk, sender, number)
        case MenuReply():
            _from_menu(desk, sender, intent)


def _at_new_number(desk: Desk, sender: Sender, choice: str) -> None:
    """Where the new number is hers, what was open at the old one goes on."""
    goes_on = MenuReply(kind="menu", choice="go_on")
    if moving.answer(desk, sender, choice) and not consenting.held_back(desk, sender, goes_on):
        idle.go_on(desk, sender)


def _offered(desk: Desk, sender: Sender, intent: OfferReply) -> None:
    """Her word on an offer, or the child she chose: what is under way goes on where it was."""
    if not intent.choice:
        _which(desk, sender)
        return
    live = whose.pick(desk, sender, intent.assignment) if intent.choice == "now" else None
    if live is None:
        upnext.answer_offer(desk, sender, intent.assignment, intent.choice)
    elif not consenting.held_back(desk, sender, MenuReply(kind="menu", choice="go_on")):
        whose.go_on(desk, sender, live)


def _which(desk: Desk, sender: Sender) -> None:
    """Ask whom she means; where that is no question any more, go on."""
    if not upnext.ask_which(desk, sender):
        sender.address.open_prompt = None
        idle.go_on(desk, sender)


def _from_menu(desk: Desk, sender: Sender, intent: MenuReply) -> None:
    """What she chose; a number that is not there, or not any more, shows her menu again."""
    menus.close(desk, sender)
    if intent.kind == "lessons" and intent.choice:
        if not learning.start(desk, sender, intent.choice):
            menus.show(desk, sender)
    elif intent.kind == "lessons":
        _lessons(desk, sender)
    else:
        FROM_MENU.get(intent.choice, menus.show)(desk, sender)


def _lessons(desk: Desk, sender: Sender) -> None:
    if not learning.show(desk, sender):
        menus.show(desk, sender)


def _plain(
    desk: Desk,
    sender: Sender,
    intent: AnswerTo | Unasked | Opened | Stale | StillStopped | InCrisis,
) -> None:
    match intent:
        case InCrisis():
            _in_crisis(desk, sender)
        case _ if whose.is_unclear(desk, sender, intent):
            _which(desk, sender)
        case AnswerTo() if sender.live is not None:
            talk.reply(desk, sender, sender.live)
        case Opened():
            _opened(desk, sender)
        case Stale():
            desk.say(sender, Phrase(key="tap.stale"))
        case StillStopped():
            if idle.has_words(sender, 1):
                letters.keep(desk, sender)
            desk.say(sender, Phrase(key="stop.still"))
        case _:
            idle.wrote(desk, sender)


def _opened(desk: Desk, sender: Sender) -> None:
    """She dialled: the open question once more, also one of a dropped session or from SMS.

    It goes on in a language that can be spelled on the screen.
    """
    live = sender.live
    if live is None:
        idle.unasked(desk, sender)
        return
    spoken = offered_on(desk.world.library, sender.channel, live.row.form_id)
    if live.session.language not in spoken:
        talk.carry_on_quietly(desk, live, LanguageChosen(language=spoken[0]))
    talk.carry_on(desk, sender, live, Resumed(channel=sender.channel))


def _in_crisis(desk: Desk, sender: Sender) -> None:
    """Help first; then what was open is asked again, since her words answered nothing."""
    danger.answer(desk, sender)
    if sender.address.opted_out_at is not None:
        return
    kind = (sender.address.open_prompt or {}).get("kind", "")
    if kind in MENUS_AGAIN:
        MENUS_AGAIN[kind](desk, sender)
    elif sender.live is None:
        upnext.offer(desk, sender)
    elif not consenting.held_back(desk, sender, MenuReply(kind="menu", choice="go_on")):
        idle.go_on(desk, sender)


def _command(desk: Desk, sender: Sender, action: Action) -> None:
    if action in IN_SESSION:
        _in_session(desk, sender, IN_SESSION[action])
    elif action in ALONE:
        ALONE[action](desk, sender)
    else:
        idle.go_on(desk, sender)


def _in_session(desk: Desk, sender: Sender, event: HelpAsked | WentBack | Skipped) -> None:
    if sender.live is not None:
        talk.carry_on(desk, sender, sender.live, event)
    else:
        desk.say(sender, Phrase(key="help.general"))


def _start_again(desk: Desk, sender: Sender) -> None:
    """START reopens messages; it gives no consent that was not given before."""
    if sender.address.opted_out_at is None:
        idle.unasked(desk, sender)
        return
    sender.address.opted_out_at = None
    desk.writes.change(addresses, sender.address.id, opted_out_at=None)
    desk.say(sender, Phrase(key="start.done"))


def _later(desk: Desk, sender: Sender) -> None:
    """LATER keeps everything as it is; at an open question she says when she hears of us."""
    prompt = sender.address.open_prompt or {}
    if prompt.get("kind") == "later":
        later.answer(desk, sender, prompt["ref"], "later")
        return
    sender.address.open_prompt = None
    live = sender.live
    if live is not None and not learning.is_one(desk, live):
        pausing.put_off(desk, sender, live.row.id)
    else:
        desk.say(sender, Phrase(key="offer.deferred"))


def _language(desk: Desk, sender: Sender, intent: LanguageMenu | SwitchLanguage) -> None:
    if isinstance(intent, SwitchLanguage):
        _switch(desk, sender, intent.language)
        return
    library = desk.world.library
    offered = offered_on(library, sender.channel)
    names = tuple((tag, library.lexicons[tag].name) for tag in offered)
    desk.ask_menu(sender, "language", "language", offered)
    desk.say(
        sender,
        Phrase(key="language.choose"),
        Menu(ref="m.language", options=names, literal=True),
    )


def _switch(desk: Desk, sender: Sender, language: str) -> None:
    """A new language, at once and for everything after; what is open is asked again in it."""
    form_id = sender.live.row.form_id if sender.live else ""
    if language not in offered_on(desk.world.library, sender.channel, form_id):
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
        idle.unasked(desk, sender)


def _call_from_menu(desk: Desk, sender: Sender) -> None:
    calls.put_on_list(desk, sender)
    calls.promise(desk, sender)


MENUS_AGAIN: Mapping[str, Callable[[Desk, Sender], None]] = {
    "language": lambda desk, sender: _language(desk, sender, LanguageMenu()),
    "stop": stopping.ask,
    "withdraw": consenting.ask,
    "later": later.offer_again,
    "menu": menus.show,
    "lessons": _lessons,
    "restart": restarting.ask,
    "child": _which,
    "number": moving.ask_again,
}
"""Menus that are shown once more as they were."""
IN_SESSION: Mapping[Action, HelpAsked | WentBack | Skipped] = {
    "help": HelpAsked(),
    "back": WentBack(),
    "skip": Skipped(),
}
ALONE: Mapping[Action, Callable[[Desk, Sender], None]] = {
    "stop": stopping.stop,
    "cancel": stopping.cancel,
    "withdraw": consenting.ask,
    "start": _start_again,
    "later": _later,
    "menu": menus.show,
    "restart": restarting.ask,
    "change": partial(changing.change, number=""),
    "call": calls.promise,
    "data": partial(requests.received, kind="access"),
    "delete": partial(requests.received, kind="erasure"),
    "exit": leaving.leave,
}
"""What the other key words do; a bare JOIN shows what is open or due."""
FROM_MENU: Mapping[str, Callable[[Desk, Sender], None]] = {
    "go_on": idle.go_on,
    "class": idle.go_on,
    "child": _which,
    "alerts": lambda desk, sender: staff.answer(desk, sender, AlertList()),
    "learn": _lessons,
    "language": lambda desk, sender: _language(desk, sender, LanguageMenu()),
    "call": _call_from_menu,
    "data": ALONE["data"],
    "stop": stopping.ask,
}
"""What the rows of her menu do (`menus.rows`)."""
