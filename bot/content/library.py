"""The content as values: questionnaires, languages, rules. The only reader of YAML and catalogs.

A session stays on the version it began with, so versions that are no longer current come back from
the database (`adopt`). Structural faults refuse to start; an incomplete language is not offered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from bot.content.entries import (
    SOURCE_LANGUAGE,
    CatalogFaultError,
    Entries,
    Entry,
    Gap,
    catalog_of,
    fault,
    gaps_of,
    read_entries,
    shipped,
    tags,
)
from flows.authoring import read
from flows.consent import digests
from flows.content import ContentError
from flows.crisis import CRISIS, NONE, CrisisWords
from flows.crisis import collect as collect_crisis
from flows.forms import Form
from flows.keywords import Keywords, collect, reserved
from flows.languages import in_order, own_name
from flows.lexicon import SMS, Lexicon
from flows.notices import NOTICES
from flows.papers import PAPERS
from flows.phrases import PHRASES, number_words
from flows.questionnaire import Questionnaire
from flows.translations import Standing, base, is_heard, may_stand
from scoring.rules import RuleError, check_rules, item_codes, read_rules
from scoring.ruleset import Rules
from scoring.scale_model import PublishedScale
from scoring.scale_text import read_scales

SENTENCES: Mapping[str, str] = {**PHRASES, **NOTICES, **PAPERS, **CRISIS}
"""All the bot's own sentences in English, by key."""


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
        crisis: The words of danger of all languages, offered or not.
        gaps: What translations lack (a language with gaps is not offered).
        standings: By language, how far each of its texts has come, by address.
        waiting: By language, the texts that have not come far enough to be shown to real people.
        in_english: By language, the practice and lessons that are (partly) told in English: no
            language has to wait for them.
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
    crisis: CrisisWords = NONE
    gaps: tuple[Gap, ...] = ()
    standings: Mapping[str, Mapping[str, Standing]] = field(default_factory=dict)
    waiting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    in_english: Mapping[str, frozenset[str]] = field(default_factory=dict)
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

    @property
    def learning(self) -> frozenset[str]:
        """Today's practice and lessons, by form id; one that is lost here counts as none."""
        found = ((form_id, self.forms.get(version)) for form_id, version in self.current.items())
        return frozenset(f for f, form in found if form and form.questionnaire.is_learning)

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
            base, own = self.lexicon(language), texts.get(language, {})
            self.old_lexicons[version, language] = Lexicon(
                language=language,
                name=base.name,
                phrases=base.phrases,
                texts={**form.texts, **{a: t for a, t in own.items() if not a.endswith(SMS)}},
                numbers=base.numbers,
                draft=base.draft,
                spellings={
                    **{key: text for key, text in base.spellings.items() if key in base.phrases},
                    **{a.removesuffix(SMS): t for a, t in own.items() if a.endswith(SMS)},
                },
            )


class LibraryError(Exception):
    """The content has structural faults; `problems` lists every one with file and line."""

    def __init__(self, problems: tuple[ContentError | RuleError | str, ...]) -> None:
        """Keep the list: `check` prints all of it."""
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


def load(
    *,
    languages: Iterable[str] = (),
    rules: str = "default",
    drafts: bool = True,
    folder: Traversable | None = None,
) -> Library:
    """Read everything the project ships.

    Args:
        languages: Tags the site wants to offer, in order; none for every language there is, the
            source language first and the others by their own names.
        rules: Name of the rule file in `scoring/rules`.
        drafts: Whether machine drafts may be shown (demo and `chat` only). Otherwise a language
            is offered once all of it has come far enough (`flows.translations.asked_of`), and what
            has not is said in English to those who have that language already.
        folder: The languages; None for those that ship.

    Raises:
        LibraryError: Questionnaires, catalogs or rules have structural faults; all are listed.
    """
    entries = _entries(folder or shipped())
    forms, problems = _forms(entries)
    read_in, rule_problems = read_rules(
        (files("scoring") / "rules" / f"{rules}.yaml").read_text(encoding="utf-8"),
        file=f"scoring/rules/{rules}.yaml",
    )
    problems += rule_problems
    if read_in is not None:
        asked = (form.questionnaire for form in forms if not form.questionnaire.is_learning)
        problems += check_rules(read_in, item_codes(asked))
    if problems or read_in is None:
        raise LibraryError(tuple(problems))
    texts = {address: text for form in forms for address, text in form.texts.items()}
    lexicons = {SOURCE_LANGUAGE: _lexicon(SOURCE_LANGUAGE, SENTENCES, texts)}
    for tag, own in entries.items():
        lexicons[tag] = translated(tag, texts, own, drafts=drafts)
    gaps = [g for tag, own in entries.items() for g in gaps_of(tag, {**SENTENCES, **texts}, own)]
    waiting = {tag: _waiting(own) for tag, own in entries.items()}
    missed: dict[str, set[str]] = {tag: set() for tag in entries}
    for gap in (gap for gap in gaps if not gap.spelling):
        missed[gap.language].add(gap.catalog)
    for tag in entries if not drafts else ():
        missed[tag] |= set(map(catalog_of, waiting[tag]))
    learning = {f.questionnaire.form_id for f in forms if f.questionnaire.is_learning}
    lacking = {tag for tag, catalogs in missed.items() if catalogs - learning}
    wanted = tuple(languages) or in_order(lexicons, first=SOURCE_LANGUAGE)
    library = Library(
        forms={form.questionnaire.version: form for form in forms},
        current={form.questionnaire.form_id: form.questionnaire.version for form in forms},
        lexicons=lexicons,
        offered=tuple(tag for tag in wanted if tag in lexicons and tag not in lacking)
        or (SOURCE_LANGUAGE,),
        rules=read_in,
        keywords=_all_keywords(entries),
        crisis=collect_crisis(_heard(entries)),
        gaps=tuple(gaps),
        standings={t: {a: e.standing for a, e in own.items()} for t, own in entries.items()},
        waiting=waiting,
        in_english={tag: frozenset(catalogs & learning) for tag, catalogs in missed.items()},
    )
    library.consent.update(library.consent_words())
    return library


