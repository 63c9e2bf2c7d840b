"""One-time codes as they are printed and typed, and hashing a few at a time."""

import asyncio
import threading

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from bot.login.proofs import (
    HASHES_AT_ONCE,
    Passwords,
    authenticator_uri,
    code_digest,
    one_time_code,
)

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_a_code_has_eighty_bits_in_four_groups() -> None:
    codes = {one_time_code() for _ in range(50)}

    assert len(codes) == 50
    for code in codes:
        assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]


def test_how_a_code_is_typed_does_not_matter() -> None:
    code = "A0F1-K2QM-9XYZ-4TRB"
    spellings = [
        "a0f1k2qm9xyz4trb",
        " A0F1 K2QM 9XYZ 4TRB ",
        "AOFI-K2QM-9XYZ-4TRB",
        "aof1k2qm9xyz4trb",
    ]

    assert {code_digest(spelling) for spelling in spellings} == {code_digest(code)}
    assert code_digest("A0F1-K2QM-9XYZ-4TRC") != code_digest(code)


@pytest.mark.parametrize(
    "typed", ["", "123456", "A0F1-K2QM-9XYZ-4TR", "A0F1-K2QM-9XYZ-4TRBX", "U" * 16, "٤" * 16]
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert code_digest(typed) is None


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    found = code_digest(typed)
    assert found is None or len(found) == 64


def test_the_digest_does_not_show_the_code() -> None:
    code = one_time_code()
    digest = code_digest(code)

    assert digest is not None
    assert code.replace("-", "").lower() not in digest


def test_the_apps_address_names_us_and_the_login() -> None:
    uri = authenticator_uri("nomsa@hill", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")

    assert uri.startswith("otpauth://totp/CWB:nomsa%40hill?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert "issuer=CWB" in uri


async def test_an_empty_hash_fits_no_password() -> None:
    passwords = Passwords(QUICK)
    stored = await passwords.hash("seven green bicycles")

    assert await passwords.fits(stored, "seven green bicycles")
    assert not await passwords.fits(stored, "nine blue bicycles")
    assert not await passwords.fits("", "")
    assert not await passwords.fits("no hash at all", "seven green bicycles")


class Counting(PasswordHasher):
    """Counts how many hashes are made at the same time."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.lock = threading.Lock()
        self.now = 0
        self.most = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        made = super().hash(password, salt=salt)
        with self.lock:
            self.now -= 1
        return made


async def test_a_flood_of_logins_hashes_a_few_at_a_time() -> None:
    hasher = Counting()
    passwords = Passwords(hasher)

    await asyncio.gather(*(passwords.hash("seven green bicycles") for _ in range(12)))

    assert 1 <= hasher.most <= HASHES_AT_ONCE
