"""`make i18n`: bring every message catalog up to date with the questionnaires and sentences.

New texts are added untranslated, a text whose English changed loses its translation and with it
its state and its SMS spelling, what is gone becomes obsolete. Nothing is ever guessed: a near miss
under a question about a child is worse than a gap, and a gap is seen by `main.py check`. Running
twice changes nothing.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO, StringIO
from pathlib import Path
from typing import Annotated

import typer
from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po, write_po

from bot.content.entries import BOT, SOURCE_LANGUAGE
from bot.content.library import SENTENCES, LibraryError, load
from flows.forms import messages
from flows.lexicon import SMS
from flows.translations import DRAFT, Standing, base, state_line

GOOD, PROBLEM = 0, 1
Texts = Mapping[str, str]
"""English text by address (the `msgctxt` of a catalog)."""
Key = tuple[str, str]
"""Address and English text: a translation belongs to both."""


class CatalogError(Exception):
    """A catalog or a language tag cannot be used; the message names it and the fix."""


def wanted() -> dict[str, tuple[str, Texts]]:
    """What every language must say: catalog name to (its title, its texts in file order).

    Raises:
        LibraryError: The questionnaires have faults; mend them first.
    """
    library = load(languages=(SOURCE_LANGUAGE,))
    forms = (library.forms[version] for _, version in sorted(library.current.items()))
    return {
        BOT: ("the bot's own sentences", SENTENCES),
        **{
            form.questionnaire.form_id: (
                form.title,
                {address: text for _, address, text in messages(form)},
            )
            for form in forms
        },
    }


def updated(text: str, texts: Texts) -> str:
    """A catalog brought up to date. Its header, order, comments and states stay.

    Args:
        text: The catalog as it stands, header included.
        texts: What it must hold.

    Raises:
        PoFileError: `text` is no catalog.
    """
    old = read_po(StringIO(text), abort_invalid=True)
    kept = {_key(m): m for m in old if m.context and not m.fuzzy}
    gone = {_key(m): m for m in old.obsolete.values()}
    texts = {**texts, **_spelled(gone | kept, texts)}
    new = Catalog(fuzzy=False)
    for address in _order([str(m.context) for m in old if m.context], list(texts)):
        key = (address, texts[address])
        message = kept.pop(key, None) or gone.pop(key, None) or Message(key[1], context=address)
        new[message.id] = message
    lost = {key: message for key, message in kept.items() if message.string}
    for message in (gone | lost).values():
        new.obsolete[str(message.id), str(message.context)] = message
    return _written(text, new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one text: other words (None: they stay) and its new standing."""

    standing: Standing
    words: str | None = None


def changed(text: str, changes: Mapping[str, Change]) -> str:
    """A catalog with other words and states; header, order, flags and other comments stay.

    An SMS spelling that is new comes after its text. Other words for a text make its spelling a
    draft again, unless that is changed as well: the two may no longer say the same.

    Args:
        text: The catalog as it stands.
        changes: By address; each must be there, or be the spelling of one that is.

    Raises:
        PoFileError: `text` is no catalog.
    """
    old = read_po(StringIO(text), abort_invalid=True)
    new = Catalog(fuzzy=False)
    there = {str(message.context): message for message in old if message.context}
    reworded = {a for a, c in changes.items() if c.words not in (None, str(there[base(a)].string))}
    for address, message in there.items():
        change = changes.get(address)
        if change is None and base(address) in reworded:
            change = Change(standing=DRAFT)
        new[message.id] = _changed(message, change)
        spelling = address + SMS
        if spelling in changes and spelling not in there:
            fresh = Message(message.id, context=spelling)
            new[message.id] = _changed(fresh, changes[spelling])
    for message in old.obsolete.values():
        new.obsolete[str(message.id), str(message.context)] = message
    return _written(text, new)


def _changed(message: Message, change: Change | None) -> Message:
    if change is None:
        return message
    others = [c for c in message.user_comments if not c.strip().startswith("state:")]
    message.user_comments = [state_line(change.standing), *others]
    message.string = message.string if change.words is None else change.words
    return message


