"""Somebody at the command line in her own name: her login, password and code, as on the page."""

import asyncio
import getpass
import sys
from collections.abc import Callable, Collection

from bot.app import now
from bot.keyring.vaults import open_vault
from bot.login.access import Access
from bot.policy import Place, Who, may, scope_of, shipped
from bot.rights.deciding import RequestError
from bot.settings import Settings
from storage.database import Database
from storage.families.programmes import school_ids
from storage.scope import Scope
from storage.staff.users import User

PURPOSE = "requests"
WHERE = Place(section="pages", name="request")
Prove = Callable[[Settings, str], None]
"""Asks somebody for her proof; raises RequestError where it is none."""


def typed(what: str, ask: Callable[[str], str] = getpass.getpass) -> str:
    """What she types without its being shown; the next line where nobody sits at a terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return ask(f"{what}: ")


def prove(settings: Settings, login: str) -> None:
    """Ask whoever a grave step is taken by for her password and code, before anything is done.

    What she may do is the policy's to say; this only proves that it is she.

    Raises:
        RequestError: "login" whatever was wrong, "wait" after too many tries.
        StorageError: The database cannot be reached.
    """
    _signed_in(settings, login, password=typed("Password"), code=typed("Code"))


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
    user, schools = _signed_in(settings, login, password=password, code=code)
    policy = shipped()
    reach = policy.roles[user.role].reach
    who = Who(role=user.role, schools=frozenset(schools if reach == "all" else user.schools))
    if may(policy, who, verb, WHERE) != "allow":
        raise RequestError("role")
    rule = policy.rule(WHERE.section, WHERE.name, verb)
    return scope_of(rule, who, user_id=user.id, purpose=PURPOSE)


def _signed_in(
    settings: Settings, login: str, *, password: str, code: str
) -> tuple[User, Collection[str]]:
    """Whose password and code these are, and every school there is. Raises RequestError."""
    vault = open_vault(settings)
    database = Database.open(settings.url, exclusive=False)

    async def main() -> tuple[User, Collection[str]]:
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
            return signed_in.user, await database.read(school_ids)
        finally:
            await database.close()

    try:
        return asyncio.run(main())
    finally:
        vault.close()
