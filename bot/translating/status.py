"""How far each language has come, and what still keeps it from being offered to real people."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from bot.content.entries import Entry, catalog_of, fault, read_entries, tags
from bot.content.library import SENTENCES, Library, load
from flows.languages import in_order, own_name
from flows.lexicon import SMS
from flows.sms import segments
from flows.translations import CRISIS, STATES, asked_of, is_consent, may_stand

NOT_SENT = ("keyword.", "word.", "number.", "paper.", "slip.")
"""Beginnings of what is never sent as a message: words of replies, and what is printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where texts stand: the folder of the languages, and the English texts they are made for.

    Attributes:
        folder: With one folder a language.
        library: Read from there, drafts and all.
        texts: Every English text by address, the bot's own sentences first.
    """

    folder: Traversable
    library: Library
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One catalog of one language, in numbers of texts.

    Attributes:
        language: Its tag.
        catalog: Its name.
        texts: How many there are in English.
        missing: How many are not translated, at fault, or made for other English words.
        states: How many are in each state, of those that are there.
        costly: How many are sent by SMS in letters outside GSM-7, for want of a reviewed spelling.
        parts: How many SMS those take altogether, each alone.
    """

    language: str
    catalog: str
    texts: int
    missing: int
    states: Mapping[str, int]
    costly: int
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One language.

    Attributes:
        language: Its tag.
        name: What it calls itself.
        rows: Its catalogs.
        stops: Why it is not offered to real people; nothing where it is.
        notes: What else somebody should do.
    """

    language: str
    name: str
    rows: tuple[Row, ...]
    stops: tuple[str, ...]
    notes: tuple[str, ...]


def place(folder: Traversable) -> Place:
    """Everything about the languages in a folder.

    Raises:
        LibraryError: Questionnaires or catalogs have faults; mend them first.
    """
    library = load(folder=folder)
    forms = (library.forms[version] for _, version in sorted(library.current.items()))
    texts = {address: text for form in forms for address, text in form.texts.items()}
    return Place(folder=folder, library=library, texts={**SENTENCES, **texts})


def status(at: Place) -> list[Standing]:
    """How far every language has come, in the order of a menu."""
    return [
        _standing(at, tag, read_entries(at.folder, tag))
        for tag in in_order(tags(at.folder), first="")
    ]


def costly(texts: Mapping[str, str], entries: Mapping[str, Entry]) -> dict[str, int]:
    """Texts that go out by SMS in letters outside GSM-7, with the SMS each takes alone.

    Args:
        texts: The English texts by address.
        entries: A language's translations.
    """
    found = {}
    for address in texts:
        entry, spelling = entries.get(address), entries.get(address + SMS)
        if entry is None or address.startswith(NOT_SENT) or address.endswith(":accept"):
            continue
        if spelling is not None and may_stand(address, spelling.standing):
            continue
        size = segments(entry.words)
        if size.encoding != "GSM-7":
            found[address] = size.segments
    return found


def _standing(at: Place, tag: str, entries: Mapping[str, Entry]) -> Standing:
    catalogs: dict[str, dict[str, str]] = {}
    for address, source in at.texts.items():
        catalogs.setdefault(catalog_of(address), {})[address] = source
    return Standing(
        language=tag,
        name=own_name(tag),
        rows=tuple(_row(tag, name, texts, entries) for name, texts in catalogs.items()),
        stops=tuple(_stops(at, entries)),
        notes=tuple(_notes(at, entries)),
    )


def lacking(texts: Mapping[str, str], entries: Mapping[str, Entry]) -> list[str]:
    """Addresses of the texts that have no usable translation; lists of `accept` are not missed."""
    return [
        address
        for address, source in texts.items()
        if not address.endswith(":accept") and fault(address, source, entries.get(address))
    ]


def _row(tag: str, catalog: str, texts: Mapping[str, str], entries: Mapping[str, Entry]) -> Row:
    missing = lacking(texts, entries)
    there = [entries[a].standing.state for a in texts if a in entries and a not in set(missing)]
    counted = Counter(there)
    costs = costly(texts, entries)
    return Row(
        language=tag,
        catalog=catalog,
        texts=len(texts),
        missing=len(missing),
        states={state: counted[state] for state in STATES},
        costly=len(costs),
        parts=sum(costs.values()),
    )


def _stops(at: Place, entries: Mapping[str, Entry]) -> Iterable[str]:
    """What keeps a language from real people, each in a line that says what to do.

    Practice and lessons do not: they are told in English until they are translated.
    """
    learning = at.library.learning
    needed = {a: t for a, t in at.texts.items() if catalog_of(a) not in learning}
    if missing := lacking(needed, entries):
        yield f"{len(missing)} texts are missing or at fault: main.py check lists them"
    waiting = [
        a
        for a, e in entries.items()
        if a in needed and not may_stand(a, e.standing) and a not in set(missing)
    ]
    drafts = [a for a in waiting if entries[a].standing.state == "draft-machine"]
    if drafts:
        yield f"{len(drafts)} texts wait for a review: locales export, then locales import"
    unapproved = [a for a in waiting if is_consent(a) and asked_of(a) == "approved"]
    if unapproved:
        yield f"{len(unapproved)} texts of consent wait for approval: locales approve"


def _notes(at: Place, entries: Mapping[str, Entry]) -> Iterable[str]:
    crisis = [a for a in at.texts if a in entries and a.startswith(CRISIS)]
    if any(entries[a].standing.state != "approved" for a in crisis):
        yield "the crisis words work, but nobody approved them: doctor --live asks for it"
    if costs := costly(at.texts, entries):
        yield (
            f"{len(costs)} texts have letters that make an SMS dearer ({sum(costs.values())} SMS "
            "in all, each sent alone): give them an SMS spelling, or accept the price"
        )
