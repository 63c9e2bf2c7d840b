"""The brake on guessing: failed tries are counted in the database, so every process sees them.

Three budgets within a quarter of an hour: of a login (known or not), of a client's network, and of
all together. Source: OWASP ASVS 5.0, 2.4.1, 6.1.1, 6.3.1 (trust-and-dashboard.md §B2).
"""

from datetime import datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, ip_address, ip_network

from storage.database import Database
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.staff import users
from storage.staff.users import Budgets

FAILURES = 5
ALL_FAILURES = 100
WINDOW = timedelta(minutes=15)

Attempt = tuple[str, ...]


class Brake:
    """Counts tries.

    Args:
        database: Where they are counted.
        vault: Blinds what they are counted by.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def begin(self, *, login: str = "", client: str, now: datetime) -> Attempt | None:
        """Count a try as failed until `users.attempt_was_good`; None after too many failures.

        Args:
            login: Whom it is about, lower case; empty where that is not known.
            client: The browser's IP address, or what stands for it.
            now: Aware, UTC.
        """
        blind = self._vault.blind
        known = blind("client", network(client))
        each = {known: FAILURES} | ({blind("login", login): FAILURES} if login else {})
        budgets = Budgets(
            each=each,
            shared=blind("client", "*"),
            shared_failures=ALL_FAILURES,
            known=known,
            window=WINDOW,
        )
        begin = partial(users.begin_attempt, budgets=budgets, now=now, new_id=new_id)
        return await self._database.write(begin)


def network(client: str) -> str:
    """What tries of one client are counted by: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), 64), strict=False))
