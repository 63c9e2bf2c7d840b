"""A check that cannot fail proves nothing: each invariant is shown the fault it must catch.

A family enrols and answers over HTTP; then one row is damaged, as a fault of ours would.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.live import COORDINATOR, Live, live

AMINA = "+27820000001"
FAULTS = {
    "I1: 10 letters are stored, 9 were seen": (
        "delete from inbox_seen where digest = (select min(digest) from inbox_seen)"
    ),
    "counts 1 letters, 0 wait": "update addresses set stuck = 1 where channel = 'sms'",
    "is waiting at the wrong time": "update inbox set status = 'waiting' where id = {letter}",
    "poison letter": "update inbox set status = 'poison' where id = {letter}",
    "has no event": "update answers set revision = 99 where item = 'breakfast'",
    "is at revision 90 after": "update sessions set rev = 90 where form_id = 'enrolment'",
    "and its row say different things": (
        "update sessions set status = 'lapsed' where form_id = 'caregiver'"
    ),
    "is not the fold of its events": (
        "update events set at = at + 1000 where session_id ="
        " (select id from sessions where form_id = 'enrolment')"
    ),
    "final at None": "update outbox set final_at = null where id = {message}",
    "final and still has its text": "update outbox set body = x'00' where id = {message}",
    "was tried 9 times": "update outbox set attempts = 9 where id = {message}",
    "is sending, leased until None": (
        "update outbox set state = 'sending', final_at = null where id = {message}"
    ),
    "dead letter": "update outbox set state = 'dead' where id = {message}",
    "I5: 2 messages at once": (
        "update outbox set state = 'sending', final_at = null, lease_until = 1 where id in"
        " (select id from outbox where message_class = 'reply' and address_id ="
        " (select address_id from outbox where id = {message}) order by id limit 2)"
    ),
    "went out after STOP": (
        "update addresses set opted_out_at = 1 where id ="
        " (select address_id from outbox where id = {message});"
        "update outbox set message_class = 'reminder' where id = {message}"
    ),
    "no_food_today is missing": "update alerts set key = 'other'",
    "is accepted without what that needs": "update alerts set owner_id = null",
    "has no clock": "update timers set state = 'done' where kind = 'alert'",
    "was never noted as opened": "delete from alert_events where kind = 'opened'",
    "began without consent": "update consents set granted = false where purpose = 'help'",
    "went on after consent had ended": (
        "insert into consents (id, person_id, child_id, purpose, granted, capacity, text_version,"
        " language, channel, mode, at, withdrawn_at)"
        " select 'w', person_id, child_id, 'help', false,"
        " capacity, text_version, language, channel, mode, at + 1, at + 1 from consents"
        " where purpose = 'help'"
    ),
    "is late": (
        "update alerts set state = 'opened', owner_id = null, accepted_at = null;"
        "update timers set due_at = 1 where kind = 'alert'"
    ),
}


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Live]:
    """A family that has enrolled and said that there is no food, and a coordinator who knows."""
    async with live(tmp_path) as running:
        for words in (
            f"JOIN {running.codes[0]}",
            *("1 1 2 1 2 3", "1 1 1", "1 1 1", "1 1 1", "1 1 1", "3"),
            "hi there",
        ):
            await running.says(AMINA, words)
        await running.writes(COORDINATOR, "1")
        await running.writes(COORDINATOR, "hello")
        yield running


async def test_every_fault_is_found_and_a_sound_database_has_none(town: Live) -> None:
    # One database for all of them: each fault is put in, looked for, and taken back.
    database = town.bot.database
    assert await town.problems(ticking=True) == []
    letter = "(select min(id) from inbox)"
    message = "(select min(id) from outbox where message_class = 'reply')"
    missed = []
    for expected, fault in FAULTS.items():
        statements = fault.format(letter=letter, message=message).split(";")
        found = await database.write(
            lambda c, s=statements: town.problems_after(c, [text(part) for part in s])
        )
        if not any(expected in problem for problem in found):
            missed.append((expected, found))
    assert missed == []
    assert await town.problems(ticking=True) == []
