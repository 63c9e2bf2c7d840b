"""The data-flow record: what leaves this machine, to whom, where to, and what stays, by class.

Made from the code: channels from their folder, columns from the schema. Countries are those of the
providers' own statements where none is chosen by contract; a site's lawyer confirms them (POPIA
s57, s72).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from flows.messages import ChannelName
from storage.rights.classes import CLASSES, DataClass, class_of
from storage.schema import KEEPING, metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A way out of this machine.

    Attributes:
        what: Which kind of message or file.
        to: The operator or third party.
        country: Where it is, as far as known.
        fields: What goes there, in words, each with its class.
        readable: Who can read it on the way and there.
        limits: What keeps it small.
    """

    what: str
    to: str
    country: str
    fields: Mapping[str, DataClass]
    readable: str
    limits: str


_TWILIO = (
    "Bodies are emptied at Twilio after we have stored them and records deleted later, where "
    "site.yaml says so (providers)."
)
_WORDS = (
    "No name of a child, no answer said back. Reminders and alerts carry a code, a level and "
    "'sign in' only."
)
CHANNELS: Mapping[ChannelName, Leaving] = {
    "sms": Leaving(
        what="SMS, both ways",
        to="Twilio, then the mobile networks",
        country="United States (Twilio's default region; another one is chosen by contract)",
        fields={
            "number": "personal",
            "text of the message": "child-sensitive",
            "time, delivery state": "personal",
        },
        readable="Twilio, every network on the way, whoever has the phone",
        limits=f"{_WORDS} Protection questions are never asked by SMS. {_TWILIO}",
    ),
    "whatsapp": Leaving(
        what="WhatsApp messages, both ways",
        to="Twilio, then Meta (WhatsApp Business Platform)",
        country="United States and wherever Meta's business platform keeps it",
        fields={
            "number or WhatsApp id": "personal",
            "text, buttons, template name": "child-sensitive",
            "time, delivery state": "personal",
        },
        readable="Twilio and Meta's business platform, whoever has the phone",
        limits=f"{_WORDS} {_TWILIO}",
    ),
    "telegram": Leaving(
        what="Telegram messages, both ways",
        to="Telegram",
        country="Not chosen by us: Telegram's servers, among them the Netherlands and others",
        fields={
            "chat id": "personal",
            "text, buttons": "child-sensitive",
            "time": "personal",
        },
        readable="Telegram (bot chats are not end-to-end encrypted), whoever has the phone",
        limits=_WORDS,
    ),
    "ussd": Leaving(
        what="USSD sessions, both ways",
        to="Africa's Talking, then the mobile networks",
        country="Kenya and wherever Africa's Talking keeps it (see the contract)",
        fields={
            "number": "personal",
            "what is keyed, what the screen shows": "child-sensitive",
            "time, network": "personal",
        },
        readable="Africa's Talking, the network (USSD is not encrypted end to end), whoever sees "
        "the screen; nothing stays on the phone",
        limits=f"{_WORDS} Protection questions are never asked by USSD. Nothing is pushed.",
    ),
}
"""Every channel that sends; a test compares it with the channels there are."""
OTHERS: tuple[Leaving, ...] = (
    Leaving(
        what="Dashboard pages",
        to="signed-in staff, over https",
        country="wherever they sit",
        fields={"what their role and schools allow": "child-sensitive"},
        readable="the reader",
        limits="policy.yaml; no-store; every read of an identity is audited.",
    ),
    Leaving(
        what="A person's own file, and lists of people to be told after a breach",
        to="a data officer, who hands it over",
        country="where she sits",
        fields={"what the decision gives": "child-sensitive"},
        readable="the data officer and who gets it",
        limits="Two proofs of herself, 24 hours, marked with her login; never sent as a message.",
    ),
    Leaving(
        what="Backups",
        to="the place the operator chooses",
        country="the operator's choice; keep it in South Africa",
        fields={"the whole database, sealed": "child-sensitive"},
        readable="nobody without the key store and the master key",
        limits="Household keys are never in it; an erased household opens in none.",
    ),
    Leaving(
        what="Logs and metrics",
        to="the operator of this machine",
        country="this machine",
        fields={"event names, counts, row ids": "internal"},
        readable="the operator",
        limits="Allow-listed fields only; canary tests.",
    ),
    Leaving(
        what="Audit heads",
        to="a file or place outside, as the operator chooses",
        country="the operator's choice",
        fields={"number of rows, signature": "internal"},
        readable="whoever has it",
        limits="Codes and hashes.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A table: what hangs on it, and its columns by class, the sealed ones apart."""

    table: str
    keeping: str
    sealed: tuple[str, ...]
    plain: Mapping[DataClass, tuple[str, ...]]


def kept() -> tuple[Kept, ...]:
    """Every table with its columns by class."""
    out = []
    for table in sorted(metadata.tables.values(), key=lambda each: each.name):
        plain: dict[DataClass, list[str]] = {}
        for column in table.columns:
            if not column.info.get("sealed"):
                plain.setdefault(class_of(table.name, column.name), []).append(column.name)
        out.append(
            Kept(
                table=table.name,
                keeping=KEEPING[table.name],
                sealed=tuple(c.name for c in table.columns if c.info.get("sealed")),
                plain={name: tuple(plain[name]) for name in CLASSES if name in plain},
            )
        )
    return tuple(out)


def document(configured: frozenset[str]) -> dict[str, object]:
    """The record as one JSON document.

    Args:
        configured: Channels this site has set up; the others are told as off.
    """
    return {
        "channels": [
            {"channel": name, "on": name in configured, **asdict(leaving)}
            for name, leaving in CHANNELS.items()
        ],
        "others": [asdict(leaving) for leaving in OTHERS],
        "kept": [asdict(each) for each in kept()],
    }


def markdown(configured: frozenset[str]) -> str:
    """The record to read and sign."""
    lines = [
        "# Data-flow record",
        "",
        "Made by `main.py privacy data-flow` from the code. Classes: "
        + ", ".join(f"`{name}`" for name in CLASSES)
        + ".",
        "",
        "## What leaves",
        "",
        "| what | to | country | fields and class | who can read it | limits |",
        "|---|---|---|---|---|---|",
    ]
    for name, leaving in CHANNELS.items():
        lines.append(_row(leaving, "" if name in configured else " (not set up here)"))
    lines += [_row(leaving, "") for leaving in OTHERS]
    lines += [
        "",
        "## What is kept",
        "",
        "| table | hangs on | sealed | plain, by class |",
        "|---|---|---|---|",
    ]
    for each in kept():
        plain = "; ".join(f"**{name}** {', '.join(cols)}" for name, cols in each.plain.items())
        lines.append(f"| `{each.table}` | {each.keeping} | {', '.join(each.sealed)} | {plain} |")
    return "\n".join(lines) + "\n"


def _row(leaving: Leaving, mark: str) -> str:
    fields = "; ".join(f"{name} (**{found}**)" for name, found in leaving.fields.items())
    cells = (leaving.to, leaving.country, fields, leaving.readable, leaving.limits)
    return f"| {leaving.what}{mark} | {' | '.join(cells)} |"
