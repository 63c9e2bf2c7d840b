"""Commands that talk to providers (the others: tests/test_main.py)."""

import asyncio
import base64
from pathlib import Path

import pytest

from bot import commands
from bot.settings import Settings
from storage.database import Database
from storage.talk.content import content_sids
from tests.fakes import telegram as fake_telegram
from tests.fakes import twilio as fake_twilio
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

OURS = "+27600000001"


async def test_webhooks_set_tells_the_providers_and_keeps_the_content_sids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeTwilio(numbers=[OURS], page_size=5) as twilio, FakeTelegram() as telegram:
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            data_dir=tmp_path,
            demo=False,
            master_key=base64.b64encode(bytes(range(32))).decode(),
            secret_key="s" * 32,
            public_base_url="https://bot.school.org.za",
            twilio_account_sid=fake_twilio.ACCOUNT,
            twilio_auth_token=fake_twilio.TOKEN,
            twilio_sms_from=OURS,
            twilio_whatsapp_from=OURS,
            twilio_api_url=twilio.url,
            telegram_bot_token=fake_telegram.TOKEN,
            telegram_webhook_secret=fake_telegram.SECRET,
            telegram_api_url=telegram.url,
        )
        code = await asyncio.to_thread(commands.guarded, lambda: commands.webhooks_set(settings))
        said = capsys.readouterr()
        assert (code, said.err) == (0, "")
        assert telegram.webhook["url"] == "https://bot.school.org.za/hooks/telegram"
        assert twilio.contents
    database = Database.open(settings.url)
    kept = await database.read(content_sids)
    await database.close()
    assert len(kept) == len(twilio.contents)
    assert fake_telegram.TOKEN not in said.out
    assert fake_twilio.TOKEN not in said.out