def load_scales(library: Library) -> dict[str, PublishedScale]:
    """The published scales that ship, by code. None of them enters a profile by itself.

    Args:
        library: The content; no scale may be called like one of its questionnaires.

    Raises:
        LibraryError: Scale files have faults; all are listed.
    """
    paths = sorted(_children("scoring", "rules/scales", ".yaml"), key=lambda p: p.name)
    texts = {f"scoring/rules/scales/{p.name}": p.read_text(encoding="utf-8") for p in paths}
    scales, problems = read_scales(texts, taken=tuple(library.current))
    if problems:
        raise LibraryError(problems)
    return scales


def digest(texts: Mapping[str, str]) -> str:
    """What tells one revision of a version's texts from another."""
    return sha256(repr(sorted(texts.items())).encode()).hexdigest()[:16]


def translated(
    tag: str, texts: Mapping[str, str], entries: Entries, *, drafts: bool = True
) -> Lexicon:
    """A language's words, English where they cannot be used.

    Args:
        tag: The language.
        texts: The questionnaires' English texts by address.
        entries: What the language has.
        drafts: Whether words that have not come far enough are used.
    """
    everything = {**SENTENCES, **texts}
    usable = {
        address: entry
        for address, entry in entries.items()
        if (drafts or is_heard(address) or may_stand(base(address), entry.standing))
        and not fault(address, everything.get(base(address), entry.source), entry)
    }
    own = {address: entry.words for address, entry in usable.items()}
    added = {a: words for a, words in own.items() if a.endswith(":accept")}
    return _lexicon(
        tag,
        {key: own.get(key, source) for key, source in SENTENCES.items()},
        {**{address: own.get(address, source) for address, source in texts.items()}, **added},
        draft=any(e.standing.state == "draft-machine" for e in usable.values()),
        spellings={base(a): w for a, w in own.items() if a.endswith(SMS) and base(a) in own},
    )


def _entries(folder: Traversable) -> dict[str, dict[str, Entry]]:
    """What every language has, by tag, in the order of a menu."""
    try:
        found = in_order(tags(folder), first=SOURCE_LANGUAGE)
        return {tag: read_entries(folder, tag) for tag in found}
    except CatalogFaultError as error:
        raise LibraryError((str(error),)) from error


def _waiting(entries: Entries) -> tuple[str, ...]:
    """What has not come far enough; a spelling that has not is only not used."""
    return tuple(
        address
        for address, entry in entries.items()
        if not address.endswith(SMS) and not may_stand(address, entry.standing)
    )


def _heard(entries: Mapping[str, Entries]) -> list[Lexicon]:
    """The words that are understood in all languages, whatever their state."""
    return [
        _lexicon(tag, {a: e.words for a, e in own.items() if is_heard(a)}, {})
        for tag, own in entries.items()
    ]


def _all_keywords(entries: Mapping[str, Entries]) -> Keywords:
    return collect(_heard(entries))


def _forms(
    entries: Mapping[str, Entries],
) -> tuple[list[Form], list[ContentError | RuleError | str]]:
    forms: list[Form] = []
    problems: list[ContentError | RuleError | str] = []
    words = reserved(_all_keywords(entries))
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


def _lexicon(
    tag: str,
    phrases: Mapping[str, str],
    texts: Mapping[str, str],
    *,
    draft: bool = False,
    spellings: Mapping[str, str] | None = None,
) -> Lexicon:
    return Lexicon(
        language=tag,
        name=own_name(tag),
        phrases=phrases,
        texts=texts,
        numbers=number_words(phrases),
        draft=draft,
        spellings=spellings or {},
    )
