"""Twilio's webhooks: recorded forms, forged signatures, broken bodies."""

# ruff: noqa: S106 - the tokens are buttons' and the tests' own

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from bot.channels import twilio_intake
from bot.channels.base import (
    WITHHELD,
    ChannelEvent,
    DeliveryStatus,
    Ignored,
    Malformed,
    NotAuthentic,
    OptOut,
    WebRequest,
)
from bot.channels.text import as_text, clean
from flows.messages import Inbound
from tests.bot.channels.twilio_samples import (
    BASE,
    HELLO,
    NOW,
    PAYLOADS,
    TWO,
    channel,
    recorded,
    request,
)
from tests.fakes.twilio import (
    TOKEN,
    encoded,
)


def sms(text: str, **more: object) -> Inbound:
    return Inbound(
        channel="sms",
        account="+27600000001",
        address="+27820000001",
        message_id="SM" + "1" * 32,
        text=text,
        received_at=NOW,
        **more,
    )


def whatsapp(**more: object) -> Inbound:
    usual = {"address": "+27820000002", "message_id": "SM" + "2" * 32}
    return Inbound(channel="whatsapp", account="+27600000002", received_at=NOW, **{**usual, **more})


def opted(*, out: bool) -> OptOut:
    return OptOut(
        channel="sms",
        account="+27600000001",
        address="+27820000001",
        message_id="SM" + "1" * 32,
        out=out,
        received_at=NOW,
    )


def status(state: str | None, raw: str, error: str = "") -> DeliveryStatus:
    return DeliveryStatus(
        provider_id="SM" + "4" * 32,
        outbox_id="0199aa",
        state=state,
        raw=raw,
        error=error,
        at=NOW,
    )


EXPECTED: dict[str, ChannelEvent] = {
    "sms-text": sms("2"),
    "sms-empty": sms(""),
    "sms-strange": sms(" 1️⃣ ja/nee +50% & ênê=\u200f1 "),
    "sms-media": sms("see", media=("image", "contact")),
    "sms-optout-stop": opted(out=True),
    "sms-optout-start": opted(out=False),
    "sms-optout-help": Ignored(kind="help"),
    "whatsapp-text": whatsapp(text="Sawubona"),
    "whatsapp-forwarded": whatsapp(text="Sawubona", forwarded=True),
    "whatsapp-button": whatsapp(token="k3f9.2", shown_in="MM" + "3" * 32),
    "whatsapp-list": whatsapp(token="k3f9.5", shown_in="MM" + "3" * 32),
    "whatsapp-no-number": whatsapp(text="1", address="ZA.45669812034"),
    "whatsapp-voice-note": whatsapp(media=("audio",)),
    "whatsapp-location": whatsapp(media=("location",)),
    "rcs-text": Ignored(kind="channel"),
    "status-delivered": status("delivered", "delivered"),
    "status-undelivered": status("failed", "undelivered", "handset 30003"),
    "status-read": status("read", "read"),
    "status-new-word": status(None, "teleported"),
    "voice-call": Inbound(
        kind="call",
        channel="sms",
        account="+27600000001",
        address="+27820000001",
        message_id="CA" + "6" * 32,
        received_at=NOW,
    ),
}


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.form")))
def test_a_recorded_form_is_understood(name: str) -> None:
    assert channel().parse(recorded(name)) == (EXPECTED[name],)


def test_a_status_callback_without_our_path_still_counts() -> None:
    body = (PAYLOADS / "status-delivered.form").read_bytes().strip()
    (event,) = channel().parse(request(body))
    assert isinstance(event, DeliveryStatus)
    assert (event.outbox_id, event.state) == ("", "delivered")


