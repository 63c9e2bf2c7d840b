"""What an operator sets: the environment (and `.env`), checked before anything starts.

Every refusal names the setting and the fix. Example values and gaps are refused outside the demo.
"""

import hashlib
import re
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.channels.ussd import networks_of
from bot.keyring.masters import KEY_BYTES, MasterFileError, candidates, parse

EXAMPLES = ("changeme", "example", "xxxx", "your-", "todo")
PATH_SECRET = re.compile(r"[A-Za-z0-9]{32,128}")
SERVICE_CODE = re.compile(r"\*[0-9*]{2,30}#")
DEMO_MASTER = hashlib.sha256(b"cwb demo: this key protects nothing").digest()


class SettingsError(Exception):
    """A setting is missing or wrong; `problems` says which, and what to do."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep the list so that the operator sees everything at once."""
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """The environment. Names in capitals are what an operator writes (`docs/operators.md`)."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", hide_input_in_errors=True)

    database_url: str = ""
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_base_url: str = ""
    secret_key: str = ""
    master_key: str = ""
    master_key_file: Path | None = None
    keys_url: str = ""
    timezone: str = "Africa/Johannesburg"
    site_file: Path | None = None
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_auth_token_old: str = ""
    twilio_sms_from: str = ""
    twilio_whatsapp_from: str = ""
    twilio_messaging_service_sid: str = ""
    twilio_api_url: str = ""
    telegram_bot_token: str = ""
    telegram_webhook_secret: str = ""
    telegram_api_url: str = ""
    ussd_secret: str = ""
    ussd_service_code: str = ""
    ussd_networks: str = ""
    metrics_token: str = ""
    audit_key: str = ""
    audit_key_old: str = ""
    audit_head_file: Path | None = None
    demo: bool | None = None

    @field_validator("public_base_url", "twilio_api_url", "telegram_api_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("master_key_file", mode="before")
    @classmethod
    def _no_file(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("demo", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def live_database(self) -> bool:
        """Whether a live database is set or already stands at the default place."""
        return bool(self.database_url) or (self.data_dir / "cwb.db").exists()

    @property
    def is_demo(self) -> bool:
        """DEMO=1, or no settings at all and no live database."""
        if self.demo is not None:
            return self.demo
        told = (
            self.secret_key,
            self.master_key,
            self.master_key_file,
            self.twilio_account_sid,
            self.telegram_bot_token,
            self.ussd_secret,
        )
        return not any(told) and not self.live_database

    @property
    def url(self) -> str:
        """The database this start uses; the demo has its own file."""
        if self.is_demo:
            return f"sqlite:///{self.data_dir / 'demo.db'}"
        return self.database_url or f"sqlite:///{self.data_dir / 'cwb.db'}"

    @property
    def base_url(self) -> str:
        """Where people and providers reach us."""
        return self.public_base_url or f"http://{self.host}:{self.port}"

    @property
    def master(self) -> bytes:
        """The 32-byte master key. Raises SettingsError where it is not one."""
        return self.masters()[0]

    def masters(self) -> tuple[bytes, ...]:
        """What may be the master key: two while its file is being replaced.

        Raises:
            SettingsError: There is none.
        """
        if self.is_demo:
            return (DEMO_MASTER,)
        if self.master_key_file is not None:
            try:
                return candidates(self.master_key_file)
            except MasterFileError as error:
                raise SettingsError((str(error),)) from error
        key = parse(self.master_key)
        if key is None:
            raise SettingsError((MASTER_KEY_FIX,))
        return (key,)

    @property
    def key_store(self) -> str:
        """The database of the keys; the demo has its own file."""
        if self.is_demo:
            return f"sqlite:///{self.data_dir / 'demo-keys.db'}"
        return self.keys_url or f"sqlite:///{self.data_dir / 'keys.db'}"

    @property
    def secret(self) -> bytes:
        """What signs form tokens."""
        return self.secret_key.encode() if self.secret_key else hashlib.sha256(self.master).digest()

    @property
    def audit_secrets(self) -> tuple[bytes, ...]:
        """What signs the heads of the audit chain: the present one first, then older ones."""
        present = self.audit_key.encode() if self.audit_key else self.secret
        return (present, self.audit_key_old.encode()) if self.audit_key_old else (present,)

    @property
    def audit_heads(self) -> Path:
        """The file outside the database that gets a line for each head of the audit chain."""
        if self.audit_head_file is not None:
            return self.audit_head_file
        return self.data_dir / ("demo-audit-heads.txt" if self.is_demo else "audit-heads.txt")


DEMO_DATABASE = "DATABASE_URL: this is a demo database. Fix: name another file."
MASTER_KEY_FIX = (
    "MASTER_KEY: must be 32 random bytes in base64. Make one with: openssl rand -base64 32"
)

TIMEZONE_FIX = "TIMEZONE: there is no such time zone. Fix: a name like Africa/Johannesburg"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def problems_of(settings: Settings) -> tuple[str, ...]:
    """Everything that forbids a live start, each with the setting's name and the fix."""
    found = [] if _is_zone(settings.timezone) else [TIMEZONE_FIX]
    if settings.is_demo:
        if settings.host not in ("127.0.0.1", "::1", "localhost"):
            found.append("HOST: the demo listens on loopback only. Fix: HOST=127.0.0.1")
        return tuple(found)
    found += _keys(settings)
    if len(settings.secret_key) < KEY_BYTES:
        found.append("SECRET_KEY: too short. Make one with: openssl rand -base64 32")
    found += [
        f"{name}: too short. Make one with: openssl rand -base64 32"
        for name, value in (
            ("AUDIT_KEY", settings.audit_key),
            ("AUDIT_KEY_OLD", settings.audit_key_old),
        )
        if value and len(value) < KEY_BYTES
    ]
    if not settings.public_base_url.startswith("https://") and not _loopback(settings):
        found.append("PUBLIC_BASE_URL: must be the https address that providers reach.")
    if settings.url.endswith("demo.db"):
        found.append(DEMO_DATABASE)
    found += _pairs(settings)
    found += [
        f"{name.upper()}: still holds an example value. Fix: set your own."
        for name, value in settings.model_dump().items()
        if isinstance(value, str) and any(mark in value.lower() for mark in EXAMPLES)
    ]
    return tuple(found)


