"""Answering with somebody's help: the open question in her language and in English, aloud.

The list of people to call leads here. What a helper enters goes through the same turn as a message
of hers (`bot.turns.assisting`); nothing is sent to her phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from bot.content.entries import SOURCE_LANGUAGE
from bot.dashboard.page import Page, Visit
from bot.turns import assisting
from bot.turns.assisting import Entered, Heard
from bot.turns.desk import Live, Spoken
from bot.turns.world import World
from flows.messages import Ask, Limits, Outbound, Part, Prompt
from flows.questionnaire import offering
from flows.rendering import render
from flows.sessions import MODES, SELF, Event, Replied, Session, Skipped, WentBack
from storage.care.assisting import Helped, helped, to_call
from storage.trail import audit

PAGE_ROWS = 50
ON_PAGE = Limits(unit="chars", text=20_000, buttons=60, button_chars=1_000)
"""A page holds a question with all its answers to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An answer to choose: its button's token, and its words in her language and in English."""

    token: str
    hers: str
    english: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Words to be read to her, in her language and, where that is another, in English."""

    language: str
    hers: str
    english: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question that stands: where the questionnaire is, its words, its answers."""

    session_id: str
    rev: int
    item: str
    told: Told
    choices: tuple[Choice, ...]
    required: bool
    mode: str


async def view(visit: Visit) -> Response:
    """Show the people to call; with a task in the address, the open question of its person."""
    task_id = visit.request.query_params.get("task", "")
    if task_id:
        found = await _find(visit, task_id)
        return visit.fault(404, "missing") if found is None else await _show(visit, found)
    scope = visit.scope
    rows = await visit.deps.database.read(lambda c: to_call(c, scope, limit=PAGE_ROWS))
    await visit.note("listed", "tasks", None, None)
    return visit.page("assisted_list.html", rows=rows)


async def say(visit: Visit) -> Response:
    """Enter her answer: one of the choices, or her own words."""
    token = visit.form.get("answer", "")
    text = "" if token else visit.form.get("text", "")
    return await _enter(visit, Replied(token=token, text=text))


async def skip(visit: Visit) -> Response:
    """She leaves the question out."""
    return await _enter(visit, Skipped())


async def back(visit: Visit) -> Response:
    """She wants to answer the question before once more."""
    return await _enter(visit, WentBack())


async def _enter(visit: Visit, event: Event) -> Response:
    found, world = await _find(visit, visit.form.get("task", "")), visit.deps.world
    if found is None or world is None:
        return visit.fault(404, "missing")
    mode, rev = visit.form.get("mode", ""), visit.form.get("rev", "")
    if found.person_id is None or not rev.isdecimal():
        return await _show(visit, found)
    if mode not in MODES:
        return await _show(visit, found, fault="assisted.bad.mode")
    user, scope, now = visit.user.user, visit.scope, visit.now
    entered = Entered(
        person_id=found.person_id,
        session_id=visit.form.get("session", ""),
        rev=int(rev),
        item=visit.form.get("item", ""),
        mode=mode,
        helper=user.person_id or user.id,
        event=event,
    )
    entries = visit.entries("answered", "sessions", entered.session_id, found.school_id)

    def entering(conn: Connection) -> Heard | None:
        heard = assisting.enter(conn, world, scope, entered, now)
        if heard is not None and heard.taken:
            audit.record(conn, entries)
        return heard

    return await _show(visit, found, heard=await visit.deps.database.write(entering), mode=mode)


async def _find(visit: Visit, task_id: str) -> Helped | None:
    scope = visit.scope
    return await visit.deps.database.read(lambda c: helped(c, scope, task_id))


async def _show(
    visit: Visit, found: Helped, *, heard: Heard | None = None, mode: str = "", fault: str = ""
) -> Response:
    world, scope, now, person_id = visit.deps.world, visit.scope, visit.now, found.person_id
    live = None
    if world is not None and person_id is not None:
        live = await visit.deps.database.read(
            lambda c: assisting.standing(c, world, scope, person_id, now)
        )
    # Whom she calls is what stands in the list of who looked at whom.
    await visit.note("read", "addresses", found.address_id, found.school_id)
    told, asked = [], None
    if world is not None:
        language = found.language or SOURCE_LANGUAGE
        told = [_words(world, one, language) for one in (heard.spoken if heard else ())]
        asked = _asked(world, live, mode) if live is not None else None
    return visit.page(
        "assisted.html",
        status=422 if fault else 200,
        found=found,
        told=told,
        asked=asked,
        moved=heard is not None and not heard.taken,
        over=heard is not None and heard.over,
        modes=MODES,
        fault=fault,
    )


def _asked(world: World, live: Live, mode: str) -> Asked:
    session = live.session
    item = offering(world.library.questionnaire(session.version), session.context)[
        session.asking[0]
    ]
    prompt = (Ask(items=(item.name,)),)
    hers, english = _both(world, prompt, session, session.language)
    words = {button.token: button.title for one in english for button in one.buttons}
    choices = tuple(
        Choice(token=b.token, hers=b.title, english=words.get(b.token, ""))
        for one in hers
        for b in one.buttons
    )
    return Asked(
        session_id=session.id,
        rev=session.rev,
        item=item.name,
        told=_told(session.language, hers, english),
        choices=choices,
        required=item.required,
        mode=mode or (session.mode if session.mode != SELF else ""),
    )


def _words(world: World, spoken: Spoken, language: str) -> Told:
    session = spoken.session
    reads = session.language if session is not None else language
    return _told(reads, *_both(world, spoken.parts, session, reads))


def _both(
    world: World, parts: tuple[Part, ...], session: Session | None, language: str
) -> tuple[Sequence[Outbound], Sequence[Outbound]]:
    """Parts in her language and in English."""
    library = world.library
    version = session.version if session is not None else ""
    hers, english = (
        render(
            Prompt(parts=parts),
            questionnaire=library.questionnaire(version) if session is not None else None,
            session=session,
            lexicon=library.lexicon(tag, version),
            limits=ON_PAGE,
        )
        for tag in (language, SOURCE_LANGUAGE)
    )
    return hers, english


def _told(language: str, hers: Sequence[Outbound], english: Sequence[Outbound]) -> Told:
    return Told(
        language=language,
        hers="\n".join(one.text for one in hers),
        english="" if language == SOURCE_LANGUAGE else "\n".join(one.text for one in english),
    )


PAGE = Page(
    path="/dashboard/assisted",
    title="assisted.title",
    view=view,
    actions={"say": say, "skip": skip, "back": back},
)
