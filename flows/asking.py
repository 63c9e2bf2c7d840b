"""What comes next in a questionnaire, from its rules and the answers so far.

Everything follows from the answers in one pass over the items, so that going back and changing an
answer leads exactly where answering right the first time would have led.
"""

import re
from collections.abc import Mapping, Sequence, Set
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from flows.messages import LIMITS, ChannelName
from flows.questionnaire import Item, Questionnaire, Section
from flows.sessions import SELF, Answer, Effect, Recorded, Session, Withdrawn

KNOWN = "known."
"""Before the names of carried answers in a session's context; no author's code has a point."""
_NONE: frozenset[str] = frozenset()
ID_CHARS = 12
"""Characters of the session's id in a button's token: enough to tell one person's sessions apart,
short enough for Telegram's 64 bytes."""
_TOKEN = re.compile(r"q\.(.*)\.([0-9]{1,4})\.([0-9]{1,4})", re.DOTALL)


class Course(Struct, frozen=True, kw_only=True):
    """Where a questionnaire stands for a set of answers.

    Attributes:
        answers: Those that count: of relevant items, with carried and calculated ones.
        shelved: Items among them that this channel must not show: given on another channel, their
            answers stand, but nobody goes back to them here.
        ask: Items to ask next, together; empty when nothing is left.
        notes: Relevant notes that stand before them, in order.
    """

    answers: Mapping[str, Answer]
    shelved: frozenset[str]
    ask: tuple[str, ...]
    notes: tuple[str, ...]


def token(session: Session, item_index: int, choice_index: int) -> str:
    """The payload of a button: which session, which item, which choice (both from 0)."""
    return f"q.{session.id[-ID_CHARS:]}.{item_index}.{choice_index}"


def read_token(
    session: Session, questionnaire: Questionnaire, payload: str
) -> tuple[str, str] | None:
    """The item and choice code a payload stands for; None if it is of no use in this session."""
    found = _TOKEN.fullmatch(payload)
    if not found or found[1] != session.id[-ID_CHARS:]:
        return None
    item_index, choice_index = int(found[2]), int(found[3])
    if item_index >= len(questionnaire.items):
        return None
    item = questionnaire.items[item_index]
    if item.type != "select_one" or choice_index >= len(item.choices):
        return None
    return item.name, item.choices[choice_index]


def values_of(session: Session, answers: Mapping[str, Answer]) -> dict[str, str]:
    """What expressions and texts see: the context and the answers, by name.

    `channel` is always where she answers now: what must not be asked on a phone that others read
    is not asked there, wherever she began.
    """
    values = {name: v for name, v in session.context.items() if not name.startswith(KNOWN)}
    values["channel"] = session.channel
    for name, answer in answers.items():
        values[name] = answer.value
    return values


def chart(
    questionnaire: Questionnaire, session: Session, answers: Mapping[str, Answer], *, now: datetime
) -> Course:
    """Which of `answers` count and what is to be asked next.

    Args:
        questionnaire: The rules.
        session: Before this turn: its channel decides packing, its answers what is new.
        answers: The answers given until now, this turn's included; none of the session's missing.
        now: Aware time of the turn, for the expressions.
    """
    values = values_of(session, {})
    kept: dict[str, Answer] = {}
    notes: list[str] = []
    ask: list[Item] = []
    together = LIMITS[session.channel].packs and session.mode == SELF
    shelved: list[str] = []
    carries = any(name.startswith(KNOWN) for name in session.context)
    left = len(answers)
    for section in questionnaire.sections:
        if ask and not together and not left and not carries:
            break  # nothing further on is answered, and nothing more is asked
        given = section.names & answers.keys() if left else _NONE
        left -= len(given)
        items, away = _applying(section, given, values, now=now)
        shelved += away
        for item in items:
            name = item.name
            answer = answers.get(name)
            if answer is None or item.type == "calculate":
                answer = _unanswered(item, session, values, passed=not ask, now=now)
            if answer:
                kept[name] = answer
                values[name] = answer.value
            elif item.type == "note":
                notes += [] if ask else [name]
                together = together and not ask
            elif item.asked:
                together = together and (not ask or (item.pack != "" and item.pack == ask[0].pack))
                ask += [item] if together or not ask else []
    return Course(
        answers=kept,
        shelved=frozenset(shelved),
        ask=tuple(item.name for item in ask),
        notes=tuple(notes),
    )


