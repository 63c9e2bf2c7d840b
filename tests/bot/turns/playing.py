"""Answers a whole questionnaire in the town, on any channel, by digits."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, select

from flows.questionnaire import Item, offering
from flows.sessions import Session, from_json
from storage.schema import sessions
from tests.person import Person
from tests.town import Town

MOST = 60
Choose = Callable[[Item], str]
BEST: Mapping[str, str] = {
    "breakfast": "every",
    "supper_home": "every",
    "play": "every",
    "sick": "never",
    "missed_school": "never",
    "heavy": "never",
}


def worried(**said: str) -> Choose:
    """Answers of a family without worries, but for what is said; skips are empty."""
    return lambda item: said.get(item.name, BEST.get(item.name, item.choices[0]))


def open_session(conn: Connection, town: Town) -> Session | None:
    row = conn.execute(
        select(sessions).where(sessions.c.status == "open").order_by(sessions.c.id.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None
    vault = town.world.vault
    return from_json(vault.open(row.state, table="sessions", column="state", row=row.id))


async def play(person: Person, choose: Choose, *, form: str = "") -> Sequence[str]:
    """Answer until nothing is open any more (of this questionnaire); returns all she heard."""
    town, before = person.town, len(person.phone())
    for _ in range(MOST):
        session = await town.database.read(lambda c: open_session(c, town))
        if session is None or (form and session.form_id != form):
            return [
                "\n".join([sent.message.text, *(b.title for b in sent.message.buttons)])
                for sent in person.phone()[before:]
            ]
        known = town.world.library.questionnaire(session.version)
        questionnaire = offering(known, session.context)
        await person.says(" ".join(_said(questionnaire[name], choose) for name in session.asking))
    raise AssertionError(f"still asked after {MOST} answers")


def _said(item: Item, choose: Choose) -> str:
    if not item.choices:
        return "0"
    return str(item.choices.index(choose(item)) + 1)
