import subprocess
import sys
import threading
from datetime import datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Text, create_engine, func, inspect, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from storage import migrate
from storage.engines import parse_url
from storage.errors import BadUrl, SchemaMismatch, Unavailable
from storage.families.learners import NewChild, add_children, issue_join_codes
from storage.families.people import (
    add_address,
    add_person,
    ensure_class,
    ensure_programme,
    ensure_school,
)
from storage.keyring.vault import Vault
from storage.schema import metadata


def _engine(url: str) -> Engine:
    return create_engine(parse_url(url)[1], poolclass=NullPool)


def test_an_empty_database_is_brought_up_and_then_nothing_is_pending(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    waiting = migrate.pending(empty_url)
    assert waiting == sorted(waiting)
    assert migrate.upgrade(empty_url) == waiting
    assert migrate.current(empty_url) == waiting[-1]
    assert migrate.pending(empty_url) == []
    assert migrate.upgrade(empty_url) == []


def test_migrations_make_what_the_metadata_says(empty_url: str) -> None:

    migrate.upgrade(empty_url)
    with _engine(empty_url).connect() as conn:
        context = MigrationContext.configure(
            conn, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
        # What alembic does not compare: the conditions of partial indexes.
        for table in metadata.sorted_tables:
            found = {index["name"]: index for index in inspect(conn).get_indexes(table.name)}
            for index in table.indexes:
                options = found[index.name].get("dialect_options", {})
                wanted = index.dialect_options[conn.dialect.name]["where"]
                assert (wanted is None) == (f"{conn.dialect.name}_where" not in options), index.name


def test_all_revisions_can_be_taken_back(empty_url: str) -> None:

    migrate.upgrade(empty_url)
    with migrate._connected(empty_url) as conn:  # noqa: SLF001 - downgrading has no door
        command.downgrade(migrate._config(conn), "base")  # noqa: SLF001
    assert migrate.current(empty_url) is None
    with _engine(empty_url).connect() as conn:
        assert set(inspect(conn).get_table_names()) <= {"alembic_version"}


def test_a_rebuilt_table_keeps_every_row(empty_url: str, now: datetime, vault: Vault) -> None:
    """On SQLite a changed column means a new table; the rows that refer to it must stay."""

    migrate.upgrade(empty_url)
    with migrate._connected(empty_url) as conn:  # noqa: SLF001 - as a revision gets it
        _fill(conn, now, vault)
        before = _counts(conn)
    with migrate._connected(empty_url) as conn:  # noqa: SLF001
        operations = Operations(MigrationContext.configure(conn))
        for table in ("households", "children", "persons", "addresses"):
            with operations.batch_alter_table(table) as batch:
                batch.alter_column("created_at", nullable=True)
        with operations.batch_alter_table("schools") as batch:
            batch.alter_column("name", type_=Text(), nullable=True)
        migrate._check_references(conn)  # noqa: SLF001
    with _engine(empty_url).connect() as conn:
        assert _counts(conn) == before
        assert before["children"] == 3
        assert before["join_codes"] == 3


def _fill(conn: Connection, now: datetime, vault: Vault) -> None:
    programme = ensure_programme(conn, name="P", now=now)
    school = ensure_school(conn, programme_id=programme, name="S", now=now)
    grade = ensure_class(conn, school_id=school, grade="1", name="A", now=now)
    new = [NewChild(list_number=n, sex="f", birth_month="2019-03") for n in (1, 2, 3)]
    made = add_children(
        conn, new, programme_id=programme, school_id=school, class_id=grade, now=now
    )
    issue_join_codes(conn, [child.id for child in made], vault=vault, now=now)
    person = add_person(conn, kind="teacher", programme_id=programme, now=now, vault=vault)
    add_address(
        conn, person_id=person, channel="sms", account="+1", value="+2", vault=vault, now=now
    )


def _counts(conn: Connection) -> dict[str, int]:
    return {
        table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


def test_a_migration_that_would_break_a_reference_changes_nothing(
    tmp_path: object, now: datetime, vault: Vault
) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    migrate.upgrade(url)
    with migrate._connected(url) as conn:  # noqa: SLF001 - as a revision gets it
        _fill(conn, now, vault)

    def careless() -> None:
        with migrate._connected(url) as conn:  # noqa: SLF001
            conn.execute(text("delete from households"))
            migrate._check_references(conn)  # noqa: SLF001

    with pytest.raises(SchemaMismatch, match="3 rows that refer to nothing, in: children"):
        careless()
    with _engine(url).connect() as conn:
        assert _counts(conn)["households"] == 3


def test_a_database_of_a_newer_program_is_left_alone(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    with _engine(empty_url).begin() as conn:
        conn.execute(text("update alembic_version set version_num = '9999_later'"))
    for ask in (migrate.pending, migrate.upgrade):
        with pytest.raises(SchemaMismatch, match="9999_later"):
            ask(empty_url)
    assert migrate.current(empty_url) == "9999_later"


def test_workers_that_start_at_once_migrate_once(empty_url: str) -> None:
    done: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: done.append(migrate.upgrade(empty_url))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(len(applied) for applied in done) == [0, 0, len(max(done, key=len))]
    assert migrate.pending(empty_url) == []


def test_urls_and_servers_that_are_not_there_are_named(tmp_path: object) -> None:
    with pytest.raises(BadUrl):
        migrate.upgrade("mysql://h/db")
    with pytest.raises(BadUrl, match="does not exist"):
        migrate.pending(f"sqlite:///{tmp_path}/none/bot.db")


@pytest.mark.postgres
def test_a_server_that_is_not_there_is_unavailable(postgres_server: Engine) -> None:
    with pytest.raises(Unavailable):
        migrate.pending("postgresql://nobody@127.0.0.1:1/nothing")


def test_a_fault_of_a_revision_is_raised_as_it_is(empty_url: str) -> None:
    def faulty() -> None:
        with migrate._connected(empty_url) as conn:  # noqa: SLF001 - as a revision gets it
            conn.execute(text("alter table nowhere add column x integer"))

    with pytest.raises(DBAPIError):
        faulty()
    assert migrate.current(empty_url) is None


def test_a_running_bot_does_not_load_alembic() -> None:
    code = (
        "import sys, storage.database, storage.migrate, storage.schema, storage.keyring.vault;"
        "print([n for n in ('alembic', 'psycopg', 'aiosqlite') if n in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603 - our own line
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
