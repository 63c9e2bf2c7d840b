"""A prompt put into words for one language and one channel.

Nothing is ever cut off: what does not fit in one message becomes a further one, and a part that
does not fit alone is refused with its address, which `check_rendering` finds before anyone sees it.
Only a language whose letters more than double its size on SMS has a part sent as several messages.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle

from msgspec import Struct
from msgspec.structs import replace

from flows.asking import token, values_of
from flows.engine import SIMPLER_AT
from flows.languages import OWN
from flows.lexicon import Lexicon
from flows.messages import Ask, Button, Correct, Limits, Menu, Outbound, Part, Phrase, Prompt, Tell
from flows.questionnaire import OFFERED, Item, Questionnaire, offering
from flows.sessions import Session
from flows.sms import messages as in_parts
from flows.sms import segments

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_EXAMPLE = (1, 3, 2)
WORST = 12
"""Characters a placeholder is taken to fill when texts are checked beforehand."""


class TooLong(ValueError):  # noqa: N818 (it names what is wrong with a text)
    """A part of a prompt does not fit in one message of the channel.

    Attributes:
        address: Which text (`form/item`, `form/item:constraint_message`, `bot/phrase.key`).
        units: Its size, in the unit of the limit.
        limit: What the channel carries.
    """

    def __init__(self, address: str, units: int, limit: int) -> None:
        super().__init__(
            f"{address} takes {units} of {limit} in one message. Shorten its text or its answers."
        )
        self.address = address
        self.units = units
        self.limit = limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A text that cannot be shown on a channel: which, what was found, what is the limit."""

    address: str
    found: str
    limit: str


class _Block(Struct, frozen=True, kw_only=True):
    """One part in words; `alone` is said where a text is needed and it has none of its own."""

    address: str
    text: str
    buttons: tuple[Button, ...] = ()
    menu: str = ""
    alone: str = ""


class _Form(Struct, frozen=True):
    """A questionnaire in one language, with the session whose answers fill its placeholders."""

    questionnaire: Questionnaire
    session: Session
    lexicon: Lexicon
    limits: Limits

    def label(self, name: str) -> str:
        return self.filled(self.lexicon.label(self.questionnaire.form_id, name))

    def text(self, name: str, kind: str) -> str:
        return self.filled(self.lexicon.texts.get(f"{self._address(name)}:{kind}", ""))

    def choices(self, item: Item) -> list[str]:
        form = self.questionnaire.form_id
        return [
            self.filled(self.lexicon.choice(form, item.list_name, code)) for code in item.choices
        ]

    def filled(self, text: str) -> str:
        if "${" not in text:
            return text
        values = values_of(self.session, self.session.answers)
        return _PLACEHOLDER.sub(lambda found: self._value(found[1].strip(), values), text)

    def _value(self, name: str, values: Mapping[str, str]) -> str:
        value = values.get(name, "")
        if name in self.questionnaire.index:
            item = self.questionnaire[name]
            if item.type == "select_one" and value in item.choices:
                return self.lexicon.choice(self.questionnaire.form_id, item.list_name, value)
        return value

    def _address(self, name: str) -> str:
        return f"{self.questionnaire.form_id}/{name}"


def render(
    prompt: Prompt,
    *,
    questionnaire: Questionnaire | None,
    session: Session | None,
    lexicon: Lexicon,
    limits: Limits,
) -> tuple[Outbound, ...]:
    """The messages that say a prompt.

    Args:
        prompt: Its parts, in reading order.
        questionnaire: Whose items it names; may be None for phrases and menus only.
        session: Whose answers fill `${name}` in labels; goes with `questionnaire`.
        lexicon: The language.
        limits: The channel.

    Returns:
        One message while everything fits, else more; buttons close the message they belong to.

    Raises:
        TooLong: One part alone is too long; nothing is cut off. Content checks prevent it.
        KeyError: The language lacks a text; such a language is not offered.
    """
    form, lexicon = None, _spelled(lexicon, limits)
    if questionnaire is not None and session is not None:
        form = _Form(offering(questionnaire, session.context), session, lexicon, limits)
    messages: list[Outbound] = []
    said: set[str] = set()
    for part in prompt.parts:
        block = _block(form, part, lexicon, limits)
        if isinstance(part, Correct) and block.text in said:
            continue
        said.add(block.text)
        messages = _appended(messages, block, limits)
    return tuple(messages)


