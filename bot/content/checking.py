"""`check`: everything an author, a translator and an operator can get wrong, found at once."""

from dataclasses import dataclass
from itertools import product

from bot.content.library import Library, LibraryError, load
from bot.settings import Settings, problems_of
from bot.site import Site, read_site
from flows.lexicon import Lexicon
from flows.messages import LIMITS, Menu, Phrase, Prompt
from flows.notices import NOTICES
from flows.rendering import TooLong, check_rendering, render

LONGEST_VALUE = "x" * 24
"""As long as a placeholder's value can get in a notice (site names are held to it)."""
LONG_VALUES = {"url": "https://" + "x" * 40, "codes": ", ".join(["A7F3K2"] * 6)}
HELPLINES = "; ".join(["Childline 0800 000 000"] * 3)


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
    except LibraryError as error:
        return Report(found=(), notes=(), problems=(*found, *map(str, error.problems)))
    found += _renderings(library)
    found += [str(gap) for gap in library.gaps]
    found += _languages(site, library)
    return Report(
        found=_inventory(library, site.rules), notes=_notes(site, library), problems=tuple(found)
    )


def _inventory(library: Library, site_rules: str) -> tuple[str, ...]:
    forms = ", ".join(f"{form} ({version})" for form, version in sorted(library.current.items()))
    return (
        f"questionnaires: {forms}",
        f"languages: {', '.join(library.lexicons)}",
        f"channels: {', '.join(LIMITS)}",
        f"rules: {site_rules} ({library.rules.version})",
    )


def _notes(site: Site, library: Library) -> tuple[str, ...]:
    """Things that are no fault but that somebody should know."""
    drafts = [tag for tag, lexicon in library.lexicons.items() if lexicon.draft]
    notes = [
        f"{tag}: machine drafts, not offered outside the demo until they are approved"
        for tag in drafts
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


def _renderings(library: Library) -> list[str]:
    """Every questionnaire and notice in every language on every channel, at its worst."""
    found = []
    for (tag, lexicon), (channel, limits) in product(library.lexicons.items(), LIMITS.items()):
        for version in library.current.values():
            questionnaire = library.questionnaire(version)
            found += [
                f"{tag}/{channel}: {problem.address}: {problem.found}, the most is "
                f"{problem.limit}. Fix: shorten it."
                for problem in check_rendering(questionnaire, lexicon, limits)
            ]
        found += _notices(tag, lexicon, channel)
    return found


def _notices(tag: str, lexicon: Lexicon, channel: str) -> list[str]:
    found = []
    values = _Longest(LONG_VALUES | {"helplines": HELPLINES})
    for key in NOTICES:
        prompt = Prompt(parts=(Phrase(key=key, values=values),))
        try:
            render(
                prompt,
                questionnaire=None,
                session=None,
                lexicon=lexicon,
                limits=LIMITS[channel],  # type: ignore[index]
            )
        except TooLong as error:
            found.append(f"{tag}/{channel}: {error}. Fix: shorten it.")
    for kind in ("accept", "pass", "phone"):
        menu = Menu(ref="a." + "0" * 32, options=((kind, f"alert.choice.{kind}"),))
        render(
            Prompt(parts=(menu,)),
            questionnaire=None,
            session=None,
            lexicon=lexicon,
            limits=LIMITS[channel],  # type: ignore[index]
        )
    return found


class _Longest(dict[str, str]):
    """Any placeholder has a value of the greatest length."""

    def __missing__(self, key: str) -> str:
        return LONGEST_VALUE
