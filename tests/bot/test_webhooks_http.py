"""The webhooks over HTTP: proved, stored once, answered after the commit, nothing said in a 2xx."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.app import start
from bot.demo_school import KEPT
from bot.metrics import CALLS
from bot.settings import SettingsError
from storage.migrate import upgrade
from storage.schema import (
    addresses,
    alert_events,
    alerts,
    answers,
    events,
    inbox,
    inbox_seen,
    outbox,
    sessions,
)
from tests.live import (
    COORDINATOR,
    Live,
    environment,
    live_settings,
    sms_request,
    status_request,
    telegram_request,
    twilio_request,
)

AMINA, BONGI = "+27820000001", "+27820000002"
YES = "1 1 2 1 2 3"
HUNGRY = ("1 1 1", "1 1 1", "1 1 1", "1 1 1")
NO_FOOD = "3"
SILENT = {b"<Response/>", b""}


async def enrol(town: Live, sender: str, code: str) -> None:
    await town.says(sender, f"JOIN {code}")
    await town.says(sender, YES)


async def alert(town: Live, sender: str, code: str) -> str:
    """She says there is no food today; returns the token of the coordinator's Accept button."""
    await enrol(town, sender, code)
    for pack in HUNGRY:
        await town.says(sender, pack)
    await town.says(sender, NO_FOOD)
    (row,) = town.telegram.sent[-1]["reply_markup"]["inline_keyboard"][0][:1]
    return str(row["callback_data"])


async def count(town: Live, table: object) -> int:
    ((number,),) = await town.rows(select(func.count()).select_from(table))
    return int(number)


async def test_from_the_first_word_to_the_alert(town: Live) -> None:
    await alert(town, AMINA, town.codes[0])
    ((state, level),) = await town.rows(select(alerts.c.state, alerts.c.level))
    assert (state, level) == ("opened", "urgent")
    (text,) = town.chats(COORDINATOR)
    ((code,),) = await town.rows(select(alerts.c.code))
    assert code in text
    assert "food" not in text.lower()
    assert len(town.heard(AMINA)) >= 7
    assert {form["From"] for form in town.twilio.sent} == {"+27600000001"}
    assert {row.state for row in await town.sent_rows()} == {"accepted"}
    assert await town.problems() == []


