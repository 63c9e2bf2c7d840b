"""Every questionnaire in every language on every channel, answered to its end.

A walk is the pure engine and the rendering: what is typed passes `route` first, as live, and the
session goes through its JSON at every step. Answers are drawn from a seed: by digit, by what the
screen says, by another word, by a tap; now and then one is wrong, or is BACK, SKIP or HELP.
WALK_SEEDS says how many walks there are of each kind (`make walk`).
"""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from bot.content.chatting import EXAMPLES
from bot.content.checking import everything
from bot.content.library import Library, load
from bot.content.spoken import offered_on
from bot.settings import Settings
from flows.engine import advance
from flows.languages import LIST
from flows.lexicon import Lexicon
from flows.messages import LIMITS, Ask, ChannelName, Correct, Inbound, Limits, Outbound
from flows.questionnaire import Item, Questionnaire, offering
from flows.rendering import render
from flows.roster import PRETEND, ROSTER_TYPE
from flows.routing import AnswerTo, Conversation, OpenPrompt, SwitchLanguage, route
from flows.sessions import (
    Event,
    HelpAsked,
    LanguageChosen,
    Replied,
    Say,
    Session,
    Skipped,
    Started,
    WentBack,
    begin,
    from_json,
    to_json,
)
from flows.sms import segments
from flows.ussd import PREFIX, SCREEN, is_plain, missing, paged

