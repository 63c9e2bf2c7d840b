"""What stands in the catalogs of a language: each text with its English source and its standing.

Together with `bot.content.catalogs` the only reader of `.po` files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po
from typing_extensions import override

from flows.lexicon import SMS
from flows.translations import Standing, base, read_state
from flows.wording import faults

SOURCE_LANGUAGE = "en"
BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A translation as its catalog has it: made for these English words, with this standing."""

    catalog: str
    source: str
    words: str
    standing: Standing


Entries = Mapping[str, Entry]
"""The translations of one language by address; what is empty or guessed (fuzzy) is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A string that a language lacks or gets wrong.

    Attributes:
        language: Tag of the language.
        catalog: Which of its catalogs.
        address: The text.
        found: What is wrong.
        fix: What to do.
        spelling: Whether it is only an SMS spelling, without which the language does.
    """

    language: str
    catalog: str
    address: str
    found: str
    fix: str
    spelling: bool = False

    @override
    def __str__(self) -> str:
        """One line for `check`."""
        return (
            f"locales/{self.language}/LC_MESSAGES/{self.catalog}.po: {self.address}: "
            f"{self.found}. Fix: {self.fix}"
        )


class CatalogFaultError(Exception):
    """A catalog cannot be read; the message names file, line and fix."""


def shipped() -> Traversable:
    """The folder of the languages that ship."""
    return files("locales")


def tags(folder: Traversable) -> list[str]:
    """The languages that have a folder; the source language needs none."""
    found = (p.name for p in folder.iterdir() if p.is_dir())
    return sorted(n for n in found if n != SOURCE_LANGUAGE and not n.startswith(("_", ".")))


def catalog_of(address: str) -> str:
    """The catalog in which a text stands."""
    form, slash, _ = address.partition("/")
    return form if slash else BOT


def read_entries(folder: Traversable, tag: str) -> dict[str, Entry]:
    """All translations of a language.

    Args:
        folder: Of the languages.
        tag: The language.

    Raises:
        CatalogFaultError: A catalog cannot be read.
    """
    place = folder / tag / "LC_MESSAGES"
    names = sorted(p.name for p in place.iterdir() if p.name.endswith(".po"))
    return {
        str(message.context): Entry(
            catalog=name.removesuffix(".po"),
            source=str(message.id),
            words=str(message.string),
            standing=read_state(message.user_comments),
        )
        for name in names
        for message in _catalog(place / name, f"locales/{tag}/LC_MESSAGES/{name}")
        if message.context and message.string and not message.fuzzy
    }


def gaps_of(tag: str, texts: Mapping[str, str], entries: Entries) -> list[Gap]:
    """What a language lacks or gets wrong.

    Words translators may add (`accept` lists, SMS spellings) are not missed; a spelling that is at
    fault is named, and not used.

    Args:
        tag: The language.
        texts: Every English text by address.
        entries: What it has.
    """
    spellings = {a: texts[base(a)] for a in entries if a.endswith(SMS) and base(a) in texts}
    found = []
    for address, source in {**texts, **spellings}.items():
        entry = entries.get(address)
        problem = fault(address, source, entry)
        if problem and (entry or not address.endswith(":accept")):
            found.append(
                Gap(
                    language=tag,
                    catalog=catalog_of(address),
                    address=address,
                    found=problem,
                    fix="translate it (make i18n adds the entry)",
                    spelling=address in spellings,
                )
            )
    return found


def fault(address: str, source: str, entry: Entry | None) -> str:
    """Why a translation cannot be used; empty if it can.

    It counts only under the source words it was made for: changed words lose it, state and all.
    """
    if entry is None:
        return "not translated"
    if entry.source != source:
        return "the English words have changed since"
    return "; ".join(f"it {found}" for found in faults(address, source, entry.words))


def _catalog(path: Traversable, name: str) -> Catalog:
    try:
        return read_po(StringIO(path.read_text(encoding="utf-8")), abort_invalid=True)
    except PoFileError as error:
        where = f"{name}:{error.lineno + 1}"
        raise CatalogFaultError(f"{where}: {error}. Fix: mend that line.") from error
