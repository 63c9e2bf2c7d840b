"""Every command that shows or changes something of somebody leaves an audit row.

A command that is new fails here until it says how its row is proved, or why it needs none.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest
import typer
from sqlalchemy import select

import main
from bot import commands
from bot.consent import consents
from bot.lists import rosters, slips, staff_lists
from bot.login import enrolling, users
from bot.people import second
from bot.rights import breach, correction, deciding, erase, hold_command, retention, settling, shell
from bot.trail.auditing import note_restored
from bot.trail.noting import note_command
from bot.turns import moving
from storage.database import Database
from storage.migrate import upgrade
from storage.schema import audit
from tests.live import environment, live_settings

QUIET: Mapping[str, str] = {
    "audit head": "counts and a hash",
    "audit verify": "counts and places",
    "chat": "stores nothing, reads no database",
    "check": "content and settings",
    "consent texts": "the words of consent, nobody's",
    "doctor": "ids, states and counts",
    "growth": "a file somebody has already",
    "keys list": "counts and dates of keys",
    "keys recover": "types a key in where there may be no database yet",
    "locales approve": "words of the program, nobody's",
    "locales export": "words of the program, nobody's",
    "locales import": "words of the program, nobody's",
    "locales review": "words of the program, nobody's",
    "locales status": "words of the program, nobody's",
    "migrate": "the schema, no row",
    "privacy data-flow": "what the site has set up, nobody's data",
    "run": "what it does is audited where it is done",
    "score": "a file somebody has already",
    "sms": "a text somebody has already",
}
WRITERS: Mapping[str, Callable[..., object]] = {
    "audit restored": note_restored,
    "consent record": consents._note,  # noqa: SLF001
    "consent withdraw": consents._note,  # noqa: SLF001
    "erase": erase._audit,  # noqa: SLF001
    "requests settle": settling.settle,
    "hold add": hold_command._audit,  # noqa: SLF001
    "hold end": hold_command._audit,  # noqa: SLF001
    "import-roster": rosters._import_class,  # noqa: SLF001
    "import-staff": staff_lists.import_staff,
    "people hand-over": moving.note,
    "people number-change": moving.note,
    "people second-adult": second.issue,
    "slips": slips.print_slips,
    "requests add": deciding.receive,
    "requests correct": correction._write_down,  # noqa: SLF001
    "requests decide": deciding.decide,
    "requests identify": deciding.identify,
    "requests list": shell.listing,
    "requests show": shell.show,
    "breach worksheet": breach.keep,
    "retention": retention,  # type: ignore[dict-item]
    "users add": enrolling.issue,
    "users authenticator": enrolling.issue,
    "users code": enrolling.issue,
    "users end": users.end_user,
    "users first": enrolling.issue,
    "users list": commands.users_list,
    "users password": enrolling.issue,
    "users reopen": users._note,  # noqa: SLF001
    "webhooks set": commands.webhooks_set,
}
"""The function that writes the command's row."""
WRITES = re.compile(r"audit\.record\(|(?<!add)_note\(|_audit\(|\brecord\(|_record\(")


def walk(app: typer.Typer, before: str = "") -> Iterator[tuple[str, Callable[..., object]]]:
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__.replace("_", "-")
        yield f"{before}{name}", command.callback
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from walk(group.typer_instance, f"{before}{group.name} ")


COMMANDS = dict(walk(main.app))


def is_noted(name: str) -> bool:
    """Whether the command's row is written before it, by `guarded`."""
    return "noted=(" in inspect.getsource(COMMANDS[name])


def test_every_command_says_how_its_row_is_proved() -> None:
    noted = {name for name in COMMANDS if is_noted(name)}
    lacking = set(COMMANDS) - noted - set(QUIET) - set(WRITERS)
    assert lacking == set(), "give it `noted=`, or name in WRITERS what writes its row"
    assert set(QUIET) | set(WRITERS) <= set(COMMANDS), "a command that is no more stands here"
    assert not noted & set(QUIET)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_its_writer_writes_a_row(name: str) -> None:
    assert WRITES.search(inspect.getsource(WRITERS[name])), name


def test_a_noted_command_leaves_its_row_before_it_does_anything(
    tmp_path: Path, now: datetime
) -> None:
    env = environment(tmp_path, base="http://127.0.0.1:1", twilio="", telegram="")
    settings = live_settings(env)
    assert not note_command(settings, "exported", "database", now=now)
    assert list(tmp_path.iterdir()) == []  # a note makes no database
    upgrade(settings.url)
    assert note_command(settings, "exported", "database", now=now)
    assert not note_command(
        settings.model_copy(update={"secret_key": ""}), "exported", "database", now=now
    )
    database = Database.open(settings.url, exclusive=False)
    (row,) = database.read_sync(lambda c: c.execute(select(audit)).all())
    assert (row.actor_kind, row.verb, row.object_kind, row.purpose) == (
        "system", "exported", "database", "commands",
    )  # fmt: skip
