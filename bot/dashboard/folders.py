"""A file as the data officer's page shows it: how much of what there is, never what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.rights import deciding
from bot.rights.file import Folder
from storage.keyring.vault import Vault
from storage.rights.requests import RequestRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note of the officers, opened."""

    at: datetime
    by: str
    text: str


def sections(folder: Folder | None) -> dict[str, int]:
    """How many pieces each part of the file has that are simply hers."""
    out: dict[str, int] = {}
    if folder is not None:
        for section, found, _ in folder.pieces:
            if found is None:
                out[section] = out.get(section, 0) + 1
    return out


def answers(folder: Folder | None) -> list[dict[str, Any]]:
    """Her own answers, to mark one as disputed; what is kept back is not shown for that."""
    if folder is None:
        return []
    return [
        entry for section, found, entry in folder.pieces if section == "answers" and found is None
    ]


def notes(vault: Vault, row: RequestRow, logins: Mapping[str, str]) -> list[Note]:
    """The notes of a request with the login of who wrote each, oldest first."""
    return [
        Note(at=datetime.fromisoformat(n["at"]), by=logins.get(n["by"], ""), text=n["text"])
        for n in deciding.notes_of(vault, row.id, row.note)
    ]
