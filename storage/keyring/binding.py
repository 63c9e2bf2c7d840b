"""Which key store belongs to a database: another one would seal new rows and open no old ones."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from storage.errors import ForeignKeys, KeyGone, SealBroken
from storage.keyring.vault import Vault
from storage.schema import addresses, kept

KEPT = "key_store"


def bind(conn: Connection, vault: Vault, *, now: datetime) -> None:
    """Remember the vault's key store at the first start; refuse another one ever after.

    Raises:
        ForeignKeys: The database knows another store, or has values that this one does not open.
    """
    if vault.store is None:
        return
    store_id = vault.store.state().store_id
    known = conn.execute(select(kept.c.value).where(kept.c.name == KEPT)).scalar()
    if known == store_id:
        return
    if known is not None:
        raise ForeignKeys(
            f"KEYS_URL: this key store ({store_id[:8]}) is not the one of the database "
            f"({known[:8]}). Fix: name the right one, or put the newest copy of it there "
            "(the file of `backup --keys-to`)."
        )
    _try_one(conn, vault)
    conn.execute(insert(kept).values(name=KEPT, value=store_id, at=now))


def _try_one(conn: Connection, vault: Vault) -> None:
    row = conn.execute(select(addresses.c.id, addresses.c.value).limit(1)).first()
    if row is None:
        return
    try:
        vault.open(row.value, table="addresses", column="value", row=row.id)
    except KeyGone:
        return
    except SealBroken as error:
        raise ForeignKeys(
            "MASTER_KEY: this is not the key the database was sealed with. Fix: set that one, and "
            "KEYS_URL to its key store."
        ) from error
