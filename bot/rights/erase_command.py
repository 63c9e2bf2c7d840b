"""The `erase` command: asks, refuses with the ground, carries out, prints a certificate.

The certificate names codes, times and numbers of rows. It names no person, so it may be filed with
the request and given to whoever asked.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.app import now as clock
from bot.commands import GOOD, PROBLEM, as_json, err, out, with_database
from bot.dashboard.requests import fault
from bot.keyring.keys import OWED, rotate_after_erasure
from bot.keyring.vaults import open_store
from bot.rights import erase
from bot.rights.deciding import RequestError
from bot.rights.erase import WHY, Done, EraseRefusedError, Target
from bot.rights.officer import Prove, prove
from bot.settings import Settings
from bot.turns.world import World
from storage.keyring.keys import KeyStore
from storage.rights.erasing_rules import RULES
from storage.rights.scrubbing import Scrubbed, scrub

FILES: Mapping[Scrubbed, str] = {
    "clean": "overwritten, written anew, log cut off",
    "reader": "NOT YET: somebody was reading. Run the same command again",
    "server": "the server's; ask its operator how long its log archive is kept",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line said."""

    household: str = ""
    child: str = ""
    number: bool = False
    request: str = ""
    by: str = ""
    second: str = ""


def run(
    settings: Settings,
    asked: Asked,
    *,
    json_wanted: bool,
    now: datetime | None = None,
    prove: Prove = prove,
) -> int:
    """`erase`: 0 when everything is gone, 1 when it was refused or something is left to do.

    Whoever `--by` names proves that it is she; the other one did so when she confirmed.
    """
    now = now or clock()
    if sum((bool(asked.household), bool(asked.child), asked.number)) != 1:
        err("Say whom: --household ID, --child CODE, or --number (asks for the address).")
        return PROBLEM
    address = _address() if asked.number else ""
    try:
        prove(settings, asked.by)
    except RequestError as error:
        err(fault(error.codes[0]))
        err("Nothing was erased.")
        return PROBLEM
    store = open_store(settings)
    try:
        done = with_database(
            settings, lambda c, w: _erase(c, w, asked, address, store=store, now=now)
        )
        files = erase.finish(store, done, settings.data_dir / "exports", now=now)
        left = scrub(settings.url, done.erased.deleted)
        replaced = rotate_after_erasure(settings, store, now=now)
    except EraseRefusedError as error:
        return _refused(settings, error, asked, now)
    finally:
        store.close()
    document = certificate(asked, done, files=files, left=left, replaced=replaced, now=now)
    if json_wanted:
        as_json(document)
    else:
        _print(document)
    owed = not replaced and not settings.is_demo
    for line in OWED if owed else ():
        err(line)
    return PROBLEM if owed or left == "reader" else GOOD


def _erase(
    conn: Connection,
    world: World,
    asked: Asked,
    address: str,
    *,
    store: KeyStore,
    now: datetime,
) -> Done:
    target = _target(conn, world, asked, address)
    row, by, second = erase.check_request(
        conn, target, request_id=asked.request, by=asked.by, second=asked.second, now=now
    )
    if target.household_id and (grounds := erase.forbidden(conn, target.household_id, now=now)):
        raise EraseRefusedError(*grounds)
    return erase.carry_out(
        conn,
        world,
        target,
        people=(by, second),
        request_id=row.id,
        now=now,
        note=lambda household: store.note_erasure(household, at=now, ground=erase.GROUND),
    )


def _target(conn: Connection, world: World, asked: Asked, address: str) -> Target:
    if asked.household:
        return erase.by_household(conn, asked.household.strip())
    if asked.child:
        return erase.by_child(conn, asked.child)
    return erase.by_address(conn, world, address)


def certificate(
    asked: Asked, done: Done, *, files: int, left: Scrubbed, replaced: bool, now: datetime
) -> dict[str, object]:
    """What is filed: codes, times, numbers; what stays, and on which ground."""
    erased = done.erased
    stays = {name: RULES[name].ground for name in (*erased.kept, "audit", "inbox_seen")}
    return {
        "request": asked.request,
        "household": erased.household_id,
        "decided_by": [asked.by, asked.second],
        "at": now.isoformat(timespec="seconds"),
        "deleted": dict(erased.deleted),
        "kept_without_content": dict(erased.kept),
        "why_kept": stays,
        "class_lists_without_the_number": erased.classes,
        "profiles_of_others_made_anew": done.rejudged,
        "keys_destroyed": len(erased.keys),
        "old_backups_open_a_part_with_the_keys_of": sorted(erased.others),
        "master_key_replaced": replaced or "NOT YET: main.py keys rotate",
        "files_deleted": files,
        "database_files": FILES[left],
        "providers_asked_to_delete": done.at_providers,
        "left_in_her_own_telegram_chat": erased.copies.get("telegram", 0),
    }


def _print(document: Mapping[str, object]) -> None:
    out("CERTIFICATE OF ERASURE")
    for name, value in document.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            out(f"{label}:")
            for key, inner in value.items():
                out(f"  {key}: {inner}")
        elif isinstance(value, list):
            out(f"{label}: {', '.join(map(str, value))}")
        elif isinstance(value, bool):
            out(f"{label}: {'yes' if value else 'no'}")
        elif value != "":
            out(f"{label}: {value}")


def _refused(settings: Settings, error: EraseRefusedError, asked: Asked, now: datetime) -> int:
    code, *rest = error.codes
    grounds = error.codes if code != "siblings" else (code,)
    for ground in grounds:
        err(f"{ground}: {WHY[ground].format(household=rest[0] if rest else '')}")
    err("Nothing was erased.")
    held = [ground for ground in grounds if ground in ("legal_hold", "s110", "alert_open")]
    if held:
        with_database(settings, lambda c, _w: erase.note_refusal(c, asked.request, held, now))
    return PROBLEM


def _address() -> str:
    """The address is asked for, never an argument: the shell keeps arguments in its history."""
    if sys.stdin.isatty():
        return input("Address (sms:+27..., whatsapp:+27..., telegram:...): ").strip()
    return sys.stdin.readline().strip()
