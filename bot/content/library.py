"""The content as values: questionnaires, languages, rules. The only reader of YAML and catalogs.

A session stays on the version it began with, so versions that are no longer current come back from
the database (`adopt`). Structural faults refuse to start; an incomplete language is not offered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po
from typing_extensions import override

from flows.authoring import read
from flows.consent import digests
from flows.content import ContentError
from flows.forms import Form
from flows.keywords import Keywords, collect, reserved
from flows.lexicon import Lexicon
from flows.notices import NOTICES
from flows.papers import PAPERS
from flows.phrases import PHRASES, number_words
from flows.questionnaire import Questionnaire
from scoring.rules import RuleError, check_rules, item_codes, read_rules
from scoring.ruleset import Rules

SOURCE_LANGUAGE = "en"
DRAFT = "state: draft-machine"
SENTENCES: Mapping[str, str] = {**PHRASES, **NOTICES, **PAPERS}
"""All the bot's own sentences in English, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A string that a language lacks or gets wrong."""

    language: str
    catalog: str
    address: str
    found: str
    fix: str

    @override
    def __str__(self) -> str:
        """One line for `check`."""
        return (
            f"locales/{self.language}/LC_MESSAGES/{self.catalog}.po: {self.address}: "
            f"{self.found}. Fix: {self.fix}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Everything that can be said, asked and judged.

    Attributes:
        forms: Every known version by its hash.
        current: The newest version of each questionnaire by form id.
        lexicons: One per language, with the texts of the current versions.
        offered: Tags of the languages a person may choose, source language first.
        rules: The scoring rules in force.
        keywords: The steering words of all languages.
        gaps: What translations lack (a language with gaps is not offered).
        revisions: Text revision by (version, language), as published.
        old_lexicons: Lexicons of versions that are no longer current, by (version, language).
        consent: Digest of the words of consent by (language, purpose), as published.
        consent_since: Under "id", the first digits of ids made since those words stand.
    """

    forms: dict[str, Form]
    current: Mapping[str, str]
    lexicons: Mapping[str, Lexicon]
    offered: tuple[str, ...]
    rules: Rules
    keywords: Keywords
    gaps: tuple[Gap, ...] = ()
    revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    old_lexicons: dict[tuple[str, str], Lexicon] = field(default_factory=dict)
    consent: dict[tuple[str, str], str] = field(default_factory=dict)
    consent_since: dict[str, str] = field(default_factory=dict)

    def questionnaire(self, version: str) -> Questionnaire:
        """The questionnaire of a version. Raises KeyError for one never published here."""
        return self.forms[version].questionnaire

    def newest(self, form_id: str) -> Questionnaire:
        """The current version of a questionnaire."""
        return self.forms[self.current[form_id]].questionnaire

    def lexicon(self, language: str, version: str = "") -> Lexicon:
        """The words of a language for a version; English where the language is unknown."""
        old = self.old_lexicons.get((version, language))
        if old is not None:
            return old
        return self.lexicons.get(language) or self.lexicons[SOURCE_LANGUAGE]

    def others(self, language: str) -> tuple[Lexicon, ...]:
        """The other offered languages, for understanding replies: English first."""
        return tuple(self.lexicons[tag] for tag in self.offered if tag != language)

    def consent_words(self) -> dict[tuple[str, str], str]:
        """Digest of the words of consent by (language, purpose), as they would be shown now."""
        return {
            (tag, purpose): mark
            for tag, lexicon in self.lexicons.items()
            for purpose, mark in digests(lexicon.texts).items()
        }

    def adopt(self, form: Form, texts: Mapping[str, Mapping[str, str]]) -> None:
        """Take in a version from the database, with its texts by language."""
        version = form.questionnaire.version
        self.forms[version] = form
        # Also languages that are younger than the version: its texts in English are better than
        # a question that cannot be asked.
        for language in {**texts, **self.lexicons}:
            base = self.lexicon(language)
            self.old_lexicons[version, language] = Lexicon(
                language=language,
                name=base.name,
                phrases=base.phrases,
                texts={**form.texts, **texts.get(language, {})},
                numbers=base.numbers,
                draft=base.draft,
            )


class LibraryError(Exception):
    """The content has structural faults; `problems` lists every one with file and line."""

    def __init__(self, problems: tuple[ContentError | RuleError | str, ...]) -> None:
        """Keep the list: `check` prints all of it."""
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


def load(*, languages: Iterable[str], rules: str = "default", drafts: bool = True) -> Library:
    """Read everything the project ships.

    Args:
        languages: Tags the site wants to offer, in order.
        rules: Name of the rule file in `scoring/rules`.
        drafts: Whether machine drafts may be offered (demo and `chat` only).

    Raises:
        LibraryError: Questionnaires or rules have structural faults; all are listed.
    """
    forms, problems = _forms()
    read_in, rule_problems = read_rules(
        (files("scoring") / "rules" / f"{rules}.yaml").read_text(encoding="utf-8"),
        file=f"scoring/rules/{rules}.yaml",
    )
    problems += rule_problems
    if read_in is not None:
        problems += check_rules(read_in, item_codes(form.questionnaire for form in forms))
    if problems or read_in is None:
        raise LibraryError(tuple(problems))
    texts = {address: text for form in forms for address, text in form.texts.items()}
    lexicons = {SOURCE_LANGUAGE: _lexicon(SOURCE_LANGUAGE, SENTENCES, texts, draft=False)}
    gaps: list[Gap] = []
    for tag in _tags():
        lexicon, missing = _translated(tag, texts)
        lexicons[tag] = lexicon
        gaps += missing
    lacking = {gap.language for gap in gaps}
    library = Library(
        forms={form.questionnaire.version: form for form in forms},
        current={form.questionnaire.form_id: form.questionnaire.version for form in forms},
        lexicons=lexicons,
        offered=tuple(
            tag
            for tag in languages
            if tag in lexicons and tag not in lacking and (drafts or not lexicons[tag].draft)
        )
        or (SOURCE_LANGUAGE,),
        rules=read_in,
        keywords=collect(lexicons.values()),
        gaps=tuple(gaps),
    )
    library.consent.update(library.consent_words())
    return library


def digest(texts: Mapping[str, str]) -> str:
    """What tells one revision of a version's texts from another."""
    return sha256(repr(sorted(texts.items())).encode()).hexdigest()[:16]


def _forms() -> tuple[list[Form], list[ContentError | RuleError | str]]:
    forms: list[Form] = []
    problems: list[ContentError | RuleError | str] = []
    words = reserved(collect(_lexicon(t, _phrases(t), {}, draft=True) for t in _tags()))
    for path in sorted(_children("flows", "questionnaires", ".yaml"), key=lambda p: p.name):
        form, faults = read(
            path.read_text(encoding="utf-8"),
            file=f"flows/questionnaires/{path.name}",
            reserved=words,
        )
        problems += faults
        if form is not None:
            forms.append(form)
    return forms, problems


def _children(package: str, folder: str, suffix: str) -> list[Traversable]:
    return [p for p in (files(package) / folder).iterdir() if p.name.endswith(suffix)]


def _tags() -> list[str]:
    """The languages that have a folder; the source language needs none."""
    folders = (p.name for p in files("locales").iterdir() if p.is_dir())
    return sorted(n for n in folders if n != SOURCE_LANGUAGE and not n.startswith("_"))


def _catalogs(tag: str) -> dict[str, Catalog]:
    folder = files("locales") / tag / "LC_MESSAGES"
    found = sorted(p.name for p in folder.iterdir() if p.name.endswith(".po"))
    return {name.removesuffix(".po"): _catalog(tag, name) for name in found}


def _catalog(tag: str, name: str) -> Catalog:
    text = (files("locales") / tag / "LC_MESSAGES" / name).read_text(encoding="utf-8")
    try:
        return read_po(StringIO(text), abort_invalid=True)
    except PoFileError as error:
        where = f"locales/{tag}/LC_MESSAGES/{name}:{error.lineno + 1}"
        raise LibraryError((f"{where}: {error}. Fix: mend that line.",)) from error


def _phrases(tag: str) -> dict[str, str]:
    bot = _catalogs(tag).get("bot")
    if bot is None:
        return {}
    return {str(m.context): str(m.string) for m in bot if m.context and m.string and not m.fuzzy}


def _lexicon(
    tag: str, phrases: Mapping[str, str], texts: Mapping[str, str], *, draft: bool
) -> Lexicon:
    name = Locale.parse(tag).get_display_name(tag) or tag
    return Lexicon(
        language=tag,
        name=name[:1].upper() + name[1:] if tag == SOURCE_LANGUAGE else name,
        phrases=phrases,
        texts=texts,
        numbers=number_words(phrases),
        draft=draft,
    )


def _translated(tag: str, texts: Mapping[str, str]) -> tuple[Lexicon, list[Gap]]:
    """A language's lexicon over the English source, and what it lacks.

    A translation counts only under the source words it was made for: changed words lose it.
    """
    gaps: list[Gap] = []
    own: dict[str, str] = {}
    draft = False
    translations: dict[str, tuple[str, str, bool]] = {}
    for catalog in _catalogs(tag).values():
        for message in catalog:
            if message.context and message.string and not message.fuzzy:  # a guess is no words
                translations[str(message.context)] = (
                    str(message.id),
                    str(message.string),
                    DRAFT in message.user_comments,
                )
    for address, source in [*SENTENCES.items(), *texts.items()]:
        made_for, words, is_draft = translations.get(address, ("", "", False))
        catalog_name = address.split("/")[0] if "/" in address else "bot"
        problem = _problem(source, made_for, words)
        if problem is None:
            own[address] = words
            draft = draft or is_draft
        elif not address.endswith(":accept"):
            gaps.append(
                Gap(
                    language=tag,
                    catalog=catalog_name,
                    address=address,
                    found=problem,
                    fix="translate it (make i18n adds the entry)",
                )
            )
    phrases = {key: own.get(key, source) for key, source in SENTENCES.items()}
    words_of = {address: own.get(address, source) for address, source in texts.items()}
    extra = {a: w for a, (_, w, _) in translations.items() if a.endswith(":accept")}
    return _lexicon(tag, phrases, {**words_of, **extra}, draft=draft), gaps


def _problem(source: str, made_for: str, words: str) -> str | None:
    if not words:
        return "not translated"
    if made_for != source:
        return "the English words have changed since"
    if _placeholders(source) != _placeholders(words):
        return "its placeholders differ from the English ones"
    return None


def _placeholders(text: str) -> list[str]:
    return sorted(part.split("}")[0] for part in text.split("{")[1:])
