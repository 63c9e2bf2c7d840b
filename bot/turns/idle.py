"""Where no question waits for her words: what is open or due is put, or she is welcomed."""

from bot.turns import later, letters, moving, talk, upnext
from bot.turns.desk import Desk, Sender
from flows.messages import Phrase
from flows.sessions import Resumed

MORE_THAN_A_GREETING = 3
"""Words from which a message is more than that somebody is there."""


def go_on(desk: Desk, sender: Sender) -> None:
    """Ask again what is open; else offer what is due."""
    if sender.live is not None:
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel))
    else:
        unasked(desk, sender)


def wrote(desk: Desk, sender: Sender) -> None:
    """Words that no question waits for: what is due is offered, and a person reads them.

    Where something is due, one or two words are no more than a greeting.
    """
    prompt = sender.address.open_prompt or {}
    if prompt.get("kind") == "later":
        later.answer(desk, sender, prompt["ref"], "now")
        return
    if prompt.get("kind") == moving.KIND:
        moving.ask_again(desk, sender)
        return
    sender.address.open_prompt = None
    if upnext.offer(desk, sender):
        if has_words(sender, MORE_THAN_A_GREETING):
            letters.keep(desk, sender)
    elif not (has_words(sender, 1) and letters.told(desk, sender)):
        desk.say(sender, Phrase(key="idle.welcome"), *_own_address(sender))


def has_words(sender: Sender, least: int) -> bool:
    """Whether she wrote at least so many words."""
    words = sender.letter.inbound.text.split()
    return sum(any(c.isalpha() for c in word) for word in words) >= least


def unasked(desk: Desk, sender: Sender) -> None:
    """Offer what is due; else the welcome that everybody hears, known or not."""
    prompt = sender.address.open_prompt or {}
    if prompt.get("kind") == "later":
        later.answer(desk, sender, prompt["ref"], "now")
        return
    sender.address.open_prompt = None
    if not upnext.offer(desk, sender):
        desk.say(sender, Phrase(key="idle.welcome"), *_own_address(sender))


def _own_address(sender: Sender) -> tuple[Phrase, ...]:
    """A stranger on Telegram has no other way to learn what a staff list wants of her."""
    if sender.channel != "telegram" or sender.person is not None:
        return ()
    return (Phrase(key="idle.address", values={"number": sender.letter.inbound.address}),)
