"""Messages whose handling raises: kept, tried again in order, at last given to staff.

Nothing is patched: a version vanishes from the library, or a stored row is damaged.
"""

import asyncio

import pytest
from sqlalchemy import delete, select, update

from flows.forms import Form
from storage.schema import addresses, content_versions, inbox, outbox, sessions, tasks
from tests.live import Live, sms_request, status_request

AMINA, BONGI = "+27820000001", "+27820000002"


@pytest.fixture
async def stuck(town: Live) -> Form:
    """Amina stands in a questionnaire whose version library and database have lost."""
    await town.says(AMINA, f"JOIN {town.codes[0]}")
    await town.says(AMINA, "1 1 2 1 2 3")
    library = town.bot.world.library
    version = library.current["caregiver"]
    await town.bot.database.write(
        lambda c: c.execute(delete(content_versions).where(content_versions.c.version == version))
    )
    return library.forms.pop(version)


async def letters(town: Live) -> list[tuple[str, int]]:
    """State and tries of Amina's letters after her enrolment, in order."""
    rows = await town.rows(select(inbox.c.status, inbox.c.attempts).order_by(inbox.c.id))
    return [tuple(row) for row in rows][2:]


async def test_it_is_kept_and_what_follows_queues_behind_it(town: Live, stuck: Form) -> None:
    told = len(town.heard(AMINA))
    first = await town.says(AMINA, "4 4 4")
    second = await town.says(AMINA, "1 1 1")
    assert [(a.status_code, a.content) for a in (first, second)] == [(200, b"<Response/>")] * 2
    assert await letters(town) == [("waiting", 0), ("waiting", 0)]
    assert await town.rows(select(addresses.c.stuck).where(addresses.c.stuck > 0)) == [(2,)]
    assert len(town.heard(AMINA)) == told
    town.bot.world.library.forms[stuck.questionnaire.version] = stuck
    assert await town.problems() == []


async def test_once_it_can_be_handled_everything_is_in_order(town: Live, stuck: Form) -> None:
    await town.says(AMINA, "4 4 4")
    await town.says(AMINA, "1 1 1")
    await town.later(5)
    assert await letters(town) == [("waiting", 1), ("waiting", 0)]
    await town.later(5)
    assert await letters(town) == [("waiting", 1), ("waiting", 0)], "it rests between tries"
    town.bot.world.library.forms[stuck.questionnaire.version] = stuck
    await town.later(30)
    assert [state for state, _ in await letters(town)] == ["done", "done"]
    revision = select(sessions.c.rev).where(sessions.c.form_id == "caregiver")
    assert await town.rows(revision) == [(3,)]
    await town.says(AMINA, "1 1 1")
    assert await town.rows(revision) == [(4,)]
    assert await town.problems() == []


async def test_after_three_tries_staff_have_it_and_she_hears_a_neutral_word(
    town: Live, stuck: Form
) -> None:
    told = len(town.heard(AMINA))
    await town.says(AMINA, "4 4 4")
    await town.says(AMINA, "1 1 1")
    for wait in (5, 21, 41):
        await town.later(wait)
    assert await letters(town) == [("poison", 3), ("waiting", 1)]
    ((kind, ref),) = await town.rows(select(tasks.c.kind, tasks.c.ref))
    ((poison,),) = await town.rows(select(inbox.c.id).where(inbox.c.status == "poison"))
    assert (kind, ref) == ("poison", poison)
    (said,) = town.heard(AMINA)[told:]
    assert "4 4 4" not in said
    town.bot.world.library.forms[stuck.questionnaire.version] = stuck
    await town.later(30)
    assert [state for state, _ in await letters(town)] == ["poison", "done"]
    assert await town.problems() == []


async def test_other_people_notice_nothing(town: Live, stuck: Form) -> None:
    await town.says(AMINA, "4 4 4")
    assert (await town.says(BONGI, f"JOIN {town.codes[1]}")).status_code == 200
    assert len(town.heard(BONGI)) > 1
    done = select(inbox.c.status).order_by(inbox.c.id.desc()).limit(1)
    assert await town.rows(done) == [("done",)]


async def test_a_delivery_again_of_a_kept_message_is_known(town: Live, stuck: Form) -> None:
    await town.says(AMINA, "4 4 4", sid="SM-again")
    assert (await town.says(AMINA, "4 4 4", sid="SM-again")).status_code == 200
    assert len(await letters(town)) == 1


async def test_a_damaged_row_stops_one_person_and_no_provider(town: Live) -> None:
    await town.says(AMINA, f"JOIN {town.codes[0]}")
    await town.bot.database.write(lambda c: c.execute(update(sessions).values(state=b"damaged")))
    assert (await town.says(AMINA, "1 1 2 1 2 3")).status_code == 200
    assert (await town.says(BONGI, "hi")).status_code == 200
    assert len(town.heard(BONGI)) == 1
    for wait in (5, 21, 41):
        await town.later(wait)
    assert [t.kind for t in await town.rows(select(tasks))] == ["poison"]
    found = await town.rows(select(inbox.c.status).order_by(inbox.c.id))
    assert sorted(found) == [("done",), ("done",), ("poison",)]


async def test_a_status_in_the_same_batch_is_noted_all_the_same(town: Live, stuck: Form) -> None:
    ((row_id, provider_id),) = await town.rows(
        select(outbox.c.id, outbox.c.provider_id).order_by(outbox.c.seq).limit(1)
    )
    word = status_request(town.base, provider_id, "delivered", outbox_id=row_id)
    letter = sms_request(town.base, AMINA, "4 4 4", town.sid())
    got = await asyncio.gather(town.post(letter), town.post(word))
    assert [answer.status_code for answer in got] == [200, 204]
    assert await letters(town) == [("waiting", 0)]
    assert await town.rows(select(outbox.c.state).where(outbox.c.id == row_id)) == [("delivered",)]
