"""Which words of the conversation somebody may use: asked of the policy before one is acted on.

What everybody may ask for by chat (STOP, DATA, DELETE, TAKE BACK and the like) stands in the same
table as what staff may do, so that a word without a rule refuses to start.
"""

from collections.abc import Mapping
from typing import get_args

from bot.policy import NOBODY, Place, Who, may
from bot.turns.desk import Desk, Sender
from flows.keywords import Action
from flows.routing import (
    Change,
    Command,
    Intent,
    Join,
    LanguageMenu,
    MenuReply,
    RestartReply,
    SwitchLanguage,
    WithdrawReply,
)
from storage.staff.standing import roles_of

WORDS = "words"
FROM_MENU: Mapping[str, Action] = {name: name for name in ("language", "call", "data", "stop")}
"""Rows of her menu that are key words themselves; the others are as MENU is."""
SAME: Mapping[type[Intent], Action] = {
    LanguageMenu: "language",
    SwitchLanguage: "language",
    Join: "join",
    WithdrawReply: "withdraw",
    Change: "change",
    RestartReply: "restart",
}
"""What other messages come down to."""
VERBS: tuple[tuple[str, str], ...] = tuple((WORDS, action) for action in get_args(Action))
"""The (row, verb) pairs of the policy's chat section that key words need."""


def asked_for(intent: Intent) -> Action | None:
    """The key word a message comes down to; None for an answer, or a word of staff."""
    match intent:
        case Command(action=action):
            return action
        case MenuReply(choice=choice):
            return FROM_MENU.get(choice, "menu")
        case _:
            return SAME.get(type(intent))


def allowed(desk: Desk, sender: Sender, action: Action) -> bool:
    """Whether the policy lets her, known or not; roles are looked up only where they matter."""
    policy, place = desk.world.policy, Place(section="chat", name=WORDS)
    if may(policy, NOBODY, action, place) == "allow":
        return True
    if sender.person is None:
        return False
    roles = {sender.person.kind, *roles_of(desk.conn, sender.person.id, desk.now)}
    return any(may(policy, Who(role=role), action, place) == "allow" for role in sorted(roles))
