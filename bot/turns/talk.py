"""Carrying a session on: the engine's effects become rows, messages and things to judge."""

from collections.abc import Mapping
from datetime import datetime

from bot.content.spoken import lexicon_on
from bot.turns import call_list, gate
from bot.turns.desk import Desk, Ended, Live, Sender
from flows.calendar import add_working_days
from flows.engine import advance, begin
from flows.journal import dump_event
from flows.messages import ChannelName, Part
from flows.questionnaire import Questionnaire
from flows.sessions import (
    SELF,
    Answer,
    Completed,
    Event,
    Handover,
    HelpAsked,
    LanguageChosen,
    Recorded,
    Replied,
    Resumed,
    Say,
    Session,
    Skipped,
    Started,
    Turn,
    WentBack,
    Withdrawn,
    to_json,
)
from scoring.critical import critical
from storage.schema import addresses, answers, events, sessions, tasks
from storage.talk.conversations import SessionRow

DAY_FORMAT = "%d/%m"
AWAY = "away"
"""The open prompt of somebody who said bye: her next word, whatever it is, brings her back."""
ABOUT_WHAT_IS_SHOWN = (Replied, Skipped, WentBack, HelpAsked)
"""What only means something to whoever has the question before her."""


def reply(desk: Desk, sender: Sender, live: Live) -> None:
    """Her message is (meant as) an answer."""
    inbound = sender.letter.inbound
    if live.session.channel != sender.channel:
        carry_on(desk, sender, live, Resumed(channel=sender.channel))
        return
    event = Replied(
        text=inbound.text,
        token=inbound.token,
        media=inbound.media,
        left_out=gate.left_out(desk, live),
    )
    carry_on(desk, sender, live, event)


def carry_on(desk: Desk, sender: Sender, live: Live, event: Event, *before: Part) -> None:
    """Advance a session by one event and put everything that follows on the desk."""
    library = desk.world.library
    session, event = live.session, _of_what_is_shown(sender, live, event)
    questionnaire = library.questionnaire(session.version)
    turn = advance(
        questionnaire,
        session,
        event,
        now=desk.now,
        lexicon=library.lexicon(
            event.language if isinstance(event, LanguageChosen) else session.language,
            session.version,
        ),
        others=library.others(session.language),
    )
    sender.moved = sender.moved or _has_moved(session, turn.session)
    live.session = turn.session
    _keep(desk, live, event)
    parts = list(before)
    for effect in turn.effects:
        match effect:
            case Say(prompt=prompt):
                parts += prompt.parts
            case Recorded(item=item, answer=answer):
                _record(desk, live, questionnaire, item, answer)
                if (item, answer.value) == call_list.WANTS_CALL:
                    call_list.asked(desk, sender, questionnaire)
            case Withdrawn(item=item):
                _record(desk, live, questionnaire, item, None)
            case Handover():
                _hand_over(desk, sender, live)
            case Completed():
                desk.ended.append(Ended(sender=sender, live=live))
    _take_language(desk, sender, live, turn)
    desk.say(sender, *parts, live=live)
    _remember_prompt(desk, sender, turn)


def _of_what_is_shown(sender: Sender, live: Live, event: Event) -> Event:
    """The event; but what was asked behind her back, or before she said bye, is asked first."""
    if sender.aloud is not None or not isinstance(event, ABOUT_WHAT_IS_SHOWN):
        return event
    left = (sender.address.open_prompt or {}).get("kind") == AWAY
    return Resumed(channel=sender.channel) if left or live.session.mode != SELF else event


def _has_moved(before: Session, after: Session) -> bool:
    """Whether something was answered, or something else is asked now."""
    return (before.answers, before.asking[:1]) != (after.answers, after.asking[:1])


def _take_language(desk: Desk, sender: Sender, live: Live, turn: Turn) -> None:
    """The language chosen in enrolment counts from the next word on, as an event of its own."""
    if live.row.form_id != "enrolment":
        return
    for effect in turn.effects:
        if isinstance(effect, Recorded) and effect.item == "language":
            chosen = effect.answer.value
            if chosen != live.session.language and chosen in desk.world.library.offered:
                sender.address.language = chosen
                desk.writes.change(addresses, sender.address.id, language=chosen)
                carry_on_quietly(desk, live, LanguageChosen(language=chosen))


def carry_on_quietly(desk: Desk, live: Live, event: Event) -> None:
    """Advance a session by an event that she did not cause; nothing is said."""
    library = desk.world.library
    turn = advance(
        library.questionnaire(live.session.version),
        live.session,
        event,
        now=desk.now,
        lexicon=library.lexicon(live.session.language, live.session.version),
    )
    live.session = turn.session
    _keep(desk, live, event)


def start(
    desk: Desk,
    sender: Sender,
    form_id: str,
    *,
    context: Mapping[str, str],
    known: Mapping[str, str] | None = None,
    before: tuple[Part, ...] = (),
    **columns: str | None,
) -> Live:
    """Begin a questionnaire with her; `columns` say what the session hangs on."""
    questionnaire = desk.world.library.newest(form_id)
    session_id = desk.new_id()
    channel: ChannelName = sender.channel
    session = begin(
        session_id,
        questionnaire,
        channel=channel,
        language=lexicon_on(
            desk.world.library, channel, sender.language, questionnaire.version
        ).language,
        now=desk.now,
        context={name: context.get(name, "") for name in questionnaire.context},
    )
    row = SessionRow(
        id=session_id,
        address_id=sender.address.id,
        person_id=sender.address.person_id,
        assignment_id=columns.get("assignment_id"),
        child_id=columns.get("child_id"),
        class_id=columns.get("class_id"),
        household_id=columns.get("household_id"),
        wave_id=columns.get("wave_id"),
        form_id=form_id,
        version=questionnaire.version,
        status="open",
        state=b"",
    )
    known_to_us = sender.address.person_id is not None
    key = desk.world.vault.key_for(row.household_id) if known_to_us else desk.key_of(sender.address)
    live = desk.live[session_id] = Live(row, session, key, fresh=True)
    sender.live = live
    carry_on(desk, sender, live, Started(known=known or {}), *before)
    return live


