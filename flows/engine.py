"""The conversation: a session and an event in, the next session and its effects out.

`advance` is pure and total: it never raises for anything a person can send, and while a session
is open it always has something to say. Replaying the stored events gives the stored session.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from flows.asking import (
    KNOWN,
    changeable,
    changes,
    chart,
    read_token,
    token,
    trail_after,
    untold,
    values_of,
)
from flows.languages import LIST
from flows.lexicon import Lexicon
from flows.messages import Ask, ChannelName, Correct, Part, Phrase, Prompt, Tell
from flows.packs import understand_pack
from flows.questionnaire import Questionnaire, offering
from flows.replies import Rejected, understand
from flows.roster import sift
from flows.sessions import (
    SELF,
    Answer,
    AskedAgain,
    Assisted,
    Changed,
    Completed,
    Effect,
    Event,
    Handover,
    HelpAsked,
    LanguageChosen,
    Lapsed,
    Replied,
    Restarted,
    Resumed,
    Say,
    Session,
    Skipped,
    Started,
    Stopped,
    Turn,
    WentBack,
    begin,
)

__all__ = ["HANDOVER_AT", "SIMPLER_AT", "advance", "begin", "fold", "read_token", "token"]

SIMPLER_AT = 3
"""Wrong replies in a row after which questions come one at a time, with simpler help."""
HANDOVER_AT = 6
"""Wrong replies in a row at which a person is asked to look."""
AWAY = timedelta(hours=20)
"""After so long, a word that is no answer is a greeting ("reply with any word to go on")."""


def advance(
    questionnaire: Questionnaire,
    session: Session,
    event: Event,
    *,
    now: datetime,
    lexicon: Lexicon,
    others: Sequence[Lexicon] = (),
) -> Turn:
    """What one event leads to.

    Args:
        questionnaire: The session's version.
        session: As the last event left it.
        event: What happened.
        now: Aware time of the event.
        lexicon: Of the language she reads after the event (`LanguageChosen`: the new one).
        others: Languages she may answer in as well.

    Returns:
        The session after it and the effects, in order. A completed or stopped session is returned
        as it is (but `AskedAgain` and `Changed` open a completed one). An open one always says
        something, unless it is `Restarted`: what begins anew is another session.
    """
    questionnaire = offering(questionnaire, session.context)
    again = event.item if session.status == "completed" and isinstance(event, AskedAgain) else ""
    change = isinstance(event, Changed) and event.item in changeable(
        questionnaire, session, channel=event.channel, now=now
    )
    reopens = session.status == "completed" and (again or change)
    if session.status in ("completed", "stopped") and not reopens:
        return Turn(session=session, effects=())
    scene = _Scene(
        questionnaire=questionnaire,
        lexicon=lexicon,
        others=tuple(others),
        now=now,
        woken=session.status == "lapsed" or now - session.changed_at >= AWAY,
    )
    session = replace(session, rev=session.rev + 1, changed_at=now, status="open")
    match event:
        case Stopped():
            return Turn(session=replace(session, status="stopped"), effects=())
        case Lapsed():
            return Turn(session=replace(session, status="lapsed"), effects=())
        case Restarted():
            over = replace(session, status="stopped", asking=(), trail=(), answers={})
            return Turn(session=over, effects=changes(session.answers, {}))
        case Changed() if change:
            session = _hers(session, event.channel)
            session = replace(session, asking=(event.item,), misses=0)
        case AskedAgain() if again:
            session = _hers(session, event.channel)
        case _:
            session = _noted(session, event)
    if session.asking:
        return _go(scene, session, event)
    return _move(scene, session, {n: a for n, a in session.answers.items() if n != again})


def _noted(session: Session, event: Event) -> Session:
    """What an event says about the session itself."""
    match event:
        case Started():
            known = {f"{KNOWN}{name}": value for name, value in event.known.items()}
            return replace(session, context={**session.context, **known})
        case LanguageChosen():
            return replace(session, language=event.language)
        case Resumed():
            return _hers(session, event.channel)
        case Assisted():
            return replace(session, mode=event.mode, helper=event.helper)
        case _:
            return session


def _hers(session: Session, channel: ChannelName) -> Session:
    """The session on her own phone, whoever answered before."""
    return replace(session, channel=channel, mode=SELF, helper="")


def fold(
    questionnaire: Questionnaire,
    first: Session,
    events: Iterable[tuple[datetime, Event]],
    lexicons: Sequence[Lexicon],
) -> Session:
    """The session that stored events lead to.

    Args:
        questionnaire: The session's version.
        first: The session as `begin` made it.
        events: Each with the time it was handled at, in order.
        lexicons: Languages it was held in, at least one; the first stands in for a missing one.
    """
    session = first
    for at, event in events:
        language = event.language if isinstance(event, LanguageChosen) else session.language
        ranked = _ranked(lexicons, language)
        session = advance(
            questionnaire, session, event, now=at, lexicon=ranked[0], others=ranked[1:]
        ).session
    return session


class _Scene(Struct, frozen=True, kw_only=True):
    """What stays the same during one turn."""

    questionnaire: Questionnaire
    lexicon: Lexicon
    others: tuple[Lexicon, ...]
    now: datetime
    woken: bool


def _ranked(lexicons: Sequence[Lexicon], language: str) -> list[Lexicon]:
    return sorted(lexicons, key=lambda lexicon: lexicon.language != language)


def _go(scene: _Scene, session: Session, event: Event) -> Turn:
    match event:
        case Replied():
            return _reply(scene, session, event)
        case Skipped():
            return _skip(scene, session)
        case WentBack():
            return _back(session)
        case HelpAsked():
            return _ask(session, Phrase(key="help.question"))
        case Resumed() | Assisted():
            return _resume(scene, session, *_greeting(scene))
        case _:
            return _choose(scene, session, event)


def _greeting(scene: _Scene) -> tuple[Part, ...]:
    return (Phrase(key="welcome_back"),) if scene.woken else ()


def _ask(session: Session, *before: Part, effects: tuple[Effect, ...] = ()) -> Turn:
    prompt = Prompt(parts=(*before, Ask(items=session.asking)))
    return Turn(session=session, effects=(*effects, Say(prompt=prompt)))


def _move(
    scene: _Scene,
    session: Session,
    answers: Mapping[str, Answer],
    *,
    before: tuple[Part, ...] = (),
    wrong: Mapping[str, Correct] | None = None,
    also: tuple[Part, ...] = (),
) -> Turn:
    """Take `answers` and go on to what they lead to; of `wrong`, what is still asked is named.

    `before` is said where something is asked, `also` at the end of everything too.
    """
    questionnaire = scene.questionnaire
    course = chart(questionnaire, session, answers, now=scene.now)
    effects = changes(session.answers, course.answers)
    notes = untold(questionnaire, session, course.notes, now=scene.now)
    told = (*also, *(Tell(item=name) for name in notes))
    corrections = tuple(c for name, c in (wrong or {}).items() if name in course.ask)
    session = replace(
        session,
        answers=course.answers,
        trail=trail_after(questionnaire, session.trail, course),
        asking=course.ask,
        misses=1 if corrections else 0,
    )
    if course.ask:
        return _ask(session, *before, *corrections, *told, effects=effects)
    last = (Say(prompt=Prompt(parts=told)),) if told else ()
    done = replace(session, status="completed")
    return Turn(session=done, effects=(*effects, *last, Completed()))


def _resume(scene: _Scene, session: Session, *before: Part) -> Turn:
    """Ask again as this channel does, or on: some questions are not for every channel."""
    turn = _move(scene, session, session.answers, before=before)
    went_back_to = session.asking[0]
    if went_back_to in turn.session.trail:
        return _ask(replace(session, trail=turn.session.trail), *before)
    return turn


def _choose(scene: _Scene, session: Session, event: Event) -> Turn:
    """Ask again; but a language that is named answers the question which one."""
    asked = scene.questionnaire[session.asking[0]]
    chosen = event.language if isinstance(event, LanguageChosen) else ""
    if asked.list_name == LIST and chosen in asked.choices:
        return _move(scene, session, {**session.answers, asked.name: Answer(chosen)})
    return _ask(session, *_greeting(scene))


def _reply(scene: _Scene, session: Session, event: Replied) -> Turn:
    if event.token:
        tapped = read_token(session, scene.questionnaire, event.token)
        if not tapped or tapped[0] not in session.asking:
            return _ask(session, Phrase(key="welcome_back" if scene.woken else "tap.stale"))
        values, wrong = dict([tapped]), dict[str, Correct]()
    elif event.media and not event.text.strip():
        values, wrong = {}, {n: Correct(item=n, reason="reject.media") for n in session.asking}
    else:
        values, wrong = _heard(scene, session, event.text)
    asked = [scene.questionnaire[name] for name in session.asking]
    sifted = sift(asked, values, event.left_out)
    values, unfit = _fitting(scene, session, sifted.values)
    refused = {**wrong, **sifted.wrong, **unfit}
    wrong = {n: c for n in session.asking if (c := refused.get(n))}
    if not values:
        return _miss(scene, session, wrong)
    answers = {**session.answers, **{name: Answer(value) for name, value in values.items()}}
    return _move(scene, session, answers, wrong=wrong, also=sifted.told)


def _heard(scene: _Scene, session: Session, text: str) -> tuple[dict[str, str], dict[str, Correct]]:
    """What the text answers of what is asked, and what it answers wrongly."""
    items = [scene.questionnaire[name] for name in session.asking]
    roster = session.context.get("roster", "").split()
    form, first = scene.questionnaire.form_id, items[0]
    if len(items) == 1:
        said = understand(
            first,
            text,
            form_id=form,
            lexicon=scene.lexicon,
            others=scene.others,
            roster=roster,
            now=scene.now,
        )
        if isinstance(said, Rejected):
            correct = Correct(item=first.name, reason=said.reason, values=said.values)
            return {}, {first.name: correct}
        return {first.name: said.value}, {}
    reading = understand_pack(
        items,
        text,
        form_id=form,
        lexicon=scene.lexicon,
        others=scene.others,
        roster=roster,
        now=scene.now,
    )
    wrong = {n: Correct(item=n, reason=reason) for n, reason in reading.rejected.items()}
    return dict(reading.values), wrong


def _fitting(
    scene: _Scene, session: Session, values: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, Correct]]:
    """The values that meet their constraints, and corrections for those that do not."""
    rules = {name: rule for name in values if (rule := scene.questionnaire[name].constraint)}
    if not rules:
        return dict(values), {}
    everything = values_of(session, session.answers) | dict(values)
    fitting: dict[str, str] = {}
    unfit: dict[str, Correct] = {}
    for name, value in values.items():
        rule = rules.get(name)
        if rule is None or rule.holds(everything, own=value, now=scene.now):
            fitting[name] = value
        else:
            unfit[name] = Correct(item=name, reason="constraint")
    return fitting, unfit


def _miss(scene: _Scene, session: Session, wrong: Mapping[str, Correct]) -> Turn:
    """Nothing of a reply could be taken: say why, ask again, more simply, and fetch a person."""
    if scene.woken:
        return _ask(session, Phrase(key="welcome_back"))
    misses = session.misses + 1
    asking = session.asking[:1] if misses >= SIMPLER_AT else session.asking
    # How to answer a pack is no help once the questions come one at a time.
    over = {"reject.pack"} if asking != session.asking else set()
    session = replace(session, misses=misses, asking=asking)
    parts: list[Part] = [c for name, c in wrong.items() if name in asking and c.reason not in over]
    if misses == HANDOVER_AT:
        handover = Handover(item=asking[0])
        return _ask(session, *parts, Phrase(key="handover.told"), effects=(handover,))
    if misses >= SIMPLER_AT:
        parts += _simpler(scene.questionnaire, asking[0])
    return _ask(session, *parts)


def _simpler(questionnaire: Questionnaire, name: str) -> list[Phrase]:
    item = questionnaire[name]
    digits = ", ".join(str(number + 1) for number in range(len(item.choices[:3])))
    how = Phrase(key="help.simple", values={"digits": digits})
    parts = [how if digits else Phrase(key="help.simple_open")]
    return parts if item.required else [*parts, Phrase(key="help.skip")]


def _skip(scene: _Scene, session: Session) -> Turn:
    needed = [name for name in session.asking if scene.questionnaire[name].required]
    refusal = Phrase(key="skip.refused")
    skipped = {name: Answer("", "skipped") for name in session.asking if name not in needed}
    if not skipped:
        return _ask(session, refusal)
    turn = _move(scene, session, {**session.answers, **skipped})
    if not set(needed) & set(turn.session.asking):
        return turn
    return _move(scene, session, {**session.answers, **skipped}, before=(refusal,))


def _back(session: Session) -> Turn:
    """To what was answered before what is asked now, or before what she went back to."""
    current = session.asking[0]
    place = session.trail.index(current) if current in session.trail else len(session.trail)
    if place == 0:
        return _ask(session, Phrase(key="back.none"))
    return _ask(replace(session, asking=(session.trail[place - 1],), misses=0))
