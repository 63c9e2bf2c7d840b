"""What a check is given and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from sqlalchemy import Connection

from bot.content.library import Library
from bot.settings import Settings
from bot.site import Site
from storage.database import Database
from storage.keyring.vault import Vault

if TYPE_CHECKING:
    from storage.keyring.keys import KeyStore

State = Literal["ok", "warn", "red"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one check found. It names ids, states and settings: never a person, never a secret.

    Attributes:
        name: What was looked at, e.g. "disk"; unique among the verdicts of one run.
        state: "ok", "warn" (should be looked at) or "red" (must be mended; exit 1).
        found: What was found, one sentence.
        fix: What to do about it; empty where nothing is to be done.
    """

    name: str
    state: State
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ctx:
    """What a check may look at. It changes nothing.

    Attributes:
        settings: The environment, already without problems.
        site: The site's decisions.
        library: Questionnaires, languages, rules.
        database: Open beside a running bot, at the newest revision; read it with `read`.
        keys: The key store.
        vault: Opens what is sealed.
        now: Aware, UTC.
        online: Whether providers may be asked (`--online`).
        live: Whether the launch gate is asked for (`--live`).
    """

    settings: Settings
    site: Site
    library: Library
    database: Database
    keys: KeyStore
    vault: Vault
    now: datetime
    online: bool = False
    live: bool = False

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a connection that cannot write; it sees one committed state throughout."""
        return self.database.read_sync(fn)


Checks = Callable[[Ctx], list[Verdict]]
"""What an area's `checks` is."""


def ok(name: str, found: str) -> Verdict:
    """All is well."""
    return Verdict(name=name, state="ok", found=found)


def warn(name: str, found: str, fix: str) -> Verdict:
    """Somebody should look at this."""
    return Verdict(name=name, state="warn", found=found, fix=fix)


def red(name: str, found: str, fix: str) -> Verdict:
    """This must be mended."""
    return Verdict(name=name, state="red", found=found, fix=fix)
