"""Delivery against providers that fail: told apart, asked about, never sent twice, never lost."""

from pathlib import Path

from sqlalchemy import Row, select

from storage.schema import addresses, alerts, delivery_events, tasks, timers
from storage.talk.outbox import MAX_ATTEMPTS
from tests.fakes import Play, calls_first, unused_url
from tests.fakes import telegram as fake_telegram
from tests.fakes import twilio as fake_twilio
from tests.live import COORDINATOR, Live, live, status_request

AMINA = "+27820000001"
ASK_AFTER = 21
ENROL = ("1 1 2 1 2 3", "1 1 1", "1 1 1", "1 1 1", "1 1 1", "3")


async def only(town: Live) -> Row:
    (row,) = await town.sent_rows()
    return row


async def until_alert(town: Live) -> None:
    """She enrols and says that there is no food today."""
    await town.says(AMINA, f"JOIN {town.codes[0]}")
    for text in ENROL:
        await town.says(AMINA, text)


async def test_a_message_taken_under_an_error_is_found_and_not_sent_again(town: Live) -> None:
    town.twilio.plays("send", fake_twilio.fails(500, accept=True))
    await town.says(AMINA, "hi")
    row = await only(town)
    assert (row.state, row.error, row.attempts) == ("queued", "unknown", 1)
    await town.later(ASK_AFTER)
    row = await only(town)
    assert (row.state, row.provider_id) == ("accepted", town.twilio.messages[0]["sid"])
    assert town.twilio.kinds() == ["send", "list"]


async def test_a_message_that_left_no_trace_is_sent_again(town: Live) -> None:
    town.twilio.plays("send", fake_twilio.fails(500))
    await town.says(AMINA, "hi")
    assert town.heard(AMINA) == []
    await town.later(ASK_AFTER)
    row = await only(town)
    assert (row.state, row.attempts) == ("accepted", 2)
    assert town.twilio.kinds() == ["send", "list", "send"]
    assert len(town.heard(AMINA)) == 1


async def test_nothing_is_sent_again_while_the_provider_cannot_say(town: Live) -> None:
    town.twilio.plays("send", fake_twilio.fails(500, accept=True))
    town.twilio.plays("list", *[fake_twilio.fails(503)] * 5)
    await town.says(AMINA, "hi")
    for _ in range(5):
        await town.later(ASK_AFTER)
    row = await only(town)
    assert (row.state, row.error, row.attempts) == ("queued", "unknown", 1)
    await town.later(ASK_AFTER)
    assert (await only(town)).state == "accepted"
    assert town.twilio.kinds().count("send") == 1


async def test_three_sends_without_a_trace_are_a_dead_letter(town: Live) -> None:
    town.twilio.plays("send", *[fake_twilio.fails(500)] * 9)
    await town.says(AMINA, "hi")
    for _ in range(5):
        await town.later(ASK_AFTER)
    assert town.twilio.kinds() == ["send", "list", "send", "list", "send", "list"]
    row = await only(town)
    assert (row.state, row.body) == ("dead", None)
    assert [(t.kind, t.ref) for t in await town.rows(select(tasks))] == [("dead_letter", row.id)]
    assert await town.problems() == []


async def test_the_last_send_too_is_asked_about(town: Live) -> None:
    fails = fake_twilio.fails(500)
    town.twilio.plays("send", fails, fails, fake_twilio.fails(500, accept=True))
    await town.says(AMINA, "hi")
    for _ in range(4):
        await town.later(ASK_AFTER)
    assert (await only(town)).state == "accepted"
    assert len(town.heard(AMINA)) == 1
    assert await town.rows(select(tasks)) == []


async def test_too_fast_is_no_failure(town: Live) -> None:
    town.twilio.plays("send", *[fake_twilio.throttled(30)] * (MAX_ATTEMPTS + 1))
    await town.says(AMINA, "hi")
    for _ in range(MAX_ATTEMPTS):
        await town.later(29)
        assert (await only(town)).state == "queued"
        await town.later(2)
        assert (await only(town)).attempts == 0
    await town.later(31)
    row = await only(town)
    assert (row.state, row.attempts) == ("accepted", 1)
    assert town.twilio.kinds().count("list") == 0


async def test_telegram_says_how_long_to_wait(town: Live) -> None:
    town.telegram.plays("sendMessage", fake_telegram.throttled(40))
    await town.writes("77", "hi")
    await town.later(39)
    assert town.chats("77") == []
    await town.later(2)
    assert len(town.chats("77")) == 1


async def test_a_refused_connection_is_tried_three_times_then_told_to_staff(
    tmp_path: Path,
) -> None:
    async with live(tmp_path, telegram_url=unused_url()) as town:
        await until_alert(town)
        (row,) = [r for r in await town.sent_rows() if r.message_class == "alert"]
        assert (row.state, row.attempts) == ("queued", 1)
        for wait in (7, 13):
            await town.later(wait)
        (row,) = [r for r in await town.sent_rows() if r.id == row.id]
        assert (row.state, row.attempts, row.error) == ("dead", 3, "unreachable ConnectError")
        assert [t.kind for t in await town.rows(select(tasks))] == ["dead_letter"]
        # The alert itself does not rest: its clock sends it again.
        await town.later(16 * 60)
        again = [r for r in await town.sent_rows(after=row.id) if r.message_class == "alert"]
        assert len(again) == 1
        assert await town.rows(select(alerts.c.state)) == [("offered",)]
        assert await town.problems() == []


