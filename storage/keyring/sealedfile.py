"""One file sealed as a whole: AES-256-GCM over everything, its header included.

`magic | length of header | header (JSON) | nonce | ciphertext | tag`. Each file has a key of its
own, derived from the key given and a random salt in the header. Nothing of a file is used before
its tag was checked: cut short, changed, or of another key, it is refused.

Source: NIST SP 800-38D (GCM: at most 64 GiB under one nonce), RFC 5869 (HKDF).
"""

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import SealBroken
from storage.keyring.wrapping import KEY_BYTES, NONCE_BYTES, TAG_BYTES

MAGIC = b"CWB sealed file 1\n"
LARGEST_HEADER = 10_000
CHUNK = 1 << 20
MOST_BYTES = (1 << 36) - 64
Header = Mapping[str, str]


def seal_file(source: Path, target: Path, *, key: bytes, header: Header) -> None:
    """Seal a file into a new one, for its owner alone, durably.

    Args:
        source: What is sealed; at most 64 GiB.
        target: Must not exist.
        key: 32 bytes.
        header: What may be read without the key; it cannot be changed unnoticed.

    Raises:
        ValueError: The source is too large.
        OSError: A file cannot be read or written.
    """
    if source.stat().st_size > MOST_BYTES:
        raise ValueError("A file of more than 64 GiB cannot be sealed as one.")
    salt, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
    head = _packed({**header, "salt": salt.hex()})
    sealer = Cipher(algorithms.AES(_own_key(key, salt)), modes.GCM(nonce)).encryptor()
    sealer.authenticate_additional_data(head)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out, source.open("rb") as plain:
        out.write(head + nonce)
        while chunk := plain.read(CHUNK):
            out.write(sealer.update(chunk))
        out.write(sealer.finalize() + sealer.tag)
        out.flush()
        os.fsync(out.fileno())


def read_header(source: Path) -> dict[str, str]:
    """What a sealed file says of itself. Not to be trusted before `open_file`.

    Raises:
        SealBroken: It is no sealed file.
    """
    with source.open("rb") as file:
        return _header(file, source)[0]


def open_file(source: Path, target: Path, *, key: bytes) -> dict[str, str]:
    """Open a sealed file into a new one, for its owner alone; gives back its header.

    Raises:
        SealBroken: It is no sealed file, truncated, changed, or of another key. Then there is no
            target.
        OSError: A file cannot be read or written.
    """
    with source.open("rb") as file:
        header, head = _header(file, source)
        start = file.tell()
        length = source.stat().st_size - start - NONCE_BYTES - TAG_BYTES
        if length < 0:
            raise SealBroken(f"{source.name} is truncated.")
        nonce = file.read(NONCE_BYTES)
        file.seek(-TAG_BYTES, os.SEEK_END)
        tag = file.read(TAG_BYTES)
        file.seek(start + NONCE_BYTES)
        own = _own_key(key, bytes.fromhex(header["salt"]))
        opener = Cipher(algorithms.AES(own), modes.GCM(nonce, tag)).decryptor()
        opener.authenticate_additional_data(head)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as out:
                while length:
                    chunk = file.read(min(CHUNK, length))
                    length -= len(chunk) or length  # cut short meanwhile: the tag will not fit
                    out.write(opener.update(chunk))
                out.write(opener.finalize())
        except InvalidTag as error:
            target.unlink()
            raise SealBroken(
                f"{source.name} does not open: cut short, changed, or sealed with another key."
            ) from error
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return header


def _packed(header: Header) -> bytes:
    text = json.dumps(dict(header), sort_keys=True).encode()
    return MAGIC + struct.pack(">I", len(text)) + text


def _header(file: BinaryIO, source: Path) -> tuple[dict[str, str], bytes]:
    head = file.read(len(MAGIC) + 4)
    if not head.startswith(MAGIC) or len(head) < len(MAGIC) + 4:
        raise SealBroken(f"{source.name} is not a backup of this program.")
    (length,) = struct.unpack(">I", head[len(MAGIC) :])
    text = file.read(min(length, LARGEST_HEADER))
    try:
        found = json.loads(text)
        header = {str(name): str(value) for name, value in found.items()}
        bytes.fromhex(header["salt"])
    except (ValueError, AttributeError, KeyError) as error:
        raise SealBroken(f"The header of {source.name} is damaged.") from error
    return header, head + text


def _own_key(key: bytes, salt: bytes) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=b"cwb sealed file")
    return hkdf.derive(key)
