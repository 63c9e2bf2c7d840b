import pytest

from flows.sms import Segments, segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 460, "GSM-7", 460, 4),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("Ç", "GSM-7", 1, 1),
        ("ç", "UCS-2", 1, 1),
        ("š" * 70, "UCS-2", 70, 1),
        ("š" * 71, "UCS-2", 71, 2),
        ("š" * 66 + "😀" + "š" * 66, "UCS-2", 134, 3),
        ("\t", "UCS-2", 1, 1),
        ("\ud83d", "UCS-2", 1, 1),
    ],
)
def test_size_on_the_air_is_what_is_billed(
    text: str, encoding: str, units: int, parts: int
) -> None:
    assert segments(text) == Segments(encoding=encoding, units=units, segments=parts)  # type: ignore[arg-type]
