"""A folder of languages to work in: the one that ships, and others made of it."""

import shutil
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path

from babel.messages.pofile import read_po

from bot.content.catalogs import Change, changed, fresh, updated, wanted
from flows.languages import OWN
from flows.translations import DRAFT


def shipped(root: Path) -> Path:
    """A copy of isiZulu as it ships, made whole with English words where it lacks any."""
    folder = root / "locales"
    (folder / "zu" / "LC_MESSAGES").mkdir(parents=True)
    for name, text in _isizulu().items():
        (folder / "zu" / "LC_MESSAGES" / name).write_text(text, encoding="utf-8")
    return folder


@cache
def _isizulu() -> Mapping[str, str]:
    own = Path(str(files("locales") / "zu" / "LC_MESSAGES"))
    whole = {}
    for name, (title, texts) in wanted().items():
        path = own / f"{name}.po"
        text = path.read_text(encoding="utf-8") if path.exists() else fresh("zu", title)
        text = updated(text, texts)
        empty = {str(m.context) for m in read_po(StringIO(text)) if m.context and not m.string}
        english = {a: Change(standing=DRAFT, words=texts[a]) for a in texts if a in empty}
        whole[f"{name}.po"] = changed(text, english)
    return whole


def eleven(root: Path) -> Path:
    """All eleven languages, each with the words of isiZulu."""
    folder = shipped(root)
    for tag in set(OWN) - {"en", "zu"}:
        shutil.copytree(folder / "zu", folder / tag)
    return folder


def marked(folder: Path, states: Mapping[str, str], tag: str = "zu") -> Path:
    """Every draft of a catalog gets another state line: by catalog, "" for all others."""
    for path in (folder / tag / "LC_MESSAGES").glob("*.po"):
        line = states.get(path.stem, states.get("", "draft-machine"))
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("# state: draft-machine", f"# state: {line}"), "utf-8")
    return folder


def reworded(folder: Path, before: str, after: str, catalog: str = "bot", tag: str = "zu") -> Path:
    """One place of a catalog, written otherwise."""
    path = folder / tag / "LC_MESSAGES" / f"{catalog}.po"
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    path.write_text(text.replace(before, after), encoding="utf-8")
    return folder