def _keys(settings: Settings) -> list[str]:
    found = []
    if settings.master_key and settings.master_key_file is not None:
        found.append("MASTER_KEY: MASTER_KEY_FILE is set too. Fix: keep one of the two.")
    else:
        try:
            settings.masters()
        except SettingsError as error:
            found += error.problems
    if settings.key_store == settings.url:
        found.append(
            "KEYS_URL: this is the database itself, so that every backup of it would carry the "
            "keys. Fix: name another database."
        )
    return found


def _loopback(settings: Settings) -> bool:
    return settings.public_base_url.startswith(("http://127.0.0.1", "http://localhost"))


def _pairs(settings: Settings) -> list[str]:
    """Settings that only make sense together."""
    found = []
    if settings.twilio_account_sid and not settings.twilio_auth_token:
        found.append("TWILIO_AUTH_TOKEN: missing. Fix: copy it from the Twilio console.")
    if settings.twilio_account_sid and not (
        settings.twilio_sms_from or settings.twilio_whatsapp_from
    ):
        found.append("TWILIO_SMS_FROM: missing. Fix: set it, or TWILIO_WHATSAPP_FROM, or both.")
    if settings.telegram_bot_token and not settings.telegram_webhook_secret:
        found.append("TELEGRAM_WEBHOOK_SECRET: missing. Make one with: openssl rand -hex 32")
    return found + _ussd(settings)


def _ussd(settings: Settings) -> list[str]:
    """Nothing signs a USSD request: the secret in its path must be a good one."""
    found = []
    if (settings.ussd_secret or settings.ussd_service_code) and not PATH_SECRET.fullmatch(
        settings.ussd_secret
    ):
        found.append(
            "USSD_SECRET: must be at least 32 characters a-z, A-Z, 0-9. Make one with: "
            "openssl rand -hex 32"
        )
    if settings.ussd_secret and not SERVICE_CODE.fullmatch(settings.ussd_service_code):
        found.append("USSD_SERVICE_CODE: missing. Fix: what people dial, like *384*123#")
    try:
        networks_of(settings.ussd_networks)
    except ValueError:
        found.append("USSD_NETWORKS: one is no network. Fix: list them like 192.0.2.0/24")
    return found
