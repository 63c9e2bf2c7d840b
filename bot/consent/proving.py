"""How staff learnt of a word on consent, and what would prove it later, by the way it was given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.consent.consent_people import ConsentError, witnessed_by
from bot.turns.world import World

MODES = ("paper", "thumbprint", "in_person", "phone")
NEEDS: Mapping[str, tuple[str, ...]] = {
    "paper": ("kept_at",),
    "thumbprint": ("witness", "witness_role", "kept_at"),
    "in_person": ("witness", "witness_role"),
    "phone": ("recording",),
}
"""What proves a word by its mode: without it nothing is written down."""
ELSEWHERE: Mapping[str, str] = {
    "paper": "recording",
    "thumbprint": "recording",
    "in_person": "recording",
    "phone": "kept_at",
}
"""What belongs to another mode: one of the two is a slip."""
FIXES: Mapping[str, str] = {
    "kept_at": "--kept-at: where the paper lies, e.g. 'school safe, folder 3'",
    "recording": "--recording: the number or name of the recording of the call",
    "witness": "--witness: who saw it, a name or the address of a colleague",
    "witness_role": "--witness-role: what the witness is, e.g. neighbour or school clerk",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How staff learnt of a word on consent.

    Attributes:
        mode: paper, thumbprint, in_person or phone.
        at: When she said it (aware).
        witness: An address or a name; empty for none.
        witness_role: What the witness is to her; empty where it is a colleague we know.
        kept_at: Where the paper lies; empty for none.
        recording: How the recording of the call is called; empty for none.
        helper: Address of somebody we know who helped her; empty for none.
        by: Address of who writes it down; empty for the operator.
    """

    mode: str
    at: datetime
    witness: str = ""
    witness_role: str = ""
    kept_at: str = ""
    recording: str = ""
    helper: str = ""
    by: str = ""


def check_mode(told: Told) -> None:
    """Raises ConsentError for a mode that is none."""
    if told.mode not in MODES:
        raise ConsentError(f"--mode: write {', '.join(MODES[:-1])} or {MODES[-1]}.")


def check_proof(conn: Connection, world: World, told: Told) -> None:
    """Refuse a word that nothing would prove later; all that is missing is said at once.

    Raises:
        ConsentError: Something is missing, or belongs to another mode.
    """
    check_mode(told)
    seen_by, _ = witnessed_by(conn, told.witness, vault=world.vault, accounts=world.accounts)
    has = {
        "kept_at": told.kept_at,
        "recording": told.recording,
        "witness": told.witness,
        "witness_role": told.witness_role or seen_by,  # what a colleague is, we know
    }
    missing = [FIXES[name] for name in NEEDS[told.mode] if not has[name]]
    if missing:
        way = told.mode.replace("_", " ")
        raise ConsentError(f"Consent by {way} needs a proof. Please add {'; '.join(missing)}.")
    odd = ELSEWHERE[told.mode]
    if has[odd]:
        raise ConsentError(
            f"{FIXES[odd].partition(':')[0]} does not go with --mode {told.mode}. "
            "Fix: leave it out, or choose the mode it belongs to."
        )
