"""A data officer at the command line: her login, password and code, as on the page."""

import asyncio
import getpass
import sys
from collections.abc import Callable

from bot.app import now
from bot.keyring.vaults import open_vault
from bot.login.access import Access
from bot.policy import Place, Who, may, scope_of, shipped
from bot.rights.deciding import RequestError
from bot.settings import Settings
from storage.database import Database
from storage.families.programmes import school_ids
from storage.scope import Scope

PURPOSE = "requests"
WHERE = Place(section="pages", name="request")


def typed(what: str, ask: Callable[[str], str] = getpass.getpass) -> str:
    """What she types without its being shown; the next line where nobody sits at a terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return ask(f"{what}: ")


def proved(settings: Settings, login: str, *, password: str, code: str, verb: str) -> Scope:
    """Who she is and what she may read.

    Args:
        settings: The environment.
        login: Her login.
        password: As typed.
        code: The authenticator's six digits.
        verb: What she is about to do on a request, as the policy names it.

    Raises:
        RequestError: "login" whatever was wrong, "wait" after too many tries, "role" where the
            policy does not let her.
        StorageError: The database cannot be reached.
    """
    vault = open_vault(settings)
    database = Database.open(settings.url, exclusive=False)

    async def main() -> Scope:
        try:
            access = Access(database, vault, now)
            result = await access.sign_in(
                login=login, password=password, code=code, client="127.0.0.1"
            )
            if result.outcome != "in":
                raise RequestError("wait" if result.outcome == "wait" else "login")
            signed_in = await access.who(result.token)
            if signed_in is None:
                raise RequestError("login")
            await access.end(signed_in)
            schools = await database.read(school_ids)
            policy, user = shipped(), signed_in.user
            reach = policy.roles[user.role].reach
            who = Who(
                role=user.role, schools=frozenset(schools if reach == "all" else user.schools)
            )
            if may(policy, who, verb, WHERE) != "allow":
                raise RequestError("role")
            rule = policy.rule(WHERE.section, WHERE.name, verb)
            return scope_of(rule, who, user_id=user.id, purpose=PURPOSE)
        finally:
            await database.close()

    try:
        return asyncio.run(main())
    finally:
        vault.close()
