"""The documents say what there is, their links lead somewhere, and their examples run."""

import csv
import os
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from bot.clock import Clock
from bot.dashboard.words import WORDS
from bot.lists import roster_files, staff_lists
from bot.login import users
from bot.settings import Settings
from bot.site import Clock as AlertClock
from bot.site import Helpline, Providers, Quiet, Site
from flows.content import ErrorCode
from flows.expressions import FUNCTIONS
from flows.rows import TYPES
from main import app
from scoring.rule_text import RuleErrorCode, RuleFile
from storage.schema import metadata

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
ADR = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]
)
LONGEST_ADR = 60


# Everything there is, is told.


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_explained(name: str) -> None:
    assert f"| `{name.upper()}` |" in DOCS["operators"]
    assert f"`{name.upper()}`" in README


def test_no_setting_is_told_that_is_none() -> None:
    section = DOCS["operators"].partition("## Settings")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE)
    assert {name.lower() for name in told} == set(Settings.model_fields)


def _keys(model: type[BaseModel], before: str = "") -> list[str]:
    return [f"{before}{name}" for name in model.model_fields]


def test_every_key_of_the_site_is_explained() -> None:
    section = DOCS["operators"].partition("## site.yaml")[2].partition("\n## ")[0]
    grouped = {"quiet", "clocks", "helplines", "providers"}
    keys = [
        *(key for key in _keys(Site) if key not in grouped),
        *_keys(Quiet, "quiet."),
        *_keys(Providers, "providers."),
        *(f"clocks.{level}.{key}" for level in ("urgent", "high") for key in _keys(AlertClock)),
        "helplines",
        *_keys(Helpline),
    ]
    assert [key for key in keys if f"`{key}`" not in section] == []


def _commands() -> list[str]:
    root: Any = typer.main.get_command(app)
    found = []
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        found += [name] if inner is None else [f"{name} {sub}" for sub in inner]
    return found


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_explained(command: str) -> None:
    assert f"| `{command}` |" in DOCS["operators"]


