"""USSD: one short screen at a time, on any phone, with digits and no trace on the phone.

A reply is laid out on screens of 182 characters; the network brings the whole path of a session
each time, so that a page turned and a repeated delivery are told from a new answer by the path
alone. What stands on her screen is a `Dialog`; the shell keeps one a phone for some minutes.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from flows.keywords import Action
from flows.lexicon import Lexicon
from flows.phrases import PHRASES
from flows.sms import segments

SCREEN = 182
"""Septets of one screen, `CON ` or `END ` included (reference/channels.md §7)."""
PREFIX = 4
"""Septets of `CON ` and `END `."""
MORE = "98"
"""Turns the page where there is a next one."""
MENU = "00"
"""Opens her menu. No answer is `00`, while 0 is one ("0 for none")."""
IN_QUESTION: tuple[Action, ...] = ("back", "skip", "language", "help", "call", "stop")
IDLE: tuple[Action, ...] = ("language", "help", "call", "stop")
STOPPED: tuple[Action, ...] = ("start",)
"""What the menu offers within a questionnaire, outside of one, and after STOP."""
NOT_SAID = ("keyword.", "word.", "number.", "paper.", "alert.", "glass.", "login.", "command.")
"""Words that are understood, printed, or for staff, who do not work by USSD."""
_HALF = 2


class Dialog(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands on one phone's screen, and how she came there.

    Attributes:
        session: The network's id of the session.
        path: Everything she has keyed in it, steps joined by `*`.
        pages: The answer, laid out on screens.
        page: Which of them she sees, from 0.
        waits: Whether something waits for her reply after the last of them.
        menu: Her menu as a screen; empty where there is none.
        actions: What its entries ask for, in order, after the first, which goes on.
        in_menu: Whether she sees the menu now.
        rows: Ids of the outbox rows that the pages carry.
    """

    session: str
    path: str
    pages: tuple[str, ...]
    page: int = 0
    waits: bool = False
    menu: str = ""
    actions: tuple[Action, ...] = ()
    in_menu: bool = False
    rows: tuple[str, ...] = ()

    @property
    def screen(self) -> str:
        """The text she sees."""
        return self.menu if self.in_menu else self.pages[self.page]

    @property
    def open(self) -> bool:
        """Whether she can key something: an answer, a further page, the menu."""
        return self.in_menu or self.waits or self.page + 1 < len(self.pages)


class Typed(Struct, frozen=True, kw_only=True):
    """Something for the conversation: words of hers, or only that she dialled.

    Attributes:
        text: What she keyed, or the key word of the menu's entry she chose.
        opens: She begins, or begins anew after a dropped session: nothing she keyed is taken for
            an answer to a question that she has not seen.
    """

    text: str = ""
    opens: bool = False


def read(dialog: Dialog | None, session: str, path: str) -> Dialog | Typed:
    """What a request of the network means.

    Args:
        dialog: What stood on her screen last, if it is still known.
        session: The network's id of the session.
        path: Everything she has keyed in it.

    Returns:
        The dialog as she shall see it now, where nothing was said (a repeated delivery, a page
        turned, the menu); else what she said.
    """
    if dialog is None or dialog.session != session:
        return Typed(opens=True)
    if not path or f"{dialog.path}*".startswith(f"{path}*"):
        return dialog
    known = f"{dialog.path}*" if dialog.path else ""
    if not path.startswith(known):
        return Typed(opens=True)
    step = path.removeprefix(known)
    now = replace(dialog, path=path)
    return _chosen(now, step) if dialog.in_menu else _keyed(now, step)


def _keyed(dialog: Dialog, step: str) -> Dialog | Typed:
    if step == MENU and dialog.menu:
        return replace(dialog, in_menu=True)
    if dialog.page + 1 < len(dialog.pages) and (step == MORE or _is_early(dialog, step)):
        return replace(dialog, page=dialog.page + 1)
    return Typed(text=step.replace("*", " "))


def _is_early(dialog: Dialog, step: str) -> bool:
    """Whether a number names an answer that she has not seen: nobody agrees to what is unread.

    Words are never early: STOP counts on every screen.
    """
    seen = (line for page in dialog.pages[: dialog.page + 1] for line in page.split("\n"))
    return step.isdecimal() and not any(line.startswith(f"{step} ") for line in seen)


