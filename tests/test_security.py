"""The security papers are whole and true, our own rules bite, what we install is pinned.

What the papers name is looked up: every test, every command, every function, every
day of retention.
"""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.channels.base import Accepted, Destination, Forgotten
from bot.channels.telegram import Telegram, TelegramSettings
from bot.channels.twilio import Twilio, TwilioSettings
from bot.rights.keeping import DEFAULTS
from flows.messages import Outbound
from main import app
from tests.fakes import Play
from tests.fakes import telegram as fake_telegram
from tests.fakes import twilio as fake_twilio
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
RULES = sorted((TESTS / "rules").glob("*.yaml"))
TOOLS = ROOT / ".venv-security" / "bin"
PAPERS = {
    name: (ROOT / path).read_text(encoding="utf-8")
    for name, path in {
        "security": "SECURITY.md",
        "threats": "docs/threats.md",
        "asvs": "docs/asvs.md",
        "privacy": "docs/privacy.md",
    }.items()
}
RANGES = """
6.2.1-6.2.12 11.4.2 6.3.3 6.5.1-6.5.8 6.6.1-6.6.3 6.4.3-6.4.4 6.1.1 6.3.1 6.3.8 2.4.1 7.2.3-7.2.4
7.3.1-7.3.2 7.4.1-7.4.5 7.5.1-7.5.3 3.3.1-3.3.4 3.4.1-3.4.8 3.5.1-3.5.3 3.5.8 14.3.1-14.3.2
8.1.1-8.1.2 8.2.1-8.2.3 8.3.1-8.3.3 8.4.1 15.3.1 15.3.3 2.3.1-2.3.5 15.4.2 1.2.4 1.2.10 1.3.6 1.3.7
1.5.2 4.1.5 13.2.4 15.3.2 13.3.1 13.4.1-13.4.5 11.1.1-11.1.2 14.1.1-14.1.2 14.2.1-14.2.7 14.3.3
16.2.1-16.2.5 16.3.1-16.3.4 16.4.1-16.4.3 16.5.1-16.5.4
"""
"""What we took on. Source: OWASP ASVS 5.0, the areas of docs/asvs.md."""
NAMED = re.compile(r"`([a-z_0-9/]+\.py)::(test_[a-z0-9_]+)`")


def expanded() -> Iterator[str]:
    yield "App. C"
    for part in RANGES.split():
        first, _, last = part.partition("-")
        chapter, _, start = first.rpartition(".")
        for number in range(int(start), int(last.rpartition(".")[2] or start) + 1):
            yield f"{chapter}.{number}"


def rows() -> list[tuple[str, str]]:
    """(id, proof) of every line of the table."""
    found = re.findall(
        r"^\| ((?:[\d.]+)|App\. C) \| .+ \| .+ \| (.+) \|$", PAPERS["asvs"], re.MULTILINE
    )
    return [(str(a), str(b)) for a, b in found]


def test_every_requirement_we_took_on_has_its_line_once() -> None:
    assert sorted(each for each, _ in rows()) == sorted(expanded())


@pytest.mark.parametrize(("each", "proof"), rows(), ids=lambda value: value[:12])
def test_each_is_proved_by_a_test_or_has_a_reason(each: str, proof: str) -> None:
    assert NAMED.search(proof) or re.match(r"Reason: .{20,}", proof), each


