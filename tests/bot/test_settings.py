"""What an operator sets, and what is refused."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import DEMO_MASTER, Settings, SettingsError, problems_of

KEY = base64.b64encode(bytes(range(32))).decode()


def settings(tmp_path: Path, **told: object) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, **told)  # type: ignore[arg-type]


def live(tmp_path: Path, **told: object) -> Settings:
    good = {
        "demo": False,
        "master_key": KEY,
        "secret_key": "s" * 32,
        "public_base_url": "https://bot.school.org.za/",
    }
    return settings(tmp_path, **(good | told))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_any_setting_it_is_a_demo_in_its_own_file(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found.is_demo
    assert found.url == f"sqlite:///{tmp_path / 'demo.db'}"
    assert found.master == DEMO_MASTER
    assert problems_of(found) == ()


@pytest.mark.parametrize(
    "told",
    [
        {"telegram_bot_token": "1:x"},
        {"twilio_account_sid": "AC1"},
        {"master_key": KEY},
        {"secret_key": "s"},
        {"database_url": "postgresql://localhost/cwb"},
        {"demo": "0"},
    ],
)
def test_with_any_setting_of_a_live_start_it_is_none(
    tmp_path: Path, told: dict[str, object]
) -> None:
    assert not settings(tmp_path, **told).is_demo


def test_where_a_live_database_stands_it_is_none(tmp_path: Path) -> None:
    (tmp_path / "cwb.db").touch()
    assert not settings(tmp_path).is_demo
    assert settings(tmp_path, demo="1").is_demo


def test_an_empty_demo_setting_is_none_at_all(tmp_path: Path) -> None:
    assert settings(tmp_path, demo="").is_demo
    assert not settings(tmp_path, demo="", timezone="UTC", master_key=KEY).is_demo


def test_the_demo_listens_on_loopback_only(tmp_path: Path) -> None:
    (problem,) = problems_of(settings(tmp_path, host="0.0.0.0"))  # noqa: S104 - refused
    assert problem.startswith("HOST:")


def test_a_good_live_start_has_no_problems(tmp_path: Path) -> None:
    found = live(tmp_path)
    assert problems_of(found) == ()
    assert found.master == bytes(range(32))
    assert found.url == f"sqlite:///{tmp_path / 'cwb.db'}"
    assert found.base_url == "https://bot.school.org.za"
    assert found.secret == b"s" * 32


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"master_key": ""}, "MASTER_KEY"),
        ({"master_key": "c2hvcnQ="}, "MASTER_KEY"),
        ({"master_key": "not base64!"}, "MASTER_KEY"),
        ({"secret_key": "zq9zq9"}, "SECRET_KEY"),
        ({"public_base_url": ""}, "PUBLIC_BASE_URL"),
        ({"public_base_url": "http://bot.school.org.za"}, "PUBLIC_BASE_URL"),
        ({"database_url": "sqlite:///data/demo.db"}, "DATABASE_URL"),
        ({"twilio_account_sid": "AC1", "twilio_sms_from": "+1"}, "TWILIO_AUTH_TOKEN"),
        ({"twilio_account_sid": "AC1", "twilio_auth_token": "zq9"}, "TWILIO_SMS_FROM"),
        ({"telegram_bot_token": "1:x"}, "TELEGRAM_WEBHOOK_SECRET"),
        ({"ussd_secret": "zq9zq9", "ussd_service_code": "*384*57#"}, "USSD_SECRET"),
        ({"ussd_secret": "zq/" * 20, "ussd_service_code": "*384*57#"}, "USSD_SECRET"),
        ({"ussd_service_code": "*384*57#"}, "USSD_SECRET"),
        ({"ussd_secret": "zq9zq9" * 8}, "USSD_SERVICE_CODE"),
        ({"ussd_secret": "zq9zq9" * 8, "ussd_service_code": "zq"}, "USSD_SERVICE_CODE"),
        ({"ussd_networks": "somewhere"}, "USSD_NETWORKS"),
        ({"secret_key": "changeme" * 4}, "SECRET_KEY"),
        ({"twilio_messaging_service_sid": "MGxxxxxxxx"}, "TWILIO_MESSAGING_SERVICE_SID"),
        ({"timezone": "Africa/Nowhere"}, "TIMEZONE"),
        ({"timezone": "../etc/passwd"}, "TIMEZONE"),
    ],
)
def test_a_gap_or_an_example_is_refused_with_its_name_and_the_fix(
    tmp_path: Path, told: dict[str, object], name: str
) -> None:
    (problem,) = problems_of(live(tmp_path, **told))
    assert problem.startswith(f"{name}: ")
    for value in told.values():
        assert not value or str(value) not in problem


def test_on_this_machine_plain_http_will_do(tmp_path: Path) -> None:
    assert problems_of(live(tmp_path, public_base_url="http://127.0.0.1:8000")) == ()


def test_a_master_key_that_is_none_stops_whoever_asks(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        _ = live(tmp_path, master_key="").master
    assert caught.value.problems[0].startswith("MASTER_KEY")


def test_a_value_of_the_wrong_kind_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(tmp_path, port="secret-port")
    assert "secret-port" not in str(caught.value)


def test_without_a_secret_form_tokens_hang_on_the_master_key(tmp_path: Path) -> None:
    one, other = live(tmp_path, secret_key=""), settings(tmp_path)
    assert one.secret != other.secret
    assert one.secret == live(tmp_path, secret_key="").secret
