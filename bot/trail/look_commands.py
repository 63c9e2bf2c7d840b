"""`report looks`: the month's looks at the command line, by codes."""

from zoneinfo import ZoneInfo

from bot.app import now
from bot.commands import GOOD, as_json, out, with_database
from bot.policy import shipped
from bot.settings import Settings
from bot.trail.looked import as_document, as_lines, month_before, report
from storage.scope import system


def looks(settings: Settings, *, month: str, json_wanted: bool) -> int:
    """Print who looked at cases in a month, and who of them without an assignment.

    Raises:
        MonthError: That is no month.
    """
    zone = ZoneInfo(settings.timezone)
    wanted = month or month_before(now(), zone)
    made = with_database(
        settings,
        lambda c, _w: report(
            c, system("report"), wanted, zone=zone, everywhere=shipped().everywhere()
        ),
    )
    if json_wanted:
        as_json(as_document(made, zone))
    else:
        for line in as_lines(made, zone):
            out(line)
    return GOOD