def check_rendering(
    questionnaire: Questionnaire, lexicon: Lexicon, limits: Limits
) -> list[Problem]:
    """Every text of a questionnaire, and of the bot, that does not fit on a channel.

    Notes, questions alone and packed, constraint messages and the bot's sentences are measured
    with placeholders of `WORST` characters. A re-ask is made of these parts, so it fits too.
    """
    filler, lexicon = "x" * WORST, _spelled(lexicon, limits)
    names = [*questionnaire.context, *questionnaire.index]
    session = Session(
        id=filler,
        form_id=questionnaire.form_id,
        version=questionnaire.version,
        channel="sms",
        language=lexicon.language,
        context=dict.fromkeys(names, filler) | {OFFERED: " ".join(OWN)},
        misses=SIMPLER_AT,
        changed_at=datetime(2000, 1, 1, tzinfo=UTC),
    )
    questionnaire = offering(questionnaire, session.context)
    form = _Form(questionnaire, session, lexicon, limits)
    problems: list[Problem] = []
    for part in _everything(questionnaire, lexicon, limits):
        try:
            _appended([], _block(form, part, lexicon, limits), limits)
        except TooLong as error:
            found, limit = f"{error.units} {limits.unit}", f"{error.limit} {limits.unit}"
            problems.append(Problem(address=error.address, found=found, limit=limit))
        except KeyError as error:
            found = f"no text {error.args[0]}"
            problems.append(Problem(address=_address(form, part), found=found, limit="none"))
    return problems


def _everything(questionnaire: Questionnaire, lexicon: Lexicon, limits: Limits) -> Iterator[Part]:
    packs: dict[str, list[str]] = {}
    for item in questionnaire.items:
        if item.type == "note":
            yield Tell(item=item.name)
        if item.asked:
            yield Ask(items=(item.name,))
            packs.setdefault(item.pack, []).append(item.name)
        if item.constraint:
            yield Correct(item=item.name, reason="constraint")
    yield from (Ask(items=tuple(names)) for pack, names in packs.items() if pack and limits.packs)
    for key in lexicon.phrases:
        if not key.startswith(("keyword.", "word.", "number.")):
            yield Phrase(key=key, values=_Filler())


