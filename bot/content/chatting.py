"""`chat`: one questionnaire in the terminal, with the same engine, words and limits as live.

With a pipe as standard input each line is a reply, so a conversation can be scripted. Nothing is
stored.
"""

import sys
from collections.abc import Iterator

from bot.app import now
from bot.content.library import Library, load
from flows.engine import advance, begin
from flows.keywords import keyword, language_named
from flows.lexicon import Lexicon
from flows.messages import LIMITS, ChannelName, Outbound
from flows.rendering import render
from flows.roster import PRETEND
from flows.sessions import (
    Completed,
    Event,
    HelpAsked,
    LanguageChosen,
    Recorded,
    Replied,
    Say,
    Session,
    Skipped,
    Started,
    Stopped,
    Turn,
    WentBack,
)
from flows.sms import segments
from flows.ussd import SCREEN, missing, paged
from storage.ids import new_id

GOOD, PROBLEM = 0, 1
EXAMPLES = {
    "duty_officer": "no",
    "roster": " ".join(map(str, range(1, 43))),
    "class_name": "1A",
    "list_number": "17",
    "programme": "Child Wellbeing",
    "partners": "clinic, Social Development",
    "school": "Your school",
    "who_calls": "The social worker",
    "sms_join_cost": "3",
    "sms_core_cost": "4",
}
"""What a live start would know; here values to try a questionnaire with."""


def chat(form_id: str, *, channel: ChannelName, language: str) -> int:
    """Play a questionnaire to its end, or until the input ends."""
    library = load()
    if form_id not in library.current:
        sys.stderr.write(
            f"There is no questionnaire {form_id!r}. There are: {', '.join(library.current)}\n"
        )
        return PROBLEM
    if language not in library.lexicons:
        sys.stderr.write(
            f"There is no language {language!r}. There are: {', '.join(library.lexicons)}\n"
        )
        return PROBLEM
    if channel == "ussd" and (lacking := missing(library.lexicons[language], form_id)):
        sys.stderr.write(
            f"{form_id} is not offered on USSD in {language}: {len(lacking)} texts need a GSM-7 "
            f"spelling, among them {lacking[0]}\n"
        )
        return PROBLEM
    questionnaire = library.newest(form_id)
    known = EXAMPLES | {"channel": channel, "offered": " ".join(library.offered)}
    if questionnaire.is_learning:
        known["roster"] = " ".join(PRETEND)
    session = begin(
        new_id(now()),
        questionnaire,
        channel=channel,
        language=language,
        now=now(),
        context={name: known.get(name, "") for name in questionnaire.context},
    )
    if library.lexicons[language].draft:
        sys.stdout.write(f"[{language}: machine draft, not approved]\n")
    turn = _step(library, session, Started())
    lines = _lines()
    while turn.session.status == "open":
        text = next(lines, None)
        if text is None:
            sys.stdout.write("[the input ended before the questionnaire did]\n")
            return PROBLEM
        turn = _step(library, turn.session, _event(library, text))
    sys.stdout.write(f"[{turn.session.status}]\n")
    return GOOD


def _event(library: Library, text: str) -> Event:
    """The key words that mean something inside a questionnaire; everything else is a reply."""
    named = language_named(text, list(library.lexicons.values()))
    if named is not None:
        return LanguageChosen(language=named)
    match keyword(text, library.keywords):
        case "stop" | "cancel":
            return Stopped()
        case "help" | "language" | "menu":
            return HelpAsked()
        case "back":
            return WentBack()
        case "skip":
            return Skipped()
        case _:
            return Replied(text=text)


def _step(library: Library, session: Session, event: Event) -> Turn:
    language = event.language if isinstance(event, LanguageChosen) else session.language
    lexicon = library.lexicon(language)
    questionnaire = library.questionnaire(session.version)
    turn = advance(
        questionnaire,
        session,
        event,
        now=now(),
        lexicon=lexicon,
        others=library.others(language),
    )
    for effect in turn.effects:
        match effect:
            case Say(prompt=prompt):
                for message in render(
                    prompt,
                    questionnaire=questionnaire,
                    session=turn.session,
                    lexicon=lexicon,
                    limits=LIMITS[session.channel],
                ):
                    _show(message, session.channel, lexicon)
            case Recorded(item=item, answer=answer):
                sys.stdout.write(f"= {item}: {answer.value or answer.state}\n")
            case Completed():
                sys.stdout.write("= complete\n")
            case _:
                pass
    return turn


def _show(message: Outbound, channel: ChannelName, lexicon: Lexicon) -> None:
    if channel == "ussd":
        _show_screens(message.text, lexicon)
        return
    for line in message.text.splitlines():
        sys.stdout.write(f"> {line}\n")
    for button in message.buttons:
        sys.stdout.write(f">   [{button.title}]\n")
    if channel == "sms":
        counted = segments(message.text)
        sys.stdout.write(f"  ({counted.segments} SMS, {counted.encoding})\n")


def _show_screens(text: str, lexicon: Lexicon) -> None:
    """A reply as a USSD phone shows it, one screen after the other."""
    for page in paged(text, lexicon, with_menu=True):
        for line in f"CON {page}".splitlines():
            sys.stdout.write(f"> {line}\n")
        sys.stdout.write(f"  ({segments(f'CON {page}').units} of {SCREEN})\n")


def _lines() -> Iterator[str]:
    while True:
        if sys.stdin.isatty():
            sys.stdout.write("< ")
            sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        if not sys.stdin.isatty():
            sys.stdout.write(f"< {line.rstrip()}\n")
        yield line.rstrip("\r\n")
