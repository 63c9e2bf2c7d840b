"""What a site decides without code: `site.yaml`, checked when it is read.

The file that ships (`bot/site.yaml`) holds the defaults; SITE_FILE names a site's own, which may
leave out whatever it does not change.
"""

from datetime import date, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Literal

import holidays
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.launch_papers import Launch
from bot.rights.keeping import Class, Keep, check
from flows.calendar import Hours, Span

PARTNERS_CHARS = 48
"""The names of all partners in one message, with commas."""


class Strict(BaseModel):
    """Unknown keys are faults: a misspelt setting must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Quiet(Strict):
    """Hours in which we may start something, local time."""

    weekday: Span = (time(8), time(20))
    saturday: Span | None = (time(9), time(13))
    closed_on: tuple[date, ...] = ()


class Helpline(Strict):
    """A number that closes questionnaires; phone it before launch and write the day down."""

    name: str
    number: str
    verified_on: date | None = None


class Clock(Strict):
    """How long an alert of a level may wait, and how often it is sent again."""

    resend_minutes: int = Field(ge=1, le=24 * 60)


class Providers(Strict):
    """What providers may keep of messages that we have stored (docs/privacy.md)."""

    redact: bool = True
    delete_after_days: int | None = Field(default=7, ge=0, le=365)


class Site(Strict):
    """A site's decisions. `docs/operators.md` explains each."""

    programme: str = Field(min_length=2, max_length=24)
    who_calls: str = Field(min_length=2, max_length=24)
    help_phone: str = Field(default="", max_length=24)
    duty_officer: bool = False
    languages: tuple[str, ...] = ()
    quiet: Quiet = Quiet()
    helplines: tuple[Helpline, ...] = ()
    clocks: dict[Literal["urgent", "high"], Clock]
    contact_hours: int | None = Field(default=None, ge=2, le=24)
    learners_a_week: int = Field(default=5, ge=1, le=40)
    calls_staffed: bool = False
    working_days_to_call: int = Field(default=5, ge=1, le=20)
    lapse_days: int = Field(default=7, ge=1, le=60)
    request_days: int = Field(default=30, ge=1, le=60)
    request_days_confirmed_on: date | None = None
    templates: dict[str, str] = Field(default_factory=dict)
    partners: tuple[str, ...] = Field(default=("clinic", "Social Development"), min_length=1)
    same_consent: tuple[str, ...] = ()
    rules: str = "default"

    @field_validator("retention")
    @classmethod
    def _may_stand(cls, table: dict[Class, Keep]) -> dict[Class, Keep]:
        check(table)
        return table

    @field_validator("partners")
    @classmethod
    def _short_enough(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """The names stand in a message that must fit in three SMS."""
        fit = len(", ".join(names)) <= PARTNERS_CHARS
        if not fit or any("," in name or not name.strip() for name in names):
            raise ValueError(f"name them in {PARTNERS_CHARS} characters altogether, no commas")
        return names

    providers: Providers = Providers()
    launch: Launch = Launch()
    retention: dict[Class, Keep] = Field(default_factory=dict)

    def hours(self, years: tuple[int, ...]) -> Hours:
        """The calendar of this site with South Africa's public holidays of `years`."""
        public = holidays.country_holidays("ZA", years=years)
        return Hours(
            weekday=self.quiet.weekday,
            saturday=self.quiet.saturday,
            holidays=frozenset(public) | frozenset(self.quiet.closed_on),
        )

    def resend_after(self, level: str) -> timedelta:
        """The wait before an alert of this level is sent again."""
        clock = self.clocks["urgent" if level == "urgent" else "high"]
        return timedelta(minutes=clock.resend_minutes)


def read_site(path: Path | None) -> tuple[Site | None, tuple[str, ...]]:
    """The site's decisions over the shipped defaults.

    Returns:
        The site, and every problem found as `file: key: what, fix`; the site is None if any.
    """
    shipped = yaml.safe_load((files("bot") / "site.yaml").read_text(encoding="utf-8"))
    name = str(path) if path else "bot/site.yaml"
    try:
        own = yaml.safe_load(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return None, (f"{name}: cannot be read ({error}). Fix: set SITE_FILE to a YAML file.",)
    if not isinstance(own, dict | None):
        return None, (f"{name}: is not a list of settings. Fix: start from bot/site.yaml.",)
    try:
        return Site.model_validate({**shipped, **(own or {})}), ()
    except ValidationError as error:
        return None, tuple(
            f"{name}: {'.'.join(map(str, e['loc']))}: {e['msg']}. Fix: see docs/operators.md."
            for e in error.errors()
        )
