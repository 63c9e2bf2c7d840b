"""What can go wrong with what is kept. A docstring is the default message.

Errors:
    StorageError
    +-- BadUrl           DATABASE_URL names no database we know
    +-- InUse            another worker has this SQLite file
    +-- Closed           the database was closed before
    +-- OutcomeUnknown   the connection broke during COMMIT: repeat with the same keys
    +-- Unavailable      nothing was written; the same work may succeed later
    |   +-- Busy         somebody else held the lock for too long
    |   +-- Full         the disk or the quota is full
    +-- Broken           the disk or the file failed: stop this process, never repeat the COMMIT
    +-- SealBroken       a sealed value cannot be opened
    |   +-- KeyMissing   its key is not in the key store
    |   +-- KeyGone      its key was destroyed: the household was erased
    +-- MasterRefused    the master key does not open the key store
    +-- ForeignKeys      the key store belongs to another database
    +-- SchemaMismatch   the database is not at the revision this program needs
"""

# ruff: noqa: N818 - the names say what happened, in our words

import inspect


class StorageError(Exception):
    """The database could not do what was asked."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or inspect.getdoc(type(self)) or type(self).__name__)


class BadUrl(StorageError):
    """DATABASE_URL must be sqlite:///path/to/file.db or postgresql://user@host/name."""


class InUse(StorageError):
    """Another worker has this SQLite file. Stop it, or move to PostgreSQL to run several."""


class Closed(StorageError):
    """The database was closed; nothing was written."""


class OutcomeUnknown(StorageError):
    """The connection broke during COMMIT. Repeat the same work: its unique keys decide."""


class Unavailable(StorageError):
    """The database cannot be reached or written to now. Nothing was written; try again later."""


class Busy(Unavailable):
    """Somebody else kept the database locked for too long. Nothing was written."""


class Full(Unavailable):
    """There is no room left on the database's disk. Nothing was written; free some space."""


class Broken(StorageError):
    """The database's disk or file is damaged. Stop the bot, check the disk, restore a backup."""


class SealBroken(StorageError):
    """A sealed value cannot be opened: damaged, moved from another row, or of another key."""


class KeyMissing(SealBroken):
    """The key store does not have this key."""


class KeyGone(SealBroken):
    """This key was destroyed when its household was erased: nothing opens it again."""


class MasterRefused(StorageError):
    """The master key does not open the key store. Set the one of the newest recovery sheet."""


class ForeignKeys(StorageError):
    """The key store belongs to another database. Set KEYS_URL to the one of this database."""


class SchemaMismatch(StorageError):
    """The database is not at the revision this program needs. Run `main.py migrate`."""