@pytest.mark.parametrize("kind", TYPES)
def test_every_question_type_is_explained(kind: str) -> None:
    assert re.search(rf"^\| `{kind}[ `]", DOCS["authoring"], re.MULTILINE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_rules_is_explained(name: str) -> None:
    assert re.search(rf"^\| (`[^`]+`, )*`{name}\(", DOCS["authoring"], re.MULTILINE)


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_fault_of_a_questionnaire_has_an_example_and_a_fix(code: ErrorCode) -> None:
    assert re.search(rf"^\| `{code}` \| .+ \| .+ \|$", DOCS["authoring"], re.MULTILINE)


@pytest.mark.parametrize("code", list(RuleErrorCode))
def test_every_fault_of_a_rule_file_has_a_fix(code: RuleErrorCode) -> None:
    assert re.search(rf"^\| `{code}` \| .+ \| .+ \|$", DOCS["scoring"], re.MULTILINE)


@pytest.mark.parametrize("key", sorted(RuleFile.model_fields))
def test_every_key_of_a_rule_file_is_explained(key: str) -> None:
    assert re.search(rf"^\|[^|]*`{key}`", DOCS["scoring"], re.MULTILINE)


def test_every_tick_of_the_clock_is_explained() -> None:
    nobody: Any = SimpleNamespace(retry_waiting=None)
    for name in Clock(nobody, nobody, nobody, nobody).ticks:
        assert f"| {name} |" in DOCS["operators"]


@pytest.mark.parametrize("kind", sorted(k for k in WORDS if k.startswith("task.")))
def test_every_task_says_what_to_do(kind: str) -> None:
    assert f"| `{kind.removeprefix('task.')}` |" in DOCS["operators"]


def test_roles_and_columns_of_lists_are_told() -> None:
    columns = (*roster_files.REQUIRED, *roster_files.OPTIONAL)
    columns += (*staff_lists.REQUIRED, *staff_lists.OPTIONAL)
    for word in (*users.ROLES, *staff_lists.ROLES, *columns):
        assert re.search(rf"\b{word}\b", DOCS["operators"]), word


def test_every_table_has_its_place() -> None:
    told = re.findall(r"`(\w+)`", DOCS["architecture"].partition("## The tables")[2])
    assert sorted(set(metadata.tables) - set(told)) == []


# Form.


@pytest.mark.parametrize("path", ADR, ids=lambda path: path.stem)
def test_a_decision_is_short_and_whole(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < LONGEST_ADR
    for heading in ("## Context", "## Decision", "## Consequences"):
        assert heading in text
    assert path.name in (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in ADR] == list(range(1, len(ADR) + 1))


def test_the_changelog_tells_changes_of_content_apart() -> None:
    newest = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1]
    assert "### Content" in newest


def _anchors(text: str) -> set[str]:
    """Names of a page's headings, as they stand in links."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def _has(page: Path, anchor: str) -> bool:
    return anchor in _anchors(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (anchor and not _has(there, anchor)):
            broken.append(target)
    assert broken == []


def test_files_that_a_page_names_are_there() -> None:
    named = set()
    for page in (README, *DOCS.values()):
        named |= set(re.findall(r"`((?:bot|flows|scoring|storage|locales|tests)/[\w./]*)`", page))
    made_up = {"flows/questionnaires/hello.yaml"}
    assert [name for name in sorted(named - made_up) if not (ROOT / name).exists()] == []


def _tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: there is no list of its files")
    asked = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, capture_output=True, check=True)  # noqa: S603 - git itself
    found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in found if path.is_file() and path.suffix != ".png"]


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "docker" + ".io"]
    folders = ["work", "root", "home", "Users"]
    machine = re.compile(rf"(?<![\w.\-/}}<*])/(?:{'|'.join(folders)})/\w")
    found = []
    for path in _tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {host}" for host in hosts if host in text]
        found += [f"{path.relative_to(ROOT)}: {m[0]}" for m in machine.finditer(text)]
    assert found == []


# What a reader types, works.


def _blocks(kind: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][a-z0-9]*):", makefile, re.MULTILINE)
    lines = "\n".join(_blocks("sh"))
    typed = re.findall(r"^make (\w+)", lines, re.MULTILINE)
    assert typed
    assert set(typed) <= set(targets)
    commands = re.findall(r"main\.py ([a-z-]+(?: (?:set|add|list)\b)?)", lines)
    assert commands
    assert set(commands) <= set(_commands())


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the project to type into."""
    for name in ("bot", "flows", "locales", "scoring", "storage"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    shutil.copyfile(ROOT / "main.py", tmp_path / "main.py")
    return tmp_path


def _type(
    house: Path, *words: str, said: str = "", env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "TMPDIR"}}
    return subprocess.run(  # noqa: S603 - our own front door
        [sys.executable, *words],
        cwd=house,
        env={**kept, "PYTHONPATH": str(house), "PYTHONUTF8": "1", **(env or {})},
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_the_first_questionnaire_runs_as_the_readme_says(house: Path) -> None:
    (block,) = _blocks("yaml")
    (house / "flows" / "questionnaires" / "hello.yaml").write_text(block, encoding="utf-8")
    chat = _type(house, "main.py", "chat", "hello", "--channel", "sms", said="12\n2\nno\nfever\n")
    assert chat.returncode == 0, chat.stderr
    assert "> How many meals did your child eat today?" in chat.stdout
    assert "= meals: 2\n" in chat.stdout, "twelve meals are asked about again"
    assert chat.stdout.endswith("= wrong: fever\n= complete\n[completed]\n")

    made = _type(house, "-m", "bot.content.catalogs")
    assert made.returncode == 0, made.stderr
    assert (house / "locales" / "zu" / "LC_MESSAGES" / "hello.po").is_file()

    check = _type(house, "main.py", "check")
    assert check.returncode == 1
    assert "locales/zu/LC_MESSAGES/hello.po: hello/meals:label: not translated" in check.stdout


@pytest.mark.slow
def test_the_lists_of_the_readme_go_in(house: Path) -> None:
    roster, staff = _blocks("csv")
    (house / "learners.csv").write_text(roster, encoding="utf-8")
    (house / "staff.csv").write_text(staff, encoding="utf-8")
    env = {
        "MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "SECRET_KEY": "not a secret, but long enough for one",
        "PUBLIC_BASE_URL": "https://bot.school.org.za",
        "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
        "TWILIO_AUTH_TOKEN": "0123456789abcdef",
        "TWILIO_SMS_FROM": "+27600000001",
        "TWILIO_WHATSAPP_FROM": "+27600000002",
        "TELEGRAM_BOT_TOKEN": "1000:token",
        "TELEGRAM_WEBHOOK_SECRET": "0123456789abcdef",
    }
    lines = [
        line.split(" main.py ")[1]
        for line in "\n".join(_blocks("sh")).splitlines()
        if "main.py" in line
    ]
    for start in ("import-roster", "import-staff", "users add"):
        (line,) = [line for line in lines if line.startswith(start)]
        words = next(csv.reader(StringIO(line), delimiter=" "))
        done = _type(house, "main.py", *words, said="four words nobody guesses\n", env=env)
        assert done.returncode == 0, f"{line}: {done.stderr}"
    codes = (house / "codes.csv").read_text(encoding="utf-8").splitlines()
    assert len(codes) == 1 + 3
    assert (house / "codes.csv").stat().st_mode & 0o077 == 0, "codes are for the operator alone"
