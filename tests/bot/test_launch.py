"""The launch gate: each thing that is missing shuts it, and says so; invitations wait."""

import json
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from sqlalchemy import Connection, select

from bot.care import invitations
from bot.launch import GATE, RESTORED, Item, Standing, always_open, gate, items
from bot.site import Site, read_site
from storage.database import Database
from storage.kept import keep, kept_since, kept_value
from storage.keyring.vault import Vault
from storage.schema import outbox, timers
from tests.bot.launched import PAPER, TODAY, launched, papers, restored
from tests.bot.turns.crowd import make_world
from tests.storage.rows import School
from tests.town import library, site

ALL = (
    "information_officer",
    "legal_ground",
    "operator_agreements",
    "consent_text",
    "retention_table",
    "ethics",
    "cover_roster",
    "helplines",
    "crisis_words",
    "languages",
    "restored_backup",
)


def standing(now: datetime, **changes: Any) -> Standing:
    known: dict[str, Any] = {
        "site": launched(site(), library()),
        "library": library(),
        "channels": ("sms", "whatsapp", "telegram", "ussd"),
        "restored_at": restored(now),
        "today": TODAY,
    }
    return Standing(**known | changes)


def missing(at: Standing) -> dict[str, Item]:
    return {item.name: item for item in items(at) if not item.good}


def test_a_site_with_every_paper_may_launch(now: datetime) -> None:
    found = items(standing(now))
    assert [item.name for item in found] == list(ALL)
    assert missing(standing(now)) == {}
    legal = next(item for item in found if item.name == "legal_ground")
    assert "position recorded by N. Dlamini on 2026-01-20 in files/2026/launch.pdf" in legal.found


def test_the_site_that_ships_has_nothing_on_record_and_is_told_what_to_do(now: datetime) -> None:
    found = missing(standing(now, site=site(), restored_at=None))
    assert list(found) == list(ALL)
    assert all(item.found and item.fix for item in found.values())
    assert "digest: " in found["consent_text"].fix


@pytest.mark.parametrize("name", ALL)
def test_each_paper_that_is_not_there_shuts_the_gate(name: str, now: datetime) -> None:
    told = {key: value for key, value in papers(library()).items() if key != name}
    assert list(missing(standing(now, site=launched(site(), library(), launch=told)))) == [name]


def changed(name: str, **changes: object) -> Site:
    told = papers(library())
    return launched(site(), library(), launch=told | {name: {**told[name], **changes}})


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("information_officer", {"on": date(2026, 2, 3)}, "still to come"),
        ("consent_text", {"digest": "0" * 16}, "approved other words"),
        ("crisis_words", {"digest": "0" * 16}, "approved other lists"),
        ("ethics", {"valid_until": date(2026, 2, 1)}, "ran out on 2026-02-01"),
        ("ethics", {"number": ""}, "incomplete"),
        ("ethics", {"committee": ""}, "incomplete"),
        ("ethics", {"valid_until": None}, "incomplete"),
    ],
)
def test_a_paper_that_does_not_count_shuts_the_gate(
    name: str, changes: dict[str, object], said: str, now: datetime
) -> None:
    found = missing(standing(now, site=changed(name, **changes)))
    assert list(found) == [name]
    assert said in found[name].found


def test_no_research_is_a_position_too(now: datetime) -> None:
    without = {"research": False, "committee": "", "number": "", "valid_until": None}
    assert missing(standing(now, site=changed("ethics", **without))) == {}


def test_ethics_valid_today_is_valid(now: datetime) -> None:
    assert missing(standing(now, site=changed("ethics", valid_until=TODAY))) == {}


@pytest.mark.parametrize(
    ("channels", "lacking"),
    [
        (("sms",), "hosting, twilio"),
        (("whatsapp",), "hosting, twilio, whatsapp"),
        (("telegram",), "hosting, telegram"),
        (("ussd",), "africastalking, hosting"),
        ((), "hosting"),
    ],
)
def test_each_operator_in_use_needs_an_agreement(
    channels: tuple[str, ...], lacking: str, now: datetime
) -> None:
    told = papers(library()) | {"operator_agreements": []}
    at = standing(now, site=launched(site(), library(), launch=told), channels=channels)
    assert missing(at)["operator_agreements"].found.endswith(f"with {lacking}.")
    future = [{**PAPER, "operator": "hosting", "on": date(2027, 1, 1)}]
    late = launched(site(), library(), launch=told | {"operator_agreements": future})
    assert "operator_agreements" in missing(standing(now, site=late, channels=()))