def _remember_prompt(desk: Desk, sender: Sender, turn: Turn) -> None:
    """An open session owns the digit; a finished one gives it back."""
    if turn.session.status == "open":
        desk.ask_menu(sender, "question", turn.session.id, ())
    elif sender.address.open_prompt and sender.address.open_prompt["ref"] == turn.session.id:
        sender.address.open_prompt = None


def _keep(desk: Desk, live: Live, event: Event) -> None:
    """The session's new state and the event that led to it."""
    session, row = live.session, live.row
    row.status = session.status
    vault, own = desk.world.vault, live.key
    row.state = vault.seal(to_json(session), table="sessions", column="state", row=row.id, key=own)
    ended = desk.now if session.status in ("completed", "stopped") else None
    if live.fresh:
        live.fresh = False
        desk.writes.insert(
            sessions,
            id=row.id,
            address_id=row.address_id,
            person_id=row.person_id,
            assignment_id=row.assignment_id,
            child_id=row.child_id,
            class_id=row.class_id,
            household_id=row.household_id,
            wave_id=row.wave_id,
            form_id=row.form_id,
            version=row.version,
            status=row.status,
            state=row.state,
            rev=session.rev,
            started_at=desk.now,
            changed_at=desk.now,
            ended_at=ended,
        )
    else:
        desk.writes.change(
            sessions,
            row.id,
            status=row.status,
            state=row.state,
            rev=session.rev,
            changed_at=desk.now,
            ended_at=ended,
        )
    kind, body = dump_event(event)
    key = f"{row.id}:{session.rev}"
    desk.writes.insert(
        events,
        session_id=row.id,
        rev=session.rev,
        kind=kind,
        body=vault.seal(body, table="events", column="body", row=key, key=own),
        at=desk.now,
    )


def _record(
    desk: Desk, live: Live, questionnaire: Questionnaire, name: str, answer: Answer | None
) -> None:
    """An answer row: append-only, its revision is the session's; free text is sealed.

    What is tried in practice and lessons tells nothing about anybody, and makes no row.
    """
    if questionnaire.is_learning:
        return
    session, row = live.session, live.row
    item = questionnaire[name]
    value = answer.value if answer is not None and answer.state != "skipped" else None
    free = item.type == "text" and value is not None
    key = f"{row.id}:{name}:{session.rev}"
    desk.writes.put(
        answers,
        session_id=row.id,
        item=name,
        revision=session.rev,
        child_id=row.child_id,
        household_id=row.household_id,
        wave_id=row.wave_id,
        form_id=row.form_id,
        informant=questionnaire.informant,
        state=answer.state if answer is not None else "withdrawn",
        value=None if free else value,
        text=_sealed(desk, live, key, value) if free else None,
        version=row.version,
        language=session.language,
        text_revision=desk.world.library.revisions.get((row.version, session.language), 0),
        mode=session.mode,
        helper_id=session.helper or None,
        at=desk.now,
    )
    who = questionnaire.teller
    if row.child_id and row.wave_id and value is not None and who is not None:
        hit = critical(
            desk.world.library.rules,
            form_id=row.form_id,
            item=name,
            value=value,
            informant=who,
        )
        if hit is not None:
            desk.critical.append((row.child_id, row.wave_id, hit))


def _sealed(desk: Desk, live: Live, row: str, value: str | None) -> bytes:
    vault = desk.world.vault
    return vault.seal(value or "", table="answers", column="text", row=row, key=live.key)


def _hand_over(desk: Desk, sender: Sender, live: Live) -> None:
    """She could not make herself understood: somebody should look, once a session."""
    add_task(desk, sender, "not_understood", ref=live.row.id, key=f"handover:{live.row.id}")


def add_task(
    desk: Desk,
    sender: Sender,
    kind: str,
    *,
    key: str,
    ref: str | None = None,
    school_id: str | None = None,
    child_id: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Work for staff with a clock (the site's working days, unless said); the key makes it once."""
    world = desk.world
    desk.writes.offer(
        tasks,
        id=desk.new_id(),
        key=key,
        kind=kind,
        school_id=school_id or (sender.person.school_id if sender.person else None),
        child_id=child_id or (sender.live.row.child_id if sender.live else None),
        person_id=sender.address.person_id,
        address_id=sender.address.id,
        owner_id=None,
        ref=ref,
        state="open",
        opened_at=desk.now,
        due_at=due_at
        or add_working_days(
            desk.now, world.site.working_days_to_call, zone=world.zone, hours=world.hours(desk.now)
        ),
        closed_at=None,
    )


def call_day(desk: Desk) -> str:
    """The day by which somebody calls, as day/month."""
    world = desk.world
    due = add_working_days(
        desk.now, world.site.working_days_to_call, zone=world.zone, hours=world.hours(desk.now)
    )
    return due.astimezone(world.zone).strftime(DAY_FORMAT)
