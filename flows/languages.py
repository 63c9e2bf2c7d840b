"""What languages call themselves, and in which order a menu shows them.

The Constitution of South Africa, section 6(1), spells its languages in letters that every phone
shows and every SMS carries; Unicode's data writes two of them otherwise ("Sesotho sa Leboa",
"Tshivenḓa"), and one such letter would halve what fits in an SMS. All others are Unicode's.
"""

from collections.abc import Iterable, Mapping

from babel import Locale, UnknownLocaleError

LIST = "@languages"
"""Name of the choice list made of the languages on offer; no author can write such a name."""

OWN: Mapping[str, str] = {
    "af": "Afrikaans",
    "en": "English",
    "nr": "isiNdebele",
    "nso": "Sepedi",
    "ss": "siSwati",
    "st": "Sesotho",
    "tn": "Setswana",
    "ts": "Xitsonga",
    "ve": "Tshivenda",
    "xh": "isiXhosa",
    "zu": "isiZulu",
}
"""Own name by tag. Source: Constitution of the Republic of South Africa, 1996, section 6(1)."""


def own_name(tag: str) -> str:
    """What a language calls itself; the tag where nobody knows.

    Args:
        tag: BCP 47 tag ("nso").
    """
    if tag in OWN:
        return OWN[tag]
    try:
        return Locale.parse(tag, sep="-").get_display_name(tag) or tag
    except (ValueError, UnknownLocaleError):
        return tag


def in_order(tags: Iterable[str], *, first: str) -> tuple[str, ...]:
    """The tags as a menu shows them: `first`, then by own name, small and capital letters alike."""
    return tuple(sorted(tags, key=lambda tag: (tag != first, own_name(tag).casefold())))
