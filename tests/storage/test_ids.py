from datetime import UTC, datetime, timedelta

from storage.ids import CROCKFORD, new_code, new_id


def test_ids_are_128_bits_and_sort_by_time(now: datetime) -> None:
    made = [new_id(now + timedelta(milliseconds=step)) for step in range(50)]
    assert made == sorted(made)
    assert {len(each) for each in made} == {32}
    assert all(int(each, 16) >= 0 for each in made)


def test_ids_of_one_moment_differ(now: datetime) -> None:
    assert len({new_id(now) for _ in range(1000)}) == 1000


def test_an_id_starts_with_its_moment() -> None:
    assert new_id(datetime(1970, 1, 1, 0, 0, 0, 255_000, tzinfo=UTC)).startswith("0000000000ff")


def test_codes_use_letters_nobody_misreads() -> None:
    code = new_code(4000)
    assert len(code) == 4000
    assert set(code) == set(CROCKFORD)
    assert not set(CROCKFORD) & set("ILOU")
