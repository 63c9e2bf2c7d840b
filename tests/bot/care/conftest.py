"""What turns do is tested on both databases where the database decides."""

from tests.storage.conftest import database, database_url

__all__ = ["database", "database_url"]
