"""The command line of `slips`: its arguments; the work is in `slip_command`."""

from pathlib import Path
from typing import Annotated

import typer

from bot import commands
from bot.settings import Settings


def slips(
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Grade and class, like 1A.")],
    *,
    to: Annotated[Path, typer.Option("--out", help="The page to write: slips.html.")],
    school: Annotated[str, typer.Option(help="Its school, where several have such a class.")] = "",
    languages: Annotated[
        str, typer.Option(help="One or two, like en,zu; else the first two you offer.")
    ] = "",
    telegram_name: Annotated[
        str, typer.Option(help="The bot's user name, where `webhooks set` has not learnt it.")
    ] = "",
) -> None:
    """Print slips: a tear-off a learner without a caregiver, with a code to join, no name."""
    from bot.lists import slip_command  # noqa: PLC0415 - only this command needs it

    code = commands.guarded(
        lambda: slip_command.slips(
            Settings(),
            class_name,
            school=school,
            languages=languages,
            to=to,
            telegram_name=telegram_name,
        )
    )
    raise typer.Exit(code)