def _applying(
    section: Section, given: Set[str], values: Mapping[str, str], *, now: datetime
) -> tuple[Sequence[Item], Sequence[str]]:
    """The items whose turn it is; and those, answered, that only apply on another channel."""
    if section.rule is None or section.rule.holds(values, now=now):
        return section.items, ()
    if not given:
        return (), ()
    stand = [i for i in section.items if i.name in given and _elsewhere(i, values, now=now)]
    return stand, [item.name for item in stand]


def relevant(item: Item, values: Mapping[str, str], *, now: datetime) -> bool:
    """Whether an item applies, given the values so far."""
    return item.relevant is None or item.relevant.holds(values, now=now)


def changes(before: Mapping[str, Answer], after: Mapping[str, Answer]) -> tuple[Effect, ...]:
    """What was recorded, amended and withdrawn between two sets of answers."""
    recorded = tuple(
        Recorded(item=name, answer=answer, amended=name in before)
        for name, answer in after.items()
        if before.get(name) != answer
    )
    return recorded + tuple(Withdrawn(item=name) for name in before if name not in after)


def trail_after(
    questionnaire: Questionnaire, trail: tuple[str, ...], course: Course
) -> tuple[str, ...]:
    """The order of answering after a turn, for BACK: new items join it at its end.

    What is withdrawn or shelved leaves it.
    """
    shelved, been = course.shelved, set(trail)
    stays = [name for name in trail if name in course.answers and name not in shelved]
    joins = [
        name
        for name, answer in course.answers.items()
        if name not in been
        and name not in shelved
        and answer.state != "carried"
        and questionnaire[name].asked
    ]
    return (*stays, *joins)


def changeable(
    questionnaire: Questionnaire, session: Session, *, channel: ChannelName, now: datetime
) -> tuple[str, ...]:
    """What she may answer once more on a channel, in the order she answered it: CHANGE 3 is [2].

    Args:
        questionnaire: The session's, as it is offered to her.
        session: Open, lapsed or completed.
        channel: Where she is; what must not be shown there is left out.
        now: Aware time, for the expressions.
    """
    here = replace(session, channel=channel)
    course = chart(questionnaire, here, here.answers, now=now)
    return trail_after(questionnaire, here.trail, course)


def untold(
    questionnaire: Questionnaire, session: Session, notes: tuple[str, ...], *, now: datetime
) -> tuple[str, ...]:
    """Those of `notes` not told yet: they stand after all it asked, or are newly relevant."""
    if not notes:
        return ()
    reached = max(
        (questionnaire.index[name] for name in (*session.trail, *session.asking)), default=-1
    )
    values = values_of(session, session.answers)
    return tuple(
        name
        for name in notes
        if questionnaire.index[name] > reached or not relevant(questionnaire[name], values, now=now)
    )


def _elsewhere(item: Item, values: Mapping[str, str], *, now: datetime) -> bool:
    """Whether an item would apply on another channel, everything else being as it is."""
    return any(relevant(item, {**values, "channel": name}, now=now) for name in LIMITS)


def _unanswered(
    item: Item, session: Session, values: Mapping[str, str], *, passed: bool, now: datetime
) -> Answer | None:
    """What stands for an item that nobody was asked: computed, or carried from another child."""
    if item.type == "calculate":
        return _calculated(item, session, values, passed=passed, now=now)
    return _carried(item, session)


def of_the_home(questionnaire: Questionnaire) -> frozenset[str]:
    """Items about the home that one adult answers for the others as well.

    Not those on which another question depends: being asked it would tell her what was answered.
    """
    deciding = {
        name for item in questionnaire.items if item.relevant for name in item.relevant.refs
    }
    return frozenset(
        item.name
        for item in questionnaire.items
        if item.about == "household" and item.name not in deciding
    )


def _carried(item: Item, session: Session) -> Answer | None:
    """The answer she gave for another child this wave, if it still fits and is not the child's."""
    if item.about not in ("household", "caregiver"):
        return None
    value = session.context.get(f"{KNOWN}{item.name}", "")
    fits = not item.choices or set(value.split()) <= set(item.choices)
    return Answer(value, "carried") if value and fits else None


def _calculated(
    item: Item, session: Session, values: Mapping[str, str], *, passed: bool, now: datetime
) -> Answer | None:
    """The value of a calculation, computed anew only where something it reads has changed."""
    old = session.answers.get(item.name)
    if item.calculation is None or not (passed or old):
        return None
    before = values_of(session, session.answers)
    if old and all(values.get(ref, "") == before.get(ref, "") for ref in item.calculation.refs):
        return old
    value = item.calculation.value(values, own=old.value if old else "", now=now)
    return Answer(value) if value else None