class TestSignature:
    def test_the_old_token_is_accepted_while_rotating(self) -> None:
        body = encoded({"From": "+1", "To": "+2", "MessageSid": "SM1", "Body": ""})
        old = request(body, token="the-token-before")
        assert channel(auth_token_old="the-token-before").parse(old)
        with pytest.raises(NotAuthentic):
            channel().parse(old)

    @pytest.mark.parametrize("header", [None, "", "garbage", "é", "\ud83d", "=" * 10_000])
    def test_a_missing_or_garbage_signature_is_refused(self, header: str | None) -> None:
        headers = {} if header is None else {"x-twilio-signature": header}
        unsigned = WebRequest(path="/hooks/twilio", headers=headers, body=b"A=1", received_at=NOW)
        with pytest.raises(NotAuthentic):
            channel().parse(unsigned)

    def test_a_changed_field_or_path_is_refused(self) -> None:
        good = recorded("sms-text")
        forged = good.body.replace(b"Body=2", b"Body=3")
        for path, body in ((good.path, forged), ("/hooks/twilio/voice", good.body)):
            with pytest.raises(NotAuthentic):
                channel().parse(
                    WebRequest(path=path, headers=good.headers, body=body, received_at=NOW)
                )

    def test_an_empty_old_token_opens_nothing(self) -> None:
        body = encoded({"From": "+1", "To": "+2", "MessageSid": "SM1"})
        with pytest.raises(NotAuthentic):
            channel(auth_token_old="").parse(request(body, token=""))

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ("https://bot.example.org", "https://bot.example.org:443"),
            ("https://bot.example.org/", "https://bot.example.org"),
            ("https://bot.example.org:8443", "https://bot.example.org"),
            ("http://127.0.0.1", "http://127.0.0.1:80"),
            ("https://bot.example.org/base", "https://bot.example.org/base"),
        ],
    )
    def test_the_base_is_signed_with_or_without_its_port(self, ours: str, theirs: str) -> None:
        body = encoded({"From": "+1", "To": "+2", "MessageSid": "SM1", "Body": "hi"})
        assert channel(public_base_url=ours).parse(request(body, base=theirs))

    @given(
        pairs=st.lists(
            st.tuples(
                st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
                st.text(st.characters(codec="utf-8"), max_size=12),
            ),
            max_size=8,
        )
    )
    def test_it_is_the_sdks_signature(self, pairs: list[tuple[str, str]]) -> None:
        oracle = RequestValidator(TOKEN)
        body = encoded(pairs)
        read = twilio_intake.fields(body)
        ours = twilio_intake.signature(f"{BASE}/hooks/twilio", read, TOKEN)
        assert oracle.validate(f"{BASE}/hooks/twilio", ImmutableMultiDict(pairs), ours)

    @given(body=st.binary(max_size=60) | st.text("a=&+%4 é", max_size=30).map(str.encode))
    def test_fields_are_what_the_library_reads(self, body: bytes) -> None:
        text = body.decode("utf-8", "surrogateescape")
        assert twilio_intake.fields(body) == parse_qsl(
            text, keep_blank_values=True, errors="surrogateescape"
        )

    def test_bytes_that_are_no_utf8_are_signed_as_sent_and_cleaned_after(self) -> None:
        body = b"From=%2B1&To=%2B2&MessageSid=SM1&Body=a%FF%ED%A0%BDb%00c"
        pairs = twilio_intake.fields(body)
        header = twilio_intake.signature(f"{BASE}/hooks/twilio", pairs, TOKEN)
        (event,) = channel().parse(
            WebRequest(
                path="/hooks/twilio",
                headers={"x-twilio-signature": header},
                body=body,
                received_at=NOW,
            )
        )
        assert isinstance(event, Inbound)
        assert event.text == "a" + "\ufffd" * 4 + "bc"


