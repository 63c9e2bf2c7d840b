"""BYE: somebody looks at her phone. One neutral sentence, and nothing of what was said is below.

Her questionnaire stays as it is, and nothing is scheduled but the nudges that come anyway. Her next
word, whatever it is, brings back the question that was open; it is not taken for an answer.
"""

from bot.turns.desk import Desk, Sender
from bot.turns.talk import AWAY
from flows.messages import Phrase


def leave(desk: Desk, sender: Sender) -> None:
    """End what is seen of the conversation, at once and whatever was open."""
    sender.address.open_prompt = None
    if sender.live is not None:
        desk.ask_menu(sender, AWAY, sender.live.row.id, ())
    desk.say(sender, Phrase(key="exit.done"))