class _Filler(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "x" * WORST


def _appended(messages: list[Outbound], block: _Block, limits: Limits) -> list[Outbound]:
    """The messages with one block more: in the last one if it fits there, else in its own."""
    if messages and not messages[-1].buttons:
        joined = f"{messages[-1].text}\n{block.text}" if block.text else messages[-1].text
        if _units(joined, limits) <= limits.text:
            whole = replace(messages[-1], text=joined, buttons=block.buttons, menu=block.menu)
            return [*messages[:-1], whole]
    text = block.text or block.alone
    if limits.unit == "segments":
        *before, text = in_parts(text, most=limits.text)
        messages = [*messages, *(Outbound(text=part) for part in before)]
    units = _units(text, limits)
    if units > limits.text:
        raise TooLong(block.address, units, limits.text)
    return [*messages, Outbound(text=text, buttons=block.buttons, menu=block.menu)]


def _units(text: str, limits: Limits) -> int:
    if limits.unit == "chars":
        return _utf16(text)
    size = segments(text)
    return size.segments if limits.unit == "segments" else size.units


def _spelled(lexicon: Lexicon, limits: Limits) -> Lexicon:
    """The words as the channel spells them: where letters outside GSM-7 cost more, in GSM-7."""
    return lexicon if limits.unit == "chars" else lexicon.plain


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _address(form: _Form | None, part: Part) -> str:
    form_id = form.questionnaire.form_id if form else "?"
    match part:
        case Phrase():
            return f"bot/{part.key}"
        case Menu():
            return f"menu/{part.ref}"
        case Ask():
            return f"{form_id}/{'+'.join(part.items)}"
        case Tell():
            return f"{form_id}/{part.item}"
        case _:
            return f"{form_id}/{part.item}:constraint_message"


def _block(form: _Form | None, part: Part, lexicon: Lexicon, limits: Limits) -> _Block:
    address = _address(form, part)
    if isinstance(part, Phrase):
        return _Block(address=address, text=lexicon.say(part.key, part.values))
    if isinstance(part, Menu):
        return _menu(part, address, lexicon, limits)
    if form is None:
        raise ValueError(f"{address} can only be said within a questionnaire and its session.")
    if isinstance(part, Tell):
        return _Block(address=address, text=form.label(part.item))
    if isinstance(part, Correct):
        return _Block(address=address, text=_correction(form, part))
    if len(part.items) == 1:
        return _question(form, form.questionnaire[part.items[0]], address)
    return _Block(address=address, text=_pack(form, part.items))


def _menu(part: Menu, address: str, lexicon: Lexicon, limits: Limits) -> _Block:
    titles = [text if part.literal else lexicon.say(text, {}) for _, text in part.options]
    tokens = [f"{part.ref}.{number}" for number in range(1, len(titles) + 1)]
    buttons = _buttons(titles, tokens, limits)
    return _Block(
        address=address,
        text="\n".join(_untapped(titles, buttons, lexicon)),
        buttons=buttons,
        menu=_opener(buttons, lexicon, limits),
        alone=lexicon.say("menu.choose", {}),
    )


def _correction(form: _Form, part: Correct) -> str:
    if part.reason != "constraint":
        return form.lexicon.say(part.reason, part.values)
    own = form.text(part.item, "constraint_message")
    return own or form.lexicon.say("reject.constraint", {})


def _question(form: _Form, item: Item, address: str) -> _Block:
    titles = form.choices(item)
    buttons: tuple[Button, ...] = ()
    if item.type == "select_one":
        place = form.questionnaire.index[item.name]
        tokens = [token(form.session, place, number) for number in range(len(titles))]
        buttons = _buttons(titles, tokens, form.limits)
    hint = form.text(item.name, "hint")
    # Who has missed the buttons several times is shown the digits she is told to send.
    spelled = form.session.misses >= SIMPLER_AT
    answers = _numbered(titles) if spelled else _untapped(titles, buttons, form.lexicon)
    lines = [form.label(item.name), hint, *answers]
    if not hint:
        lines.append(_how(item, form.lexicon))
    return _Block(
        address=address,
        text="\n".join(line for line in lines if line),
        buttons=buttons,
        menu=_opener(buttons, form.lexicon, form.limits),
    )


def _how(item: Item, lexicon: Lexicon) -> str:
    """How to answer, where the author says nothing about it."""
    match item.type:
        case "select_multiple":
            return lexicon.say("ask.several", {"example": "1 3" if item.choices[2:] else "1 2"})
        case "select_multiple_from_roster":
            return lexicon.say("ask.roster", {})
        case "integer" | "decimal" | "date" | "text":
            return lexicon.say(f"ask.{item.type}", {})
        case _:
            return ""


def _pack(form: _Form, names: Sequence[str]) -> str:
    """Several questions in words; put together once, as most name nobody and nothing."""
    key = ("pack", form.questionnaire.version, *names)
    kept = form.lexicon.memo.get(key)
    if kept is None:
        items = [form.questionnaire[name] for name in names]
        text = _packed(form.questionnaire.form_id, form.lexicon, items)
        kept = form.lexicon.memo[key] = {"text": text}
    return form.filled(kept["text"])


def _packed(form: str, lexicon: Lexicon, items: Sequence[Item]) -> str:
    """Several questions, lettered; a list of answers they all share is said once, at the end."""
    shared = len({item.list_name for item in items}) == 1
    example = " ".join(
        str(min(number, len(item.choices) or number))
        for number, item in zip(cycle(_EXAMPLE), items, strict=False)
    )
    lines = [lexicon.say("ask.pack", {"count": str(len(items)), "example": example})]
    for place, item in enumerate(items):
        hint = lexicon.texts.get(f"{form}/{item.name}:hint", "")
        answers = [] if shared else _choices(form, lexicon, item)
        words = [lexicon.label(form, item.name), hint, *answers]
        lines.append(f"{chr(ord('a') + place)}) {' '.join(word for word in words if word)}")
    if shared and items[0].choices:
        lines.append(" ".join(_choices(form, lexicon, items[0])))
    return "\n".join(lines)


def _choices(form: str, lexicon: Lexicon, item: Item) -> list[str]:
    return _numbered([lexicon.choice(form, item.list_name, code) for code in item.choices])


def _numbered(titles: Sequence[str]) -> list[str]:
    return [f"{number} {title}" for number, title in enumerate(titles, start=1)]


def _untapped(titles: Sequence[str], buttons: Sequence[Button], lexicon: Lexicon) -> list[str]:
    """The answers to be sent as numbers: all where there are no buttons, else what has no row."""
    lines = _numbered(titles)[len(buttons) :]
    return [lexicon.say("menu.rest", {}), *lines] if buttons and lines else lines


def _buttons(titles: Sequence[str], tokens: Sequence[str], limits: Limits) -> tuple[Button, ...]:
    """The answers as buttons or rows of a list; none where a title does not fit.

    Of more answers than a list has rows, the first ones are rows and the rest is text.
    """
    fits = _few_and_short(titles, limits.buttons, limits.button_chars)
    if limits.rows and not fits:
        titles, tokens = titles[: limits.rows], tokens[: limits.rows]
        fits = _few_and_short(titles, limits.rows, limits.row_chars)
    differ = len({title.casefold() for title in titles}) == len(titles)
    payloads = all(len(payload.encode()) <= limits.token_bytes for payload in tokens)
    if not (fits and differ and payloads):
        return ()
    return tuple(Button(title=t, token=p) for t, p in zip(titles, tokens, strict=True))


def _opener(buttons: Sequence[Button], lexicon: Lexicon, limits: Limits) -> str:
    """The label that opens the list picker, where the answers are rows of one and not buttons."""
    titles = [button.title for button in buttons]
    as_buttons = _few_and_short(titles, limits.buttons, limits.button_chars)
    return "" if as_buttons else lexicon.say("menu.choose", {})


def _few_and_short(titles: Sequence[str], most: int, longest: int) -> bool:
    return len(titles) <= most and all(_utf16(title) <= longest for title in titles)
