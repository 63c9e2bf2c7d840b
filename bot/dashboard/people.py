"""How pages name a member of the team."""

from bot.dashboard.page import Visit
from bot.dashboard.words import say
from storage.cases import Who


def name_of(visit: Visit, who: Who | None) -> str:
    """You, her name, her login, or just that it is a colleague; "nobody yet" for None."""
    if who is None:
        return say("alert.owner.nobody")
    if who.id == visit.user.user.person_id:
        return say("alert.owner.you")
    if who.sealed is not None:
        return visit.deps.vault.open(who.sealed, table="persons", column="name", row=who.id)
    return who.login or say("alert.owner.somebody")
