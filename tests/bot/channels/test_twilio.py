"""Twilio: sends and look-ups against a server that plays it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import (
    Accepted,
    ChannelError,
    DeliveryStatus,
    Destination,
    Lookup,
    Malformed,
    NotAuthentic,
    Refused,
    Retry,
    SendResult,
    Unknown,
    Unreachable,
)
from bot.channels.text import as_text
from bot.channels.twilio import Twilio, open_channel
from bot.channels.twilio_errors import failure, verdict
from flows.messages import Button, Outbound
from tests.bot.channels.twilio_samples import (
    BASE,
    CONTENTS,
    FOUR,
    HELLO,
    NOW,
    SMS,
    TWO,
    WHATSAPP,
    channel,
    request,
)
from tests.fakes import Play, calls_first, hangs, unused_url
from tests.fakes.twilio import (
    ACCOUNT,
    TOKEN,
    FakeTwilio,
    encoded,
    fails,
    refuses,
    throttled,
)


@pytest.fixture
async def fake() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio() as server:
        yield server


@pytest.fixture
async def twilio(fake: FakeTwilio) -> AsyncIterator[Twilio]:
    opened = channel(api_url=fake.url)
    yield opened
    await opened.close()


class TestSend:
    async def test_an_sms_carries_our_id_and_its_end(
        self, fake: FakeTwilio, twilio: Twilio
    ) -> None:
        to = Destination(channel="sms", account="", address="+27820000001", valid_s=90_000)
        assert await twilio.send(HELLO, to, key="01") == Accepted(provider_id="SM" + "0" * 32)
        assert fake.sent == [
            {
                "From": "+27600000001",
                "To": "+27820000001",
                "Body": "Hello",
                "StatusCallback": f"{BASE}/hooks/twilio/status/01",
                "ValidityPeriod": "36000",
            }
        ]

    async def test_the_number_a_person_wrote_to_answers_her(
        self, fake: FakeTwilio, twilio: Twilio
    ) -> None:
        to = Destination(channel="sms", account="+27600000009", address="+27820000001")
        await twilio.send(HELLO, to, key="01")
        assert fake.sent[0]["From"] == "+27600000009"
        assert "ValidityPeriod" not in fake.sent[0]

    async def test_a_messaging_service_takes_the_numbers_place(self, fake: FakeTwilio) -> None:
        twilio = channel(api_url=fake.url, messaging_service_sid="MG1", public_base_url="")
        await twilio.send(HELLO, SMS, key="01")
        await twilio.close()
        assert fake.sent == [{"MessagingServiceSid": "MG1", "To": SMS.address, "Body": "Hello"}]

    async def test_whatsapp_shows_quick_replies(self, fake: FakeTwilio, twilio: Twilio) -> None:
        await twilio.send(TWO, WHATSAPP, key="01")
        (form,) = fake.sent
        assert form["From"] == "whatsapp:+27600000002"
        assert form["To"] == "whatsapp:+27820000002"
        assert form["ContentSid"] == "HXquick2"
        assert "Body" not in form
        assert json.loads(form["ContentVariables"]) == {
            "1": "Well?",
            "2": "Yes",
            "3": "q1.1",
            "4": "No",
            "5": "q1.2",
        }

    async def test_whatsapp_shows_a_list(self, fake: FakeTwilio, twilio: Twilio) -> None:
        await twilio.send(FOUR, WHATSAPP, key="01")
        variables = json.loads(fake.sent[0]["ContentVariables"])
        assert fake.sent[0]["ContentSid"] == "HXlist4"
        assert [variables[str(n)] for n in (1, 2, 3, 4, 9, 10)] == [
            "How often?",
            "Choose",
            "Option 1",
            "q2.1",
            "Option 4",
            "q2.4",
        ]

    @pytest.mark.parametrize("count", [0, 1, 3, 4, 11])
    async def test_without_a_content_it_is_numbered_text(
        self, fake: FakeTwilio, twilio: Twilio, count: int
    ) -> None:
        buttons = tuple(Button(title=f"T{n}", token=f"t{n}") for n in range(count))
        message = Outbound(text="Which?", buttons=buttons)
        await twilio.send(message, WHATSAPP, key="01")
        assert fake.sent[0]["Body"] == as_text(message)

    async def test_a_closed_window_takes_the_template_or_nothing(
        self, fake: FakeTwilio, twilio: Twilio
    ) -> None:
        closed = Destination(
            channel="whatsapp", account="", address="+27820000002", window_open=False
        )
        known = Outbound(text="Hello again", template="reminder")
        await twilio.send(known, closed, key="01")
        assert fake.sent[0]["ContentSid"] == "HXreminder"
        assert not {"Body", "ContentVariables"} & set(fake.sent[0])
        for message in (Outbound(text="x", template="other"), HELLO):
            refused = await twilio.send(message, closed, key="02")
            assert refused == Refused(reason="template missing")
        assert len(fake.sent) == 1

    async def test_a_channel_without_sender_is_refused(self, fake: FakeTwilio) -> None:
        twilio = channel(api_url=fake.url, whatsapp_from="")
        to = Destination(channel="whatsapp", account="", address="+27820000002")
        refused = await twilio.send(HELLO, to, key="01")
        assert refused == Refused(reason="sender missing", scope="account")
        assert fake.calls == []

    @pytest.mark.parametrize(
        ("play", "result"),
        [
            (throttled(7), Retry(reason="rate 20429", after_s=7.0, counts=False)),
            (throttled(), Retry(reason="rate 20429", counts=False)),
            (refuses(20429), Retry(reason="rate 20429", counts=False)),
            (fails(500), Unknown(reason="ambiguous 500")),
            (fails(503, accept=True), Unknown(reason="ambiguous 503")),
            (refuses(21610), Refused(reason="opted_out 21610", scope="address")),
            (refuses(21211), Refused(reason="bad_address 21211", scope="address")),
            (refuses(63016), Refused(reason="window 63016")),
            (refuses(20003, status=401), Refused(reason="account 20003", scope="account")),
            (refuses(99999), Refused(reason="rejected 99999")),
            (Play(status=401), Refused(reason="account 401", scope="account")),
            (Play(status=400, body="[" * 5000), Refused(reason="rejected 400")),
            (Play(status=400, body="[1]"), Refused(reason="rejected 400")),
            (Play(status=307), Retry(reason="redirected 307")),
            (Play(status=201, body={"sid": 5}), Unknown(reason="ambiguous 201")),
            (Play(status=201, body=b"\xff".decode("latin-1")), Unknown(reason="ambiguous 201")),
        ],
    )
    async def test_what_twilio_answers(
        self, fake: FakeTwilio, twilio: Twilio, play: Play, result: SendResult
    ) -> None:
        fake.plays("send", play)
        assert await twilio.send(HELLO, SMS, key="01") == result
        assert fake.kinds() == ["send"], "one request, whatever the answer"

    async def test_a_timeout_after_the_acceptance_is_unknown_until_looked_up(
        self, fake: FakeTwilio
    ) -> None:
        twilio = channel(api_url=fake.url, timeout_s=0.3)
        fake.plays("send", hangs())
        assert await twilio.send(HELLO, SMS, key="01") == Unknown(reason="ambiguous TimeoutError")
        found = await twilio.look_up(HELLO, SMS, since=fake.now, key="01")
        assert found == Lookup(known=True, provider_id="SM" + "0" * 32)
        await twilio.close()

    async def test_a_refused_connection_may_be_repeated(self) -> None:
        twilio = channel(api_url=unused_url())
        result = await twilio.send(HELLO, SMS, key="01")
        await twilio.close()
        assert result == Retry(reason="unreachable ClientConnectorError")

    async def test_the_status_can_come_before_the_answer(
        self, fake: FakeTwilio, twilio: Twilio
    ) -> None:
        seen: list[str] = []

        async def callback(accepted: object) -> None:
            form = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered"}
            path = fake.sent[0]["StatusCallback"].removeprefix(BASE)
            (event,) = twilio.parse(request(encoded(form), path=path))
            assert isinstance(event, DeliveryStatus)
            seen.append(event.outbox_id)

        fake.plays("send", calls_first(callback))
        result = await twilio.send(HELLO, SMS, key="01")
        assert isinstance(result, Accepted)
        assert seen == ["01"]

    async def test_after_close_a_send_opens_new_connections(
        self, fake: FakeTwilio, twilio: Twilio
    ) -> None:
        await twilio.send(HELLO, SMS, key="01")
        await twilio.close()
        await twilio.close()
        assert isinstance(await twilio.send(HELLO, SMS, key="02"), Accepted)

    async def test_no_number_and_no_text_reaches_the_log(
        self, fake: FakeTwilio, twilio: Twilio, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        fake.plays("send", refuses(21610))
        await twilio.send(Outbound(text="private words"), SMS, key="01")
        await twilio.look_up(HELLO, SMS, since=NOW, key="01")
        # The server that plays Twilio keeps its own access log.
        ours = [r.getMessage() for r in caplog.records if not r.name.startswith("uvicorn")]
        assert not [line for line in ours if "private" in line or "27820000001" in line]


class TestLookUp:
    SINCE = datetime(2026, 11, 22, 10, 0, 0, 400_000, tzinfo=UTC)

    async def found(self, twilio: Twilio, message: Outbound = HELLO) -> str:
        answer = await twilio.look_up(message, SMS, since=self.SINCE, key="01")
        assert answer.known
        return answer.provider_id

    async def test_the_same_text_since_then(self, fake: FakeTwilio, twilio: Twilio) -> None:
        sid = fake.holds(to=SMS.address, body="Hello", at=self.SINCE)
        fake.holds(to=SMS.address, body="Another", at=self.SINCE)
        assert await self.found(twilio) == sid
        assert fake.calls[0].fields["DateSent>"] == "2026-11-22"

    async def test_not_an_earlier_one_nor_one_from_her(
        self, fake: FakeTwilio, twilio: Twilio
    ) -> None:
        fake.holds(to=SMS.address, body="Hello", at=self.SINCE - timedelta(minutes=1))
        fake.holds(to=SMS.address, body="Hello", at=self.SINCE, direction="inbound")
        fake.messages.append({"to": SMS.address, "direction": "outbound-api", "body": "Hello"})
        assert await self.found(twilio) == ""

    async def test_an_entry_that_is_none(self, fake: FakeTwilio, twilio: Twilio) -> None:
        fake.plays("list", Play(status=200, body={"messages": [5, None, "x"]}))
        assert await self.found(twilio) == ""

    async def test_a_message_with_buttons_as_text_or_as_content(
        self, fake: FakeTwilio, twilio: Twilio
    ) -> None:
        assert await self.found(twilio, TWO) == ""
        sid = fake.holds(to=SMS.address, body=as_text(TWO), at=self.SINCE)
        assert await self.found(twilio, TWO) == sid

    async def test_a_template_by_its_time(self, fake: FakeTwilio, twilio: Twilio) -> None:
        closed = Destination(
            channel="whatsapp", account="", address="+27820000002", window_open=False
        )
        sid = fake.holds(to="whatsapp:+27820000002", body="Twilio's words", at=self.SINCE)
        message = Outbound(text="Hello again", template="reminder")
        answer = await twilio.look_up(message, closed, since=self.SINCE, key="01")
        assert answer == Lookup(known=True, provider_id=sid)

    async def test_it_reads_on_to_the_next_pages(self) -> None:
        async with FakeTwilio(page_size=2) as fake:
            sid = fake.holds(to=SMS.address, body="Hello", at=self.SINCE)
            for n in range(5):
                fake.holds(to=SMS.address, body=f"Later {n}", at=self.SINCE)
            twilio = channel(api_url=fake.url)
            assert await self.found(twilio) == sid
            assert fake.kinds() == ["list"] * 3
            for n in range(20):
                fake.holds(to=SMS.address, body=f"Much later {n}", at=self.SINCE)
            with pytest.raises(Unreachable):
                await self.found(twilio)
            await twilio.close()

    @pytest.mark.parametrize(
        "play", [fails(500), throttled(3), Play(status=200, body="[]"), Play(status=200, body={})]
    )
    async def test_no_answer_is_not_an_absence(
        self, fake: FakeTwilio, twilio: Twilio, play: Play
    ) -> None:
        fake.plays("list", play)
        with pytest.raises(Unreachable):
            await self.found(twilio)

    async def test_nobody_there_is_not_an_absence(self) -> None:
        twilio = channel(api_url=unused_url())
        with pytest.raises(Unreachable):
            await self.found(twilio)
        await twilio.close()


class TestCodes:
    @pytest.mark.parametrize(
        ("code", "result"),
        [
            (30003, Retry(reason="handset 30003", after_s=900.0)),
            (30410, Unknown(reason="ambiguous 30410")),
            (63018, Retry(reason="rate 63018", after_s=60.0, counts=False)),
            (30007, Refused(reason="filtered 30007")),
            (21408, Refused(reason="unreachable 21408", scope="address")),
            (1, None),
        ],
    )
    def test_a_code_means_the_same_in_a_callback(
        self, code: int, result: SendResult | None
    ) -> None:
        assert verdict(code) == result

    @given(
        status=st.integers(200, 599),
        code=st.none() | st.integers(10_000, 70_000) | st.sampled_from([21610, 20429, 30410]),
    )
    def test_only_a_plain_no_is_a_refusal(self, status: int, code: int | None) -> None:
        result = failure(status, code)
        if status < 300 or status >= 500:
            assert isinstance(result, Unknown)
        elif status == 429:
            assert result == Retry(reason=f"rate {code or 429}", counts=False)
        else:
            assert not isinstance(result, Accepted)
            assert "None" not in result.reason


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, ("sms", "whatsapp")),
        ({"twilio_whatsapp_from": ""}, ("sms",)),
        ({"twilio_sms_from": ""}, ("whatsapp",)),
        ({"twilio_sms_from": "", "twilio_messaging_service_sid": "MG1"}, ("sms", "whatsapp")),
        ({"twilio_sms_from": "", "twilio_whatsapp_from": ""}, None),
        ({"twilio_auth_token": ""}, None),
        ({"twilio_account_sid": ""}, None),
    ],
)
def test_it_opens_with_what_is_configured(
    changed: dict[str, str], names: tuple[str, ...] | None
) -> None:
    values = {
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "twilio_auth_token_old": "",
        "twilio_sms_from": "+27600000001",
        "twilio_whatsapp_from": "+27600000002",
        "twilio_messaging_service_sid": "",
        "twilio_api_url": "",
        "public_base_url": BASE,
    }
    opened = open_channel(SimpleNamespace(**{**values, **changed}), CONTENTS)
    assert (opened and opened.names) == names


def test_every_error_of_ours_is_a_channel_error() -> None:
    assert all(issubclass(kind, ChannelError) for kind in (NotAuthentic, Malformed, Unreachable))