async def test_a_telegram_send_of_unknown_outcome_is_repeated_once(town: Live) -> None:
    town.telegram.plays("sendMessage", *[fake_telegram.fails(502)] * 9)
    await town.writes("77", "hi")
    for _ in range(4):
        await town.later(ASK_AFTER)
    assert town.telegram.kinds() == ["sendMessage", "sendMessage"]
    assert (await only(town)).state == "dead"
    assert await town.problems() == []


async def test_a_status_may_come_before_the_answer_to_the_send(town: Live) -> None:
    async def delivered(answer: dict[str, str]) -> None:
        path = town.twilio.calls[-1].fields["StatusCallback"]
        outbox_id = path.rpartition("/")[2]
        told = status_request(town.base, answer["sid"], "delivered", outbox_id=outbox_id)
        assert (await town.post(told)).status_code == 204

    town.twilio.plays("send", calls_first(delivered))
    await town.says(AMINA, "hi")
    row = await only(town)
    assert (row.state, row.provider_id) == ("delivered", town.twilio.messages[0]["sid"])
    assert await town.problems() == []


async def test_a_later_lower_word_changes_nothing(town: Live) -> None:
    await town.says(AMINA, "hi")
    row = await only(town)
    for word in ("read", "sent", "delivered", "queued", "undelivered", "teleported"):
        told = status_request(town.base, row.provider_id, word, outbox_id=row.id)
        assert (await town.post(told)).status_code == 204
    assert (await only(town)).state == "read"
    kept = await town.rows(select(delivery_events.c.raw).order_by(delivery_events.c.id))
    assert len(kept) == 6
    assert ("teleported",) in kept


async def test_a_word_on_an_unknown_message_finds_it_later(town: Live) -> None:
    coming = f"SM{len(town.twilio.messages):032d}"
    await town.post(status_request(town.base, coming, "delivered"))
    assert await town.rows(select(delivery_events.c.matched)) == [(False,)]
    await town.says(AMINA, "hi")
    row = await only(town)
    assert (row.provider_id, row.state) == (coming, "delivered")
    assert await town.rows(select(delivery_events.c.matched)) == [(True,)]


async def test_who_opted_out_at_the_provider_is_left_alone(town: Live) -> None:
    await town.says(AMINA, f"JOIN {town.codes[0]}")
    town.twilio.plays("send", fake_twilio.refuses(21610))
    await town.says(AMINA, "1 1 2 1 2 3")
    ((left, bad),) = await town.rows(
        select(addresses.c.opted_out_at, addresses.c.bad_at).where(addresses.c.channel == "sms")
    )
    assert left is not None
    assert bad is None
    told = town.twilio.kinds()
    await town.later(80 * 3600)
    assert town.twilio.kinds() == told
    nudges = select(timers.c.reason).where(timers.c.kind == "nudge")
    assert set(await town.rows(nudges)) == {("opted_out",)}
    assert await town.problems() == []


async def test_a_blocked_bot_is_an_opt_out_but_alerts_still_try(town: Live) -> None:
    blocked = fake_telegram.refuses(403, "Forbidden: bot was blocked by the user")
    town.telegram.plays("sendMessage", blocked)
    await town.writes(COORDINATOR, "hi")
    ((left,),) = await town.rows(
        select(addresses.c.opted_out_at).where(addresses.c.channel == "telegram")
    )
    assert left is not None
    await until_alert(town)
    ((state,),) = await town.rows(select(alerts.c.state))
    unreachable = [t.kind for t in await town.rows(select(tasks))]
    assert state == "opened"
    assert unreachable == ["alert_unreachable"]


async def test_a_wrong_number_gets_no_more_reminders(town: Live) -> None:
    await town.says(AMINA, f"JOIN {town.codes[0]}")
    town.twilio.plays("send", fake_twilio.refuses(21614))
    await town.says(AMINA, "1 1 2 1 2 3")
    told = len(town.heard(AMINA))
    await town.later(30 * 3600)
    reminders = [r for r in await town.sent_rows() if r.message_class == "reminder"]
    assert [(r.state, r.error) for r in reminders] == [("refused", "withheld")]
    assert len(town.heard(AMINA)) == told


async def test_the_parts_of_an_answer_keep_their_order_when_one_fails(town: Live) -> None:
    town.twilio.plays("send", Play(accept=True), fake_twilio.throttled(10))
    await town.says(AMINA, f"JOIN {town.codes[0]}")
    assert len(town.heard(AMINA)) == 1
    await town.says(AMINA, "hello?")
    assert len(town.heard(AMINA)) == 1
    await town.later(11)
    heard = town.heard(AMINA)
    rows = await town.sent_rows()
    assert len(heard) == len(rows)
    assert [r.provider_id for r in rows] == [m["sid"] for m in town.twilio.messages]
