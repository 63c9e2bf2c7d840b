"""Messages as JSON."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.sending.envelopes import dump_inbound, dump_outbound, load_inbound, load_outbound
from flows.messages import Button, Inbound, Outbound
from flows.replies import clean

AT = datetime(2026, 2, 2, 9, tzinfo=UTC)
WORDS = st.text(max_size=30)


@given(
    text=WORDS,
    buttons=st.lists(st.builds(Button, title=WORDS, token=WORDS), max_size=3).map(tuple),
    menu=WORDS,
    ack=WORDS,
    strip=WORDS,
    template=WORDS,
)
def test_an_outbound_comes_back_as_it_was(**parts: object) -> None:
    message = Outbound(**parts)  # type: ignore[arg-type]
    assert load_outbound(dump_outbound(message)) == message


@given(
    text=WORDS,
    token=WORDS,
    media=st.lists(WORDS, max_size=2).map(tuple),
    ack=WORDS,
    shown_in=WORDS,
    sent_at=st.none() | st.just(AT),
)
def test_an_inbound_comes_back_with_its_text_made_safe(text: str, **parts: object) -> None:
    message = Inbound(
        channel="sms",
        account="+2711",
        address="+2782",
        message_id="m",
        received_at=AT,
        text=text,
        **parts,  # type: ignore[arg-type]
    )
    found = load_inbound(dump_inbound(message))
    assert found.text == clean(text)
    assert {f: getattr(found, f) for f in parts} == parts
    assert found.address == "+2782"
