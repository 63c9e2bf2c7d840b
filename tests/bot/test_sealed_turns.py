"""What a turn keeps of a family is sealed with that family's own key."""

from pathlib import Path

from sqlalchemy import select

from storage import schema
from storage.keyring.vault import PROGRAMME_KEY
from tests.live import live

AMINA = "+27820000001"


def key_of(blob: bytes) -> str:
    """The id of the key that a value was sealed with."""
    return blob[2 : 2 + blob[1]].decode()


async def test_from_joining_on_a_familys_words_have_its_own_key(tmp_path: Path) -> None:
    async with live(tmp_path) as running:
        await running.says(AMINA, "hello")
        (stranger,) = await running.rows(select(schema.inbox.c.body))
        for words in (f"JOIN {running.codes[0]}", "1 1 2 1 2 3", "1 1 1", "1 1 1"):
            await running.says(AMINA, words)
        (person,) = await running.rows(
            select(schema.persons).where(schema.persons.c.kind == "caregiver")
        )
        (home,) = await running.rows(
            select(schema.addresses.c.value).where(schema.addresses.c.person_id == person.id)
        )
        letters = await running.rows(select(schema.inbox.c.body).order_by(schema.inbox.c.id))
        sessions = await running.rows(select(schema.sessions.c.state))
        events = await running.rows(select(schema.events.c.body))

    family = person.household_id
    own = key_of(stranger.body)
    assert own not in {PROGRAMME_KEY, family}
    assert key_of(home.value) == family
    assert key_of(letters[-1].body) == family
    # What she answered on the way to her consent has her own key, the rest her family's.
    assert {key_of(row.state) for row in sessions} == {own, family}
    assert {key_of(row.body) for row in events} == {own, family}
    assert PROGRAMME_KEY not in {key_of(row.body) for row in letters}
