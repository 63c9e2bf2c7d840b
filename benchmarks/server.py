"""The real application with a provider that takes everything at once, and names it on stdout.

Usage: python -m benchmarks.server (its settings are in the environment)
"""

import sys

import uvicorn
from typing_extensions import override

from bot.app import application, now, start
from bot.channels.base import Accepted, Destination, SendResult
from bot.channels.twilio import Twilio, TwilioSettings
from bot.logs import set_up
from bot.loops import run
from bot.memory import lasting
from bot.sending.delivery import Delivery
from bot.settings import Settings
from flows.messages import Outbound


class Accepting(Twilio):
    """Twilio without the network: every message is taken."""

    @override
    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        sys.stdout.write(f"{key}\n")
        return Accepted(provider_id=f"SM{key}")


async def main() -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    set_up()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with lasting():
        bot = await start(settings)
    taker = Accepting(
        TwilioSettings(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            sms_from=settings.twilio_sms_from,
            public_base_url=settings.public_base_url,
        ),
        {},
    )
    bot.delivery = Delivery(bot.queue, {"sms": taker}, clock=now)
    bot.queue.attach(bot.delivery)
    config = uvicorn.Config(
        application(bot),
        host=settings.host,
        port=settings.port,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    run(main())
