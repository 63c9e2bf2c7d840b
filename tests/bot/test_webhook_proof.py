"""No header makes a stranger's request the provider's: the proof covers PUBLIC_BASE_URL alone.

Everything here goes over HTTP to a running bot. What is refused leaves nothing behind.
"""

import json

import httpx
import pytest
from sqlalchemy import func, select

from storage.schema import delivery_events, inbox, inbox_seen, outbox
from tests.fakes import telegram as fake_telegram
from tests.fakes import twilio as fake_twilio
from tests.live import SMS, Live, sms_request, telegram_request, twilio_request

AMINA = "+27820000001"
ELSEWHERE = "https://evil.example.org"
FORM = {"MessageSid": "SM1", "From": AMINA, "To": SMS, "Body": "hi", "NumMedia": "0"}
UPDATE = {
    "update_id": 1,
    "message": {"message_id": 1, "chat": {"id": 77, "type": "private"}, "text": "hi"},
}
SIGNATURE, SECRET = "x-twilio-signature", "x-telegram-bot-api-secret-token"
TRICKS = [
    {"host": "evil.example.org"},
    {"x-forwarded-host": "evil.example.org", "x-forwarded-proto": "https"},
    {"x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1"},
    {"forwarded": "for=127.0.0.1;host=evil.example.org;proto=https"},
    {"x-forwarded-prefix": "/hooks/telegram", "x-forwarded-uri": "/healthz"},
    {"x-original-url": "/healthz"},
    {"x-rewrite-url": "/healthz"},
    {"x-http-method-override": "GET", "x-method-override": "GET"},
    {"authorization": f"Basic {fake_twilio.ACCOUNT}"},
    {"user-agent": "TwilioProxy/1.1", "i-twilio-idempotency-token": "x"},
    {"x-twilio-signature-valid": "true", "x-authenticated": "1"},
    {"content-type": "application/json"},
    {"content-type": "multipart/form-data; boundary=x"},
    {"content-type": "application/x-www-form-urlencoded; charset=utf-16"},
    {"content-encoding": "identity", "transfer-coding": "chunked"},
]


async def untouched(town: Live) -> bool:
    """Nothing was stored and nobody was written to."""
    await town.bot.settle()
    for table in (inbox, inbox_seen, outbox, delivery_events):
        ((count,),) = await town.rows(select(func.count()).select_from(table))
        if count:
            return False
    return town.twilio.sent == [] and town.telegram.sent == []


async def posts(town: Live, path: str, body: bytes, headers: object) -> httpx.Response:
    return await town.client.post(path, content=body, headers=headers)  # type: ignore[arg-type]


async def test_no_header_stands_for_twilios_signature(town: Live) -> None:
    body = fake_twilio.encoded(FORM)
    base = {"content-type": "application/x-www-form-urlencoded"}
    for trick in TRICKS:
        for signature in ({}, {SIGNATURE: ""}, {SIGNATURE: "A" * 28}):
            answer = await posts(town, "/hooks/twilio", body, {**base, **signature, **trick})
            assert (answer.status_code, answer.content) == (403, b"not authentic"), trick
    assert await untouched(town)


async def test_no_header_stands_for_telegrams_secret(town: Live) -> None:
    body = json.dumps(UPDATE).encode()
    for trick in TRICKS:
        for secret in ({}, {SECRET: ""}, {SECRET: fake_telegram.SECRET[:-1]}):
            answer = await posts(town, "/hooks/telegram", body, {**secret, **trick})
            assert (answer.status_code, answer.content) == (403, b"not authentic"), trick
    assert await untouched(town)


async def test_no_header_takes_a_true_proof_away(town: Live) -> None:
    for number, trick in enumerate(TRICKS, 1):
        chat, phone = 700 + number, f"+2782000{number:04d}"
        path, headers, body = sms_request(town.base, phone, "hi", f"SM{number}")
        assert (await posts(town, path, body, {**headers, **trick})).status_code == 200, trick
        person = {"chat": {"id": chat, "type": "private"}, "message_id": 1, "text": "hi"}
        path, headers, body = telegram_request({"update_id": number, "message": person})
        assert (await posts(town, path, body, {**headers, **trick})).status_code == 200, trick
        await town.bot.settle()
        assert len(town.heard(phone)) == len(town.chats(str(chat))) == 1


