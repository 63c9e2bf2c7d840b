"""Copies of a key store: to a file of its own, back into place, and which of two is newer."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import create_engine, insert
from sqlalchemy.pool import NullPool

from storage.engines import parse_url
from storage.errors import ForeignKeys
from storage.keyring.keys import KeyStore
from storage.keyring.keytables import key_metadata


def copy_to_file(store: KeyStore, target: Path) -> None:
    """Copy a key store into a new SQLite file for its owner alone. Its keys stay wrapped."""
    target.touch(mode=0o600, exist_ok=False)
    _write(store, f"sqlite:///{target}")


def copy_into(store: KeyStore, url: str) -> None:
    """Put the content of a key store in the place of another one, in one transaction."""
    _write(store, url)


def newest(stores: Sequence[KeyStore]) -> KeyStore:
    """The newest of several copies of one key store: it knows every erasure.

    Raises:
        ForeignKeys: They are not copies of the same store.
        ValueError: There are none.
    """
    if len({store.state().store_id for store in stores}) > 1:
        raise ForeignKeys("The key file (--keys) is not a copy of the key store at KEYS_URL.")
    return max(stores, key=_age)


def _age(store: KeyStore) -> tuple[int, int, int]:
    state = store.state()
    return state.generation, state.revision, len(store.ids())


def _write(store: KeyStore, url: str) -> None:
    rows = store.rows()
    _, parsed = parse_url(url)
    engine = create_engine(parsed, poolclass=NullPool)
    try:
        with engine.begin() as conn:
            key_metadata.create_all(conn)
            for table in reversed(key_metadata.sorted_tables):
                conn.execute(table.delete())
            for table in key_metadata.sorted_tables:
                if rows[table.name]:
                    conn.execute(insert(table), rows[table.name])
    finally:
        engine.dispose()
