"""In which language a channel speaks: USSD shows only what can be spelled in GSM-7.

A language with one sentence or question that cannot be is not offered there; English is.
"""

from bot.content.entries import SOURCE_LANGUAGE
from bot.content.library import Library
from flows.lexicon import Lexicon
from flows.messages import ChannelName
from flows.ussd import missing


def lexicon_on(library: Library, channel: ChannelName, language: str, version: str = "") -> Lexicon:
    """Her words on a channel; English on USSD where her own cannot be spelled there.

    Args:
        library: Everything that can be said.
        channel: Where she is.
        language: What she reads.
        version: The questionnaire she is in, if any.
    """
    lexicon = library.lexicon(language, version)
    if channel != "ussd" or not missing(lexicon, _form(library, version)):
        return lexicon
    return library.lexicon(SOURCE_LANGUAGE, version)


def offered_on(library: Library, channel: ChannelName, form_id: str = "") -> tuple[str, ...]:
    """The languages a person may choose on a channel, for one questionnaire if it is named."""
    if channel != "ussd":
        return library.offered
    good = tuple(tag for tag in library.offered if not missing(library.lexicons[tag], form_id))
    return good or (SOURCE_LANGUAGE,)


def _form(library: Library, version: str) -> str:
    return library.questionnaire(version).form_id if version else ""
