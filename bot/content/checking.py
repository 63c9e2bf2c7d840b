"""`check`: everything an author, a translator and an operator can get wrong, found at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from bot.content.entries import shipped
from bot.content.library import Library, LibraryError, load, load_scales
from bot.content.showing import too_long
from bot.settings import Settings, problems_of
from bot.site import Site, read_site
from bot.translating.status import place, status
from flows.lexicon import Lexicon
from flows.messages import LIMITS
from flows.rendering import check_rendering
from flows.ussd import IN_QUESTION, SCREEN, menu, missing, paged
from flows.wording import clashes
from scoring.scale_model import PublishedScale


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `check` found: what is there, what to know, what to mend."""

    found: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def everything(settings: Settings) -> Report:
    """Check settings, site, content, rules and every rendering."""
    site, problems = read_site(settings.site_file)
    found = [*problems, *problems_of(settings)]
    if site is None:
        return Report(found=(), notes=(), problems=tuple(found))
    try:
        library = load(languages=site.languages, rules=site.rules)
        scales = load_scales(library)
    except LibraryError as error:
        return Report(found=(), notes=(), problems=(*found, *map(str, error.problems)))
    found += _renderings(library)
    found += [str(g) for g in library.gaps if g.catalog not in library.learning]
    found += _clashes(library)
    found += _languages(site, library)
    return Report(
        found=_inventory(library, scales, site.rules),
        notes=_notes(site, library),
        problems=tuple(found),
    )


def _inventory(
    library: Library, scales: Mapping[str, PublishedScale], site_rules: str
) -> tuple[str, ...]:
    forms = ", ".join(f"{form} ({version})" for form, version in sorted(library.current.items()))
    return (
        f"questionnaires: {forms}",
        f"languages: {', '.join(library.lexicons)}",
        f"channels: {', '.join(LIMITS)}",
        f"rules: {site_rules} ({library.rules.version})",
        f"scales: {', '.join(f'{scale.id} ({scale.digest})' for scale in scales.values())}",
    )


def _notes(site: Site, library: Library) -> tuple[str, ...]:
    """Things that are no fault but that somebody should know."""
    drafts = [tag for tag, lexicon in library.lexicons.items() if lexicon.draft]
    notes = [
        f"{tag}: machine drafts, not offered outside the demo until they are approved"
        for tag in drafts
    ]
    notes += [
        f"{language.language}: {note}"
        for language in status(place(shipped()))
        for note in language.notes
    ]
    notes += _unspelled(library)
    notes += [
        f"{tag}: {form_id} is told in English until all of it is translated"
        for tag, forms in library.in_english.items()
        for form_id in sorted(forms)
    ]
    notes += [
        f"helpline {line.name} {line.number}: not verified; phone it and write verified_on"
        for line in site.helplines
        if line.verified_on is None
    ]
    if site.request_days_confirmed_on is None:
        notes.append(
            f"request_days {site.request_days}: no lawyer has confirmed it; ask one and write "
            "request_days_confirmed_on"
        )
    return tuple(notes)


def _languages(site: Site, library: Library) -> list[str]:
    return [
        f"site.yaml: languages: there is no folder locales/{tag}. Fix: add it or leave {tag} out."
        for tag in site.languages
        if tag not in library.lexicons
    ]


def _clashes(library: Library) -> list[str]:
    """Words of a language that would be mistaken for each other."""
    asked = [library.questionnaire(version) for version in library.current.values()]
    return [
        f"{tag}: {address}: {found}. Fix: use other words."
        for tag, lexicon in library.lexicons.items()
        for address, found in clashes(asked, lexicon, library.keywords)
    ]


def _renderings(library: Library) -> list[str]:
    """Every questionnaire and notice in every language on every channel, at its worst."""
    found = []
    for (tag, lexicon), (channel, limits) in product(library.lexicons.items(), LIMITS.items()):
        for form_id, version in library.current.items():
            if channel == "ussd" and missing(lexicon, form_id):
                continue  # not offered there: `_unspelled` says so
            questionnaire = library.questionnaire(version)
            found += [
                f"{tag}/{channel}: {problem.address}: {problem.found}, the most is "
                f"{problem.limit}. Fix: shorten it."
                for problem in check_rendering(questionnaire, lexicon, limits)
            ]
        found += [
            f"{tag}/{channel}: {error}. Fix: shorten it." for error in too_long(lexicon, channel)
        ]
        found += _one_screen(tag, lexicon) if channel == "ussd" else []
    return found


def _one_screen(tag: str, lexicon: Lexicon) -> list[str]:
    """What is said where no session is kept must fit on one USSD screen; so must the menu."""
    texts = {key: lexicon.plain.say(key, {}) for key in ("ussd.later", "trouble")}
    texts |= {"ussd menu": menu(lexicon, IN_QUESTION)}
    return [
        f"{tag}/ussd: bot/{key}: more than one screen of {SCREEN}. Fix: shorten it."
        for key, text in texts.items()
        if len(paged(text, lexicon, with_menu=False)) > 1
    ]


def _unspelled(library: Library) -> list[str]:
    """What cannot be shown on a USSD screen, and is not offered there."""
    return [
        f"{tag}: {form_id} is not offered on USSD: {len(lacking)} texts need a GSM-7 spelling, "
        f"first {lacking[0]}"
        for (tag, lexicon), form_id in product(library.lexicons.items(), library.current)
        if (lacking := missing(lexicon, form_id))
    ]