def _chosen(dialog: Dialog, step: str) -> Dialog | Typed:
    if step == "1":
        return replace(dialog, in_menu=False, page=0)
    entries = {str(number): action for number, action in enumerate(dialog.actions, start=2)}
    action = entries.get(step)
    return dialog if action is None else Typed(text=PHRASES[f"keyword.{action}"].split("|")[0])


def menu(lexicon: Lexicon, actions: Sequence[Action]) -> str:
    """The menu as a screen; its first entry goes on."""
    labels = ["ussd.go_on", *(f"ussd.{action}" for action in actions)]
    lines = [f"{number} {lexicon.plain.say(key, {})}" for number, key in enumerate(labels, start=1)]
    return "\n".join(lines)


def paged(text: str, lexicon: Lexicon, *, with_menu: bool) -> tuple[str, ...]:
    """A reply as screens, each with how to see the rest and where the menu is.

    A line stays whole where it can: an answer and its digit are never parted by a page.

    Args:
        text: The reply, of any length; at least one screen comes of it.
        lexicon: Her words for "more" and "menu".
        with_menu: Whether she has a menu.
    """
    last = f"\n{MENU} {lexicon.plain.say('ussd.menu', {})}" if with_menu else ""
    further = f"\n{MORE} {lexicon.plain.say('ussd.more', {})}{last}"
    room = SCREEN - PREFIX
    pages: list[str] = []
    rest = plain(text)
    while _size(rest + last) > room:
        page, rest = _cut(rest, room - _size(further))
        pages.append(page + further)
    return (*pages, rest + last)


def _cut(text: str, room: int) -> tuple[str, str]:
    """What fits of a text that does not fit: whole lines, of a long line the words that fit."""
    page: str | None = None
    rest = text
    while True:
        line, _, after = rest.partition("\n")
        joined = line if page is None else f"{page}\n{line}"
        if _size(joined) > room:
            break
        page, rest = joined, after
    if page and _size(line) * _HALF <= room:
        return page, rest
    head, tail = _words(page or "", line, room)
    return head, f"{tail}\n{after}" if after else tail


def _words(page: str, line: str, room: int) -> tuple[str, str]:
    """The page with the words of a line that still fit on it, and the other words."""
    words = line.split(" ")
    start = f"{page}\n" if page else ""
    fits = 0
    while _size(start + " ".join(words[: fits + 1])) <= room:
        fits += 1
    if fits:
        return start + " ".join(words[:fits]), " ".join(words[fits:])
    if page:
        return page, line
    size = room
    while _size(line[:size]) > room:
        size -= 1
    return line[:size], line[size:]


def _size(text: str) -> int:
    return segments(text).units


def is_plain(text: str) -> bool:
    """Whether every character can be shown on a USSD screen."""
    return segments(text).encoding == "GSM-7"


def plain(text: str) -> str:
    """A text that can be shown: a letter of a filled-in name that cannot be is left as `?`.

    Our own words never need it: a language with one such letter is not offered (`missing`).
    """
    return text if is_plain(text) else "".join(c if is_plain(c) else "?" for c in text)


def missing(lexicon: Lexicon, form_id: str) -> tuple[str, ...]:
    """Addresses of what is said in a questionnaire and has no spelling for USSD, sorted.

    Args:
        lexicon: The language.
        form_id: The questionnaire; empty for the bot's own sentences alone.
    """
    key, lexicon = ("ussd", form_id), lexicon.plain
    found = lexicon.memo.get(key)
    if found is None:
        found = lexicon.memo[key] = dict.fromkeys(_missing(lexicon, form_id), "")
    return tuple(found)


def _missing(lexicon: Lexicon, form_id: str) -> list[str]:
    said: Mapping[str, str] = {
        **{f"bot/{k}": t for k, t in lexicon.phrases.items() if not k.startswith(NOT_SAID)},
        **{
            address: text
            for address, text in lexicon.texts.items()
            if address.startswith(f"{form_id}/") and not address.endswith(":accept")
        },
    }
    return sorted(address for address, text in said.items() if not is_plain(text))
