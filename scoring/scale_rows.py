"""The rows of a scale file as its author writes them; `docs/scoring.md` explains each key."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from scoring.model import Informant
from scoring.rule_text import Code, Points, Sentence
from scoring.scale_model import Fill, Method, Sex, Verdict

Years = tuple[Annotated[int, Field(ge=0, le=120)], Annotated[int, Field(ge=0, le=120)]]
Number = tuple[Points, Points]
Start = Annotated[Decimal, Field(ge=0, le=1000, allow_inf_nan=False)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
Language = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3})?$")]
Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceRow(_Row):
    """Where a rule stands: who published it, and where it is found."""

    citation: Words
    url: Annotated[str, StringConstraints(pattern=r"^https://\S+$", max_length=200)]


class LicenceRow(_Row):
    """What may be done with the words of the scale, and how that is known."""

    verdict: Verdict
    note: Words


class ItemRow(_Row):
    """An item: its code, its answers (a list under `options`, or whole numbers)."""

    item: Code
    options: str = ""
    number: Number | None = None
    reverse: bool = False
    counts: bool = True
    when: dict[Code, list[Code]] = {}


class MissingRow(_Row):
    """What a gap counts as, how many may be, and who says so."""

    fill: Fill
    most: Annotated[int, Field(ge=0, le=100)] = 0
    parts: Literal["own", "with_whole"] = "own"
    source: Sentence


class WhenRow(_Row):
    """Whom a cut-off is for; what is left out may be anything."""

    language: Language = ""
    country: Country = ""
    ages: Years | None = None
    sex: Sex | None = None


class CutoffRow(_Row):
    """Where bands begin, for whom, and who says so."""

    id: Code
    when: WhenRow = WhenRow()
    bands: Annotated[dict[Code, Start], Field(min_length=2)]
    confirmed: bool
    source: Sentence


class PartRow(_Row):
    """A subscale."""

    items: Annotated[list[Code], Field(min_length=1)]
    most_missing: Annotated[int, Field(ge=0, le=100)] | None = None
    cutoffs: list[CutoffRow] = []


class ScaleFile(_Row):
    """A whole scale file."""

    scale: Code
    title: Sentence
    version: Sentence
    about: Literal["child", "caregiver", "household"]
    informant: Informant
    age: Years | None = None
    recall: Sentence
    method: Method
    times: Annotated[int, Field(ge=1, le=100)] = 1
    worse: Literal["high", "low"]
    source: SourceRow
    licence: LicenceRow
    notes: list[Sentence] = []
    options: dict[Code, Annotated[dict[Code, Points], Field(min_length=2)]] = {}
    items: Annotated[list[ItemRow], Field(min_length=1)]
    given_total: str = ""
    total: list[Code] = []
    parts: dict[Code, PartRow] = {}
    missing: MissingRow
    cutoffs: list[CutoffRow] = []
