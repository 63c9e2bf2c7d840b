"""The launch gate: no real family is invited until what must be on record is on record.

Each gap says what is missing and how to close it. The gate is looked at each time invitations would
go out, so one that falls due again (a helpline not phoned for a quarter, an approval that ran out)
closes it again; invitations wait, and go out when it opens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from bot.content.entries import SOURCE_LANGUAGE
from bot.content.library import Library
from bot.launch_papers import Ethics, Launch, Paper
from bot.site import Site
from flows.crisis import CRISIS, KEY
from flows.messages import ChannelName
from storage.kept import kept_since

if TYPE_CHECKING:
    from bot.turns.world import World

FRESH = timedelta(days=90)
"""A helpline's call and a restored backup may be no older."""
RESTORED = "restored_backup"
"""The kept fact that a restore drill writes."""
GATE = "launch_gate"
"""The kept fact of how the gate stood when it last changed, and how many invitations waited."""
OPERATORS: Mapping[ChannelName, tuple[str, ...]] = {
    "sms": ("twilio",),
    "whatsapp": ("twilio", "whatsapp"),
    "telegram": ("telegram",),
    "ussd": ("africastalking",),
}
HOSTING = "hosting"
"""Where the machine stands; on a machine of one's own the document says so."""
WRITE = "Write name, on and document into site.yaml under launch:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing of the gate: `fix` is empty where it is on record."""

    name: str
    found: str
    fix: str = ""

    @property
    def good(self) -> bool:
        """Whether it is on record."""
        return not self.fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the gate looks at.

    Attributes:
        site: The site's decisions; papers and helplines are in it.
        library: Which languages are offered, which words consent is asked with.
        channels: The channels in use.
        restored_at: When a backup was last restored as a drill.
        today: The local date.
    """

    site: Site
    library: Library
    channels: Collection[ChannelName]
    restored_at: datetime | None
    today: date


Gate = Callable[[Connection, "World", datetime], Sequence[Item]]
"""What is missing now; nothing where invitations may go out."""


def gate(conn: Connection, world: World, now: datetime) -> Sequence[Item]:
    """What is missing at a live site."""
    return [item for item in items(standing(conn, world, now)) if not item.good]


def always_open(_conn: Connection, _world: World, _now: datetime) -> Sequence[Item]:
    """The gate of the demo, whose families are made up."""
    return ()


def standing(conn: Connection, world: World, now: datetime) -> Standing:
    """What the gate looks at, of a running bot."""
    return Standing(
        site=world.site,
        library=world.library,
        channels=tuple(world.accounts),
        restored_at=kept_since(conn, RESTORED),
        today=now.astimezone(world.zone).date(),
    )


def items(at: Standing) -> list[Item]:
    """Everything the gate asks for, in the order of the issue of a launch."""
    papers = at.site.launch
    return [
        _paper("information_officer", "The information officer", papers.information_officer, at),
        _legal(papers, at),
        _operators(papers, at),
        _consent(papers, at),
        _paper("retention_table", "The retention table", papers.retention_table, at),
        _ethics(papers.ethics, at),
        _paper("cover_roster", "The cover roster", papers.cover_roster, at),
        _helplines(papers, at),
        _crisis_words(papers, at),
        _languages(papers, at),
        _restored(papers, at),
    ]


def consent_digest(library: Library) -> str:
    """What tells the words of consent in the offered languages from any other words."""
    words = sorted(
        (language, purpose, mark)
        for (language, purpose), mark in library.consent_words().items()
        if language in library.offered
    )
    return sha256(repr(words).encode()).hexdigest()[:16]


def crisis_digest(library: Library) -> str:
    """What tells the crisis words in English and the offered languages from any other lists."""
    lists = {SOURCE_LANGUAGE: CRISIS[KEY]}
    lists |= {tag: library.lexicons[tag].phrases[KEY] for tag in library.offered}
    return sha256(repr(sorted(lists.items())).encode()).hexdigest()[:16]


def _said(what: str, paper: Paper) -> str:
    return f"{what}: position recorded by {paper.name} on {paper.on} in {paper.document}."


def _missing(name: str, what: str, fix: str = "") -> Item:
    return Item(name=name, found=f"{what}: nothing is on record.", fix=fix or f"{WRITE} {name}.")


def _faulty(paper: Paper, at: Standing) -> str:
    """Why a paper does not count, empty where it does."""
    return f"is dated {paper.on}, which is still to come" if paper.on > at.today else ""


def _paper(name: str, what: str, paper: Paper | None, at: Standing) -> Item:
    if paper is None:
        return _missing(name, what)
    fault = _faulty(paper, at)
    if fault:
        return Item(name=name, found=f"{what} {fault}.", fix="Write the day it was recorded.")
    return Item(name=name, found=_said(what, paper))


def _legal(papers: Launch, at: Standing) -> Item:
    name, what = "legal_ground", "Legal ground, s57 and s72"
    if papers.legal_ground is None:
        return _missing(name, what, f"{WRITE} {name}, with ground, s57 and s72.")
    return _paper(name, what, papers.legal_ground, at)


def _operators(papers: Launch, at: Standing) -> Item:
    name, what = "operator_agreements", "Operator agreements"
    used = {operator for channel in at.channels for operator in OPERATORS[channel]} | {HOSTING}
    good = {a.operator.lower() for a in papers.operator_agreements if not _faulty(a, at)}
    lacking = sorted(used - good)
    if lacking:
        found = f"{what}: none on record with {', '.join(lacking)}."
        return Item(name=name, found=found, fix=f"{WRITE} {name}, one for each operator.")
    return Item(name=name, found=f"{what}: on record with {', '.join(sorted(used))}.")


def _consent(papers: Launch, at: Standing) -> Item:
    name, what = "consent_text", "Consent text"
    wanted = consent_digest(at.library)
    paper = papers.consent_text
    if paper is None:
        return _missing(name, what, f"Have it approved; {WRITE} {name}, with digest: {wanted}")
    if paper.digest != wanted:
        found = f"{what}: {paper.name} approved other words ({paper.digest}) than those in use."
        return Item(name=name, found=found, fix=f"Have these approved, then digest: {wanted}")
    return _paper(name, what, paper, at)


def _crisis_words(papers: Launch, at: Standing) -> Item:
    name, what = "crisis_words", "Crisis words"
    wanted = crisis_digest(at.library)
    paper = papers.crisis_words
    if paper is None:
        fix = f"Have somebody who works with families approve the lists; {WRITE} {name}, "
        return _missing(name, what, f"{fix}with digest: {wanted}")
    if paper.digest != wanted:
        found = f"{what}: {paper.name} approved other lists ({paper.digest}) than those in use."
        return Item(name=name, found=found, fix=f"Have these approved, then digest: {wanted}")
    return _paper(name, what, paper, at)


def _ethics(paper: Ethics | None, at: Standing) -> Item:
    name, what = "ethics", "Ethics approval"
    if paper is None:
        return _missing(name, what, f"{WRITE} {name}, with research: true or false.")
    if not paper.research:
        return _paper(name, "No research", paper, at)
    if not paper.committee or not paper.number or paper.valid_until is None:
        fix = "Write committee, number and valid_until."
        return Item(name=name, found=f"{what}: it is incomplete.", fix=fix)
    if paper.valid_until < at.today:
        fix = "Have it renewed; write the new valid_until."
        return Item(name=name, found=f"{what}: it ran out on {paper.valid_until}.", fix=fix)
    return _paper(name, f"{what} {paper.number} of {paper.committee}", paper, at)


def _helplines(papers: Launch, at: Standing) -> Item:
    name, what = "helplines", "Helplines"
    oldest = at.today - FRESH
    stale = [
        line.name
        for line in at.site.helplines
        if line.verified_on is None or not oldest <= line.verified_on <= at.today
    ]
    if stale or not at.site.helplines:
        said = ", ".join(stale) or "there is none"
        found = f"{what}: not phoned in the last {FRESH.days} days: {said}."
        return Item(name=name, found=found, fix="Phone each, then write its verified_on.")
    return _paper(name, what, papers.helplines, at)


def _languages(papers: Launch, at: Standing) -> Item:
    name, what = "languages", "Languages"
    good = {a.language for a in papers.languages if not _faulty(a, at)}
    lacking = [tag for tag in at.library.offered if tag not in good]
    if lacking:
        found = f"{what}: offered without an approval on record: {', '.join(lacking)}."
        return Item(name=name, found=found, fix=f"{WRITE} {name}, one for each language.")
    return Item(name=name, found=f"{what}: approved: {', '.join(at.library.offered)}.")


def _restored(papers: Launch, at: Standing) -> Item:
    name, what = "restored_backup", "Restored backup"
    if at.restored_at is None or at.restored_at.date() < at.today - FRESH:
        last = f"the last was on {at.restored_at:%Y-%m-%d}" if at.restored_at else "there was none"
        found = f"{what}: no restore in the last {FRESH.days} days; {last}."
        return Item(name=name, found=found, fix="Restore a backup as docs/operators.md says.")
    return _paper(name, what, papers.restored_backup, at)
