"""The command `growth`: what it makes of a sheet, and what it says of a bad one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from main import app

ROOT = Path(__file__).parents[3]
HEAD = "sex,age_months,height_cm,weight_kg"


def growth(tmp_path: Path, text: str, *words: str) -> Result:
    path = tmp_path / "heights.csv"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["growth", str(path), *words])


def test_json_is_one_list_with_an_object_for_each_line(tmp_path: Path) -> None:
    found = growth(tmp_path, f"{HEAD}\nm,100,100,30\n\nF,90.5,,22\n", "--json")
    assert (found.exit_code, found.stderr) == (0, "")
    assert json.loads(found.stdout) == [
        {
            "haz": -5.04,
            "waz": 0.87,
            "baz": 5.03,
            "flags": ["implausible_baz", "stunted", "severely_stunted"],
        },
        {"haz": None, "waz": -0.49, "baz": None, "flags": ["no_height"]},
    ]


def test_without_json_it_is_a_table_with_line_numbers(tmp_path: Path) -> None:
    found = growth(tmp_path, f"{HEAD}\n\nm,100,100,30\n")
    head, row = found.stdout.splitlines()
    assert head.split() == ["line", "haz", "waz", "baz", "flags"]
    assert row.split()[:4] == ["3", "-5.04", "0.87", "5.03"]
    assert row.endswith("implausible_baz, stunted, severely_stunted")


def test_a_sheet_with_decimal_commas_is_read_as_well(tmp_path: Path) -> None:
    text = "\ufeffSex;Age months;Height cm;Weight kg;Oedema;Previous height cm\nf;90,5;;22,0;n;\n"
    (row,) = json.loads(growth(tmp_path, text, "--json").stdout)
    assert (row["waz"], row["flags"]) == (-0.49, ["no_height"])


def test_what_is_there_beside_the_four_columns_counts(tmp_path: Path) -> None:
    text = f"{HEAD},oedema,previous_height_cm\nm,100,128,30,y,128.5\n"
    (row,) = json.loads(growth(tmp_path, text, "--json").stdout)
    assert (row["waz"], row["baz"]) == (None, None)
    assert row["flags"] == ["oedema", "shorter_than_last_time"]


def test_an_age_outside_the_reference_is_no_fault(tmp_path: Path) -> None:
    found = growth(tmp_path, f"{HEAD}\nm,240,180,80\n", "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout)[0] == {
        "haz": None,
        "waz": None,
        "baz": None,
        "flags": ["age_out_of_range"],
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("x,100,120,22", "sex: found 'x'; write m or f"),
        ("m,,120,22", "age_months: found nothing; write the age in months"),
        ("m,-3,120,22", "age_months: found '-3'; write a number from 0 to 1500"),
        ("m,100,1.21,22", "height_cm: found '1.21'; write a number from 20 to 250"),
        ("m,100,120,22000", "weight_kg: found '22000'; write a number from 2 to 250"),
        ("m,100,nan,22", "height_cm: found 'nan'; write a number"),
        ("m,100,120,1e1", "weight_kg: found '1e1'; write a number"),
        ("m,100,120,٢٢", "weight_kg: found '٢٢'; write a number"),
        ("m,100,120," + "9" * 99, f"weight_kg: found '{'9' * 60}...'; write a number"),
        ("m,100,120,22,7", "5 cells, but 4 columns"),
    ],
)
def test_a_bad_row_is_named_by_line_with_what_to_write(tmp_path: Path, row: str, told: str) -> None:
    found = growth(tmp_path, f"{HEAD}\nm,100,120,22\n{row}\n", "--json")
    assert (found.exit_code, found.stdout) == (1, "")
    assert f"heights.csv:3: {told}" in found.stderr.replace("found 5", "5")
    assert found.stderr.endswith("Nothing was worked out.\n")


def test_every_fault_of_every_row_is_named_at_once(tmp_path: Path) -> None:
    found = growth(tmp_path, f"{HEAD},oedema\nx,old,tall,fat,perhaps\nm,100,120,x,\n")
    assert [line.split(": found")[0] for line in found.stderr.splitlines()[:-1]] == [
        "heights.csv:2: sex",
        "heights.csv:2: age_months",
        "heights.csv:2: height_cm",
        "heights.csv:2: weight_kg",
        "heights.csv:2: oedema",
        "heights.csv:3: weight_kg",
    ]


def test_where_a_column_is_missing_the_rows_are_left_alone(tmp_path: Path) -> None:
    found = growth(tmp_path, "sex,age,height_cm,weight_kg\nm,100,1,1\n")
    assert found.exit_code == 1
    assert "add the column age_months" in found.stderr
    assert ":2:" not in found.stderr


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    found = growth(tmp_path, f"{HEAD}\n")
    assert found.exit_code == 1
    assert "no line below the column names" in found.stderr


def test_a_pipe_is_read() -> None:
    found = CliRunner().invoke(app, ["growth", "-", "--json"], input=f"{HEAD}\nm,100,100,30\n")
    assert json.loads(found.stdout)[0]["haz"] == -5.04


def test_the_tables_are_loaded_by_this_command_only() -> None:
    told = "import sys, main; sys.exit('pygrowup' in sys.modules)"
    words = [sys.executable, "-c", told]
    found = subprocess.run(words, cwd=ROOT, check=False)  # noqa: S603 - our own words
    assert found.returncode == 0
