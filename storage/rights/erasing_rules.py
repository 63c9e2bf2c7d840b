"""What becomes of each table when a household is erased: one rule a table, and why.

A table that could hold something about a family and has no rule here fails a test: nobody adds a
table without saying how it forgets.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Mark = Literal[
    "household",
    "child",
    "person",
    "gone",
    "proof",
    "address",
    "session",
    "assignment",
    "alert",
    "message",
    "provider",
    "letter",
]
"""What a row may belong to.

person: everybody who is erased; of these `proof` gave a consent, so that a row without content
stays, and `gone` did not. message, letter: rows of outbox and inbox. provider: a provider's ids.
"""

By = Mapping[str, tuple[Mark, ...]]
"""Columns, each with the marks whose ids it is compared with; any hit counts."""

ABOUT: tuple[Mark, ...] = (
    "household",
    "child",
    "person",
    "address",
    "session",
    "assignment",
    "alert",
    "message",
    "letter",
)
"""Every mark that is the id of a row: what a reference without a foreign key may point at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What becomes of one table's rows.

    Attributes:
        delete: The rows that go.
        keep: The rows that stay without content: `kept` columns as they are, `values` put in,
            and everything else that may be null made null.
        unlink: Columns made null where they name somebody erased; `unlinks` further columns that
            are made null with them.
        ground: Why something stays, in words for the certificate; empty where nothing does.
    """

    delete: By = field(default_factory=dict)
    keep: By = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    values: Callable[[datetime], Mapping[str, Any]] = lambda _at: {}
    unlink: By = field(default_factory=dict)
    unlinks: tuple[str, ...] = ()
    ground: str = ""


PROOF = "proof that consent was asked and given (POPIA s11(2)(a)): codes and times only"
TOMBSTONE = "that there was a household, and when it was erased"
LEDGER = "that it was asked and what was decided (POPIA s17): codes and times only"

RULES: Mapping[str, Rule] = {
    "households": Rule(
        keep={"id": ("household",)},
        kept=("id", "programme_id", "school_id", "created_at"),
        values=lambda at: {"erased_at": at},
        ground=TOMBSTONE,
    ),
    "children": Rule(delete={"id": ("child",)}),
    "persons": Rule(
        delete={"id": ("gone",)},
        keep={"id": ("proof",)},
        kept=("id", "programme_id", "school_id", "household_id", "kind", "created_at"),
        values=lambda _at: {"language": "und"},
        ground=PROOF,
    ),
    "person_roles": Rule(delete={"person_id": ("person",)}),
    "addresses": Rule(delete={"id": ("address",)}),
    "person_address": Rule(delete={"person_id": ("person",), "address_id": ("address",)}),
    "child_caregiver": Rule(delete={"child_id": ("child",), "person_id": ("person",)}),
    "join_codes": Rule(
        delete={"child_id": ("child",)},
        unlink={"claimed_by": ("address",)},
        unlinks=("claimed_at",),
    ),
    "consents": Rule(
        keep={"person_id": ("person",), "child_id": ("child",)},
        kept=(
            "id",
            "person_id",
            "child_id",
            "purpose",
            "granted",
            "capacity",
            "text_version",
            "text_digest",
            "partners_version",
            "language",
            "channel",
            "mode",
            "witness_id",
            "helper_id",
            "recorded_by",
            "recorded_at",
            "at",
            "withdrawn_at",
        ),
        unlink={"child_id": ("child",), "witness_id": ("person",), "helper_id": ("person",)},
        ground=PROOF,
    ),
    "child_state": Rule(delete={"child_id": ("child",)}),
    "profiles": Rule(delete={"child_id": ("child",)}),
    "alerts": Rule(delete={"id": ("alert",)}),
    "alert_events": Rule(delete={"alert_id": ("alert",)}),
    "tasks": Rule(
        delete={
            "child_id": ("child",),
            "person_id": ("person",),
            "address_id": ("address",),
            "ref": ABOUT,
        }
    ),
    "assignments": Rule(delete={"id": ("assignment",)}),
    "sessions": Rule(delete={"id": ("session",)}),
    "answers": Rule(
        delete={"session_id": ("session",), "child_id": ("child",)},
        unlink={"helper_id": ("person",)},
    ),
    "events": Rule(delete={"session_id": ("session",)}),
    "inbox": Rule(delete={"id": ("letter",)}),
    "outbox": Rule(delete={"id": ("message",)}),
    "dialogs": Rule(delete={"address_id": ("address",)}),
    "delivery_events": Rule(delete={"outbox_id": ("message",), "provider_id": ("provider",)}),
    "timers": Rule(delete={"ref": ABOUT}),
    "legal_holds": Rule(delete={"household_id": ("household",)}),
    "disputes": Rule(delete={"session_id": ("session",), "child_id": ("child",)}),
    "exports": Rule(delete={"household_id": ("household",), "person_id": ("person",)}),
    "requests": Rule(
        keep={
            "household_id": ("household",),
            "person_id": ("person",),
            "child_id": ("child",),
            "address_id": ("address",),
        },
        kept=(
            "id",
            "key",
            "kind",
            "household_id",
            "school_id",
            "way",
            "received_at",
            "due_at",
            "state",
            "identity_how",
            "identity_by",
            "identity_at",
            "decided_by",
            "second_by",
            "decided_at",
            "ground",
        ),
        ground=LEDGER,
    ),
    # Kept as they are; nothing in them is a person's own.
    "audit": Rule(ground="who did what, ids only, so that the chain still proves itself"),
    "inbox_seen": Rule(ground="keyed digests of providers' ids, so that no message counts twice"),
    "redactions": Rule(
        ground="what providers are still asked to delete: their ids, until it is done"
    ),
    "audit_heads": Rule(ground="how far the audit's chain had come, and its seals"),
    "login_prompts": Rule(ground="sign-ins of staff under way"),
    "login_attempts": Rule(ground="keyed digests of attempts to sign in"),
}
