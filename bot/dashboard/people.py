"""How pages name a member of the team."""

from collections.abc import Mapping, Sequence

from bot.dashboard.page import Visit
from bot.dashboard.words import say
from storage.care.cases import Who


def names_of(visit: Visit, whos: Sequence[Who | None]) -> list[str]:
    """What `name_of` says of each, in order; all names of the page are opened at once."""
    sealed = {who.id: who.sealed for who in whos if who is not None and who.sealed is not None}
    texts = visit.deps.vault.open_many(list(sealed.items()), table="persons", column="name")
    opened = dict(zip(sealed, texts, strict=True))
    return [_name(visit, who, opened) for who in whos]


def name_of(visit: Visit, who: Who | None) -> str:
    """You, her name, her login, or just that it is a colleague; "nobody yet" for None."""
    return names_of(visit, (who,))[0]


def _name(visit: Visit, who: Who | None, opened: Mapping[str, str]) -> str:
    if who is None:
        return say("alert.owner.nobody")
    if who.id == visit.user.user.person_id:
        return say("alert.owner.you")
    return opened.get(who.id) or who.login or say("alert.owner.somebody")
