"""`locales` on the command line: what it is given, what it returns, what it tells its reader."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import main


def call(*words: str) -> Result:
    return CliRunner().invoke(main.app, ["locales", *words])


def test_status_is_one_json_document() -> None:
    result = call("status", "--json")
    assert result.exit_code == 0
    assert "zu" in {each["language"] for each in json.loads(result.stdout)["languages"]}


def test_a_sheet_goes_out_and_an_untouched_one_changes_nothing(tmp_path: Path) -> None:
    sheet = tmp_path / "zu.csv"
    assert call("export", "zu", "--out", str(sheet), "--catalog", "learner").exit_code == 0
    back = call("import", str(sheet), "--by", "A. Mokoena")
    assert back.exit_code == 0
    assert back.stdout.startswith("0 texts reviewed, ")


@pytest.mark.parametrize(
    "words",
    [
        ("export", "tlh", "--out", "/nowhere/sheet.csv"),
        ("export", "zu", "--out", "/nowhere/sheet.csv"),
        ("import", "/nowhere/sheet.csv", "--by", "A. Mokoena"),
        ("review", "zu", "menu.chose", "--by", "A. Mokoena", "--on", "2026-02-02"),
        ("approve", "tlh", "--by", "A. Mokoena", "--on", "2026-02-02"),
    ],
)
def test_what_cannot_be_done_is_a_problem(words: tuple[str, ...]) -> None:
    result = call(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("export", "zu"),
        ("review", "zu", "--by", "A. Mokoena", "--on", "2026-02-02"),
        ("review", "zu", "menu.choose", "--all", "--by", "A. Mokoena", "--on", "2026-02-02"),
        ("approve", "zu", "--by", "A. Mokoena"),
    ],
)
def test_wrong_usage(words: tuple[str, ...]) -> None:
    assert call(*words).exit_code == 2


@pytest.mark.parametrize("command", ["status", "export", "import", "review", "approve"])
def test_help_is_for_its_reader(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
