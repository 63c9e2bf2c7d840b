"""The `consent` commands: what stands, a word written down, a yes taken back, the words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from bot.app import now
from bot.commands import GOOD, as_json, err, out, with_database
from bot.consent import consents
from bot.consent.consent_people import ConsentError
from bot.consent.consents import PURPOSES, Standing
from bot.consent.proving import Told
from bot.settings import Settings
from flows.consent import Purpose
from storage.talk.consents import Line

SHOWN = "%Y-%m-%d %H:%M"


def show(settings: Settings, code: str, *, json_wanted: bool) -> int:
    """`consent show`: the ledger about a child, oldest first, and what it carries now."""
    found = with_database(settings, lambda c, w: consents.show(c, w, code))
    if json_wanted:
        as_json({"now": dict(found.verdicts), "ledger": [_document(x) for x in found.lines]})
        return GOOD
    zone = ZoneInfo(settings.timezone)
    for line in found.lines:
        out(_shown(line, zone))
    _verdicts(found)
    return GOOD


def record(
    settings: Settings,
    code: str,
    *,
    yes: Sequence[str],
    no: Sequence[str],
    capacity: str,
    mode: str,
    lang: str,
    at: str,
    address: str,
    told: Mapping[str, str],
    text: Sequence[str],
) -> int:
    """`consent record`: what somebody agreed to on paper, in person or in a call.

    `told`: how we know, the fields of `Told` but mode and time.
    """
    words = dict.fromkeys(_purposes(no), False) | dict.fromkeys(_purposes(yes), True)
    if not words or len(words) < len(yes) + len(no):
        raise ConsentError("Say each purpose once: --yes help --yes research --no partners.")
    moment = now()
    how = Told(mode=mode, at=_at(settings, at, moment), **told)
    count = with_database(
        settings,
        lambda c, w: consents.record(
            c,
            w,
            code,
            words=words,
            capacity=capacity,
            language=lang or w.library.offered[0],
            told=how,
            now=moment,
            address=address,
            text=_digests(text),
        ),
    )
    out(f"{count} written down. What stands now: consent show {code}")
    return GOOD


def withdraw(
    settings: Settings,
    code: str,
    *,
    purposes: Sequence[str],
    mode: str,
    at: str,
    address: str,
    witness: str,
    by: str,
) -> int:
    """`consent withdraw`: a yes taken back; questions about the child end."""
    moment = now()
    told = Told(mode=mode, at=_at(settings, at, moment), witness=witness, by=by)
    count = with_database(
        settings,
        lambda c, w: consents.withdraw(
            c,
            w,
            code,
            purposes=_purposes(purposes) or PURPOSES,
            told=told,
            now=moment,
            address=address,
        ),
    )
    out(f"{count} taken back. Alerts stay open; staff have a task.")
    return GOOD


def texts(settings: Settings, *, json_wanted: bool) -> int:
    """`consent texts`: every wording that was published, by language and purpose."""
    found = with_database(settings, lambda c, _w: consents.texts(c))
    if json_wanted:
        as_json(
            [dict(zip(("language", "purpose", "digest", "since"), x, strict=True)) for x in found]
        )
        return GOOD
    zone = ZoneInfo(settings.timezone)
    for language, purpose, digest, since in found:
        out(f"{since.astimezone(zone):{SHOWN}}  {language}  {purpose:<8}  {digest}")
    if not found:
        err("Nothing is published yet: it is at the first start.")
    return GOOD


def _purposes(said: Sequence[str]) -> tuple[Purpose, ...]:
    wrong = [p for p in said if p not in PURPOSES]
    if wrong:
        raise ConsentError(f"There is no purpose {wrong[0]!r}. There are: {', '.join(PURPOSES)}")
    return tuple(cast("Purpose", p) for p in said)


def _digests(said: Sequence[str]) -> dict[Purpose, str] | None:
    """`--text help=DIGEST`: the words on an older paper."""
    if not said:
        return None
    pairs = [one.partition("=") for one in said]
    if not all(value for _, _, value in pairs):
        raise ConsentError("--text: write purpose=digest, as `consent texts` lists them.")
    return dict(zip(_purposes([p for p, _, _ in pairs]), [v for _, _, v in pairs], strict=True))


def _at(settings: Settings, text: str, moment: datetime) -> datetime:
    """A day, or a day and an hour, in the programme's zone; now where nothing is said."""
    if not text:
        return moment
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConsentError("--at: write a day, 2026-01-31, or '2026-01-31 14:30'.") from None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(settings.timezone))


def _document(line: Line) -> dict[str, object]:
    entry = line.entry
    return {
        "at": entry.at,
        "learnt": entry.known_at,
        "person": entry.person,
        "purpose": entry.purpose,
        "word": entry.word,
        "capacity": entry.capacity,
        "language": entry.language,
        "text": entry.text,
        "partners": entry.partners,
        "version": line.version,
        "channel": line.channel,
        "mode": line.mode,
        "witness": line.witness,
        "witness_role": line.witness_role,
        "proof": line.proof,
        "helper": line.helper,
        "recorded_by": line.recorded_by,
    }


def _shown(line: Line, zone: ZoneInfo) -> str:
    entry = line.entry
    how = line.mode if line.channel == "none" else f"{line.mode}, {line.channel}"
    role = f" ({line.witness_role})" if line.witness_role else ""
    seen = f", seen by {line.witness}{role}" if line.witness else ""
    seen += f", kept: {line.proof}" if line.proof else ""
    return (
        f"{entry.at.astimezone(zone):{SHOWN}}  {entry.person}  {entry.purpose} {entry.word}, as "
        f"{entry.capacity.replace('_', ' ')}, {how}, {entry.language}, "
        f"words {entry.text or '?'}{seen}"
    )


def _verdicts(found: Standing) -> None:
    if not found.lines:
        out("Nobody has said anything about consent for this child.")
    for purpose, verdict in found.verdicts.items():
        out(f"{purpose}: {verdict.replace('_', ' ')}")
