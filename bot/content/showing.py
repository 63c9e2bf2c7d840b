"""Whether the words of a language fit on every channel, at their worst."""

from collections.abc import Iterable, Iterator

from flows.lexicon import Lexicon
from flows.messages import LIMITS, ChannelName, Menu, Phrase, Prompt
from flows.notices import NOTICES
from flows.questionnaire import Questionnaire
from flows.rendering import TooLong, check_rendering, render
from flows.ussd import missing

LONGEST_VALUE = "x" * 24
"""As long as a placeholder's value can get in a notice (site names are held to it)."""
LONG_VALUES = {"url": "https://" + "x" * 40, "codes": ", ".join(["A7F3K2"] * 6)}
HELPLINES = "; ".join(["Childline 0800 000 000"] * 3)


def unshowable(
    questionnaires: Iterable[Questionnaire], lexicon: Lexicon
) -> Iterator[tuple[str, str]]:
    """What cannot be shown on some channel, as (address, what was found) pairs.

    Args:
        questionnaires: Whose texts are measured, beside the bot's own.
        lexicon: The language.
    """
    asked = tuple(questionnaires)
    for channel, limits in LIMITS.items():
        for questionnaire in asked:
            if channel == "ussd" and missing(lexicon, questionnaire.form_id):
                continue  # not offered there
            for problem in check_rendering(questionnaire, lexicon, limits):
                yield problem.address, f"{problem.found} on {channel}, the most is {problem.limit}"
        for error in too_long(lexicon, channel):
            yield error.address, f"{error.units} on {channel}, the most is {error.limit}"


def too_long(lexicon: Lexicon, channel: ChannelName) -> list[TooLong]:
    """The notices that do not fit in one message of a channel, their values as long as can be."""
    found = []
    values = _Longest(LONG_VALUES | {"helplines": HELPLINES})
    prompts = [Prompt(parts=(Phrase(key=key, values=values),)) for key in NOTICES]
    for kind in ("accept", "pass", "phone"):
        menu = Menu(ref="a." + "0" * 32, options=((kind, f"alert.choice.{kind}"),))
        prompts.append(Prompt(parts=(menu,)))
    for prompt in prompts:
        try:
            render(
                prompt,
                questionnaire=None,
                session=None,
                lexicon=lexicon,
                limits=LIMITS[channel],
            )
        except TooLong as error:
            found.append(error)
    return found


class _Longest(dict[str, str]):
    """Any placeholder has a value of the greatest length."""

    def __missing__(self, key: str) -> str:
        return LONGEST_VALUE