async def test_no_2xx_says_anything_to_anybody(town: Live) -> None:
    answers_given = [
        await town.says(AMINA, "hi"),
        await town.says(AMINA, "STOP"),
        await town.writes("77", "hi"),
        await town.taps("77", "m.language:en"),
        await town.post(status_request(town.base, "SM1", "sent", outbox_id="0" * 32)),
        await town.post(status_request(town.base, "SM1", "sent")),
        await town.says(AMINA, "STOP", OptOutType="HELP"),
    ]
    assert {a.status_code // 100 for a in answers_given} == {2}
    assert {a.content for a in answers_given} <= SILENT


REJECTED = (200, b"<Response><Reject/></Response>")


async def rings(town: Live, sid: str, caller: str = AMINA) -> tuple[int, bytes]:
    form = {"CallSid": sid, "From": caller, "To": "+27600000001"}
    answer = await town.post(twilio_request(town.base, "/hooks/twilio/voice", form))
    await town.bot.settle()
    return answer.status_code, answer.content


async def test_a_call_is_turned_away_and_answered_by_one_sms(town: Live) -> None:
    for sid in ("CA1", "CA1", "CA2"):
        assert await rings(town, sid) == REJECTED
    (heard,) = town.heard(AMINA)
    assert "JOIN" in heard
    assert (await count(town, inbox), await count(town, inbox_seen)) == (2, 2)
    for minutes, messages in ((10, 2), (9, 2), (1, 3), (11, 3)):
        town.clock.moves(minutes * 60)
        await rings(town, f"CA-{minutes}-{messages}")
        assert len(town.heard(AMINA)) == messages
    town.clock.moves(24 * 3600)
    await rings(town, "CA9")
    assert len(town.heard(AMINA)) == 4
    assert await town.problems() == []


async def test_two_calls_at_once_are_one_message(town: Live) -> None:
    await asyncio.gather(*(rings(town, f"CA{n}") for n in range(4)))
    assert len(town.heard(AMINA)) == 1


def counted(result: str) -> float:
    return CALLS.labels(result=result)._value.get()  # noqa: SLF001 - the library's own way to read


async def test_a_withheld_number_is_counted_and_nothing_more(town: Live) -> None:
    before = counted("withheld")
    for caller in ("anonymous", "+266696687"):
        assert await rings(town, "CA1", caller) == REJECTED
    assert counted("withheld") == before + 2
    assert town.twilio.sent == []
    assert await count(town, inbox) == 0


async def test_a_call_costs_nothing_while_the_database_is_away(town: Live) -> None:
    await town.says(AMINA, "hi")
    before = counted("lost")
    driver = await town.bot.database.write(lambda c: c.connection.driver_connection)
    driver.execute("pragma query_only=1")
    assert await rings(town, "CA1") == REJECTED
    assert counted("lost") == before + 1
    driver.execute("pragma query_only=0")
    assert await rings(town, "CA2") == REJECTED
    assert len(town.heard(AMINA)) == 2


async def test_a_forged_call_is_not_taken(town: Live) -> None:
    form = {"CallSid": "CA1", "From": AMINA, "To": "+27600000001"}
    path, headers, body = twilio_request(town.base, "/hooks/twilio/voice", form)
    forged = await town.post((path, headers, body.replace(b"820000001", b"820000002")))
    assert forged.status_code == 403
    assert await count(town, inbox) == 0


async def test_a_message_delivered_again_and_again_counts_once(town: Live) -> None:
    for _ in range(4):
        assert (await town.says(AMINA, "hi", sid="SM-same")).status_code == 200
    assert len(town.heard(AMINA)) == 1
    assert (await count(town, inbox), await count(town, inbox_seen)) == (1, 1)


async def test_twenty_deliveries_at_once_count_once(town: Live) -> None:
    await enrol(town, AMINA, town.codes[0])
    told = len(town.heard(AMINA))
    request = sms_request(town.base, AMINA, "4 4 4", "SM-same")
    got = await asyncio.gather(*(town.post(request) for _ in range(20)))
    await town.bot.settle()
    assert {(a.status_code, a.content) for a in got} == {(200, b"<Response/>")}
    assert len(town.heard(AMINA)) == told + 1
    assert await count(town, inbox) == 3
    week = select(func.count()).select_from(answers).where(answers.c.form_id == "caregiver")
    assert await town.rows(week) == [(3,)]
    assert await town.problems() == []


async def test_messages_of_one_person_at_once_are_taken_one_after_the_other(town: Live) -> None:
    await enrol(town, AMINA, town.codes[0])
    packs = ["4 4 4", "1 1 1", "1 1 1", "1 1 1"]
    got = await asyncio.gather(
        *(town.post(sms_request(town.base, AMINA, text, town.sid())) for text in packs)
    )
    await town.bot.settle()
    assert {a.status_code for a in got} == {200}
    status = select(sessions.c.status, sessions.c.rev).where(sessions.c.form_id == "caregiver")
    assert await town.rows(status) == [("completed", 5)]
    assert await town.problems() == []


async def test_messages_of_many_people_at_once_do_not_mix(town: Live) -> None:
    people = {AMINA: town.codes[0], BONGI: town.codes[1], "+27820000003": town.codes[2]}
    for words in ("JOIN", YES, *HUNGRY, NO_FOOD):
        await asyncio.gather(
            *(
                town.post(
                    sms_request(
                        town.base, who, f"JOIN {code}" if words == "JOIN" else words, town.sid()
                    )
                )
                for who, code in people.items()
            )
        )
        await town.bot.settle()
    assert await count(town, alerts) == len(people)
    heard = [town.heard(who) for who in people]
    assert heard[0] == heard[1] == heard[2]
    assert await town.problems() == []


async def test_an_answer_that_comes_late_does_not_undo_what_came_before(town: Live) -> None:
    await enrol(town, AMINA, town.codes[0])
    late = sms_request(town.base, AMINA, "4 4 4", "SM-late")
    await town.post(late)
    await town.says(AMINA, "1 1 1")
    before = await town.rows(select(answers).order_by(answers.c.session_id, answers.c.item))
    await town.post(late)
    after = await town.rows(select(answers).order_by(answers.c.session_id, answers.c.item))
    assert after == before
    assert await town.problems() == []


@pytest.mark.parametrize("breaks", ["signature", "header", "body", "path", "secret"])
async def test_what_is_not_the_providers_is_not_stored(town: Live, breaks: str) -> None:
    path, headers, body = sms_request(town.base, AMINA, "hi", "SM1")
    match breaks:
        case "signature":
            headers["x-twilio-signature"] = "A" * 27 + "="
        case "header":
            del headers["x-twilio-signature"]
        case "body":
            body += b"&Body=other"
        case "path":
            path = "/hooks/twilio/status/" + "0" * 32
        case "secret":
            path, headers, body = telegram_request({"update_id": 1})
            headers["x-telegram-bot-api-secret-token"] = "guess"
    answer = await town.post((path, headers, body))
    await town.bot.settle()
    assert (answer.status_code, answer.content) == (403, b"not authentic")
    assert (await count(town, inbox), await count(town, inbox_seen)) == (0, 0)
    assert await count(town, addresses) == 1
    assert town.twilio.calls == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post_is_taken(town: Live, method: str) -> None:
    answer = await town.client.request(method, "/hooks/twilio")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/hooks/", "/hooks/other", "/hooks/twilio/x", "/hooks/telegram/"])
async def test_other_paths_are_not_there(town: Live, path: str) -> None:
    assert (await town.client.post(path)).status_code == 404


async def test_what_makes_no_sense_is_malformed(town: Live) -> None:
    nobody = twilio_request(town.base, "/hooks/twilio", {"MessageSid": "SM1", "Body": "hi"})
    update = telegram_request({"update_id": "one"})
    not_json = ("/hooks/telegram", telegram_request({})[1], b"{")
    got = [await town.post(request) for request in (nobody, update, not_json)]
    assert [a.status_code for a in got] == [400, 400, 400]
    assert await count(town, inbox) == 0


async def test_a_body_without_end_is_too_large(town: Live) -> None:
    path, headers, _ = sms_request(town.base, AMINA, "hi", "SM1")
    answer = await town.post((path, headers, b"Body=" + b"a" * 300_000))
    assert answer.status_code == 413
    assert await count(town, inbox) == 0


async def test_a_database_that_refuses_means_once_more_please(town: Live) -> None:
    await town.says(AMINA, "hi")
    driver = await town.bot.database.write(lambda c: c.connection.driver_connection)
    driver.execute("pragma query_only=1")
    away = await town.post(sms_request(town.base, AMINA, f"JOIN {town.codes[0]}", "SM-j"))
    word = await town.post(status_request(town.base, "SM" + "0" * 32, "delivered"))
    assert [away.status_code, word.status_code] == [503, 503]
    assert away.headers["retry-after"]
    driver.execute("pragma query_only=0")
    assert (await town.says(AMINA, f"JOIN {town.codes[0]}", sid="SM-j")).status_code == 200
    assert (await town.post(status_request(town.base, "SM" + "0" * 32, "delivered"))).is_success
    assert await town.rows(select(sessions.c.form_id, sessions.c.status)) == [("enrolment", "open")]
    assert (await town.sent_rows())[0].state == "delivered"
    assert await town.problems() == []


async def test_one_tap_of_two_counts(town: Live) -> None:
    token = await alert(town, AMINA, town.codes[0])
    await town.taps(COORDINATOR, token, update_id=901)
    await town.taps(COORDINATOR, token, update_id=901)
    said = town.chats(COORDINATOR)
    assert len(said) == 2
    await town.taps(COORDINATOR, token, update_id=902)
    accepted = select(alert_events.c.id).where(alert_events.c.kind == "accepted")
    assert len(await town.rows(accepted)) == 1
    assert len(town.chats(COORDINATOR)) == 3
    assert await town.rows(select(alerts.c.state)) == [("accepted",)]
    assert await town.problems() == []


async def test_stop_and_start_told_by_the_provider_count_as_hers(town: Live) -> None:
    await enrol(town, AMINA, town.codes[0])
    left = select(addresses.c.opted_out_at).where(addresses.c.channel == "sms")
    await town.says(AMINA, "stop", OptOutType="STOP")
    ((since,),) = await town.rows(left)
    assert since is not None
    await town.says(AMINA, "start", OptOutType="START")
    assert await town.rows(left) == [(None,)]


async def test_every_event_of_a_session_is_one_message(town: Live) -> None:
    await alert(town, AMINA, town.codes[0])
    ((told,),) = await town.rows(select(func.count()).select_from(events))
    # Two sessions begin without a message of their own: JOIN and the last answer of the enrolment.
    assert told == await count(town, inbox) + 1
    assert await count(town, outbox) == len(town.twilio.sent) + len(town.telegram.sent)


async def test_settings_nobody_filled_in_are_refused_by_name(tmp_path: Path) -> None:
    env = environment(tmp_path, base="http://127.0.0.1:1", twilio="http://127.0.0.1:1", telegram="")
    wrong = live_settings(
        env,
        twilio_auth_token="changeme",  # noqa: S106
        master_key="short",
        public_base_url="http://bot.test",
        telegram_webhook_secret="",
    )
    with pytest.raises(SettingsError) as refused:
        await start(wrong)
    named = {problem.partition(":")[0] for problem in refused.value.problems}
    assert named == {
        "TWILIO_AUTH_TOKEN",
        "MASTER_KEY",
        "PUBLIC_BASE_URL",
        "TELEGRAM_WEBHOOK_SECRET",
    }
    assert not (tmp_path / "live.db").exists()


@pytest.mark.parametrize("name", ["demo.db", "renamed.db"])
async def test_a_demo_database_is_refused_under_any_name(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path / name}"
    upgrade(url)
    with sqlite3.connect(tmp_path / name) as conn:
        conn.execute("insert into kept (name, value, at) values (?, '{}', 0)", (KEPT,))
    conn.close()
    env = environment(
        tmp_path, base="http://127.0.0.1:1", twilio="http://127.0.0.1:1", telegram="", database=url
    )
    with pytest.raises(SettingsError, match="DATABASE_URL: this is a demo database"):
        await start(live_settings(env))
