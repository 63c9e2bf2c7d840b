"""The one gate before any question about a child: what the consent ledger says about it.

Every way a questionnaire about a child can be offered, start or go on leads through here. What is
asked stands in the ledger at that moment; nothing of it is kept between two messages.
"""

from collections.abc import Collection, Iterable, Sequence

from bot.turns.desk import Desk, Live
from bot.turns.world import World
from flows.consent import (
    ASKED,
    FORM,
    Entry,
    No,
    Purpose,
    Texts,
    Yes,
    may_ask,
    partners_version,
    stale,
)
from storage.talk import consents

CAREGIVER = "caregiver"
"""The questionnaire whose informant also consents for herself."""


def entries(desk: Desk, child_ids: Iterable[str]) -> list[Entry]:
    """What the ledger says about these children: read once a round for all who are to be asked."""
    wanted = set(child_ids)
    read(desk, wanted - desk.ledger.keys())
    return [entry for child in sorted(wanted) for entry in desk.ledger[child]]


def read(desk: Desk, child_ids: Collection[str]) -> None:
    """Read the ledger about these children anew."""
    desk.ledger.update({child: [] for child in child_ids})
    for entry in consents.about(desk.conn, child_ids):
        desk.ledger[entry.child].append(entry)


def words(world: World) -> Texts:
    """The words of consent as they are now, and today's named partners."""
    return Texts(
        current=world.library.consent,
        same=frozenset(world.site.same_consent),
        partners=partners_version(world.site.partners),
    )


def may(
    world: World, entries: Iterable[Entry], form_id: str, *, child: str, person: str | None
) -> Yes | No:
    """Whether this questionnaire may be put to this person about this child now."""
    asked = (person or "") if form_id == CAREGIVER else ""
    return may_ask(entries, "help", words(world), child=child, person=asked)


def is_guarded(form_id: str, child_id: str | None) -> bool:
    """Whether a questionnaire needs consent: all about a child but the one that asks for it."""
    return child_id is not None and form_id != FORM


def left_out(desk: Desk, live: Live) -> tuple[str, ...]:
    """Numbers on the list of an open class screen that nobody's yes carries any more.

    Read anew at each reply: a family may take its yes back while the teacher is answering.
    """
    listed = live.session.context.get("roster", "").split()
    if live.row.class_id is None or not listed:
        return ()
    standing = consents.listed_children(desk.conn, live.row.class_id, words(desk.world))
    return tuple(number for number in listed if int(number) not in standing)


def to_ask_again(
    desk: Desk, entries: Sequence[Entry], *, child: str, person: str
) -> tuple[Purpose, ...]:
    """What she is to be asked again before a questionnaire about a child: yes to older words.

    Where there is anything for this child, her other children's go into the same question.
    """
    now = words(desk.world)
    if child not in stale(entries, now, person=person):
        return ()
    everything = [*consents.said_by(desk.conn, [person]), *entries]
    found = stale(everything, now, person=person)
    return tuple(p for p in ASKED if any(p in purposes for purposes in found.values()))
