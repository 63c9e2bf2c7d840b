"""The command line: what each command does with a right and a wrong word, and its exit code."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.login.proofs import code_digest
from bot.settings import Settings
from main import app

COMMANDS = {
    "run": "webhooks",
    "chat": "terminal",
    "check": "every problem",
    "score": "six domains",
    "growth": "height-, weight- and BMI-for-age",
    "sms": "SMS",
    "migrate": "schema",
    "import-roster": "class list",
    "import-staff": "alerts",
    "webhooks set": "webhooks",
    "users first": "first login",
    "users add": "one-time code",
    "users list": "role",
    "users password": "password",
    "users authenticator": "authenticator",
    "users code": "one-time code",
    "users end": "login",
}
ROSTER = (
    "school,grade,class,number,sex,birth_month,teacher_address,caregiver_address,agreed_on\n"
    "North,1,A,1,f,2019-03,+27821230001,,\n"
    "North,1,A,2,m,2019-04,+27821230001,,\n"
)
STAFF = "role,school,address,name\ncoordinator,North,+27821230009,Sipho\n"
PASSWORD = "a long enough pass phrase 7\n"  # noqa: S105 - it opens nothing
Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls the front door in an empty folder, with only the settings that are told."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, says: str | None = None, **settings: str) -> Result:
        env = {"DATA_DIR": str(tmp_path / "data"), **settings}
        return CliRunner().invoke(app, words, input=says, env=env)

    return run


LIVE = {
    "DEMO": "0",
    "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
    "SECRET_KEY": "s" * 32,
    "PUBLIC_BASE_URL": "https://bot.school.org.za",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "zq9",
    "TWILIO_SMS_FROM": "+27870000000",
}


def test_every_command_is_known_here(call: Call) -> None:
    told = {info.name or info.callback.__name__ for info in app.registered_commands}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        told |= {
            f"{group.name} {c.name or c.callback.__name__}"
            for c in group.typer_instance.registered_commands
        }
    assert told >= set(COMMANDS)


@pytest.mark.parametrize(("command", "word"), COMMANDS.items())
def test_help_says_what_a_command_does(call: Call, command: str, word: str) -> None:
    found = call(*command.split(), "--help")
    assert found.exit_code == 0
    assert word in " ".join(found.stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["run", "--port", "many"],
        ["run", "--port", "70000"],
        ["chat"],
        ["chat", "caregiver", "--channel", "fax"],
        ["check", "--quickly"],
        ["score"],
        ["score", "s.json", "--list-scales"],
        ["growth"],
        ["sms"],
        ["migrate", "now"],
        ["import-roster"],
        ["import-staff"],
        ["webhooks", "forget"],
        ["users", "add", "x"],
        ["users", "add", "x", "--role", "queen"],
        ["users", "list", "all"],
        ["users", "password"],
        ["users", "authenticator"],
        ["users", "code"],
        ["users", "first", "x"],
        ["users", "end"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(call: Call, words: list[str]) -> None:
    assert call(*words).exit_code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run"], {"DEMO": "0"}),
        (["run"], {"PORT": "many"}),
        (["run", "--host", "0.0.0.0"], {}),  # noqa: S104 - refused
        (["check"], {"SITE_FILE": "nowhere.yaml"}),
        (["check"], {"DEMO": "perhaps"}),
        (["check"], {"TIMEZONE": "Africa/Nowhere"}),
        (["migrate"], {"DATABASE_URL": "oracle://x"}),
        (["import-roster", "nowhere.csv"], LIVE),
        (["import-staff", "nowhere.csv"], LIVE),
        (["import-roster", "r.csv"], {**LIVE, "MASTER_KEY": "short"}),
        (["webhooks", "set"], {"DEMO": "0"}),
        (["users", "list"], {"DEMO": "0"}),
        (["users", "password", "nobody"], LIVE),
        (["users", "authenticator", "nobody"], LIVE),
        (["users", "code", "nobody"], LIVE),
        (["users", "first"], {"DEMO": "0"}),
        (["users", "end", "nobody"], LIVE),
        (["score", "nowhere.json"], {}),
        (["growth", "nowhere.csv"], {}),
        (["chat", "nothing"], {}),
        (["chat", "caregiver", "--lang", "xx"], {}),
    ],
)
def test_a_problem_is_1_and_said_without_a_stack(
    call: Call, tmp_path: Path, words: list[str], told: dict[str, str]
) -> None:
    (tmp_path / "r.csv").write_text(ROSTER)
    found = call(*words, says=PASSWORD, **told)
    assert (found.exit_code, type(found.exception)) == (1, SystemExit)
    assert (found.stderr + found.stdout).strip()
    assert "Traceback" not in found.stderr + found.stdout


def test_sms_counts(call: Call) -> None:
    found = call("sms", "Sawubona")
    assert found.exit_code == 0
    assert json.loads(found.stdout) == {"encoding": "GSM-7", "units": 8, "segments": 1}
    assert json.loads(call("sms", "ũ" * 71, "--json").stdout)["segments"] == 2


def test_check_finds_what_ships_good(call: Call) -> None:
    plain, found = call("check"), call("check", "--json")
    assert (plain.exit_code, found.exit_code) == (0, 0), plain.stdout
    assert "All good." in plain.stdout
    assert json.loads(found.stdout)["problems"] == []
    assert any(line.startswith("scales: cchip (") for line in json.loads(found.stdout)["found"])


def test_check_lists_every_problem_and_json_stays_one_document(call: Call, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("lapse_days: 0\nprogramme: x\n")
    plain = call("check", SITE_FILE=str(site))
    found = call("check", "--json", SITE_FILE=str(site))
    assert (plain.exit_code, found.exit_code) == (1, 1)
    assert "2 problems" in plain.stdout
    assert len(json.loads(found.stdout)["problems"]) == 2


def test_check_says_when_a_language_has_no_folder(call: Call, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("languages: [en, tlh]\n")
    found = call("check", SITE_FILE=str(site))
    assert found.exit_code == 1
    assert "locales/tlh" in found.stdout


SUBMISSION = {
    "child": {"sex": "f", "birth_month": "2019-03"},
    "as_of": "2026-02-02",
    "submissions": [
        {
            "informant": "caregiver",
            "questionnaire": "caregiver",
            "submitted_at": "2026-02-01",
            "answers": {"ate_today": "no_food"},
        }
    ],
}


def test_score_reads_a_file_or_stdin(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(SUBMISSION))
    for found in (call("score", str(path)), call("score", "-", says=path.read_text())):
        assert found.exit_code == 0, found.stderr
        document = json.loads(found.stdout)
        assert document["urgent"] is True
        assert len(document["domains"]) == 6


def test_score_scores_published_scales(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    given = {
        "informant": "caregiver",
        "questionnaire": "phq2",
        "submitted_at": "2026-02-01",
        "answers": {"interest": "nearly_every_day", "low_mood": 0},
    }
    path.write_text(json.dumps({**SUBMISSION, "submissions": [given]}))
    found = call("score", str(path))
    assert found.exit_code == 0, found.stderr
    phq2 = json.loads(found.stdout)["scales"]["phq2"]
    assert (phq2["value"], phq2["band"], phq2["valid"]) == (3, "positive", True)


def test_score_lists_the_published_scales(call: Call) -> None:
    plain, found = call("score", "--list-scales"), call("score", "--list-scales", "--json")
    assert (plain.exit_code, found.exit_code) == (0, 0)
    listed = json.loads(found.stdout)["scales"]
    assert {"psc17", "sdq_parent", "who5"} <= {each["id"] for each in listed}
    for each in listed:
        assert f"{each['id']}  {each['title']}" in plain.stdout
        assert each["source"] in plain.stdout
        assert f"licence: {each['licence']['verdict']}" in plain.stdout


@pytest.mark.parametrize("content", [b"{}", b"not json", b"\xff\xfe"])
def test_score_says_what_is_wrong(call: Call, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    found = call("score", str(path))
    assert (found.exit_code, found.stdout) == (1, "")
    assert found.stderr


def test_migrate_then_has_nothing_to_do(call: Call) -> None:
    first, second = call("migrate", **LIVE), call("migrate", **LIVE)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.startswith("Applied: ")
    assert second.stdout == "Nothing to apply.\n"


def test_a_school_is_imported_twice_without_new_codes(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER)
    first, second = (call("import-roster", str(path), **LIVE) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.stderr + second.stderr
    assert len(first.stdout.splitlines()) == 3
    assert "2 learners added" in first.stderr
    assert len(second.stdout.splitlines()) == 1
    assert "0 learners added" in second.stderr


def test_a_roster_with_a_fault_imports_nothing(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER.replace("2019-04", "yesterday"))
    found = call("import-roster", str(path), **LIVE)
    assert found.exit_code == 1
    assert "Nothing was imported." in found.stderr
    path.write_text(ROSTER)
    assert "2 learners added" in call("import-roster", str(path), **LIVE).stderr


def test_codes_that_cannot_be_written_stop_the_import_before_it_begins(
    call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER)
    lost = call("import-roster", str(path), "--codes-to", str(tmp_path / "no/c.csv"), **LIVE)
    assert lost.exit_code == 1
    kept = tmp_path / "codes.csv"
    found = call("import-roster", str(path), "--codes-to", str(kept), **LIVE)
    assert (found.exit_code, found.stdout) == (0, "")
    assert len(kept.read_text().splitlines()) == 3
    assert kept.stat().st_mode & 0o777 == 0o600


def test_staff_and_a_login(call: Call, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(ROSTER)
    (tmp_path / "staff.csv").write_text(STAFF)
    assert call("import-roster", "roster.csv", **LIVE).exit_code == 0
    staff = call("import-staff", "staff.csv", **LIVE)
    assert (staff.exit_code, "1 people added" in staff.stdout) == (0, True), staff.stderr
    assert call("users", "list", **LIVE).stdout.startswith("No accounts yet")
    first = call("users", "first", **LIVE)
    assert (first.exit_code, "/dashboard/setup" in first.stdout) == (0, True), first.stderr
    assert code_digest(first.stdout.splitlines()[0]) is not None
    invited = call(
        *("users", "add", "sipho", "--role", "coordinator", "--school", "North"),
        *("--person-address", "sms:+27821230009"),
        **LIVE,
    )
    assert invited.exit_code == 0, invited.stderr
    assert code_digest(invited.stdout.splitlines()[0].split()[-1]) is not None
    assert call("users", "add", "sipho", "--role", "tech", **LIVE).exit_code == 1
    assert call("users", "first", **LIVE).exit_code == 1
    (row,) = json.loads(call("users", "list", "--json", **LIVE).stdout)
    assert (row["login"], row["role"]) == ("sipho", "coordinator")
    assert row["state"] == "waits for invite"
    assert "works once" in call("users", "code", "sipho", **LIVE).stdout
    assert call("users", "password", "sipho", **LIVE).exit_code == 1  # there is none yet
    ready = ("users", "add", "thabo", "--role", "tech", "--password-stdin")
    made = call(*ready, says=PASSWORD, **LIVE)
    assert (made.exit_code, "otpauth://" in made.stdout) == (0, True), made.stderr
    assert call(*ready[:2], "weak", *ready[3:], says="password\n", **LIVE).exit_code == 1
    assert "recovery code" in call("users", "password", "thabo", **LIVE).stdout
    assert call("users", "authenticator", "thabo", **LIVE).exit_code == 1  # never both halves
    assert "is ended" in call("users", "end", "thabo", **LIVE).stdout


def test_chat_is_scripted_by_a_pipe(call: Call) -> None:
    replies = "\n".join(["4 4 4", "what", "1 1 1", "1 1 1", "1 1 1"])
    found = call("chat", "caregiver", says=replies)
    assert found.exit_code == 0, found.stdout
    assert "= complete" in found.stdout
    assert "= breakfast: every" in found.stdout
    assert found.stdout.rstrip().endswith("[completed]")


def test_chat_marks_drafts_and_says_when_the_input_ends(call: Call) -> None:
    found = call("chat", "learner", "--lang", "zu", "--channel", "telegram", says="1\n")
    assert found.exit_code == 1
    assert "[zu: machine draft, not approved]" in found.stdout
    assert "the input ended" in found.stdout


@pytest.mark.parametrize("word", ["stop", "STOP", "end"])
def test_chat_knows_the_key_words(call: Call, word: str) -> None:
    found = call("chat", "caregiver", says=f"help\nback\nskip\nzulu\n{word}\n")
    assert found.exit_code == 0
    assert found.stdout.rstrip().endswith("[stopped]")
