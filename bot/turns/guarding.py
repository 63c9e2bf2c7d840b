"""The guards at the door of a turn: who is a machine, who writes too much (`flows.guard`).

What is counted rests in the address's own row, which every turn reads and writes anyway. A message
that is not answered is stored like any other; STOP and words of danger are always acted upon.
"""

from bot.turns import talk
from bot.turns.desk import Desk, Sender
from bot.turns.promising import helplines
from flows.guard import Verdict, answers_from, arrived, moved, read, stored
from flows.messages import Inbound, Phrase
from flows.replies import normalise, trim
from flows.routing import (
    AlertReply,
    Command,
    InCrisis,
    Intent,
    LaterReply,
    LoginReply,
    MenuReply,
    OfferReply,
    RestartReply,
    SwitchLanguage,
    WithdrawReply,
)

TASK = "auto_reply"
CHOICES = (
    *(AlertReply, LaterReply, LoginReply, MenuReply, OfferReply, RestartReply),
    *(SwitchLanguage, WithdrawReply),
)
"""What answers a menu or an alert says something new, also in the same words as before."""


def lets_in(desk: Desk, sender: Sender, intent: Intent) -> bool:
    """Count a message, and whether it is to be acted upon; if not, all is said and done."""
    letter, address = sender.letter, sender.address
    if letter.again is not None or not _counts(letter.inbound):
        return True
    is_staff = sender.person is not None and sender.person.kind == "staff"
    mark = _mark(desk, sender)
    guard, verdict = arrived(read(address.guard), mark, desk.now, rated=not is_staff)
    address.guard = stored(guard)
    if verdict == "loop":
        today = desk.now.astimezone(desk.world.zone).date()
        talk.add_task(desk, sender, TASK, key=f"{TASK}:{address.id}:{today}")
    if verdict == "answer":
        return True
    if isinstance(intent, InCrisis) or intent == Command(action="stop"):
        # Acted upon in any case; a machine that says so again and again is not answered.
        sender.muted = verdict in ("loop", "looping")
        return True
    _tell(desk, sender, verdict)
    return False


def note(sender: Sender, intent: Intent) -> None:
    """After her message was acted upon: whether it said something new."""
    chosen = isinstance(intent, CHOICES) and getattr(intent, "choice", "some") != ""
    if sender.moved or chosen:
        sender.address.guard = stored(moved(read(sender.address.guard)))


def _counts(inbound: Inbound) -> bool:
    """A call has a cap of its own; who dials pays for each step, and somebody is there."""
    return inbound.kind == "message" and inbound.channel != "ussd"


def _mark(desk: Desk, sender: Sender) -> str:
    """A keyed digest of what she typed, as it is compared; empty for a tap or a picture."""
    said = trim(normalise(sender.letter.inbound.text))
    address = sender.address
    return desk.world.vault.blind("said", f"{address.id}:{said}")[:16] if said else ""


def _tell(desk: Desk, sender: Sender, verdict: Verdict) -> None:
    """The one kind sentence of a flood; in a loop, and later in a flood, nothing."""
    if verdict != "flood" or sender.address.opted_out_at is not None:
        return
    ends = answers_from(read(sender.address.guard)).astimezone(desk.world.zone)
    day = "%H:%M" if ends.date() == desk.now.astimezone(desk.world.zone).date() else "%d/%m %H:%M"
    desk.say(
        sender,
        Phrase(key="guard.wait", values={"time": ends.strftime(day)}),
        *helplines(desk.world.site),
    )
