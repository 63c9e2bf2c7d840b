"""RESTART: the open questionnaire from its first question, after she has said so twice.

It begins anew as another session; the answers of the old one stay in history and do not count.
"""

from bot.content.spoken import offered_on
from bot.turns import closing, talk, upnext
from bot.turns.desk import Desk, Live, Sender
from flows.asking import KNOWN
from flows.consent import FORM
from flows.messages import Menu, Phrase
from flows.sessions import Restarted, Resumed

KIND = "restart"
OPTIONS = (("yes", "restart.yes"), ("no", "restart.no"))


def ask(desk: Desk, sender: Sender) -> None:
    """Ask whether she means it; where nothing is open, say so and offer what is due."""
    live = sender.live
    if live is None:
        nothing = Phrase(key="restart.none")
        if not upnext.offer(desk, sender, nothing):
            desk.say(sender, nothing)
        return
    ref = live.row.id
    desk.ask_menu(sender, KIND, ref, [code for code, _ in OPTIONS])
    desk.say(sender, Phrase(key="restart.ask"), Menu(ref=f"m.{ref}", options=OPTIONS))


def answer(desk: Desk, sender: Sender, session_id: str, choice: str) -> None:
    """Her word: begin anew, or go on where she was."""
    live = sender.live
    if live is None or live.row.id != session_id or choice not in dict(OPTIONS):
        sender.address.open_prompt = None
        ask(desk, sender)
    elif choice == "yes":
        _anew(desk, sender, live)
    else:
        talk.carry_on(desk, sender, live, Resumed(channel=sender.channel))


def _anew(desk: Desk, sender: Sender, live: Live) -> None:
    old, row = live.session, live.row
    talk.carry_on(desk, sender, live, Restarted())
    closing.touch(desk, live)
    here: dict[str, str] = {"channel": sender.channel}
    if row.form_id == FORM:
        here["offered"] = " ".join(offered_on(desk.world.library, sender.channel, FORM))
    talk.start(
        desk,
        sender,
        row.form_id,
        context={**old.context, **here},
        known={k.removeprefix(KNOWN): v for k, v in old.context.items() if k.startswith(KNOWN)},
        assignment_id=row.assignment_id,
        child_id=row.child_id,
        class_id=row.class_id,
        household_id=row.household_id,
        wave_id=row.wave_id,
    )
