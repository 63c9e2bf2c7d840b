"""What the provider holds of a conversation is emptied, then deleted; nothing is ever fetched."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, update

from bot.channels.twilio import Twilio, TwilioSettings
from bot.sending.redaction import Redactor, forget_at_providers
from bot.site import Providers
from storage.rights.redaction import MAX_ATTEMPTS
from storage.schema import addresses, inbox, outbox, redactions
from tests.fakes import twilio as fake_twilio
from tests.fakes import unused_url
from tests.live import Live, live, twilio_request

AMINA = "+27820000001"
WORDS = "a budgerigar hurt him"
MINUTE, WEEK = 60, 7 * 24 * 3600


def holds(town: Live, sid: str, text: str, *, media: tuple[str, ...] = ()) -> None:
    """Twilio keeps what it brought us."""
    at = {"to": "+27600000001", "direction": "inbound", "date_created": "x"}
    town.twilio.messages.append({"sid": sid, "body": text, **at})
    if media:
        town.twilio.media[sid] = list(media)


async def converses(town: Live) -> str:
    sid = town.sid()
    holds(town, sid, WORDS)
    await town.says(AMINA, WORDS, sid=sid)
    return sid


def bodies(town: Live) -> list[str]:
    return [m["body"] for m in town.twilio.messages]


def calls(town: Live) -> list[str]:
    return [c.kind for c in town.twilio.calls if c.kind in fake_twilio.FORGETTING]


async def left(town: Live) -> list[tuple[str, int, str | None]]:
    found = await town.rows(select(redactions).order_by(redactions.c.id))
    return [(r.step, r.attempts, r.error) for r in found]


async def test_both_sides_are_emptied_in_minutes_and_deleted_after_a_week(town: Live) -> None:
    await converses(town)
    await town.later(1)
    assert bodies(town)[0] == ""
    assert bodies(town)[1] != "", "ours may still be on its way"
    await town.later(3 * MINUTE)
    assert bodies(town) == ["", ""]
    assert calls(town) == ["redact", "redact"]
    await town.later(WEEK - 4 * MINUTE)
    assert len(town.twilio.messages) == 2
    await town.later(5 * MINUTE)
    assert town.twilio.messages == []
    assert await left(town) == []
    await town.later(WEEK)
    assert calls(town) == ["redact", "redact", "delete", "delete"]
    assert await town.problems() == []


async def test_a_message_is_not_taken_away_before_it_is_stored(town: Live) -> None:
    sid = await converses(town)
    assert calls(town) == []
    await town.later(1)
    ((status,),) = await town.rows(select(inbox.c.status))
    assert (status, town.twilio.calls[-1].fields["sid"]) == ("done", sid)


@pytest.mark.parametrize(
    ("fault", "error", "attempts"),
    [
        (fake_twilio.fails(500), "rejected 500", 1),
        (fake_twilio.refuses(20009), "rejected 400", 1),
        (fake_twilio.throttled(30), "rate 429", 0),
        (fake_twilio.throttled(), "rate 429", 0),
        (fake_twilio.refuses(20003, status=401), "account 401", 0),
    ],
)
async def test_what_fails_is_tried_again(
    town: Live, fault: fake_twilio.Play, error: str, attempts: int
) -> None:
    town.twilio.plays("redact", fault)
    await converses(town)
    await town.later(1)
    assert (await left(town))[0] == ("redact", attempts, error)
    assert WORDS in bodies(town)
    await town.later(11 * MINUTE)
    assert bodies(town) == ["", ""]


async def test_what_is_not_there_any_more_is_done(town: Live) -> None:
    await town.says(AMINA, WORDS)
    await town.later(1)
    assert calls(town) == ["redact"]
    town.twilio.messages.clear()
    await town.later(WEEK + MINUTE)
    await town.later(WEEK + MINUTE)
    assert await left(town) == []


async def test_a_provider_that_cannot_be_reached_is_asked_again(town: Live) -> None:
    await converses(town)
    account = TwilioSettings(
        account_sid=fake_twilio.ACCOUNT,
        auth_token=fake_twilio.TOKEN,
        api_url=unused_url(),
        public_base_url=town.base,
    )
    channel = Twilio(account, {})
    redactor = Redactor(
        database=town.bot.database,
        vault=town.bot.world.vault,
        channels=[channel],
        providers=Providers(),
        now=town.clock,
    )
    assert await redactor.tick() == 0
    await channel.close()
    (row,) = [r for r in await left(town) if r[2]]
    assert row[:2] == ("redact", 1)
    assert str(row[2]).startswith("unreachable")


async def test_what_never_works_is_given_up_and_doctor_can_see_it(town: Live) -> None:
    town.twilio.plays("redact", *[fake_twilio.fails(500)] * 3 * MAX_ATTEMPTS)
    await converses(town)
    for _ in range(MAX_ATTEMPTS + 1):
        await town.later(7 * 3600)
    states = await town.rows(select(redactions.c.state, redactions.c.attempts))
    assert states == [("given_up", MAX_ATTEMPTS)] * 2
    tried = len(calls(town))
    await town.later(WEEK)
    assert len(calls(town)) == tried


async def test_a_voice_note_is_deleted_there_and_never_fetched(town: Live) -> None:
    sid = town.sid()
    holds(town, sid, "", media=("ME1", "ME2"))
    media = f"{town.twilio.url}/2010-04-01/Accounts/{fake_twilio.ACCOUNT}/Messages/{sid}/Media/ME1"
    await town.says(
        AMINA,
        "",
        sid=sid,
        NumMedia="2",
        MediaUrl0=media,
        MediaUrl1=media,
        MediaContentType0="audio/ogg",
        MediaContentType1="image/jpeg",
    )
    await town.later(1)
    assert calls(town)[:4] == ["media", "media.delete", "media.delete", "redact"]
    assert town.twilio.gone == ["ME1", "ME2"]
    assert {c.kind for c in town.twilio.calls} == {"send", "media", "media.delete", "redact"}


async def test_a_voice_note_that_does_not_go_keeps_its_message_on_the_list(town: Live) -> None:
    sid = town.sid()
    holds(town, sid, "", media=("ME1",))
    town.twilio.plays("media.delete", fake_twilio.fails(500))
    await town.says(AMINA, "", sid=sid, NumMedia="1", MediaContentType0="audio/ogg")
    await town.later(1)
    assert calls(town) == ["media", "media.delete"]
    await town.later(3 * MINUTE)
    assert town.twilio.gone == ["ME1"]
    assert calls(town).count("redact") == 2


async def test_of_a_call_only_the_record_can_go(town: Live) -> None:
    form = {"CallSid": "CA1", "From": AMINA, "To": "+27600000001"}
    await town.post(twilio_request(town.base, "/hooks/twilio/voice", form))
    await town.later(1)
    assert calls(town) == []
    assert "delete" in [step for step, _, _ in await left(town)]
    await town.later(WEEK + 5 * MINUTE)
    assert "CA1" in town.twilio.gone
    assert "CA1" not in [c.fields.get("sid") for c in town.twilio.calls if c.kind == "redact"]


async def test_telegram_chats_are_the_persons_own(town: Live) -> None:
    await town.writes("77", WORDS)
    for _ in range(3):
        await town.later(WEEK / 2 - 60)
    assert {c.kind for c in town.telegram.calls} == {"sendMessage"}
    assert await left(town) == []


async def test_a_site_may_leave_it_to_the_provider(tmp_path: Path) -> None:
    own = tmp_path / "site.yaml"
    own.write_text("providers: {redact: false}\n")
    async with live(tmp_path, site_file=own) as town:
        await converses(town)
        await town.later(WEEK)
        assert calls(town) == []
        assert await left(town) == []


async def test_a_site_may_keep_the_emptied_records(tmp_path: Path) -> None:
    own = tmp_path / "site.yaml"
    own.write_text("providers: {delete_after_days: null}\n")
    async with live(tmp_path, site_file=own) as town:
        await converses(town)
        await town.later(3 * MINUTE)
        await town.later(2 * WEEK)
        assert calls(town) == ["redact", "redact"]
        assert await left(town) == []


async def test_a_letter_that_does_not_open_is_left_out_and_stops_nothing(town: Live) -> None:
    await converses(town)
    await town.bot.database.write(lambda c: c.execute(update(inbox).values(body=b"x")))
    await town.later(1)
    await town.later(3 * MINUTE)
    assert calls(town) == ["redact"]
    ((planned,),) = await town.rows(select(inbox.c.redaction_planned))
    assert planned


async def test_before_an_erasure_everything_of_hers_is_put_on_the_list(town: Live) -> None:
    await converses(town)
    vault, now = town.bot.world.vault, town.clock()

    def erase(conn: Connection) -> int:
        assert forget_at_providers(conn, vault, [], now=now) == 0
        hers = list(conn.execute(select(addresses.c.id).where(addresses.c.channel == "sms")))
        count = forget_at_providers(conn, vault, [r.id for r in hers], now=now)
        conn.execute(delete(inbox))
        conn.execute(delete(outbox))
        return count

    assert await town.bot.database.write(erase) == 2
    await town.later(1)
    assert calls(town) == ["delete", "delete"]
    assert town.twilio.messages == []
    assert await left(town) == []