def _spelled(kept: Mapping[Key, Message], texts: Texts) -> dict[str, str]:
    """The SMS spellings whose English still stands, with that English."""
    return {
        address: source
        for (address, source), message in kept.items()
        if address.endswith(SMS) and message.string and texts.get(base(address)) == source
    }


def _written(text: str, catalog: Catalog) -> str:
    """A catalog under the header that `text` has."""
    body = BytesIO()
    write_po(body, catalog, width=0, no_location=True, omit_header=True)
    head = text.partition("\n\n")[0].rstrip("\n")
    return "\n\n".join(filter(None, (head, body.getvalue().decode().strip("\n")))) + "\n"


def _key(message: Message) -> Key:
    return str(message.context), str(message.id)


def _order(had: Sequence[str], texts: Sequence[str]) -> list[str]:
    """What was there stays where it was; a new address comes after its neighbour above."""
    order = [address for address in dict.fromkeys(had) if address in texts]
    for place, address in enumerate(texts):
        if address not in order:
            order.insert(order.index(texts[place - 1]) + 1 if place else 0, address)
    return order


def fresh(tag: str, title: str) -> str:
    """The header of a new catalog, ready for `updated`.

    Raises:
        CatalogError: `tag` is no language we can write.
    """
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError) as error:
        raise CatalogError(
            f"{tag}: is no language tag. Fix: use one such as zu, xh or nso."
        ) from error
    plural = Catalog(locale=locale).plural_forms
    return (
        f"# {locale.get_display_name(tag) or tag}: {title}\n"
        "# Write the translation into msgstr. Over what a machine wrote put: "
        "# state: draft-machine\n"
        'msgid ""\nmsgstr ""\n'
        '"Project-Id-Version: cwb\\n"\n'
        f'"Language: {tag}\\n"\n'
        f'"Plural-Forms: {plural}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
    )


def changes(root: Path, content: Mapping[str, tuple[str, Texts]]) -> dict[Path, str]:
    """Every catalog below `root` that has to change, with its new text.

    A catalog whose questionnaire is gone keeps its translations as obsolete.

    Args:
        root: The folder with one folder a language tag.
        content: From `wanted`.

    Raises:
        CatalogError: A catalog cannot be read, or a folder is named after no language.
    """
    out: dict[Path, str] = {}
    for folder in sorted(root.glob("*/LC_MESSAGES")):
        tag = folder.parent.name
        there = {path.stem for path in folder.glob("*.po")}
        for name in sorted(content.keys() | there):
            title, texts = content.get(name, (name, {}))
            path = folder / f"{name}.po"
            text = path.read_text(encoding="utf-8") if name in there else ""
            try:
                new = updated(text or fresh(tag, title), texts)
            except PoFileError as error:
                raise CatalogError(
                    f"{path}:{error.lineno + 1}: {error}. Fix: mend that line."
                ) from error
            if new != text:
                out[path] = new
    return out


def run(root: Path, *, add: str = "", check: bool = False) -> int:
    """Bring the catalogs below `root` up to date, or only say which are not.

    Args:
        root: The folder of the languages.
        add: Tag of a language to begin; empty for none.
        check: Change nothing.

    Returns:
        0; 1 where `check` found something to change, or something is at fault.
    """
    try:
        if add:
            fresh(add, BOT)
            if not check:
                (root / add / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
        found = changes(root, wanted())
    except (CatalogError, LibraryError) as error:
        sys.stderr.write(f"{error}\n")
        return PROBLEM
    for path, text in found.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'would change' if check else 'changed'}: {path.relative_to(root)}\n")
    if not found:
        sys.stdout.write("Every catalog is up to date.\n")
    return PROBLEM if found and check else GOOD


def main(
    add: Annotated[str, typer.Option(help="Begin a language, e.g. xh.")] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if anything would change.")
    ] = False,
) -> None:
    """Bring every message catalog up to date with the questionnaires and sentences."""
    raise typer.Exit(run(Path(str(files("locales"))), add=add, check=check))


if __name__ == "__main__":
    typer.run(main)
