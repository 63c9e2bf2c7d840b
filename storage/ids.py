"""Ids and codes, made by the shell before the insert."""

import os
import secrets
from datetime import datetime

from storage.types import to_ms

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No I, L, O or U: nobody misreads them over the phone."""


def new_id(now: datetime) -> str:
    """A 128-bit id as 32 hex digits that sorts by time: 48 bits of milliseconds, 80 of chance."""
    return f"{to_ms(now):012x}{os.urandom(10).hex()}"


def new_code(length: int) -> str:
    """A random public code without sequence or meaning, e.g. an alert's or a child's."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(length))