class TestMalformed:
    @pytest.mark.parametrize("missing", ["From", "To", "MessageSid"])
    def test_a_message_without_what_names_it(self, missing: str) -> None:
        form = {"From": "+1", "To": "+2", "MessageSid": "SM1", "Body": "1"}
        with pytest.raises(Malformed, match=missing):
            channel().parse(request(encoded(form | {missing: " "})))

    def test_a_prefix_without_a_person(self) -> None:
        form = {"From": "whatsapp:", "To": "whatsapp:+2", "MessageSid": "SM1"}
        with pytest.raises(Malformed):
            channel().parse(request(encoded(form)))

    @pytest.mark.parametrize("path", ["/hooks/twilio/status/", "/hooks/twilio/status/a/b", "/x"])
    def test_a_path_that_is_none(self, path: str) -> None:
        with pytest.raises(Malformed):
            channel().parse(request(b"MessageSid=SM1&MessageStatus=sent", path=path))

    @pytest.mark.parametrize("body", [b"a=" + b"x" * 300_000, b"a=1&" * 600])
    def test_a_form_too_large(self, body: bytes) -> None:
        large = WebRequest(
            path="/hooks/twilio", headers={"x-twilio-signature": "x"}, body=body, received_at=NOW
        )
        with pytest.raises(Malformed):
            channel().parse(large)

    @pytest.mark.parametrize("count", ["", "-1", "many", "²", "999999999999"])
    def test_a_strange_media_count_is_no_error(self, count: str) -> None:
        form = {"From": "+1", "To": "+2", "MessageSid": "SM1", "NumMedia": count}
        (event,) = channel().parse(request(encoded(form)))
        assert isinstance(event, Inbound)
        assert len(event.media) <= 10

    @given(body=st.binary(max_size=200))
    def test_any_signed_body_is_events_or_malformed(self, body: bytes) -> None:
        pairs = twilio_intake.fields(body)
        header = twilio_intake.signature(f"{BASE}/hooks/twilio", pairs, TOKEN)
        whole = WebRequest(
            path="/hooks/twilio",
            headers={"x-twilio-signature": header},
            body=body,
            received_at=NOW,
        )
        try:
            events = channel().parse(whole)
        except Malformed:
            return
        assert len(events) == 1


def call(**form: str) -> ChannelEvent:
    usual = {"CallSid": "CA1", "From": "+27820000001", "To": "+27600000001"}
    (event,) = channel().parse(request(encoded({**usual, **form}), path="/hooks/twilio/voice"))
    return event


@pytest.mark.parametrize(
    "caller",
    [
        "",
        "anonymous",
        "Restricted",
        "+266696687",
        "+7378742833",
        "+86282452253",
        "+123",
        "116",
        "sip:a@example.org",
        "client:amina",
        "whatsapp:+27820000001",
        "+2782000000100000",
    ],
)
def test_a_call_that_names_nobody_is_only_counted(caller: str) -> None:
    assert call(From=caller) == Ignored(kind=WITHHELD)


@pytest.mark.parametrize("missing", ["CallSid", "To"])
def test_a_call_is_never_malformed(missing: str) -> None:
    assert call(**{missing: ""}) == Ignored(kind=WITHHELD)


def test_a_call_is_passed_over_where_no_sms_can_be_sent() -> None:
    body = encoded({"CallSid": "CA1", "From": "+27820000001", "To": "+27600000002"})
    asked = request(body, path="/hooks/twilio/voice")
    assert channel(sms_from="").parse(asked) == (Ignored(kind="voice"),)


def test_the_answer_to_each_path_says_nothing_to_the_person() -> None:
    twilio = channel()
    message = twilio.answer(recorded("sms-text"))
    assert (message.status, message.content_type) == (200, "text/xml")
    assert message.body == b"<Response/>"
    assert twilio.answer(recorded("status-read")).status == 204
    assert twilio.answer(recorded("voice-call")).body == b"<Response><Reject/></Response>"


@given(text=st.text(st.characters()))
def test_cleaned_text_can_be_stored_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    assert "\0" not in cleaned
    assert cleaned.encode().decode() == clean(cleaned)


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_whole_text_is_left_as_it_is(text: str) -> None:
    assert clean(text) == text


def test_buttons_become_numbered_lines() -> None:
    assert as_text(TWO) == "Well?\n1 Yes\n2 No"
    assert as_text(HELLO) == "Hello"
