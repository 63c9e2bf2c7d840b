"""A session stays on the version it began with, whatever is published meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from importlib.resources import files

import pytest
from sqlalchemy import Connection, select

from bot.content.library import Library, load
from bot.content.publishing import adopt, publish
from bot.sending.envelopes import load_outbound
from flows.authoring import read
from flows.forms import Form
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    answers,
    content_versions,
    outbox,
    sessions,
    text_revisions,
)
from storage.talk.content import published, revision_digests
from tests.bot.turns.crowd import Pen, make_world, pairs

OLD = "how many days did your child eat breakfast?"
NEW = "on how many mornings was there food?"


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    opened = Database.open(sqlite_url)
    yield opened
    await opened.close()


def caregiver(edit: tuple[str, str] = ("", "")) -> Form:
    text = (files("flows") / "questionnaires" / "caregiver.yaml").read_text(encoding="utf-8")
    form, problems = read(text.replace(*edit), file="caregiver.yaml")
    assert form is not None, problems
    return form


def edited() -> Library:
    """The library as it is after an author has changed the first question."""
    now, form = load(languages=("en", "zu")), caregiver((OLD, NEW))
    version = form.questionnaire.version
    old = now.current["caregiver"]
    assert version != old
    english = now.lexicons["en"]
    fresh = {**english.texts, **form.texts}
    return Library(
        forms={**{v: f for v, f in now.forms.items() if v != old}, version: form},
        current={**now.current, "caregiver": version},
        lexicons={
            tag: type(english)(
                language=tag,
                name=lexicon.name,
                phrases=lexicon.phrases,
                texts={**lexicon.texts, **fresh},
                numbers=lexicon.numbers,
            )
            for tag, lexicon in now.lexicons.items()
        },
        offered=now.offered,
        rules=now.rules,
        keywords=now.keywords,
    )


async def test_publishing_twice_changes_nothing(database: Database, now: datetime) -> None:
    first, second = load(languages=("en", "zu")), load(languages=("en", "zu"))
    assert await database.write(lambda c: publish(c, first, now=now)) == len(first.current)
    assert await database.write(lambda c: publish(c, second, now=now)) == 0
    assert second.revisions == first.revisions
    assert set(first.revisions.values()) == {1}

    def rows(conn: Connection) -> tuple[int, int]:
        return tuple(  # type: ignore[return-value]
            len(conn.execute(select(table)).all()) for table in (content_versions, text_revisions)
        )

    assert await database.read(rows) == (
        len(first.current),
        len(first.lexicons) * len(first.current),
    )


async def test_a_changed_translation_is_a_new_revision_of_the_same_version(
    database: Database, now: datetime
) -> None:
    library = load(languages=("en", "zu"))
    await database.write(lambda c: publish(c, library, now=now))
    version = library.current["caregiver"]
    zulu = library.lexicons["zu"]
    address = "caregiver/breakfast:label"
    words = dict(zulu.texts) | {address: "Amazwi amasha?"}
    again = load(languages=("en", "zu"))
    again.lexicons["zu"] = type(zulu)(  # type: ignore[index]
        language="zu", name=zulu.name, phrases=zulu.phrases, texts=words, draft=False
    )
    assert await database.write(lambda c: publish(c, again, now=now)) == 0
    assert again.revisions[version, "zu"] == 2
    assert again.revisions[version, "en"] == 1
    found = await database.read(lambda c: revision_digests(c, version))
    assert (found["zu"][0], found["en"][0]) == (2, 1)


async def test_a_session_goes_on_in_its_own_words_after_a_new_version_is_published(
    database: Database, now: datetime, vault: Vault
) -> None:
    before = load(languages=("en", "zu"))
    await database.write(lambda c: publish(c, before, now=now))
    pen = Pen(make_world(vault, library=before), now)
    (pair,) = await database.write(lambda c: pairs(c, pen, 1))

    after = edited()
    await database.write(lambda c: publish(c, after, now=now))
    pinned = before.current["caregiver"]
    assert pinned in after.forms
    assert pinned not in after.current.values()
    assert set(await database.read(published)) == {*before.current.values(), *after.forms}
    later = Pen(make_world(vault, library=after), now)
    # A reply nobody understands: the question is asked again, in the words she was asked in.
    await database.write(lambda c: later.send(c, later.letter("sms", pair.caregiver, "what?")))
    said = await database.read(lambda c: last_words(c, vault))
    assert OLD in said
    assert NEW not in said
    for text in ("4 4 4", "1 1 1", "1 1 1", "1 1 1"):
        letter = later.letter("sms", pair.caregiver, text)
        await database.write(lambda c, one=letter: later.send(c, one))

    def ended(conn: Connection) -> tuple[str, str, set[str]]:
        row = conn.execute(select(sessions).where(sessions.c.form_id == "caregiver")).one()
        versions = select(answers.c.version).where(answers.c.session_id == row.id)
        return row.status, row.version, set(conn.execute(versions).scalars())

    assert await database.read(ended) == ("completed", pinned, {pinned})


async def test_an_older_version_keeps_its_sms_spellings(database: Database, now: datetime) -> None:
    before = load(languages=("en", "zu"))
    zulu = before.lexicons["zu"]
    spelled = {"caregiver/breakfast:label": "Ibhulakufesi?", "offer.later": "Kmv"}
    before.lexicons["zu"] = replace(zulu, spellings=spelled)  # type: ignore[index]
    await database.write(lambda c: publish(c, before, now=now))
    after = edited()
    after.lexicons["zu"] = replace(after.lexicons["zu"], spellings={"offer.later": "Kmv"})  # type: ignore[index]
    await database.write(lambda c: publish(c, after, now=now))

    old = after.lexicon("zu", before.current["caregiver"])

    assert old.texts["caregiver/breakfast:label"] == zulu.texts["caregiver/breakfast:label"]
    assert old.plain.texts["caregiver/breakfast:label"] == "Ibhulakufesi?"
    assert old.plain.phrases["offer.later"] == "Kmv"
    assert not [address for address in old.texts if address.endswith(":sms")]


async def test_a_language_younger_than_the_version_can_still_be_asked_in(
    database: Database, now: datetime
) -> None:
    english_only = load(languages=("en",))
    await database.write(lambda c: publish(c, english_only, now=now))
    after = edited()
    await database.write(lambda c: publish(c, after, now=now))
    pinned = english_only.current["caregiver"]
    zulu = after.lexicon("zu", pinned)
    assert zulu.language == "zu"
    assert set(after.forms[pinned].texts) <= set(zulu.texts)
    assert zulu.phrases == after.lexicons["zu"].phrases


def last_words(conn: Connection, vault: Vault) -> str:

    row = conn.execute(
        select(outbox.c.id, outbox.c.body)
        .join(addresses, addresses.c.id == outbox.c.address_id)
        .where(addresses.c.channel == "sms")
        .order_by(outbox.c.seq.desc(), outbox.c.id.desc())
    ).first()
    assert row is not None
    text = vault.open(row.body, table="outbox", column="body", row=row.id)
    return load_outbound(text).text


async def test_a_version_another_worker_published_is_taken_in_when_it_is_met(
    database: Database, now: datetime
) -> None:
    newer, mine = edited(), load(languages=("en", "zu"))
    version = newer.current["caregiver"]
    await database.write(lambda c: publish(c, newer, now=now))
    assert version not in mine.forms

    await database.read(lambda c: adopt(c, mine, version))

    assert mine.questionnaire(version).version == version
    assert NEW in mine.lexicon("en", version).texts["caregiver/breakfast:label"]
    await database.read(lambda c: adopt(c, mine, "no such version"))
    assert "no such version" not in mine.forms