Style = Literal["digit", "label", "word", "tap"]
STYLES: tuple[Style, ...] = ("digit", "label", "word", "tap")
SEEDS = int(os.environ.get("WALK_SEEDS", "3"))
ROOT = Path(__file__).parents[1]
FORMS = sorted(path.stem for path in (ROOT / "flows" / "questionnaires").glob("*.yaml"))
TAGS = ["en", *sorted(p.name for p in (ROOT / "locales").iterdir() if (p / "LC_MESSAGES").is_dir())]
NOW = datetime(2026, 2, 2, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOST_TURNS = 300
WRONG = ("1 or 2", "77", "not 1", "?!", "")
ASIDE: tuple[Event, ...] = (HelpAsked(), WentBack(), Skipped())
REASKED = {"reject.ambiguous", "reject.pack"}
"""Why what the screen says may be asked again: another language reads it differently."""


@cache
def content() -> Library:
    """All languages there are, drafts too."""
    return load(drafts=True)


@dataclass(slots=True, kw_only=True)
class Walk:
    """Somebody who answers a questionnaire, and what has to hold at each of her steps."""

    questionnaire: Questionnaire
    session: Session
    lexicon: Lexicon
    dice: random.Random
    style: Style
    messages: Sequence[Outbound] = ()
    corrected: set[str] = field(default_factory=set)
    plainly: bool = False

    def to_the_end(self) -> None:
        """Answer until nothing is asked any more."""
        self._happens(Started())
        for _ in range(MOST_TURNS):
            if self.session.status != "open":
                return
            self._step()
        pytest.fail(f"it has no end: {self.session.asking}")

    def _step(self) -> None:
        chance = self.dice.random()
        if chance < 0.06:
            self._happens(self.dice.choice(ASIDE))
        elif chance < 0.12:
            self._says(self.dice.choice(WRONG), {})
        elif self.style == "tap" and self.messages[-1].buttons:
            self._happens(Replied(token=self.dice.choice(self.messages[-1].buttons).token))
        else:
            self._answers()

    def _answers(self) -> None:
        items = [self.questionnaire[name] for name in self.session.asking]
        meant = {item.name: self._choice(item) for item in items}
        alone = len(items) == 1
        style: Style = "digit" if self.plainly or self.style == "tap" else self.style
        words = [self._named(item, meant[item.name], style, alone=alone) for item in items]
        self._says((" " if style == "digit" else ", ").join(words), meant, style=style)

    def _choice(self, item: Item) -> str:
        """A value of the item, as it will be stored."""
        if item.list_name == LIST:
            return self.lexicon.language
        if item.type == ROSTER_TYPE:
            roster = self.session.context["roster"].split()
            several = self.dice.sample(roster, self.dice.randint(0, 3))
            return " ".join(sorted(several, key=int)) or "0"
        assert item.type in ("select_one", "select_multiple"), f"how is {item.type} answered?"
        return self.dice.choice(item.choices)

    def _named(self, item: Item, value: str, style: Style, *, alone: bool) -> str:
        if not item.choices:
            return value
        place = item.choices.index(value) + 1
        shown = self.lexicon if LIMITS[self.session.channel].unit == "chars" else self.lexicon.plain
        form, name = self.questionnaire.form_id, item.list_name
        match style:
            case "label":
                return shown.choice(form, name, value)
            case "word":
                words = [*shown.accept(form, name, value), f"{place}\ufe0f\u20e3", f"({place})"]
                words += shown.phrases.get(f"word.{value}", "").split("|")
                words += [chr(ord("a") + place - 1)] if alone else []
                return self.dice.choice([word for word in words if word])
            case _:
                return str(place)

    def _says(self, text: str, meant: dict[str, str], *, style: Style = "digit") -> None:
        """She types; what she meant is stored, or it is asked again, never anything else."""
        before = self.session
        self._happens(self._heard(text))
        again = [name for name in meant if name in self.session.asking]
        for name, value in meant.items():
            answer = self.session.answers.get(name)
            if answer is not None and answer != before.answers.get(name):
                assert answer.value == value, (text, name)
        self.plainly = bool(again)
        if style == "digit":
            assert not again, f"{text!r} did not answer {again}"
        elif style == "label" and again:
            assert self.corrected <= REASKED, (text, self.corrected)

    def _heard(self, text: str) -> Event:
        """What the words are taken for, as live: nothing that is an answer may be anything else."""
        waits = OpenPrompt(kind="question", ref=self.session.id, asked_at=NOW)
        joining = self.questionnaire.form_id == "enrolment"
        intent = route(
            Conversation(open_prompt=waits, session=self.session.id, joining=joining),
            Inbound(
                channel=self.session.channel,
                account="us",
                address="her",
                message_id="1",
                text=text,
                received_at=NOW,
            ),
            keywords=content().keywords,
            lexicons=list(content().lexicons.values()),
            crisis=content().crisis,
        )
        if isinstance(intent, SwitchLanguage):
            return LanguageChosen(language=intent.language)
        assert isinstance(intent, AnswerTo), f"{text!r} is taken for {intent}"
        return Replied(text=text)

    def _happens(self, event: Event) -> None:
        turn = advance(
            self.questionnaire,
            self.session,
            event,
            now=self.session.changed_at + MINUTE,
            lexicon=self.lexicon,
            others=content().others(self.lexicon.language),
        )
        self.session = from_json(to_json(turn.session))
        assert self.session == turn.session
        assert self.session.language == self.lexicon.language
        prompts = [effect.prompt for effect in turn.effects if isinstance(effect, Say)]
        parts = [part for prompt in prompts for part in prompt.parts]
        self.corrected = {part.reason for part in parts if isinstance(part, Correct)}
        self.messages = [
            message
            for prompt in prompts
            for message in render(
                prompt,
                questionnaire=self.questionnaire,
                session=self.session,
                lexicon=self.lexicon,
                limits=LIMITS[self.session.channel],
            )
        ]
        if self.session.status == "open":
            assert any(isinstance(part, Ask) for part in parts), "silent while open"
        for message in self.messages:
            fits(message, LIMITS[self.session.channel], self.lexicon)


def fits(message: Outbound, limits: Limits, lexicon: Lexicon) -> None:
    """A message is a text without leftovers, within what its channel carries."""
    assert message.text.strip()
    assert "{" not in message.text, "a placeholder is left"
    match limits.unit:
        case "segments":
            assert segments(message.text).segments <= limits.text
        case "septets":
            pages = paged(message.text, lexicon, with_menu=True)
            assert is_plain(message.text)
            assert max(segments(page).units for page in pages) + PREFIX <= SCREEN
        case _:
            assert len(message.text.encode("utf-16-le")) // 2 <= limits.text
    listed = bool(message.menu)
    assert len(message.buttons) <= (limits.rows if listed and limits.rows else limits.buttons)
    for button in message.buttons:
        longest = limits.row_chars if listed and limits.rows else limits.button_chars
        assert 0 < len(button.title.encode("utf-16-le")) // 2 <= longest
        assert len(button.token.encode()) <= limits.token_bytes


def walk(form: str, tag: str, channel: ChannelName, style: Style, seed: int) -> Walk:
    """One questionnaire to its end."""
    library = content()
    questionnaire = library.newest(form)
    dice = random.Random(f"{form}/{tag}/{channel}/{style}/{seed}")  # noqa: S311 - it repeats
    known = EXAMPLES | {
        "channel": channel,
        "offered": " ".join(offered_on(library, channel, form)),
        "duty_officer": dice.choice(["yes", "no"]),
    }
    if questionnaire.is_learning:
        known["roster"] = " ".join(PRETEND)
    context = {name: known.get(name, "") for name in questionnaire.context}
    one = Walk(
        questionnaire=offering(questionnaire, context),
        session=begin(
            f"{seed:032x}", questionnaire, channel=channel, language=tag, now=NOW, context=context
        ),
        lexicon=library.lexicon(tag),
        dice=dice,
        style=style,
    )
    one.to_the_end()
    return one


def codes_of(item: Item, context: Sequence[str]) -> set[str]:
    """What an answer to the item may consist of."""
    return {"0", *context} if item.type == ROSTER_TYPE else set(item.choices)


@pytest.mark.parametrize("channel", list(LIMITS))
@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("form", FORMS)
def test_it_is_answered_to_its_end(form: str, tag: str, channel: ChannelName) -> None:
    if tag not in offered_on(content(), channel, form):
        lacking = missing(content().lexicons[tag], form)
        assert channel == "ussd"
        assert lacking
        pytest.skip(f"not offered on USSD: {len(lacking)} texts need a GSM-7 spelling")
    styles = [s for s in STYLES if s != "tap" or LIMITS[channel].buttons]
    for seed, style in ((seed, style) for seed in range(SEEDS) for style in styles):
        done = walk(form, tag, channel, style, seed)
        assert done.session.status == "completed"
        asked = {n: a for n, a in done.session.answers.items() if done.questionnaire[n].asked}
        assert asked
        roster = done.session.context.get("roster", "").split()
        for name, answer in asked.items():
            allowed = codes_of(done.questionnaire[name], roster)
            given = answer.value.split()
            assert set(given) <= allowed, (name, answer)
            assert bool(given) == (answer.state != "skipped")


def test_everything_is_walked_but_what_check_says_is_not_offered() -> None:
    found = everything(Settings(_env_file=None, demo=True))  # type: ignore[call-arg]
    named = {note.split(" is not offered on USSD")[0] for note in found.notes if "on USSD" in note}
    left_out = {
        f"{tag}: {form}"
        for tag in TAGS
        for form in FORMS
        if tag not in offered_on(content(), "ussd", form)
    }
    assert named == left_out
    assert set(TAGS) == set(content().offered)
    assert set(FORMS) == set(content().current)
