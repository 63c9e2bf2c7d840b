"""What somebody's own words were about: the question that was open when she wrote them.

Pure rules over the turns of her conversations. An answer on protection and care is kept back by its
item; the message it came in, and a message that gave none, are kept back by what was being asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.rights.letters import Letter, Moment

Place = tuple[str | None, str | None]
"""(child, wave) that a conversation is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What was being asked when a message came or went.

    Attributes:
        items: As `form/item`; empty where no questionnaire was open.
        places: Whom it was about, and in which wave.
    """

    items: frozenset[str] = frozenset()
    places: frozenset[Place] = frozenset()


def about(
    letter: Letter, moments: Sequence[Moment], items_of: Callable[[str], Iterable[str]]
) -> About:
    """What a message was about.

    Args:
        letter: A message to or from her.
        moments: The turns of her conversations, in order.
        items_of: Every item of a version, as `form/item`.

    Returns:
        Of a message she wrote, the items that were answered in its turn, else in the next one that
        answered any. Of one we wrote, those answered after it. Where nothing was answered any more
        nobody can tell: then everything her questionnaire may ask, unless it was complete.
    """
    at = letter.turn_at
    here = {m.session_id: m for m in moments if at is not None and m.at == at}
    if letter.table == "outbox" and letter.kind != "reply":
        here = {}  # what we start names no question
    items: set[str] = set()
    for session_id, moment in here.items():
        after = _next(moments, session_id, moment.at, itself=letter.table == "inbox")
        over = moment.complete and letter.table == "outbox"
        items.update(after or (() if over else items_of(moment.version)))
    places = frozenset((m.child_id, m.wave_id) for m in here.values())
    return About(items=frozenset(items), places=places)


def _next(
    moments: Iterable[Moment], session_id: str, at: datetime, *, itself: bool
) -> frozenset[str]:
    """What a conversation recorded first from a moment on, or after it."""
    by_time: dict[datetime, set[str]] = {}
    for moment in moments:
        late = moment.at >= at if itself else moment.at > at
        if moment.session_id == session_id and moment.item is not None and late:
            by_time.setdefault(moment.at, set()).add(f"{moment.form_id}/{moment.item}")
    return frozenset(by_time[min(by_time)]) if by_time else frozenset()
