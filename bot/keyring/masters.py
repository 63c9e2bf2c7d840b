"""The master key as an operator keeps it: in the environment, or in a file of one line.

A rotation replaces the file in steps that may each be the last one of a power cut: the new key is
written beside it (`.next`), the key store is switched to it in one transaction, the old key is
overwritten, the new file takes its place. Whichever step was reached, one of the two files opens
the store, and the next start puts the files right.
"""

import base64
import binascii
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

KEY_BYTES = 32
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class MasterFileError(Exception):
    """A master key file cannot be used; the message names the setting and the fix."""


class BackupError(Exception):
    """A backup cannot be made or used; the lines say why."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))


def parse(text: str) -> bytes | None:
    """32 bytes in base64, or None."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def write_out(master: bytes) -> str:
    """A master key as it stands in a setting or a file."""
    return base64.b64encode(master).decode("ascii")


def read(path: Path) -> bytes:
    """The master key in a file.

    Raises:
        MasterFileError: It is not there, others may read it, or it holds something else.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii", errors="replace")
    except OSError as error:
        raise MasterFileError(
            f"MASTER_KEY_FILE: {path} cannot be read ({error.strerror}). Fix: make one with: "
            f"(umask 077; openssl rand -base64 32 > {path})"
        ) from error
    if mode & OTHERS:
        raise MasterFileError(
            f"MASTER_KEY_FILE: others may read {path}. Fix: chmod 600 {path}, and rotate the key "
            "(keys rotate) if others have an account on this machine."
        )
    key = parse(text)
    if key is None:
        raise MasterFileError(
            f"MASTER_KEY_FILE: {path} must hold 32 random bytes in base64. Fix: put the right file "
            "back, or type the recovery sheet in: keys recover"
        )
    return key


def candidates(path: Path) -> tuple[bytes, ...]:
    """What may be the master key: the file, and what a rotation under way wrote beside it.

    Raises:
        MasterFileError: There is none.
    """
    found = []
    trouble = None
    for each in (path, beside(path)):
        try:
            found.append(read(each))
        except MasterFileError as error:
            trouble = trouble or error
    if not found and trouble is not None:
        raise trouble
    return tuple(found)


def beside(path: Path) -> Path:
    """Where a rotation writes the new key first."""
    real = path.resolve()
    return real.with_name(f"{real.name}.next")


@contextmanager
def alone(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the right to replace this file; False where another process has it and we do not wait.

    Two rotations at once would each put the other's key in place.
    """
    real = path.resolve()
    handle = os.open(
        real.with_name(f"{real.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def prepare(path: Path, master: bytes) -> None:
    """Write the new key beside the file, durably, and read it back."""
    new = beside(path)
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{write_out(master)}\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(new)
    if read(new) != master:
        raise MasterFileError(
            f"MASTER_KEY_FILE: {new} does not hold what was written. Check the disk."
        )


def overwrite(path: Path) -> None:
    """Overwrite the old key where it stands. The store does not open with it any more."""
    with suppress(FileNotFoundError), path.resolve().open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())


def take_over(path: Path) -> None:
    """Put the new key's file in the place of the old one, durably."""
    real = path.resolve()
    beside(path).replace(real)
    _sync_folder(real)


def drop(path: Path) -> None:
    """Remove what a rotation that did not happen left beside the file."""
    beside(path).unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
