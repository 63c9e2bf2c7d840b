"""A person's file: what is in it, what is kept back by default, and that it never says so."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, update

from bot.rights.export import render
from bot.rights.file import document, gather
from bot.rights.protection import about_protection, protected_items
from bot.rights.withholding import CLASSES, Ruling, Withheld, by_default
from storage import scope
from storage.database import Database
from storage.keyring.vault import Vault
from storage.rights.subjects import Raised
from storage.schema import alerts, inbox, person_address
from tests.bot.rights import family as words
from tests.bot.rights.family import Family, settle

GIVE = Ruling(choice="give", ground="with_consent")


async def file_of(
    database: Database, family: Family, *given: Withheld, now: datetime
) -> dict[str, object]:
    """The document she would get."""
    folder = await database.read(
        lambda conn: gather(conn, family.officer(), family.world, family.mother)
    )
    assert folder is not None
    return document(folder, dict.fromkeys(given, GIVE), programme="P", now=now)


async def test_she_gets_what_she_said_and_who_she_is(
    database: Database, family: Family, now: datetime
) -> None:
    paper = await file_of(database, family, now=now)
    text = json.dumps(paper)

    assert paper["person"]["name"] == words.MOTHER  # type: ignore[index]
    assert words.NUMBER in text
    assert words.MOTHERS_LETTER in text
    assert words.SENT in text
    answers = {entry["item"]: entry for entry in paper["answers"]}  # type: ignore[attr-defined]
    assert answers["breakfast"]["question"].startswith("Last week, how many days did your child")
    assert answers["breakfast"]["answer"] == "No days"
    assert answers["money"]["answer"] is None
    assert [entry["purpose"] for entry in paper["consents"]] == ["help"]  # type: ignore[attr-defined]
    assert paper["looks"] == [{"role": "data_officer", "looked": True, "at": now.isoformat()}]
    assert "_session" not in text


async def test_what_others_the_child_and_protection_say_is_not_in_it(
    database: Database, family: Family, now: datetime
) -> None:
    paper = await file_of(database, family, now=now)
    page = render(paper, family.world)

    for canary in (words.TEACHERS, words.CHILDS):
        assert canary not in json.dumps(paper)
        assert canary not in page
    assert "trusted_adult" not in json.dumps(paper), "a question on protection"
    assert paper["told"] == []
    assert "other" in page, "the sentence that every paper has"


async def test_the_paper_reads_the_same_whether_or_not_anything_was_kept_back(
    database: Database, family: Family, now: datetime
) -> None:
    """Sentences of the page depend on what is given, never on what is not."""
    folder = await database.read(
        lambda conn: gather(conn, family.officer(), family.world, family.mother)
    )
    assert folder is not None
    only_hers = replace(folder, pieces=tuple(piece for piece in folder.pieces if piece[1] is None))

    kept = render(document(folder, {}, programme="P", now=now), family.world)
    nothing = render(document(only_hers, {}, programme="P", now=now), family.world)

    assert set(folder.classes()) >= {"others", "child_words", "protection"}
    assert kept == nothing


async def test_an_officer_may_give_what_is_kept_back(
    database: Database, family: Family, now: datetime
) -> None:
    text = json.dumps(await file_of(database, family, "others", now=now))
    assert words.TEACHERS in text
    assert words.CHILDS not in text

    text = json.dumps(await file_of(database, family, "child_words", "protection", now=now))
    assert words.CHILDS in text
    assert "trusted_adult" in text


async def test_of_a_class_list_she_sees_her_own_child_only(
    database: Database, family: Family, now: datetime
) -> None:
    paper = await file_of(database, family, "others", now=now)

    (screen,) = [e for e in paper["told"] if e["form"] == "class_screen"]  # type: ignore[attr-defined]
    assert screen["answer"] == "17"
    assert screen["code"] is None
    assert " 31" not in json.dumps(paper)


async def test_an_open_matter_is_held_whatever_is_decided(
    database: Database, family: Family, now: datetime
) -> None:
    alert = await database.write(
        lambda conn: replace(family.school, conn=conn).alert(
            family.child, "child_hurt", level="urgent"
        )
    )
    everything = await file_of(database, family, *CLASSES, now=now)

    assert everything["bands"] == []
    assert "trusted_adult" not in json.dumps(everything)

    await database.write(
        lambda conn: conn.execute(
            update(alerts).where(alerts.c.id == alert["id"]).values(state="closed", reportable="no")
        )
    )
    everything = await file_of(database, family, *CLASSES, now=now)
    assert "trusted_adult" in json.dumps(everything)
    assert everything["bands"]


async def test_messages_of_a_phone_that_others_answer_too_are_not_simply_hers(
    database: Database, family: Family, now: datetime
) -> None:
    def share(conn: object) -> None:
        school = replace(family.school, conn=conn)  # type: ignore[arg-type]
        other = school.person(household=family.child.household_id)
        school.conn.execute(
            insert(person_address).values(person_id=other, address_id=family.address, from_at=now)
        )

    await database.write(share)
    assert words.MOTHERS_LETTER not in json.dumps(await file_of(database, family, now=now))
    assert words.MOTHERS_LETTER in json.dumps(
        await file_of(database, family, "other_people", now=now)
    )


async def said(database: Database, family: Family, item: str, words: str, now: datetime) -> None:
    """She was asked something, and wrote this in the turn that answered it."""

    def work(conn: Connection) -> None:
        school = replace(family.school, conn=conn)
        came = school.letter(family.address, "done", done_at=now)
        body = family.world.vault.seal(
            json.dumps({"channel": "sms", "text": words}), table="inbox", column="body", row=came
        )
        conn.execute(update(inbox).where(inbox.c.id == came).values(body=body))
        revision = {"revision": 7, "at": now, "version": family.world.library.current["caregiver"]}
        about = {"child_id": family.child.id, "household_id": family.child.household_id}
        wave = {"wave_id": family.school.wave}
        school.answer(family.session, item, "no", **revision, **about, **wave)

    await database.write(work)


async def closed(database: Database, family: Family, rule: str, words: str, **more: object) -> str:
    """An alert that somebody closed with these words."""

    def work(conn: Connection) -> str:
        alert = str(replace(family.school, conn=conn).alert(family.child, rule)["id"])
        reason = family.world.vault.seal(words, table="alerts", column="reason", row=alert)
        values = {"state": "closed", "closed_at": family.school.now, "reason": reason, **more}
        conn.execute(update(alerts).where(alerts.c.id == alert).values(**values))
        return alert

    return await database.write(work)


async def test_her_own_words_on_protection_are_kept_back_like_the_answer(
    database: Database, family: Family, now: datetime
) -> None:
    await said(database, family, "alone", "CANARY-ALONE", now + timedelta(minutes=1))
    await said(database, family, "full", "CANARY-SOAP", now + timedelta(minutes=2))

    text = json.dumps(await file_of(database, family, now=now))
    assert "CANARY-ALONE" not in text
    assert "CANARY-SOAP" in text
    text = json.dumps(await file_of(database, family, "protection", now=now))
    assert "CANARY-ALONE" in text

    await database.write(
        lambda conn: replace(family.school, conn=conn).alert(
            family.child, "child_hurt", level="urgent"
        )
    )
    everything = json.dumps(await file_of(database, family, *CLASSES, now=now))
    assert "CANARY-ALONE" not in everything
    assert "CANARY-SOAP" in everything


async def test_what_the_team_wrote_follows_the_alert_it_is_about(
    database: Database, family: Family, now: datetime
) -> None:
    await closed(database, family, "no_food_today", "CANARY-FOOD")
    await closed(database, family, "child_hurt", "CANARY-HURT", reportable="no")
    held = await closed(database, family, "afraid_at_home", "CANARY-REPORT", reportable="yes")
    folder = await database.read(
        lambda conn: gather(conn, family.officer(), family.world, family.mother)
    )
    assert folder is not None
    notes = {entry["text"]: found for section, found, entry in folder.pieces if section == "notes"}
    assert notes == {
        "CANARY-FOOD": "others",
        "CANARY-HURT": "protection",
        "CANARY-REPORT": "s110",
    }
    grounds = {name: ruling.ground for name, ruling in by_default(notes.values()).items()}
    assert grounds == {"s110": "report_open", "others": "third_party", "protection": "safety"}

    assert "CANARY" not in json.dumps(await file_of(database, family, now=now))
    paper = await file_of(database, family, "others", now=now)
    page = render(paper, family.world)
    for text in (json.dumps(paper), page):
        assert "CANARY-FOOD" in text
        assert "CANARY-HURT" not in text
        assert "CANARY-REPORT" not in text
    everything = json.dumps(await file_of(database, family, *CLASSES, now=now))
    assert "CANARY-HURT" in everything
    assert "CANARY-REPORT" not in everything

    reported = update(alerts).where(alerts.c.id == held).values(reported_at=now)
    await database.write(lambda conn: conn.execute(reported))
    assert "CANARY-REPORT" in json.dumps(await file_of(database, family, *CLASSES, now=now))


async def test_a_file_out_of_scope_does_not_exist(database: Database, family: Family) -> None:
    elsewhere = scope.user(family.officers["thandi"], ["f" * 32], purpose="requests")

    found = await database.read(lambda conn: gather(conn, elsewhere, family.world, family.mother))

    assert found is None


async def test_the_page_is_in_her_language(database: Database, vault: Vault, now: datetime) -> None:
    family = await database.write(lambda conn: settle(conn, vault, now, language="zu"))

    page = render(await file_of(database, family, now=now), family.world)

    assert '<html lang="zu">' in page
    assert "Esikugcinile ngawe" in page
    assert "[draft]" in page
    assert "Last week" not in page, "questions as they were asked"


def test_what_counts_as_protection(vault: Vault) -> None:
    rules = words.world(vault).library.rules
    protected = protected_items(rules)

    assert {"caregiver/hurt", "caregiver/alone", "caregiver/trusted_adult"} <= protected
    assert "caregiver/breakfast" not in protected


@pytest.mark.parametrize(
    ("rule", "band", "found"),
    [
        ("child_hurt", None, True),
        ("no_food_today", "high", False),
        ("high", "high", True),
        ("high", "low", False),
        ("high", None, False),
        ("unheard", "high", False),
    ],
)
def test_which_alerts_are_about_protection(
    vault: Vault, now: datetime, rule: str, band: str | None, found: bool
) -> None:
    rules = words.world(vault).library.rules
    raised = Raised(
        id="a",
        child_id="c",
        wave_id="w",
        level="high",
        rule=rule,
        state="opened",
        reportable=None,
        reported_at=None,
        opened_at=now - timedelta(days=1),
        protection_band=band,
    )
    assert about_protection(raised, rules, protected_items(rules)) is found
