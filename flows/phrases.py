"""The bot's own sentences in English, the source that every other language is translated from.

Keys are dotted, `{placeholders}` are filled when the sentence is said. All text is GSM-7, so that
one odd letter does not halve what fits in an SMS. Keys that begin with `keyword.`, `word.` and
`number.` are not said: they are words a reply may use, separated by `|`.
"""

from collections.abc import Mapping

from flows.lexicon import Lexicon
from flows.replies import normalise

PHRASES: Mapping[str, str] = {
    # How to answer, under a question that has no hint of its own.
    "ask.date": "Reply with the date: day/month/year.",
    "ask.decimal": "Reply with a number.",
    "ask.integer": "Reply with a number.",
    "ask.pack": "Reply {count} numbers, like {example}",
    "ask.roster": "Reply with list numbers like 3 7 19, or 0 for none.",
    "ask.several": "Reply with one or more numbers, like {example}",
    "ask.text": "Reply in your own words.",
    # BACK.
    "back.none": "This is the first question, so there is nothing to go back to.",
    # Handing over to a person.
    "handover.told": "Somebody from our team will look at this and can help you. "
    "You can still answer here.",
    # HELP and simpler help.
    "help.question": "Reply with the number of your answer, or the answer itself. "
    "You can also send SKIP, BACK, LATER, MENU or STOP.",
    "help.simple": "Send only the number, for example {digits}",
    "help.simple_open": "A short answer is enough.",
    "help.skip": "To leave this question out, send SKIP.",
    # Words that steer, matched on the whole message.
    "keyword.back": "back|go back|previous",
    "keyword.call": "call me|callme|please call me|phone me",
    "keyword.cancel": "cancel|end|quit|revoke",
    "keyword.change": "change|change answer|correct",
    "keyword.data": "data|my data",
    "keyword.delete": "delete|delete me|delete my data|erase",
    "keyword.exit": "bye|bye bye|goodbye|good bye",
    "keyword.help": "help|info",
    "keyword.join": "join",
    "keyword.language": "language|languages|change language",
    "keyword.later": "later|not now",
    "keyword.menu": "menu",
    "keyword.restart": "restart|start over|start again|begin again",
    "keyword.skip": "skip",
    "keyword.start": "start|unstop",
    "keyword.stop": "stop|stopall|stop all|unsubscribe|optout|opt out",
    "keyword.withdraw": "take back|withdraw|take back my yes|withdraw consent",
    # Menus.
    "menu.choose": "Choose",
    "menu.rest": "Or send the number:",
    # Number words.
    "number.1": "one",
    "number.2": "two",
    "number.3": "three",
    "number.4": "four",
    "number.5": "five",
    "number.6": "six",
    "number.7": "seven",
    "number.8": "eight",
    "number.9": "nine",
    "number.10": "ten",
    "number.11": "eleven",
    "number.12": "twelve",
    # Why a reply could not be taken, and what to send instead.
    "reject.ambiguous": "We are not sure which answer you mean. Please reply with its number.",
    "reject.choice": "Please reply with one of the answers, or its number.",
    "reject.constraint": "That answer does not seem to fit. Please look again.",
    "reject.date": "Please reply with a date like 31/12/2019.",
    "reject.empty": "We did not see any text in your message.",
    "reject.long": "That is a lot to read. Please send it again in fewer words.",
    "reject.media": "We can only read text here. Please type your answer.",
    "reject.none": "Please reply either 0 for none, or the other numbers.",
    "reject.number": "Please reply with a number in digits.",
    "reject.pack": "Please reply with one number for each question, in order.",
    "reject.roster": "We do not ask about these numbers: {numbers}. Please check them, "
    "or leave them out.",
    "reject.roster_form": "Please reply with list numbers like 3 7 19, or 0 for none.",
    "reject.several": "Please choose one answer only.",
    "reject.too_many": "That was more answers than questions. Please send one for each question.",
    # Numbers of a class list that are not asked about any more, beside others that are.
    "roster.left_out": "We do not ask about these numbers: {numbers}. We have noted the others.",
    # SKIP.
    "skip.refused": "We need an answer to this one to go on. You can also send STOP.",
    # Taps on buttons of an earlier question.
    "tap.stale": "That button belongs to an earlier question.",
    # Coming back after a pause.
    "welcome_back": "Good to hear from you again. We go on where we stopped.",
    # Words understood in answers.
    "word.and": "and",
    "word.language": "english",
    "word.no": "no|n|nope",
    "word.none": "none|nobody|no one|nothing",
    "word.option": "option|number|answer",
    "word.wrong_number": "wrong number|wrong person|not me|this is not me|"
    "you have the wrong number",
    "word.yes": "yes|y|yeah|yep",
}
"""English source of every sentence and word list, by key."""


def number_words(phrases: Mapping[str, str]) -> dict[str, str]:
    """The number words of a language, each to its digits, from its `number.N` phrases.

    Args:
        phrases: A language's sentences and word lists, as `PHRASES`.

    Returns:
        Normalised words to digits ("twelve" to "12"), as `Lexicon.numbers` wants them.
    """
    return {
        normalise(word): key.removeprefix("number.")
        for key, words in phrases.items()
        if key.startswith("number.") and key.removeprefix("number.").isdecimal()
        for word in words.split("|")
        if word.strip()
    }


def source_lexicon(
    texts: Mapping[str, str],
    *,
    language: str = "en",
    name: str = "English",
    phrases: Mapping[str, str] = PHRASES,
) -> Lexicon:
    """A lexicon of the source language.

    Args:
        texts: Questionnaire strings by address (see `Lexicon.texts`).
        language: BCP 47 tag of the texts.
        name: That language's own name.
        phrases: The bot's sentences in it.
    """
    return Lexicon(
        language=language,
        name=name,
        phrases=phrases,
        texts=texts,
        numbers=number_words(phrases),
    )
