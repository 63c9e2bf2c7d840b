"""The frame of `doctor`: what is found, how it is shown, what a check that breaks becomes."""

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.doctor.base import Ctx, Verdict, ok, red, warn
from bot.doctor.run import areas, doctor, examine, good, look, table
from bot.keyring.vaults import open_store
from bot.settings import Settings
from storage.database import Database
from storage.migrate import upgrade
from tests.live import environment, live_settings


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A live start's settings; the database is empty."""
    url = ""
    if request.param == "postgresql":
        url = str(request.getfixturevalue("empty_postgres_url"))
    env = environment(tmp_path, base="http://127.0.0.1:1", twilio="", telegram="", database=url)
    return live_settings(env)


def ready(settings: Settings) -> Settings:
    """The database made, the key store made."""
    upgrade(settings.url)
    open_store(settings).close()
    return settings


def names(verdicts: list[Verdict], state: str) -> list[str]:
    return [verdict.name for verdict in verdicts if verdict.state == state]


def test_every_area_is_found_by_being_there() -> None:
    assert {"audit", "launch", "system"} <= set(areas())


def test_a_good_deployment_has_nothing_to_fix(settings: Settings, now: datetime) -> None:
    verdicts = look(ready(settings), live=False, online=False, moment=now)
    mine = [v for v in verdicts if v.name.partition(":")[0] in MINE]
    assert names(mine, "red") == []
    assert {v.name for v in mine} >= {"database", "audit: chain", "invariants", "messages"}
    assert len({v.name for v in verdicts}) == len(verdicts)


MINE = ("database", "audit", "invariants", "disk", "messages", "launch")


def test_what_cannot_be_stood_on_ends_the_look(settings: Settings, now: datetime) -> None:
    found = look(settings, live=False, online=False, moment=now)
    (verdict,) = found
    assert (verdict.name, verdict.state) == ("database", "red")
    assert "migrate" in verdict.fix
    bad = settings.model_copy(update={"secret_key": "", "master_key": ""})
    assert names(look(bad, live=False, online=False, moment=now), "red") == ["settings"] * 2
    lost = settings.model_copy(update={"site_file": Path("/nowhere/site.yaml")})
    assert names(look(lost, live=False, online=False, moment=now), "red") == ["site"]
    away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/x"})
    (gone,) = look(away, live=False, online=False, moment=now)
    assert (gone.name, gone.state) == ("database", "red")


def test_a_look_makes_no_file(tmp_path: Path, now: datetime) -> None:
    env = environment(tmp_path, base="http://127.0.0.1:1", twilio="", telegram="")
    look(live_settings(env), live=False, online=False, moment=now)
    assert list(tmp_path.iterdir()) == []


def test_another_master_key_is_named(settings: Settings, now: datetime) -> None:
    ready(settings)
    other = settings.model_copy(update={"master_key": base64.b64encode(b"y" * 32).decode()})
    found = look(other, live=False, online=False, moment=now)
    assert names(found, "red") == ["keys"]


def test_a_check_that_raises_is_red_by_its_name_and_tells_no_secret() -> None:
    def breaks(_ctx: Ctx) -> list[Verdict]:
        raise LookupError("the password is hunter2")

    def holds(_ctx: Ctx) -> list[Verdict]:
        return [ok("fine", "All is well.")]

    found = examine(None, {"breaks": breaks, "holds": holds})  # type: ignore[arg-type]
    assert [(v.name, v.state) for v in found] == [("breaks", "red"), ("fine", "ok")]
    assert "LookupError" in found[0].found
    assert "hunter2" not in str(found)


def test_the_table_says_name_state_what_was_found_and_the_fix() -> None:
    lines = table([ok("a", "Good."), warn("long", "Hm.", "Look."), red("b", "Bad.", "Mend it.")])
    assert lines == [
        "ok   a     Good.",
        "LOOK long  Hm.",
        "           Fix: Look.",
        "FIX  b     Bad.",
        "           Fix: Mend it.",
        "1 to fix, 1 to look at, 1 good.",
    ]
    assert good([ok("a", ""), warn("b", "", "")])
    assert not good([ok("a", ""), red("b", "", "")])


def test_json_is_one_document_and_the_code_says_whether_something_is_red(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = environment(tmp_path, base="http://127.0.0.1:1", twilio="", telegram="")
    settings = live_settings(env)
    assert doctor(settings, live=False, online=False, json_wanted=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["good"] is False
    assert document["verdicts"][0]["state"] == "red"
    ready(settings)
    assert doctor(settings, live=True, online=False, json_wanted=False) == 1
    said = capsys.readouterr().out
    assert "launch: information_officer" in said
    assert "position recorded" not in said


def test_damage_to_the_audit_is_red(settings: Settings, now: datetime) -> None:
    database = Database.open(ready(settings).url, exclusive=False)
    database.write_sync(
        lambda c: c.execute(
            text(
                "insert into audit (id, at, actor_kind, verb, object_kind, purpose, seq, chain) "
                "values ('x', 1, 'system', 'v', 'o', 'p', 1, 'abc')"
            )
        )
    )
    on = " on audit" if database.dialect == "postgresql" else ""
    database.write_sync(lambda c: c.execute(text(f"drop trigger audit_no_delete{on}")))
    found = look(settings, live=False, online=False, moment=now)
    assert {"audit: edited", "audit: unguarded"} <= set(names(found, "red"))
