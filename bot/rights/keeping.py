"""How long each class of record is kept: `retention` in `site.yaml`, over defaults of ours.

A class about the machine room ends by itself. A class about children ends only where somebody has
signed for it, in its own line or for the whole table (`launch.retention_table`): our days are a
proposal, and what a project must keep, and may not, is for its own lawyer and funder.

Source: POPIA s14 (no longer than needed; long enough to answer who asks about a decision).
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Class = Literal[
    "strangers",
    "receipts",
    "letters",
    "messages",
    "journals",
    "timers",
    "tasks",
    "codes",
    "sign_ins",
    "files",
    "requests",
    "assessments",
    "departed",
    "proof",
    "audit",
]
CLASSES: tuple[Class, ...] = get_args(Class)

ABOUT_CHILDREN: frozenset[Class] = frozenset({"assessments", "departed", "proof", "requests"})
"""Classes that end only where somebody has signed."""
FOR_EVER: frozenset[Class] = frozenset({"audit"})
"""Classes that never end."""
STRANGERS_AT_MOST = 7
"""Days a sender is remembered who agreed to nothing (DESIGN §6)."""


class Keep(BaseModel):
    """How long one class is kept.

    Attributes:
        days: After how many days it ends; None for never.
        ground: Why so long, in words.
        signed_by: Who answers for it; empty where nobody has signed this line.
        signed_on: When.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int | None = Field(default=None, ge=1, le=36500)
    ground: str = Field(min_length=2, max_length=200)
    signed_by: str = Field(default="", max_length=120)
    signed_on: date | None = None


WHAT: Mapping[Class, str] = {
    "strangers": "senders who never agreed to anything, with all they wrote: after their last word",
    "receipts": "providers' words on messages that are not ours: after they came",
    "letters": "texts people sent, once handled: the text goes, the row stays",
    "messages": "rows of messages that are final (their texts went when they became final)",
    "journals": "the steps of ended questionnaires, texts included; the answers stay",
    "timers": "reminders and clocks that are done",
    "tasks": "work of the team that is done",
    "codes": "JOIN codes that ran out unused",
    "sign_ins": "attempts to sign in, ended sessions of the dashboard, used one-time codes",
    "files": "rows of files that were made for somebody and are gone",
    "requests": "decided requests of people about their data",
    "assessments": "answers, profiles and closed alerts of a wave: after the wave closed",
    "departed": "households whose children have all left: erased whole, after the last one left",
    "proof": "what an erasure left as proof: after the erasure",
    "audit": "who did and saw what, by codes",
}
"""What each class is, and from when its days count."""

DEFAULTS: Mapping[Class, Keep] = {
    "strangers": Keep(days=7, ground="long enough to come back and agree"),
    "receipts": Keep(days=7, ground="a receipt may come before we know the message"),
    "letters": Keep(days=30, ground="to look into a misunderstanding; answers are kept apart"),
    "messages": Keep(days=180, ground="to answer what was sent, when, and whether it arrived"),
    "journals": Keep(days=90, ground="to rebuild a session after a fault"),
    "timers": Keep(days=400, ground="a key that is used up keeps a reminder from coming twice"),
    "tasks": Keep(days=400, ground="a school year, to see what was done"),
    "codes": Keep(days=30, ground="a late letter, said kindly"),
    "sign_ins": Keep(days=90, ground="to look into an intrusion"),
    "files": Keep(days=400, ground="who was given a file, and why"),
    "requests": Keep(days=1095, ground="to show how a request was answered (POPIA s23-25)"),
    "assessments": Keep(days=1825, ground="help over the school years 6 to 8, and one follow-up"),
    "departed": Keep(days=1095, ground="a child who comes back within the phase"),
    "proof": Keep(days=1095, ground="proof of consent while a claim may be brought"),
    "audit": Keep(days=None, ground="append-only: the chain proves that nothing was taken out"),
}
"""Ours, and careful; each may be changed in `site.yaml`."""


def check(own: Mapping[Class, Keep]) -> None:
    """Refuse lines that may not stand.

    Raises:
        ValueError: Strangers would stay longer than they may, or what never ends would end.
    """
    strangers = own.get("strangers", DEFAULTS["strangers"]).days
    if strangers is None or strangers > STRANGERS_AT_MOST:
        raise ValueError(f"strangers: at most {STRANGERS_AT_MOST} days, they agreed to nothing")
    for name in sorted(FOR_EVER):
        if name in own and own[name].days is not None:
            raise ValueError(f"{name}: is never deleted, days must be null")


def keeps(own: Mapping[Class, Keep]) -> dict[Class, Keep]:
    """The whole table: a site's own lines over ours."""
    return {name: own.get(name, DEFAULTS[name]) for name in CLASSES}


def may_end(name: Class, keep: Keep, *, table_signed_by: str) -> bool:
    """Whether rows of a class may be deleted by the clock, or by `retention --apply`."""
    if keep.days is None:
        return False
    return name not in ABOUT_CHILDREN or bool(keep.signed_by or table_signed_by)
