"""A call that was not taken: the phone without airtime that asks to be reached.

She gets one SMS: how to join where nobody knows her, her open question where one waits, else the
day by which somebody calls. A number may be forged, and some phones ring again and again: so at
most one message in ten minutes and three a day, counted in the database.
"""

from datetime import timedelta
from typing import Literal

from bot.turns import call_list, talk
from bot.turns.desk import Desk, Sender
from flows.messages import Phrase
from flows.sessions import Resumed
from storage.schema import timers
from storage.talk.calling import KIND, Caller, caller_at, written_back

APART = timedelta(minutes=10)
DAY = timedelta(days=1)
MOST_A_DAY = 3


def may_answer(desk: Desk, sender: Sender) -> bool:
    """Put her on the call list where she is to be called; whether she may be written to as well."""
    caller = _caller(desk, sender)
    if caller is not None and sender.live is None:
        _list(desk, sender, caller)
    barred = _barred(desk, sender, caller)
    desk.writes.offer(
        timers,
        key=f"{KIND}:{sender.letter.inbox_id}",
        kind=KIND,
        ref=sender.address.id,
        due_at=desk.now,
        data={},
        state="skipped" if barred else "done",
        reason=barred or None,
        done_at=desk.now,
    )
    return not barred


def put_on_list(desk: Desk, sender: Sender) -> None:
    """CALL ME, wherever she says it: somebody is to call her, whatever becomes of the rest."""
    caller = _caller(desk, sender)
    if caller is not None:
        _list(desk, sender, caller)


def promise(desk: Desk, sender: Sender) -> None:
    """The answer to CALL ME: by when, and again what was open."""
    caller = _caller(desk, sender)
    if caller is None:
        desk.say(sender, Phrase(key="idle.welcome"))
        return
    listed = _told(desk, caller, "asked")
    if sender.live is not None:
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel), listed)
    else:
        desk.say(sender, listed)


def answer(desk: Desk, sender: Sender) -> None:
    """The one message that a call is answered with."""
    if sender.live is not None:
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel))
        return
    caller = _caller(desk, sender)
    if caller is None:
        desk.say(sender, Phrase(key="call.welcome"))
        return
    sender.address.language = caller.language
    desk.say(sender, _told(desk, caller, "listed"))


def _told(desk: Desk, caller: Caller, how: Literal["asked", "listed"]) -> Phrase:
    """By when somebody calls, where the site has people who do; else only that it is noted."""
    site, zone = desk.world.site, desk.world.zone
    due_at = call_list.due(desk, caller.person_id)
    if not site.calls_staffed or due_at is None:
        return Phrase(key=f"call.{how}_only")
    # A day that has passed is no promise: staff see that it is late, she hears "today".
    day = max(due_at, desk.now).astimezone(zone).strftime(talk.DAY_FORMAT)
    return Phrase(key=f"call.{how}", values={"who": site.who_calls, "day": day})


def _barred(desk: Desk, sender: Sender, caller: Caller | None) -> str:
    """Why no message may go to this number now; empty where one may."""
    if sender.address.opted_out_at is not None or (caller is not None and caller.opted_out):
        return "opted_out"
    before = written_back(desk.conn, sender.address.id, since=desk.now - DAY)
    lately = any(at > desk.now - APART for at in before)
    return "capped" if lately or len(before) >= MOST_A_DAY else ""


def _caller(desk: Desk, sender: Sender) -> Caller | None:
    """Who rings: whoever writes from this number, else whoever has it on WhatsApp."""
    person = sender.person
    if person is not None:
        return Caller(
            person_id=person.id,
            school_id=person.school_id,
            language=sender.language,
            opted_out=sender.address.opted_out_at is not None,
        )
    account = desk.world.accounts.get("whatsapp")
    if account is None:
        return None
    number = sender.letter.inbound.address
    blinds = desk.world.vault.blinds("whatsapp", account, number)
    return caller_at(desk.conn, channel="whatsapp", account=account, blinds=blinds)


def _list(desk: Desk, sender: Sender, caller: Caller) -> None:
    """Somebody is to call her; one task at a time, however often she rings."""
    call_list.add(desk, sender, caller.person_id, school_id=caller.school_id)