async def test_a_signature_for_another_address_is_refused_whatever_the_headers_say(
    town: Live,
) -> None:
    path, signed, body = twilio_request(ELSEWHERE, "/hooks/twilio", FORM)
    for trick in (*TRICKS, {"x-original-url": f"{ELSEWHERE}/hooks/twilio"}):
        assert (await posts(town, path, body, {**signed, **trick})).status_code == 403, trick
    assert await untouched(town)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_two_wrong_proofs_are_not_one_right_one(town: Live, order: tuple[int, int]) -> None:
    good = fake_twilio.signed(f"{town.base}/hooks/twilio", FORM, fake_twilio.TOKEN)
    halves = [good[:14], good[14:]]
    headers = [(SIGNATURE, halves[n]) for n in order]
    body = fake_twilio.encoded(FORM)
    assert (await posts(town, "/hooks/twilio", body, headers)).status_code == 403
    secret = fake_telegram.SECRET
    twice = [(SECRET, [secret[:5], secret[5:]][n]) for n in order]
    update = json.dumps(UPDATE).encode()
    assert (await posts(town, "/hooks/telegram", update, twice)).status_code == 403
    both = [(SIGNATURE, f"{halves[0]},{halves[1]}")]
    assert (await posts(town, "/hooks/twilio", body, both)).status_code == 403
    assert await untouched(town)


async def test_a_proof_belongs_to_its_path_and_its_form(town: Live) -> None:
    _, headers, body = sms_request(town.base, AMINA, "hi", "SM1")
    for path in ("/hooks/twilio/voice", "/hooks/twilio/status/" + "0" * 32, "/hooks/twilio/status"):
        answer = await posts(town, path, body, {**headers, "x-original-url": "/hooks/twilio"})
        assert answer.status_code in (403, 404)
    other = fake_twilio.encoded({**FORM, "Body": "STOP"})
    assert (await posts(town, "/hooks/twilio", other, headers)).status_code == 403
    more = body + b"&OptOutType=STOP"
    assert (await posts(town, "/hooks/twilio", more, headers)).status_code == 403
    assert await untouched(town)


@pytest.mark.parametrize("place", ["query", "cookie", "body", "authorization", "underscores"])
async def test_telegrams_secret_counts_in_its_own_header_alone(town: Live, place: str) -> None:
    secret, headers, path = fake_telegram.SECRET, {}, "/hooks/telegram"
    update: dict[str, object] = {**UPDATE}
    match place:
        case "query":
            path += f"?secret_token={secret}&{SECRET}={secret}"
        case "cookie":
            headers = {"cookie": f"{SECRET}={secret}"}
        case "body":
            update["secret_token"] = update[SECRET] = secret
        case "authorization":
            headers = {"authorization": f"Bearer {secret}"}
        case _:
            headers = {SECRET.replace("-", "_"): secret}
    answer = await posts(town, path, json.dumps(update).encode(), headers)
    assert answer.status_code == 403
    assert await untouched(town)


async def test_a_method_is_what_it_is(town: Live) -> None:
    path, headers, body = sms_request(town.base, AMINA, "hi", "SM1")
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for header in ("x-http-method-override", "x-method-override", "x-http-method"):
            told = {**headers, header: "POST"}
            answer = await town.client.request(method, path, content=body, headers=told)
            assert answer.status_code == 405, (method, header)
    assert await untouched(town)


async def test_a_field_in_the_query_is_no_field_of_the_form(town: Live) -> None:
    path, headers, body = sms_request(town.base, AMINA, "hi", "SM1")
    answer = await posts(town, f"{path}?Body=STOP&From=%2B27820000009", body, headers)
    assert answer.status_code == 200
    await town.bot.settle()
    assert {form["To"] for form in town.twilio.sent} == {AMINA}
