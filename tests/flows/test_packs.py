import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.lexicon import Lexicon
from flows.packs import PackReading, understand_pack
from flows.questionnaire import Item
from tests.flows.samples import ENGLISH, NOW, ZULU, item

OFTEN = item("meals", list_name="often")
ANY_TEXT = st.text(st.characters(exclude_categories=()))
PACK = [
    item("meals", list_name="often"),
    item("sick", list_name="often"),
    item("school", list_name="often"),
]
MIXED = [
    item("meals", list_name="often"),
    item("adults", "integer"),
    item("agree", list_name="yes_no"),
]
N, S, O = "never", "sometimes", "often"  # noqa: E741


def read_pack(items: list[Item], text: str, *others: Lexicon) -> PackReading:
    return understand_pack(items, text, form_id="f", lexicon=ENGLISH, others=others, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "1 3 2",
        "1,3,2",
        "1, 3 and 2",
        "1;3;2",
        "1/3/2",
        "132",
        "1.3.2",
        "1-3-2",
        "1. 3. 2.",
        "1) 3) 2)",
        "(1) (3) (2)",
        "1\n3\n2",
        "1\r\n3\r\n2\r\n",
        "1 3\n2",
        "a1 b3 c2",
        "A1B3C2",
        "a 1, b 3, c 2",
        "c2 a1 b3",
        "a) 1 b) 3 c) 2",
        "a: never b: often c: now and then",
        "a. 1\nb. 3\nc. 2",
        "never often sometimes",
        "Never, often, now and then",
        "never a lot now and then",
        "one three two",
        "1 never 3 often 2 now and then",
        "option 1 option 3 option 2",
        "1️⃣ 3️⃣ 2️⃣",
        "1️⃣3️⃣2️⃣",
        "١ ٣ ٢",
        "akwenzeki njalo ngezinye izikhathi",
    ],
)
def test_three_answers_in_one_message(text: str) -> None:
    assert read_pack(PACK, text, ZULU) == PackReading(values={"meals": N, "sick": O, "school": S})


@pytest.mark.parametrize(
    ("text", "values", "rejected", "rest"),
    [
        ("1", {"meals": N}, {}, ("sick", "school")),
        ("1 3", {"meals": N, "sick": O}, {}, ("school",)),
        ("b3", {"sick": O}, {}, ("meals", "school")),
        ("a1 a1", {"meals": N}, {}, ("sick", "school")),
        ("1 9 2", {"meals": N, "school": S}, {"sick": "reject.choice"}, ()),
        ("192", {"meals": N, "school": S}, {"sick": "reject.choice"}, ()),
        ("1 ? 2", {"meals": N, "school": S}, {"sick": "reject.empty"}, ()),
        ("1 9", {"meals": N}, {"sick": "reject.choice"}, ("school",)),
        ("1\n9\n2", {"meals": N, "school": S}, {"sick": "reject.choice"}, ()),
        ("a1 b9", {"meals": N}, {"sick": "reject.choice"}, ("school",)),
        ("never oftn never", {"meals": N, "school": N}, {"sick": "reject.choice"}, ()),
    ],
)
def test_what_is_right_is_kept_and_the_rest_asked_again(
    text: str, values: dict[str, str], rejected: dict[str, str], rest: tuple[str, ...]
) -> None:
    assert read_pack(PACK, text) == PackReading(values=values, rejected=rejected, rest=rest)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 3 2 1", "reject.too_many"),
        ("a1 d2", "reject.too_many"),
        ("never often never often", "reject.too_many"),
        ("a1 a2", "reject.pack"),
        ("13", "reject.pack"),
        ("1321", "reject.pack"),
        ("1 or 2", "reject.pack"),
        ("not 1 2", "reject.pack"),
        ("a b a", "reject.pack"),
        ("hello how are you", "reject.pack"),
        ("9 9 9", "reject.pack"),
        ("and", "reject.pack"),
        (",", "reject.pack"),
        ("1.3", "reject.pack"),
        ("x" * 5000, "reject.pack"),
        ("", "reject.empty"),
        ("\0", "reject.empty"),
    ],
)
def test_where_the_whole_message_is_in_doubt_nothing_is_taken(text: str, reason: str) -> None:
    assert read_pack(PACK, text) == PackReading(
        rejected=dict.fromkeys(("meals", "sick", "school"), reason)
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 12 2", {"meals": N, "adults": "12", "agree": "no"}),
        ("1, 12, yes", {"meals": N, "adults": "12", "agree": "yes"}),
        ("now and then 3 no", {"meals": S, "adults": "3", "agree": "no"}),
        ("1 five yes", {"meals": N, "adults": "5", "agree": "yes"}),
        ("a1 b12 c1", {"meals": N, "adults": "12", "agree": "yes"}),
    ],
)
def test_questions_with_different_answers(text: str, values: dict[str, str]) -> None:
    assert read_pack(MIXED, text) == PackReading(values=values)


def test_digits_in_one_go_are_not_split_where_a_question_wants_a_number() -> None:
    assert read_pack(MIXED, "121").values == {}
    counts = [item("adults", "integer"), item("rooms", "integer")]
    assert read_pack(counts, "121") == PackReading(values={"adults": "121"}, rest=("rooms",))
    assert read_pack(counts, "3 120").values == {"adults": "3", "rooms": "120"}


def test_one_question_is_read_as_always() -> None:
    assert read_pack([OFTEN], "c") == PackReading(values={"meals": O})
    assert read_pack([OFTEN], "1 2") == PackReading(rejected={"meals": "reject.several"})


@given(ANY_TEXT | st.text("0123ab .,)\n", max_size=12))
def test_a_pack_reading_names_every_question_once(text: str) -> None:
    reading = read_pack(PACK, text)
    named = [*reading.values, *reading.rejected, *reading.rest]
    assert sorted(named) == ["meals", "school", "sick"]
    assert all(value in OFTEN.choices for value in reading.values.values())
    assert all(reason in ENGLISH.phrases for reason in reading.rejected.values())
