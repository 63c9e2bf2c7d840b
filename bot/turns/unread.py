"""A message that nobody could handle: whether it may have needed a person at once.

It has failed three times, so nothing here may fail: what cannot be read any more is left to the
task that staff get anyway.
"""

import structlog

from bot.turns import danger
from bot.turns.desk import Desk, Live, Sender
from flows.crisis import matches, typed_in_crisis
from flows.engine import advance, begin, read_token
from flows.messages import Inbound
from flows.questionnaire import Questionnaire
from flows.sessions import Recorded, Replied
from scoring.critical import critical, names_of_critical
from scoring.triage import unread_call
from storage.talk.conversations import SessionRow, unfinished_sessions

log = structlog.get_logger(__name__)


def worry(desk: Desk, sender: Sender) -> None:
    """Put an urgent alert on the desk where the message held words of danger or such an answer."""
    person, inbound = sender.person, sender.letter.inbound
    if person is not None and person.kind == "staff":
        return
    row = _asked_in(desk, sender)
    if typed_in_crisis(inbound, desk.world.library.crisis):
        danger.raise_once(desk, sender, row)
    elif row is not None and row.child_id and row.wave_id and _is_critical(desk, inbound, row):
        call = unread_call(sender.letter.inbox_id)
        desk.calls.append((row.child_id, row.wave_id, call))


def _asked_in(desk: Desk, sender: Sender) -> SessionRow | None:
    """The questionnaire she was answering: the one that asked last, else her newest."""
    address = sender.address
    people = [sender.person.id] if sender.person else []
    rows = unfinished_sessions(desk.conn, people, [address.id])
    asked = (address.open_prompt or {}).get("ref")
    newest = max(rows, key=lambda row: row.id, default=None)
    return next((row for row in rows if row.id == asked), newest)


def _is_critical(desk: Desk, inbound: Inbound, row: SessionRow) -> bool:
    """As the engine would take it, if her questionnaire opens; else by what she wrote alone."""
    live = _opened(desk, row)
    form = desk.world.library.forms.get(row.version)
    if form is None:
        return False
    questionnaire, informant = form.questionnaire, form.questionnaire.teller
    if informant is None:
        return False
    given = _answers(desk, inbound, live, questionnaire) if live else None
    if given is None:
        given = _tapped(desk, inbound, row, questionnaire)
        library = desk.world.library
        names = names_of_critical(library.rules, questionnaire, library.lexicons.values())
        if matches(inbound.text, names):
            return True
    return any(
        critical(
            desk.world.library.rules,
            form_id=row.form_id,
            item=item,
            value=value,
            informant=informant,
        )
        for item, value in given.items()
    )


def _opened(desk: Desk, row: SessionRow) -> Live | None:
    try:
        with desk.conn.begin_nested():
            return desk.open_session(row)
    except Exception:
        log.exception("unread_session_not_opened")
        return None


def _answers(
    desk: Desk, inbound: Inbound, live: Live, questionnaire: Questionnaire
) -> dict[str, str] | None:
    """What the message answers, or None where the engine is what fails."""
    library, session = desk.world.library, live.session
    event = Replied(text=inbound.text, token=inbound.token, media=inbound.media)
    try:
        turn = advance(
            questionnaire,
            session,
            event,
            now=desk.now,
            lexicon=library.lexicon(session.language, session.version),
            others=library.others(session.language),
        )
    except Exception:
        log.exception("unread_not_understood")
        return None
    return {e.item: e.answer.value for e in turn.effects if isinstance(e, Recorded)}


def _tapped(
    desk: Desk, inbound: Inbound, row: SessionRow, questionnaire: Questionnaire
) -> dict[str, str]:
    """What a button says by itself: its question and its answer."""
    session = begin(
        row.id,
        questionnaire,
        channel=inbound.channel,
        language="",
        now=desk.now,
        context={},
    )
    found = read_token(session, questionnaire, inbound.token)
    return dict([found]) if found else {}
