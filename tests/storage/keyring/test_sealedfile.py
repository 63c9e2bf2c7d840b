from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import SealBroken
from storage.keyring.sealedfile import CHUNK, MAGIC, open_file, read_header, seal_file

KEY = bytes(range(32))
TEXT = b"Nomvula lives here. " * 50


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    plain = tmp_path / "plain"
    plain.write_bytes(TEXT)
    seal_file(plain, tmp_path / "sealed", key=KEY, header={"made_at": "today"})
    return tmp_path / "sealed"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_what_was_sealed_opens(tmp_path: Path, size: int) -> None:
    plain, target, again = (tmp_path / name for name in ("plain", "sealed", "again"))
    plain.write_bytes(bytes(n % 251 for n in range(size)))
    seal_file(plain, target, key=KEY, header={"a": "1"})
    header = open_file(target, again, key=KEY)
    assert again.read_bytes() == plain.read_bytes()
    assert header["a"] == "1"
    assert {p.stat().st_mode & 0o777 for p in (target, again)} == {0o600}


def test_it_shows_its_header_and_nothing_else(sealed: Path) -> None:
    assert read_header(sealed)["made_at"] == "today"
    assert b"Nomvula" not in sealed.read_bytes()
    assert sealed.read_bytes().startswith(MAGIC)


def test_the_same_file_is_never_sealed_the_same_way(sealed: Path, tmp_path: Path) -> None:
    seal_file(tmp_path / "plain", tmp_path / "other", key=KEY, header={"made_at": "today"})
    assert (tmp_path / "other").read_bytes() != sealed.read_bytes()


def test_another_key_opens_nothing_and_leaves_nothing(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(SealBroken, match="sealed does not open"):
        open_file(sealed, tmp_path / "again", key=bytes(32))
    assert not (tmp_path / "again").exists()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_cut_or_changed_anywhere_it_is_refused(
    sealed: Path, tmp_path: Path, data: st.DataObject
) -> None:
    whole = sealed.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.integers(0, 255))
    broken = whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :]
    spoiled = tmp_path / "spoiled"
    spoiled.write_bytes(broken if change else whole[:place])
    with pytest.raises(SealBroken, match="spoiled"):
        open_file(spoiled, tmp_path / "again", key=KEY)
    assert not (tmp_path / "again").exists()


def test_more_at_its_end_is_refused(sealed: Path, tmp_path: Path) -> None:
    sealed.write_bytes(sealed.read_bytes() + b"x")
    with pytest.raises(SealBroken):
        open_file(sealed, tmp_path / "again", key=KEY)


def test_another_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff" * 100)
    with pytest.raises(SealBroken, match=r"photo\.jpg is not a backup"):
        read_header(tmp_path / "photo.jpg")


def test_nothing_is_overwritten(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        seal_file(tmp_path / "plain", sealed, key=KEY, header={})
    with pytest.raises(FileExistsError):
        open_file(sealed, tmp_path / "plain", key=KEY)
    assert (tmp_path / "plain").read_bytes() == TEXT
