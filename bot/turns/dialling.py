"""USSD within the turn: the reply becomes screens, kept in the same commit as what they answer.

Nothing is pushed on USSD. Rows of a reply are leased by whoever carries the answer back; everything
else to such an address has expired when it is made.
"""

from msgspec import json

from bot.content.spoken import lexicon_on
from bot.turns.desk import Desk, Sender
from bot.turns.talk import AWAY
from flows.ussd import IDLE, IN_QUESTION, STOPPED, Dialog, menu, paged
from storage.schema import dialogs, outbox
from storage.talk.leases import lease_columns

SEPARATOR = "|"
"""Between a session's id and its path, in the id of a message."""


def message_id(session: str, path: str) -> str:
    """What a step of a session is called: the network gives it no id of its own."""
    return f"{session}{SEPARATOR}{path}"


def dump(dialog: Dialog) -> str:
    """How a dialog rests, sealed, in its row."""
    return json.encode(dialog).decode()


def load(text: str) -> Dialog:
    """The dialog that `dump` wrote."""
    return json.decode(text, type=Dialog)


def show(desk: Desk, sender: Sender) -> None:
    """Lay out what was said to her as screens, for the request that waits for it.

    A message that is tried again has nobody waiting any more: she is asked anew when she dials.
    """
    address, letter = sender.address, sender.letter
    if letter.again is not None:
        return
    mine = [row for row in desk.writes.inserts.get(outbox, ()) if row["address_id"] == address.id]
    for row in mine:
        del desk.replies[row["id"]]  # it goes back with this request, not by delivery
        row.update(lease_columns(desk.me, desk.now))
    lexicon = lexicon_on(desk.world.library, "ussd", sender.language)
    waits = _waits(sender)
    session, _, path = letter.inbound.message_id.partition(SEPARATOR)
    actions = STOPPED if address.opted_out_at else IN_QUESTION if _in_question(sender) else IDLE
    dialog = Dialog(
        session=session,
        path=path,
        pages=paged("\n".join(sender.texts), lexicon, with_menu=waits),
        waits=waits,
        menu=menu(lexicon, actions) if waits else "",
        actions=actions,
        rows=tuple(row["id"] for row in mine),
    )
    body = desk.world.vault.seal(
        dump(dialog), table="dialogs", column="body", row=address.id, key=desk.key_of(address)
    )
    desk.writes.put(dialogs, address_id=address.id, body=body, at=desk.now)


def _in_question(sender: Sender) -> bool:
    return sender.live is not None and sender.live.row.status == "open"


def _waits(sender: Sender) -> bool:
    """Whether she can say something now: an answer, a code; whenever she dials, her menu."""
    if sender.letter.inbound.kind == "dial":
        return True
    if sender.address.opted_out_at is not None:
        return False
    if (sender.address.open_prompt or {}).get("kind") == AWAY:
        return False
    if sender.address.open_prompt is not None or _in_question(sender):
        return True
    return sender.person is None and sender.live is None
