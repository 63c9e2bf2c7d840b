"""Reviewing and approving texts, and writing what becomes of them into the catalogs.

All catalogs a step touches are made first and written then, so that a refusal leaves none changed.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from bot.content.catalogs import Change, changed
from bot.content.entries import Entry, catalog_of, fault
from bot.content.library import SENTENCES, translated
from bot.content.showing import unshowable
from bot.translating.sheet import Judged, SheetError, entries_of
from bot.translating.status import Place
from flows.translations import Standing, approved, base, is_consent, reviewed, same_person
from flows.wording import clashes


def take(root: Path, at: Place, sheet: Judged) -> list[str]:
    """Write what a reviewed sheet says; nothing where one of its texts cannot be shown.

    Args:
        root: The folder to write in; `at` was read from it.
        at: Where the languages are.
        sheet: From `bot.translating.sheet.judged`.

    Returns:
        The catalogs that changed.

    Raises:
        SheetError: A text is too long for a channel, or means the same as another.
    """
    problems = _worse(at, sheet)
    if problems:
        raise SheetError(problems)
    return write(root, sheet.language, sheet.changes)


def review(
    at: Place, tag: str, addresses: Sequence[str], *, everything: bool, by: str, on: date
) -> dict[str, Change]:
    """What becomes of texts that a speaker has read as they stand.

    Args:
        at: Where the languages are.
        tag: The language.
        addresses: Which texts.
        everything: Instead, every draft.
        by: Who read them.
        on: The day.

    Raises:
        SheetError: A text is not there, is at fault, or is approved already.
    """
    own = entries_of(at, tag)
    drafts = [a for a in _wanted(at, own) if own[a].standing.state == "draft-machine"]
    wanted = drafts if everything else addresses
    problems = [p for a in wanted if (p := _unreviewable(at, own, a))]
    if problems:
        raise SheetError(problems)
    return {address: Change(standing=reviewed(by, on)) for address in wanted}


def approve(at: Place, tag: str, *, catalog: str, by: str, on: date) -> dict[str, Change]:
    """What becomes of a language, or one catalog of it, that is approved.

    Args:
        at: Where the languages are.
        tag: The language.
        catalog: Only this one; empty for all.
        by: Who approves; for words of consent not the reviewer.
        on: The day.

    Raises:
        SheetError: Something is missing or not reviewed, or the reviewer would approve consent.
    """
    own = entries_of(at, tag)
    wanted = [a for a in _wanted(at, own) if not catalog or catalog_of(a) == catalog]
    if not wanted:
        raise SheetError([f"{tag} has no catalog {catalog!r}. Fix: see main.py locales status."])
    texts = {a: s for a, s in at.texts.items() if not catalog or catalog_of(a) == catalog}
    problems = [p for a in dict.fromkeys((*texts, *wanted)) if (p := _unready(at, own, a, by))]
    if problems:
        raise SheetError(problems)
    return {
        address: Change(standing=approved(own[address].standing, by, on))
        for address in wanted
        if own[address].standing.state == "reviewed"
    }


def write(root: Path, tag: str, changes: Mapping[str, Change]) -> list[str]:
    """Write changes into the catalogs of a language; returns the names of those that changed."""
    parts: dict[str, dict[str, Change]] = {}
    for address, change in changes.items():
        parts.setdefault(catalog_of(address), {})[address] = change
    folder = root / tag / "LC_MESSAGES"
    made = {}
    for name, part in sorted(parts.items()):
        path = folder / f"{name}.po"
        before = path.read_text(encoding="utf-8")
        after = changed(before, part)
        if after != before:
            made[path] = after
    for path, text in made.items():
        aside = path.with_suffix(".po.new")
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, path)  # noqa: PTH105 - the same, and it says what it does
    return [path.stem for path in made]


def _wanted(at: Place, own: Mapping[str, Entry]) -> list[str]:
    """What a language has of the texts there are, spellings and further answers included."""
    return [a for a in own if base(a) in at.texts or a.endswith(":accept")]


def _unreviewable(at: Place, own: Mapping[str, Entry], address: str) -> str:
    source = at.texts.get(base(address))
    if source is None:
        return f"There is no text {address!r}. Fix: see the addresses in main.py locales export."
    found = fault(address, source, own.get(address))
    if found:
        return f"{address}: {found}. Fix: translate it first."
    if own[address].standing.state == "approved":
        return f"{address}: is approved already. Fix: leave it out."
    return ""


def _unready(at: Place, own: Mapping[str, Entry], address: str, by: str) -> str:
    entry, source = own.get(address), at.texts.get(base(address))
    if entry is None and address.endswith(":accept"):
        return ""
    if source is not None and (found := fault(address, source, entry)):
        return f"{address}: {found}. Fix: translate it first."
    if entry is None or entry.standing.state == "draft-machine":
        return f"{address}: nobody has reviewed it. Fix: main.py locales export, then import."
    if entry.standing.state == "approved" or not is_consent(address):
        return ""
    return _same_hand(address, entry.standing, by)


def _same_hand(address: str, before: Standing, by: str) -> str:
    """Words of consent take two people: whoever approves has not reviewed them."""
    if not before.reader.by:
        return f"{address}: the reviewer of these words of consent is not known. Fix: review it."
    if same_person(before.reader.by, by):
        return f"{address}: {by} reviewed these words of consent. Fix: somebody else approves them."
    return ""


def _worse(at: Place, sheet: Judged) -> list[str]:
    """What is wrong with the language after the sheet that was not before, by line of the sheet."""
    own = dict(entries_of(at, sheet.language))
    before = set(_trouble(at, sheet.language, own))
    for address, change in sheet.changes.items():
        entry = own.get(address)
        words = change.words if change.words is not None else entry.words if entry else ""
        own[address] = Entry(
            catalog=catalog_of(address),
            source=at.texts[base(address)],
            words=words,
            standing=change.standing,
        )
    return [
        f"{_line(address, sheet)}: {address}: {found}. Fix: other words in new_text."
        for address, found in _trouble(at, sheet.language, own)
        if (address, found) not in before
    ]


def _trouble(at: Place, tag: str, own: Mapping[str, Entry]) -> Iterable[tuple[str, str]]:
    questionnaires = [at.library.questionnaire(v) for v in at.library.current.values()]
    texts = {address: text for address, text in at.texts.items() if address not in SENTENCES}
    lexicon = translated(tag, texts, own)
    yield from dict.fromkeys(unshowable(questionnaires, lexicon))
    yield from clashes(questionnaires, lexicon, at.library.keywords)


def _line(address: str, sheet: Judged) -> str:
    """The lines of the sheet that a problem may come from: of that text, or of a part of it."""
    form, _, rest = address.partition("/")
    names = set(re.split(r"[+:]", rest))
    lines = [n for a, n in sheet.lines.items() if base(a) in (address, rest)] or [
        n for a, n in sheet.lines.items() if re.split(r"[/:]", a)[0:2] in [[form, x] for x in names]
    ]
    return f"line {', '.join(map(str, lines))}" if lines else "the sheet"