@pytest.mark.parametrize("paper", sorted(PAPERS))
def test_every_test_that_is_named_exists(paper: str) -> None:
    missing = [
        f"{path}::{name}"
        for path, name in NAMED.findall(PAPERS[paper])
        if not (TESTS / path).exists()
        or f"def {name}(" not in (TESTS / path).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_control_against_a_threat_has_a_test() -> None:
    told = re.findall(r"^\| (?!control|---)(.+?) \| (.+) \|$", PAPERS["threats"], re.MULTILINE)
    assert len(told) > 40
    assert [control for control, proof in told if not NAMED.search(proof)] == []


def test_every_command_that_is_named_exists() -> None:
    known = set(_commands(typer.main.get_command(app), ()))
    for paper, text in PAPERS.items():
        for told in re.findall(r"`main\.py ([a-z-]+(?: [a-z][a-z-]*)*)", text):
            assert tuple(told.split()) in known, f"{paper}: {told}"


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


def test_the_retention_table_is_the_programs() -> None:
    told = dict(
        re.findall(r"^\| `(\w+)` \| .+? \| (\d+|never) \| ", PAPERS["privacy"], re.MULTILINE)
    )
    days = {name: str(keep.days or "never") for name, keep in DEFAULTS.items()}
    assert told == days


def test_comparisons_of_secrets_are_where_the_paper_says() -> None:
    section = PAPERS["asvs"].partition("## Comparisons of secrets")[2].partition("\n## ")[0]
    found = re.findall(r"`((?:bot|storage)/[\w/]+\.py)` `(\w+)`", section)
    assert len(found) > 12
    for path, name in found:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        bodies = [
            ast.unparse(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
        assert bodies, f"{path} {name}"
        how = re.compile(r"compare_digest|\.verify\(|hmac\.digest|sha256|decrypt|c\.digest ==")
        assert any(how.search(body) for body in bodies), f"{path} {name}"


def test_every_comparison_that_takes_the_same_time_is_in_the_paper() -> None:
    section = PAPERS["asvs"].partition("## Comparisons of secrets")[2].partition("\n## ")[0]
    users = {
        str(path.relative_to(ROOT))
        for room in ("bot", "storage")
        for path in (ROOT / room).rglob("*.py")
        if "compare_digest(" in path.read_text(encoding="utf-8")
    }
    assert users
    assert sorted(path for path in users if f"`{path}`" not in section) == []


# Our own rules.


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_rule_has_an_example_that_bites(path: Path) -> None:
    """That each does bite is run by `make security`, with semgrep's own test of rules."""
    ids = {rule["id"] for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]}
    examples = [p for p in path.parent.glob(f"{path.stem}.*") if p != path]
    text = "".join(example.read_text(encoding="utf-8") for example in examples)
    bitten = {
        name
        for line in re.findall(r"ruleid: ([\w, -]+)", text)
        for name in re.split(r", ", line.removesuffix(" --"))
    }
    assert ids
    assert ids == {name.strip() for name in bitten}


def test_no_rule_comes_from_the_network() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    configs = re.findall(r"--config (\S+)", makefile)
    assert configs == ["tests/rules"]
    assert "--metrics off" in makefile


def test_nothing_of_ours_names_a_providers_media() -> None:
    names = re.compile(r"MediaUrl|getFile|get_file|file_id|download_to")
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "bot").rglob("*.py")
        if names.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


# What providers answer.


async def test_a_redirect_of_a_provider_is_not_followed() -> None:
    text = Outbound(text="hi")
    async with FakeTwilio() as twilio, FakeTelegram() as telegram, FakeTwilio() as elsewhere:
        away = Play(status=307, headers={"location": f"{elsewhere.url}/taken"})
        for kind in ("send", "redact", "delete"):
            twilio.plays(kind, away)
        telegram.plays("sendMessage", away)
        sms = Twilio(
            TwilioSettings(
                account_sid=fake_twilio.ACCOUNT,
                auth_token=fake_twilio.TOKEN,
                sms_from="+27600000001",
                api_url=twilio.url,
                public_base_url="https://bot.example.org",
            ),
            {},
        )
        chat = Telegram(
            TelegramSettings(
                bot_token=fake_telegram.TOKEN,
                webhook_secret=fake_telegram.SECRET,
                api_url=telegram.url,
                public_base_url="https://bot.example.org",
            )
        )
        to = Destination(channel="sms", account="", address="+27820000001")
        results: list[object] = [await sms.send(text, to, key="1")]
        results += [
            await sms.forget("SM1", step="redact", media=0),
            await sms.forget("SM1", step="delete", media=0),
            await chat.send(
                text, Destination(channel="telegram", account="", address="77"), key="2"
            ),
        ]
        await sms.close()
        await chat.close()
        assert elsewhere.calls == []
        assert not [r for r in results if isinstance(r, Accepted | Forgotten)]
        assert len(results) == 4


# What we install.


@pytest.mark.parametrize("lock", ["requirements", "requirements-dev", "requirements-security"])
def test_everything_that_is_installed_is_pinned_with_hashes(lock: str) -> None:
    text = (ROOT / f"{lock}.lock").read_text(encoding="utf-8")
    pins = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(pins) > 20
    for pin in pins:
        assert re.match(r"[\w.-]+==[\w.!+]+", pin), pin[:40]
        assert "--hash=sha256:" in pin, pin[:40]


@pytest.mark.slow
@pytest.mark.skipif(not (TOOLS / "cyclonedx-py").exists(), reason="`make sbom` brings the tool")
def test_the_bill_of_materials_is_the_lock_and_the_same_each_time(tmp_path: Path) -> None:
    made = [tmp_path / "one.json", tmp_path / "two.json"]
    for path in made:
        subprocess.run(  # noqa: S603 - our own tool
            [
                TOOLS / "cyclonedx-py",
                *("requirements", "--pyproject", "pyproject.toml", "--output-reproducible"),
                *("--validate", "--of", "JSON", "--output-file", str(path), "requirements.lock"),
            ],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=120,
        )
    assert made[0].read_bytes() == made[1].read_bytes()
    document = json.loads(made[0].read_text(encoding="utf-8"))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==([\w.!+]+)", lock, re.MULTILINE))
    assert {(c["name"], c["version"]) for c in document["components"]} == pinned
    assert document["metadata"]["component"]["name"] == "cwb"
