"""Whether providers still hold what has long been stored here."""

from bot.doctor.base import Ctx, Verdict, ok, red, warn
from storage.rights.redaction import Backlog, backlog

NAME = "provider copies"


def checks(ctx: Ctx) -> list[Verdict]:
    """One verdict on the copies at Twilio; nothing to say where Twilio is not used."""
    if not ctx.settings.twilio_account_sid:
        return []
    left = ctx.read(lambda c: backlog(c, now=ctx.now))
    if not ctx.site.providers.redact:
        return [
            warn(
                NAME,
                f"Twilio keeps the text of {left.unplanned + left.waiting} messages: redacting "
                "is off.",
                "Set providers.redact to true in site.yaml, or write down why not "
                "(docs/privacy.md).",
            )
        ]
    return [_verdict(left)]


def _verdict(left: Backlog) -> Verdict:
    if left.given_up:
        return red(
            NAME,
            f"{left.given_up} messages could not be redacted or deleted at Twilio.",
            "Look for account_refused and redaction_given_up in the log and mend the account; "
            "delete these messages in the Twilio console.",
        )
    if left.late:
        return warn(
            NAME,
            f"{left.late} messages have been due at Twilio for more than a day.",
            "See that the bot runs and that Twilio can be reached.",
        )
    return ok(NAME, f"{left.waiting} messages wait for their day of deletion at Twilio.")
