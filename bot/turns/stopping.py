"""STOP, and words that may mean it: nothing more is started, on any channel of hers."""

from bot.turns import closing, talk
from bot.turns.desk import Desk, Sender
from flows.messages import Menu, Phrase
from flows.sessions import Stopped
from storage.schema import addresses
from storage.talk.conversations import opt_out_person


def stop(desk: Desk, sender: Sender) -> None:
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


def cancel(desk: Desk, sender: Sender) -> None:
    """END, QUIT: the SMS network has stopped us already; elsewhere we ask what she means."""
    if sender.channel == "sms":
        stop(desk, sender)
    else:
        ask(desk, sender)


def ask(desk: Desk, sender: Sender) -> None:
    """Whether she means it, as a menu."""
    desk.ask_menu(sender, "stop", "stop", ("yes", "no"))
    options = (("yes", "stop.yes"), ("no", "stop.no"))
    desk.say(sender, Phrase(key="stop.ask"), Menu(ref="m.stop", options=options))
