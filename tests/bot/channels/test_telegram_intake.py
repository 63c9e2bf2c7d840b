"""Telegram's webhooks: recorded updates, wrong secrets, broken bodies."""

# ruff: noqa: S106 - the tokens are buttons' and the tests' own

import json
from datetime import timedelta
from typing import Any

import pytest
import telegram as ptb
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import (
    ChannelEvent,
    Ignored,
    Malformed,
    NotAuthentic,
    OptOut,
    WebRequest,
)
from flows.messages import Inbound
from tests.bot.channels.telegram_samples import (
    NOW,
    PAYLOADS,
    SENT,
    channel,
    recorded,
    request,
    update,
)
from tests.fakes.telegram import SECRET


def said(update_id: int, **more: Any) -> Inbound:
    usual = {"message_id": f"{update_id}-41", "sent_at": SENT}
    return Inbound(
        channel="telegram",
        account="424242",
        address="700001",
        received_at=NOW,
        **{**usual, **more},
    )


def tapped(update_id: int, ack: str) -> Inbound:
    return said(
        update_id,
        message_id=f"{update_id}-tap",
        token="k3f9.2",
        ack=ack,
        shown_in="40",
        sent_at=None,
    )


EXPECTED: dict[str, ChannelEvent] = {
    "telegram-text": said(900000, text="2"),
    "telegram-forwarded": said(900016, text="2", forwarded=True),
    "telegram-start": said(900001, text="/start JOIN-7Q4K"),
    "telegram-surrogate": said(900002, text="ok \ufffd and  nul"),
    "telegram-photo": said(900003, text="my answer", media=("image",)),
    "telegram-voice": said(900004, media=("audio",)),
    "telegram-contact": said(900005, media=("contact",)),
    "telegram-unheard-of": said(900006, media=("other",)),
    "telegram-pinned": Ignored(kind="service"),
    "telegram-edited": said(
        900008, text="3", media=("edited",), sent_at=SENT + timedelta(minutes=1)
    ),
    "telegram-tap": tapped(900009, "987654321"),
    "telegram-tap-old": tapped(900010, "987654322"),
    "telegram-tap-inline": Ignored(kind="callback"),
    "telegram-group": Ignored(kind="group"),
    "telegram-blocked": OptOut(
        channel="telegram",
        account="424242",
        address="700001",
        message_id="900013-member",
        out=True,
        received_at=NOW,
    ),
    "telegram-unblocked": Ignored(kind="member"),
    "telegram-poll-answer": Ignored(kind="update"),
}


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_a_recorded_update_is_understood(name: str) -> None:
    assert channel().parse(request(recorded(name))) == (EXPECTED[name],)


@pytest.mark.parametrize(
    "name", [name for name, event in EXPECTED.items() if isinstance(event, Inbound)]
)
def test_the_library_reads_a_recorded_update_the_same(name: str) -> None:
    event = EXPECTED[name]
    oracle = ptb.Update.de_json(json.loads(recorded(name)), None)
    assert isinstance(event, Inbound)
    assert oracle.effective_chat is not None
    assert event.address == str(oracle.effective_chat.id)
    assert event.message_id.startswith(f"{oracle.update_id}-")
    query, message = oracle.callback_query, oracle.effective_message
    if query is not None and query.message is not None:
        read = (query.data, query.id, str(query.message.message_id))
        assert read == (event.token, event.ack, event.shown_in)
    else:
        assert message is not None
        assert event.sent_at == (message.edit_date or message.date)
        if "surrogate" not in name:
            assert event.text == (message.text or message.caption or "")


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
    chat=st.integers(1, 2**52),
    date=st.integers(1, 4_000_000_000),
)
def test_any_text_is_read_as_the_library_reads_it(text: str, chat: int, date: int) -> None:
    message = {
        "message_id": 5,
        "date": date,
        "chat": {"id": chat, "type": "private"},
        "text": text,
    }
    (event,) = channel().parse(update(message=message))
    oracle = ptb.Message.de_json(message, None)
    assert isinstance(event, Inbound)
    assert (event.text, event.address) == (oracle.text, str(oracle.chat.id))
    assert event.sent_at == oracle.date


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x", "é", "\ud83d"])
def test_a_wrong_secret_is_refused(secret: str) -> None:
    with pytest.raises(NotAuthentic):
        channel().parse(request(b'{"update_id": 1}', secret=secret))


