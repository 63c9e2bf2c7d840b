"""A site whose launch papers are all there, and what takes one of them away."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from bot.content.library import Library
from bot.launch import consent_digest, crisis_digest
from bot.site import Site

TODAY = date(2026, 2, 2)
PAPER: Mapping[str, object] = {
    "name": "N. Dlamini",
    "on": date(2026, 1, 20),
    "document": "files/2026/launch.pdf",
}


def papers(library: Library) -> dict[str, object]:
    """`launch:` as a site that is ready would write it."""
    return {
        "information_officer": PAPER,
        "legal_ground": {**PAPER, "ground": "consent", "s57": "not needed", "s72": "consent"},
        "operator_agreements": [
            {**PAPER, "operator": name}
            for name in ("Twilio", "whatsapp", "telegram", "africastalking", "hosting")
        ],
        "consent_text": {**PAPER, "digest": consent_digest(library)},
        "retention_table": PAPER,
        "ethics": {
            **PAPER,
            "research": True,
            "committee": "HREC",
            "number": "2026/17",
            "valid_until": date(2026, 12, 31),
        },
        "cover_roster": PAPER,
        "helplines": PAPER,
        "crisis_words": {**PAPER, "digest": crisis_digest(library)},
        "languages": [{**PAPER, "language": tag} for tag in library.offered],
        "restored_backup": PAPER,
    }


def launched(site: Site, library: Library, **changes: object) -> Site:
    """The site with all papers and helplines that were phoned yesterday; then the changes."""
    lines = [
        {**line.model_dump(), "verified_on": TODAY - timedelta(days=1)} for line in site.helplines
    ]
    plain = site.model_dump() | {"launch": papers(library), "helplines": lines}
    return Site.model_validate(plain | changes)


def restored(now: datetime) -> datetime:
    """When a backup was last restored there."""
    return now - timedelta(days=10)
