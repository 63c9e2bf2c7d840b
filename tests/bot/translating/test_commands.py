"""A language from draft to real people: sheet, review, approval, and every refusal."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from bot.content.library import load
from bot.translating import commands
from bot.translating.sheet import COLUMNS
from tests.bot.translating.languages import eleven, marked, reworded, shipped

TODAY = date(2026, 11, 22)
READ = "reviewed by A. Mokoena on 2026-11-02"
Row = dict[str, str]
Edit = Callable[[Row], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shipped(tmp_path)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], tuple[str, str]]:
    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return read


def exported(folder: Path, **options: str) -> list[Row]:
    path = folder.parent / "sheet.csv"
    told = {"catalog": "", "reference": ""} | options
    assert commands.export(folder, "zu", to=path, **told) == 0
    return list(csv.DictReader(StringIO(path.read_text(encoding="utf-8-sig"))))


def imported(folder: Path, rows: list[Row], by: str = "A. Mokoena") -> int:
    path = folder.parent / "back.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return commands.take(folder, path, by=by, today=TODAY)


def row(rows: list[Row], address: str) -> Row:
    return next(row for row in rows if row["address"] == address)


def state(folder: Path, address: str) -> tuple[str, str]:
    standing = load(folder=folder).standings["zu"][address]
    return standing.state, f"{standing.signed.by} {standing.signed.on}"


def catalogs(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*.po")}


def test_a_language_goes_from_draft_to_real_people(
    folder: Path, said: Callable[[], tuple[str, str]]
) -> None:
    rows = exported(folder)
    for each in rows:
        each["verdict"] = "ok"
    assert imported(folder, rows) == 0
    assert "texts reviewed, 0 without a verdict" in said()[0]
    assert load(folder=folder, drafts=False).offered == ("en",)
    approve = {"catalog": "", "on": "2026-11-09", "today": TODAY}
    assert commands.approve(folder, "zu", by="T. Sithole", **approve) == 0
    assert "texts approved; changed: bot, caregiver" in said()[0]
    assert load(folder=folder, drafts=False).offered == ("en", "zu")
    assert state(folder, "enrolment/who_sees:label") == ("approved", "T. Sithole 2026-11-09")
    assert commands.show(folder, json_wanted=False) == 0
    out, _ = said()
    assert "zu (isiZulu): offered to real people: yes" in out


def test_a_row_says_where_a_text_is_seen_and_what_it_costs(folder: Path) -> None:
    rows = exported(folder, reference="zu")
    sick = row(rows, "caregiver/sick:label")
    assert sick["seen"] == "caregiver: the question or note sick"
    assert sick["english"] == "Last month, how often was your child too sick to play?"
    assert sick["draft"] == sick["reference"] != ""
    assert (sick["language"], sick["sms"], sick["state"]) == ("zu", "1", "draft-machine")
    assert {r["address"].partition("/")[0] for r in exported(folder, catalog="learner")} == {
        "learner"
    }


def test_the_reviewer_her_day_and_her_words_are_kept(folder: Path) -> None:
    rows = exported(folder)
    row(rows, "menu.choose").update(
        verdict="change", new_text="Khetha lapha", reviewer="N. Dube", date="2026-11-20"
    )
    row(rows, "offer.later").update(verdict="ok")
    assert imported(folder, rows) == 0
    assert state(folder, "menu.choose") == ("reviewed", "N. Dube 2026-11-20")
    assert state(folder, "offer.later") == ("reviewed", "A. Mokoena 2026-11-22")
    assert state(folder, "offer.now") == ("draft-machine", " None")
    assert load(folder=folder).lexicon("zu").phrases["menu.choose"] == "Khetha lapha"


def test_a_cell_that_looks_like_a_formula_comes_back_as_it_was(folder: Path) -> None:
    reworded(folder, 'msgstr "Khetha"', 'msgstr "=Khetha"')
    rows = exported(folder)
    assert row(rows, "menu.choose")["draft"] == "'=Khetha"
    row(rows, "menu.choose")["verdict"] = "ok"
    assert imported(folder, rows) == 0
    assert state(folder, "menu.choose")[0] == "reviewed"


def change(words: str) -> Edit:
    return lambda row: row.update(verdict="change", new_text=words)


def test_a_dear_text_has_a_row_for_its_spelling(folder: Path) -> None:
    assert not [r for r in exported(folder) if r["address"].endswith(":sms")]
    reworded(folder, 'msgstr "Khetha"', 'msgstr "Khethã"')
    rows = exported(folder)
    spelling = row(rows, "menu.choose:sms")
    assert (spelling["draft"], spelling["sms"]) == ("", "")
    change("Khethã")(spelling)
    assert imported(folder, rows) == 1
    change("Khetha")(spelling)
    assert imported(folder, rows) == 0
    assert load(folder=folder).lexicon("zu").plain.phrases["menu.choose"] == "Khetha"
    assert row(exported(folder), "menu.choose:sms")["draft"] == "Khetha"


WRONG: list[tuple[str, Edit, str]] = [
    (
        "help.simple",
        change("Thumela"),
        "it has other placeholders than the English ones ({digits})",
    ),
    ("menu.choose", change(""), "it is empty"),
    ("menu.choose", lambda r: r.update(new_text="Khetha"), "a new text without the verdict change"),
    ("menu.choose", lambda r: r.update(verdict="fine"), "the verdict 'fine'"),
    ("menu.choose", lambda r: r.update(verdict="ok", english="Select"), "the English has changed"),
    ("menu.choose", lambda r: r.update(verdict="ok", draft="Hlela"), "the draft has changed"),
    ("menu.choose", lambda r: r.update(address="menu.chose"), "there is no text 'menu.chose'"),
    ("menu.choose", lambda r: r.update(address="menu.rest"), "the English has changed"),
    ("menu.choose", lambda r: r.update(verdict="ok", reviewer="7"), "'7' is no name"),
    ("menu.choose", lambda r: r.update(verdict="ok", date="2026-11-23"), "the date '2026-11-23'"),
    ("menu.choose", lambda r: r.update(verdict="ok", date="yesterday"), "the date 'yesterday'"),
    ("caregiver/sick:label", change("Kungani? " * 60), "on sms, the most is 3 segments"),
    ("nudge.first", change("Linda. " * 90), "on sms, the most is 3"),
    ("enrolment/yes_no/no:label", change("Yebo"), "'yebo' also means the choice yes"),
    ("enrolment/yes_no/no:label", change("STOP"), "'stop' is the command STOP at any time"),
    ("keyword.skip", change("emuva"), "stands in keyword.back too"),
]


@pytest.mark.parametrize(("address", "edit", "what"), WRONG)
def test_one_wrong_row_and_nothing_is_taken(
    folder: Path, said: Callable[[], tuple[str, str]], address: str, edit: Edit, what: str
) -> None:
    before, rows = catalogs(folder), exported(folder)
    row(rows, "offer.later")["verdict"] = "ok"
    line = rows.index(row(rows, address)) + 2
    edit(row(rows, address))
    assert imported(folder, rows) == 1
    _, err = said()
    assert f"line {line}: " in err
    assert what in err
    assert err.endswith("Nothing was changed.\n")
    assert catalogs(folder) == before


def test_every_problem_is_named_at_once(folder: Path, said: Callable[[], tuple[str, str]]) -> None:
    rows = exported(folder, catalog="enrolment")
    rows[0]["verdict"] = "perhaps"
    rows[1].update(verdict="change", new_text="")
    rows.append(dict(rows[2]))
    assert imported(folder, rows) == 1
    _, err = said()
    assert [line.split(":")[0] for line in err.splitlines()[:-1]] == [
        "line 2",
        "line 3",
        f"line {len(rows) + 1}",
    ]
    assert f"{rows[2]['address']} stands in line 4 too" in err


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("address,verdict\nmenu.choose,ok\n", "line 1: no column language, seen"),
        (f"{','.join(COLUMNS)}\n", "The sheet names these languages: none"),
        (f"{','.join(COLUMNS)}\ntlh{',' * 11}\n", "There is no language 'tlh'"),
        ("", "line 1: no column language"),
    ],
)
def test_what_is_no_sheet_is_refused(
    folder: Path, said: Callable[[], tuple[str, str]], text: str, what: str
) -> None:
    path = folder.parent / "back.csv"
    path.write_text(text, encoding="utf-8")
    assert commands.take(folder, path, by="A. Mokoena", today=TODAY) == 1
    assert what in said()[1]


def test_sheets_of_nothing_are_refused(folder: Path, said: Callable[[], tuple[str, str]]) -> None:
    to = folder.parent / "sheet.csv"
    assert commands.export(folder, "tlh", catalog="", reference="", to=to) == 1
    assert commands.export(folder, "zu", catalog="bott", reference="", to=to) == 1
    assert "Fix: use one of bot, caregiver" in said()[1]
    assert not to.exists()


def review(folder: Path, *addresses: str, everything: bool = False, **told: str) -> int:
    options = {"by": "A. Mokoena", "on": "2026-11-02"} | told
    return commands.review(
        folder, "zu", list(addresses), everything=everything, today=TODAY, **options
    )


def test_texts_are_reviewed_by_name_or_all(folder: Path) -> None:
    assert review(folder, "menu.choose", "caregiver/sick:label") == 0
    assert state(folder, "menu.choose") == ("reviewed", "A. Mokoena 2026-11-02")
    assert state(folder, "offer.later")[0] == "draft-machine"
    assert review(folder, everything=True, by="N. Dube") == 0
    assert state(folder, "menu.choose")[1] == "A. Mokoena 2026-11-02"
    assert state(folder, "offer.later")[1] == "N. Dube 2026-11-02"


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({"by": "7"}, "--by '7' is no name"),
        ({"by": "Mokoena, A."}, "is no name"),
        ({"on": "2.11.2026"}, "is no day"),
        ({"on": "2026-11-23"}, "is still to come"),
    ],
)
def test_a_review_needs_a_name_and_a_day(
    folder: Path, said: Callable[[], tuple[str, str]], told: dict[str, str], what: str
) -> None:
    assert review(folder, "menu.choose", **told) == 1
    assert what in said()[1]


def test_what_cannot_be_reviewed_is_named(
    folder: Path, said: Callable[[], tuple[str, str]]
) -> None:
    reworded(folder, 'msgstr "Khetha"', 'msgstr ""')
    marked(folder, {"learner": "approved by T. Sithole on 2026-11-09"})
    assert review(folder, "menu.choose", "menu.chose", "learner/hungry:label", "offer.now") == 1
    _, err = said()
    assert "menu.choose: not translated" in err
    assert "There is no text 'menu.chose'" in err
    assert "learner/hungry:label: is approved already" in err
    assert state(folder, "offer.now")[0] == "draft-machine"


def approve(folder: Path, catalog: str, by: str = "T. Sithole") -> int:
    return commands.approve(folder, "zu", catalog=catalog, by=by, on="2026-11-09", today=TODAY)


def test_only_what_was_reviewed_is_approved(
    folder: Path, said: Callable[[], tuple[str, str]]
) -> None:
    marked(folder, {"learner": READ})
    assert approve(folder, "caregiver") == 1
    assert "caregiver/sick:label: nobody has reviewed it" in said()[1]
    assert approve(folder, "learner") == 0
    assert state(folder, "learner/hungry:label") == ("approved", "T. Sithole 2026-11-09")
    assert approve(folder, "learner", by="N. Dube") == 0
    assert state(folder, "learner/hungry:label")[1] == "T. Sithole 2026-11-09"
    assert approve(folder, "lerner") == 1
    assert "zu has no catalog 'lerner'" in said()[1]


def test_what_is_missing_keeps_a_catalog_from_approval(
    folder: Path, said: Callable[[], tuple[str, str]]
) -> None:
    marked(folder, {"": READ})
    reworded(folder, 'msgstr "Khetha"', 'msgstr ""')
    assert approve(folder, "bot") == 1
    assert said()[1].startswith("menu.choose: not translated. Fix: translate it first.")


def test_words_of_consent_take_two_people(
    folder: Path, said: Callable[[], tuple[str, str]]
) -> None:
    marked(folder, {"": READ})
    assert approve(folder, "enrolment", by="a mokoena") == 1
    assert "somebody else approves them" in said()[1]
    assert approve(folder, "caregiver", by="A. Mokoena") == 0
    assert approve(folder, "enrolment") == 0


def test_an_unsigned_review_of_consent_does_not_count(
    folder: Path, said: Callable[[], tuple[str, str]]
) -> None:
    marked(folder, {"enrolment": "reviewed"})
    assert approve(folder, "enrolment") == 1
    assert "the reviewer of these words of consent is not known" in said()[1]


def test_status_counts_states_and_says_what_is_in_the_way(
    folder: Path, said: Callable[[], tuple[str, str]]
) -> None:
    marked(folder, {"learner": READ})
    reworded(folder, 'msgstr "Khetha"', 'msgstr ""')
    reworded(folder, 'msgstr "Kamuva"', 'msgstr "Kamũva"')
    assert commands.show(folder, json_wanted=True) == 0
    (zulu,) = json.loads(said()[0])["languages"]
    assert (zulu["language"], zulu["name"], zulu["offered"]) == ("zu", "isiZulu", False)
    rows = {each["catalog"]: each for each in zulu["catalogs"]}
    assert (rows["learner"]["reviewed"], rows["learner"]["draft-machine"]) == (26, 0)
    assert (rows["bot"]["missing"], rows["bot"]["dear_by_sms"], rows["bot"]["segments"]) == (
        1,
        1,
        1,
    )
    assert rows["bot"]["texts"] == rows["bot"]["missing"] + rows["bot"]["draft-machine"]
    assert zulu["stops"][0] == "1 texts are missing or at fault: main.py check lists them"
    assert "wait for a review" in zulu["stops"][1]
    assert "wait for approval" in zulu["stops"][2]
    assert any("crisis words" in note for note in zulu["notes"])
    assert any("1 texts have letters" in note for note in zulu["notes"])


def test_status_is_a_table_of_every_language(
    tmp_path: Path, said: Callable[[], tuple[str, str]]
) -> None:
    assert commands.show(eleven(tmp_path), json_wanted=False) == 0
    lines = said()[0].splitlines()
    assert lines[0].split() == [
        *("language", "catalog", "texts", "missing"),
        *("draft-machine", "reviewed", "approved", "dear", "SMS"),
    ]
    assert list(dict.fromkeys(line.split()[0] for line in catalog_lines(lines))) == [
        *("af", "nr", "xh", "zu", "nso", "st", "tn", "ss", "ve", "ts")
    ]


def catalog_lines(lines: list[str]) -> Iterator[str]:
    return iter(lines[1 : lines.index("")])


def test_a_catalog_that_cannot_be_read_stops_every_command(
    folder: Path, said: Callable[[], tuple[str, str]]
) -> None:
    with (folder / "zu" / "LC_MESSAGES" / "bot.po").open("a", encoding="utf-8") as catalog:
        catalog.write("nonsense\n")
    assert commands.show(folder, json_wanted=False) == 1
    assert "bot.po:" in said()[1]