def test_a_missing_header_is_refused_even_without_a_secret_of_ours() -> None:
    bare = WebRequest(path="/hooks/telegram", headers={}, body=b'{"update_id": 1}', received_at=NOW)
    for opened in (channel(), channel(secret="")):
        with pytest.raises(NotAuthentic):
            opened.parse(bare)


PRIVATE = {"id": 1, "type": "private"}
KNOWN = [
    "update_id",
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "chat",
    "id",
    "type",
    "message_id",
    "text",
    "date",
    "data",
    "new_chat_member",
    "status",
]


class TestMalformed:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"x"',
            b"{}",
            b'{"update_id": true}',
            b'{"update_id": "7"}',
            b"\xff\xfe\x00",
            b"[" * 100_000,
            b'{"update_id": ' + b"9" * 5000 + b"}",
            b'{"update_id": 1, "x": "' + b"x" * 300_000 + b'"}',
        ],
    )
    def test_what_is_no_update(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            channel().parse(request(body))

    @pytest.mark.parametrize(
        "parts",
        [
            {"message": 5},
            {"message": {"message_id": 1}},
            {"message": {"chat": PRIVATE, "text": "x"}},
            {"message": {"chat": {"type": "private"}, "message_id": 1, "text": "x"}},
            {"edited_message": None},
            {"callback_query": []},
            {"callback_query": {"data": "x", "message": {}}},
            {"my_chat_member": {"chat": PRIVATE}},
        ],
    )
    def test_an_update_without_its_parts(self, parts: dict[str, Any]) -> None:
        with pytest.raises(Malformed):
            channel().parse(update(**parts))

    def test_another_path(self) -> None:
        with pytest.raises(Malformed):
            channel().parse(request(b'{"update_id": 1}', path="/hooks/twilio"))

    @pytest.mark.parametrize(
        "parts",
        [
            {"callback_query": {"id": "1", "data": "x", "message": {"chat": {"type": "group"}}}},
            {"my_chat_member": {"chat": {"type": "channel"}}},
        ],
    )
    def test_only_private_chats_count(self, parts: dict[str, Any]) -> None:
        assert channel().parse(update(**parts)) == (Ignored(kind="group"),)

    @pytest.mark.parametrize("date", [None, 0, -5, "x", 10**30, 1.5])
    def test_a_strange_date_is_no_date(self, date: object) -> None:
        message = {"chat": PRIVATE, "message_id": 1, "text": "x", "date": date}
        (event,) = channel().parse(update(message=message))
        assert isinstance(event, Inbound)
        assert event.sent_at is None

    @given(body=st.binary(max_size=200))
    def test_any_bytes_are_events_or_malformed(self, body: bytes) -> None:
        parsed_or_malformed(body)

    @given(
        whole=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(KNOWN) | st.text(max_size=5),
                    inner | st.just("private"),
                    max_size=6,
                )
            ),
            max_leaves=25,
        )
    )
    def test_any_json_is_events_or_malformed(self, whole: object) -> None:
        parsed_or_malformed(json.dumps(whole).encode())
        if isinstance(whole, dict):
            parsed_or_malformed(json.dumps({**whole, "update_id": 1}).encode())


def parsed_or_malformed(body: bytes) -> None:
    try:
        events = channel().parse(request(body))
    except Malformed:
        return
    assert len(events) == 1


def test_the_answer_is_an_empty_200() -> None:
    answer = channel().answer(request(b""))
    assert (answer.status, answer.body) == (200, b"")
