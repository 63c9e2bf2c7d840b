"""Opening the key store of a deployment, and putting right what a power cut left of a rotation."""

from datetime import datetime

from sqlalchemy import inspect, select

from bot.keyring import masters
from bot.settings import Settings
from storage.engines import parse_url, plain_reading_engine, sqlite_file
from storage.errors import BadUrl
from storage.keyring.keys import KeyStore
from storage.keyring.vault import Vault
from storage.schema import addresses, join_codes, users


def open_store(settings: Settings, *, at: datetime | None = None, create: bool = True) -> KeyStore:
    """The key store of a deployment.

    Args:
        settings: The environment, already without problems.
        at: When a new store is made; None for now.
        create: Whether one that is not there is made.

    Raises:
        SettingsError: There is no master key.
        MasterRefused: None of what may be the master key opens it.
        StorageError: It cannot be reached.
    """
    if create and not settings.key_store.startswith("postgres"):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    url, master = settings.key_store, settings.master
    try:
        store = KeyStore.open(url, master, masters=settings.masters, create=False)
    except BadUrl:
        if not create:
            raise
        store = KeyStore.open(
            url, master, at=at, masters=settings.masters, derived=_sealed_before(settings.url)
        )
    if settings.master_key_file is not None:
        finish_rotation(settings, store)
    return store


def _sealed_before(url: str) -> bool:
    """Whether a database has values from before there were key stores."""
    dialect, parsed = parse_url(url)
    if dialect == "sqlite" and not sqlite_file(parsed).exists():
        return False
    engine = plain_reading_engine(dialect, parsed)
    try:
        with engine.connect() as conn:
            there = inspect(conn).has_table(addresses.name) and inspect(conn).has_table(users.name)
            return there and any(
                conn.execute(select(1).select_from(table).limit(1)).first()
                for table in (addresses, join_codes, users)
            )
    finally:
        engine.dispose()


def open_vault(settings: Settings, *, at: datetime | None = None) -> Vault:
    """The vault of a deployment, over its key store. Close it. Raises as `open_store`."""
    return Vault.over(open_store(settings, at=at))


def finish_rotation(settings: Settings, store: KeyStore) -> None:
    """Where a rotation was cut off after the store had switched, let the new file take its place.

    A process that rotates right now holds the file's lock and does this itself.
    """
    path = settings.master_key_file
    if path is None or not masters.beside(path).exists():
        return
    with masters.alone(path, wait=False) as mine:
        if not mine or not masters.beside(path).exists():
            return
        try:
            stands = store.opens_with(masters.read(path))
        except masters.MasterFileError:
            stands = False
        if not stands and store.opens_with(masters.read(masters.beside(path))):
            masters.overwrite(path)
            masters.take_over(path)
