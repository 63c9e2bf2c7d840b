"""The desk of one batch: what was loaded, what is said, what will be written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec import field as msgspec_field
from sqlalchemy import Connection

from bot.content.publishing import adopt
from bot.content.spoken import lexicon_on
from bot.sending.posting import queued
from bot.turns.world import World
from flows.consent import FORM, Entry
from flows.lexicon import Lexicon
from flows.messages import (
    LIMITS,
    ChannelName,
    Inbound,
    MessageClass,
    Outbound,
    Part,
    Prompt,
)
from flows.rendering import render
from flows.routing import LOGIN_LIFE, Conversation, OpenPrompt
from flows.sessions import Session, from_json
from scoring.model import CriticalHit
from scoring.triage import AlertCall
from storage.rights.redacting import key_of
from storage.schema import outbox
from storage.talk.conversations import (
    AddressRow,
    AssignmentRow,
    ChildRow,
    PersonRow,
    SessionRow,
)
from storage.talk.joining import JoinRow
from storage.talk.leases import lease_columns
from storage.talk.writes import Writes

EXPIRY: dict[MessageClass, timedelta] = {
    "alert": timedelta(hours=24),
    "safety": timedelta(hours=24),
    "reply": timedelta(hours=24),
    "notice": timedelta(hours=48),
    "invitation": timedelta(hours=72),
    "reminder": timedelta(hours=24),
}


class Letter(Struct, frozen=True, kw_only=True):
    """An inbound message on its way through a batch.

    Attributes:
        inbound: What arrived.
        blind: Blind index of (channel, account, address).
        digest: Keyed digest of the provider's id.
        inbox_id: Row id; for a stored message that is tried again, the row it stands in.
        again: How often it was tried before; None on its first way.
    """

    inbound: Inbound
    blind: str
    digest: str
    inbox_id: str
    again: int | None = None


class Live(Struct):
    """A session in hand: its row and its value; `fresh` until its row is first written.

    `key` seals what is said in it: the household's, or a stranger's own from its start to its end.
    """

    row: SessionRow
    session: Session
    key: str
    fresh: bool = False


class Spoken(Struct, frozen=True, kw_only=True):
    """What a helper is to read to her: its parts, and the questionnaire they belong to."""

    parts: tuple[Part, ...]
    session: Session | None


class Sender(Struct, kw_only=True):
    """Who wrote: her address, who she is if known, the questionnaire she is in.

    `aloud`: a helper enters her answers; nothing is sent to her, what is said is kept here.
    `moved`: what she sent took her a step further. `muted`: it is acted upon and not answered.
    `for_staff`: it waits in the inbox that staff read.
    """

    letter: Letter
    address: AddressRow
    person: PersonRow | None = None
    live: Live | None = None
    staff_alerts: tuple[tuple[str, str], ...] = ()
    said: int = 0
    moved: bool = False
    muted: bool = False
    for_staff: bool = False
    aloud: list[Spoken] | None = None
    texts: list[str] = msgspec_field(default_factory=list)

    @property
    def language(self) -> str:
        """What she reads: as a person, else as her address was left."""
        return self.person.language if self.person else self.address.language

    @property
    def channel(self) -> ChannelName:
        """The channel she wrote on."""
        return self.letter.inbound.channel

    def conversation(self) -> Conversation:
        """What routing needs to know of her."""
        return Conversation(
            open_prompt=self._open_prompt(),
            session=self.live.row.id if self.live else "",
            joining=self._is_joining(),
            staff=self.person is not None and self.person.kind == "staff",
            opted_out=self.address.opted_out_at is not None,
            login=self._login(),
        )

    def _is_joining(self) -> bool:
        """Whether staff invited her and she has begun to join."""
        row = self.live.row if self.live else None
        return row is not None and row.form_id == FORM and row.assignment_id is not None

    def _login(self) -> str:
        """Her sign-in that waits for its number, if nothing else was asked of her since."""
        asked = (self.address.open_prompt or {}).get("login")
        if asked is None:
            return ""
        age = self.letter.inbound.received_at - datetime.fromisoformat(asked["asked_at"])
        return str(asked["ref"]) if age <= LOGIN_LIFE else ""

    def _open_prompt(self) -> OpenPrompt | None:
        """What a digit answers: a stored prompt first; else the one alert open to her."""
        raw = self.address.open_prompt
        if raw is not None and raw["kind"] != "login":
            return OpenPrompt(
                kind=raw["kind"],
                ref=raw["ref"],
                options=tuple(raw["options"]),
                asked_at=datetime.fromisoformat(raw["asked_at"]),
            )
        if self.live is None and len(self.staff_alerts) == 1:
            return OpenPrompt(
                kind="alert",
                ref=self.staff_alerts[0][0],
                asked_at=self.letter.inbound.received_at,
            )
        return None


class Ended(Struct, frozen=True, kw_only=True):
    """A questionnaire that ended in this batch and what it needs next."""

    sender: Sender
    live: Live


@dataclass(slots=True, kw_only=True)
class Desk:
    """The state of one batch. Lives inside one transaction."""

    conn: Connection
    world: World
    now: datetime
    addresses: dict[str, AddressRow] = field(default_factory=dict)
    persons: dict[str, PersonRow] = field(default_factory=dict)
    live: dict[str, Live] = field(default_factory=dict)
    joins: dict[str, JoinRow] = field(default_factory=dict)
    children: dict[str, ChildRow] = field(default_factory=dict)
    waves: dict[str, str] = field(default_factory=dict)
    ledger: dict[str, list[Entry]] = field(default_factory=dict)
    assignments: dict[str, list[AssignmentRow]] = field(default_factory=dict)
    staff_alerts: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    touched: set[tuple[str, str]] = field(default_factory=set)
    screened: set[tuple[str, str]] = field(default_factory=set)
    critical: list[tuple[str, str, CriticalHit]] = field(default_factory=list)
    calls: list[tuple[str, str, AlertCall]] = field(default_factory=list)
    writes: Writes = field(default_factory=Writes)
    replies: dict[str, AddressRow] = field(default_factory=dict)
    me: str = ""
    count: int = 0

    def new_id(self) -> str:
        """An id for a row of this batch."""
        return self.world.new_id(self.now)

    def key_of(self, address: AddressRow) -> str:
        """The key of her household; her own while she belongs to nobody we know; else ours."""
        person = self.persons.get(address.person_id or "")
        own = address.key_id if address.person_id is None else None
        return self.world.vault.key_for(person.household_id if person else own)

    def lexicon(self, sender: Sender, version: str = "") -> Lexicon:
        """The words she reads."""
        return self.world.library.lexicon(sender.language, version)

    def open_session(self, row: SessionRow) -> Live:
        """The session of a row, unsealed once a batch."""
        live = self.live.get(row.id)
        if live is None:
            vault = self.world.vault
            text = vault.open(row.state, table="sessions", column="state", row=row.id)
            adopt(self.conn, self.world.library, row.version)
            key = vault.key_for(row.household_id) if row.person_id else key_of(row.state)
            live = self.live[row.id] = Live(row, from_json(text), key)
        return live

    def ask_menu(self, sender: Sender, kind: str, ref: str, options: Iterable[str]) -> None:
        """Remember the menu that a digit of hers will answer."""
        sender.address.open_prompt = {
            "kind": kind,
            "ref": ref,
            "options": list(options),
            "asked_at": self.now.isoformat(),
        }

    def say(self, sender: Sender, *parts: Part, live: Live | None = None) -> None:
        """Answer her: rendered now, sent after the commit."""
        if not parts or sender.muted:
            return
        session = live.session if live else None
        if sender.aloud is not None:
            sender.aloud.append(Spoken(parts=parts, session=session))
            return
        library = self.world.library
        version = session.version if session else ""
        language = session.language if session else sender.language
        lexicon = lexicon_on(library, sender.channel, language, version)
        messages = render(
            Prompt(parts=parts),
            questionnaire=library.questionnaire(version) if session else None,
            session=session,
            lexicon=lexicon,
            limits=LIMITS[sender.channel],
        )
        inbound = sender.letter.inbound
        for message in messages:
            first = sender.said == 0
            whole = _finish(message, inbound, lexicon, first=first, mark=self.world.mark_drafts)
            row = self._row(
                sender.address,
                whole,
                message_class="reply",
                key=f"{sender.letter.inbox_id}:{sender.said}",
            )
            self.writes.insert(outbox, **row | lease_columns(None, self.now))
            self.replies[row["id"]] = sender.address
            sender.texts.append(whole.text)
            sender.said += 1

    def post(
        self,
        address: AddressRow,
        message: Outbound,
        *,
        message_class: MessageClass,
        key: str,
        not_before: datetime | None = None,
    ) -> None:
        """Put a message into the outbox; a key that exists already makes it nothing."""
        row = self._row(
            address, message, message_class=message_class, key=key, not_before=not_before
        )
        self.writes.offer(outbox, **row)

    def _row(
        self,
        address: AddressRow,
        message: Outbound,
        *,
        message_class: MessageClass,
        key: str,
        not_before: datetime | None = None,
    ) -> dict[str, Any]:
        self.count += 1
        return queued(
            self.world,
            message,
            address_id=address.id,
            person_id=address.person_id,
            key=key,
            message_class=message_class,
            now=self.now,
            life=timedelta(0) if address.channel == "ussd" else EXPIRY[message_class],
            sealed_with=self.key_of(address),
            not_before=not_before,
            count=self.count - 1,
        )


def _finish(
    message: Outbound, inbound: Inbound, lexicon: Lexicon, *, first: bool, mark: bool
) -> Outbound:
    """The first answer to a tap also stops the spinner and takes the used buttons away."""
    text = f"{message.text} [draft]" if mark and lexicon.draft else message.text
    return Outbound(
        text=text,
        buttons=message.buttons,
        menu=message.menu,
        ack=inbound.ack if first else "",
        strip=inbound.shown_in if first and inbound.token else "",
    )
