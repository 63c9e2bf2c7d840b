"""What `site.yaml` says under `launch:`: who recorded what, when, in which document.

The program does not know the law, and claims nothing about it: it asks that somebody with a name
took a position, and keeps where that position is written.
"""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class Paper(BaseModel):
    """Somebody's word: her name, the day, and the document it is in (a file, a shelf mark)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=2, max_length=120)
    on: date
    document: str = Field(min_length=2, max_length=200)


class LegalGround(Paper):
    """The position on a child's data (s34-35), on prior authorisation (s57), on abroad (s72)."""

    ground: str = Field(min_length=2, max_length=400)
    s57: str = Field(min_length=2, max_length=400)
    s72: str = Field(min_length=2, max_length=400)


class Agreement(Paper):
    """A written contract with an operator: twilio, whatsapp, telegram, africastalking, hosting."""

    operator: str = Field(min_length=2, max_length=60)


class ConsentText(Paper):
    """Who approved the words of consent; `digest` is what `doctor --live` prints for them."""

    digest: str = Field(min_length=16, max_length=64)


class CrisisWords(Paper):
    """Who approved the lists of crisis words; `digest` is what `doctor --live` prints for them."""

    digest: str = Field(min_length=16, max_length=64)


class Ethics(Paper):
    """An approval, or the recorded position that this is no research."""

    research: bool
    committee: str = ""
    number: str = ""
    valid_until: date | None = None


class LanguageApproval(Paper):
    """Who read a language's texts, and speaks it."""

    language: str = Field(min_length=2, max_length=20)


class Launch(BaseModel):
    """Everything that must be on record before the first real family is written to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    information_officer: Paper | None = None
    legal_ground: LegalGround | None = None
    operator_agreements: tuple[Agreement, ...] = ()
    consent_text: ConsentText | None = None
    retention_table: Paper | None = None
    ethics: Ethics | None = None
    cover_roster: Paper | None = None
    helplines: Paper | None = None
    crisis_words: CrisisWords | None = None
    languages: tuple[LanguageApproval, ...] = ()
    restored_backup: Paper | None = None
