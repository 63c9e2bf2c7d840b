import pytest

from flows.sms import Segments, messages, segments


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


DEAR = "Ngwana wa gago o be a lwala gakaakang? Šo le lengwe. " * 6


def test_a_text_in_gsm_is_one_message_however_long() -> None:
    assert messages("One. " * 200, most=1) == ("One. " * 200,)


def test_a_dear_text_that_fits_is_one_message() -> None:
    assert messages("Šo.", most=1) == ("Šo.",)


def test_a_dear_text_is_parted_at_lines_first() -> None:
    lines = ["š" * 60, "a" * 60, "š" * 30, "b" * 30]
    parts = messages("\n".join(lines), most=1)
    assert parts == (lines[0], lines[1], "\n".join(lines[2:]))


def test_then_at_sentences_then_between_words_and_nothing_is_lost() -> None:
    parts = messages(DEAR, most=2)
    assert len(parts) > 1
    assert all(segments(part).segments <= 2 for part in parts)
    assert all(part.rstrip().endswith((".", "?")) for part in parts)
    assert " ".join(parts) == DEAR
    words = messages("š".join(["word "] * 40), most=1)
    assert " ".join(words) == "š".join(["word "] * 40)
    assert all(segments(part).segments == 1 for part in words)


def test_one_endless_word_stays_too_long() -> None:
    assert messages("š" * 100 + " š", most=1) == ("š" * 100, "š")