@pytest.mark.parametrize(("days", "good"), [(0, True), (90, True), (91, False), (-1, False)])
def test_a_helpline_is_phoned_each_quarter(days: int, good: bool, now: datetime) -> None:
    lines = [
        {"name": "Childline", "number": "116", "verified_on": TODAY},
        {"name": "GBV", "number": "0800", "verified_on": TODAY - timedelta(days=days)},
    ]
    found = missing(standing(now, site=launched(site(), library(), helplines=lines)))
    assert (found == {}) == good
    assert good or found["helplines"].found.endswith("days: GBV.")


def test_a_site_without_helplines_does_not_launch(now: datetime) -> None:
    found = missing(standing(now, site=launched(site(), library(), helplines=[])))
    assert found["helplines"].found.endswith("there is none.")


@pytest.mark.parametrize(("days", "good"), [(0, True), (90, True), (91, False)])
def test_a_backup_is_restored_each_quarter(days: int, good: bool, now: datetime) -> None:
    found = missing(standing(now, restored_at=now - timedelta(days=days)))
    assert (found == {}) == good
    assert good or "the last was on 2025-11-03" in found["restored_backup"].found


def test_the_papers_stand_in_site_yaml_and_a_misspelt_one_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump({"launch": papers(library())}), encoding="utf-8")
    read, problems = read_site(path)
    assert problems == ()
    assert read is not None
    assert read.launch == launched(site(), library()).launch
    path.write_text("launch: {ethic: {}}\n")
    assert "launch.ethic" in read_site(path)[1][0]


# Invitations.


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def waiting(
    request: pytest.FixtureRequest, now: datetime, vault: Vault
) -> AsyncIterator[Database]:
    """A live site's database with one person to invite."""
    name = "postgres_url" if request.param == "postgresql" else "sqlite_url"
    database = Database.open(str(request.getfixturevalue(name)))

    def fill(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child = school.child(1)
        person = school.person(household=child.household_id)
        school.reached_at(person, "+2782")
        school.assignment(person, "enrolment", child_id=child.id)
        school.agreed(child, person, purpose="contact")

    await database.write(fill)
    yield database
    await database.close()


async def sent(database: Database) -> list[str]:
    return await database.read(lambda c: list(c.execute(select(outbox.c.message_class)).scalars()))


def held() -> float:
    return REGISTRY.get_sample_value("cwb_invitations_held") or 0.0


async def test_a_live_site_invites_nobody_until_the_gate_opens(
    waiting: Database, now: datetime, vault: Vault
) -> None:
    world = make_world(vault, gate=gate)
    assert await waiting.write(lambda c: invitations.sweep(c, world, now)) == 0
    assert await sent(waiting) == []
    assert await waiting.read(lambda c: c.execute(select(timers.c.key)).all()) == []
    told = json.loads(await waiting.read(lambda c: kept_value(c, GATE)))
    assert told == {"waiting": 1, "missing": list(ALL)}
    assert held() == 1.0
    # The same a minute later says nothing new.
    later = now + timedelta(minutes=1)
    await waiting.write(lambda c: invitations.sweep(c, world, later))
    assert await waiting.read(lambda c: kept_since(c, GATE)) == now
    # Everything is on record: they go out by themselves.
    ready = make_world(vault, gate=gate, site=launched(site(), library()))
    await waiting.write(lambda c: keep(c, RESTORED, "backup-1", now=restored(now)))
    assert await waiting.write(lambda c: invitations.sweep(c, ready, later)) == 1
    assert await sent(waiting) == ["invitation"]
    told = json.loads(await waiting.read(lambda c: kept_value(c, GATE)))
    assert told == {"waiting": 0, "missing": []}
    assert held() == 0.0


async def test_a_gate_that_falls_due_again_holds_the_next_ones_back(
    waiting: Database, now: datetime, vault: Vault
) -> None:
    world = make_world(vault, gate=gate, site=launched(site(), library()))
    quarter = now + timedelta(days=91)
    await waiting.write(lambda c: keep(c, RESTORED, "backup-1", now=quarter))
    assert await waiting.write(lambda c: invitations.sweep(c, world, quarter)) == 0
    told = json.loads(await waiting.read(lambda c: kept_value(c, GATE)))
    assert told == {"waiting": 1, "missing": ["helplines"]}


async def test_the_demo_invites_its_own(waiting: Database, now: datetime, vault: Vault) -> None:
    world = make_world(vault, gate=always_open)
    assert await waiting.write(lambda c: invitations.sweep(c, world, now)) == 1


def test_a_world_without_a_word_about_it_has_the_gate_shut(vault: Vault) -> None:
    import bot.turns.world  # noqa: PLC0415

    fields = bot.turns.world.World.__dataclass_fields__
    assert fields["gate"].default is gate
