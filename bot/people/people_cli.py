"""The command line of `people`: its arguments; the work is in `people_commands`."""

from typing import Annotated

import typer

from bot import commands
from bot.settings import Settings

people = typer.Typer(help="Another adult of a child, a new number.", no_args_is_help=True)


@people.command("second-adult")
def people_second_adult(
    child: Annotated[str, typer.Argument(metavar="CHILD", help="The child's code.")],
) -> None:
    """Print a code with which another adult who cares for a child can join. It works once."""
    from bot.people import people_commands  # noqa: PLC0415 - only these commands need it

    raise typer.Exit(commands.guarded(lambda: people_commands.second_adult(Settings(), child)))


@people.command("number-change")
def people_number_change(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Where she was reached.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Her new number.")],
) -> None:
    """Move somebody to a new number, once a reply from there says that it is hers."""
    from bot.people import people_commands  # noqa: PLC0415 - only these commands need it

    raise typer.Exit(commands.guarded(lambda: people_commands.number_change(Settings(), old, new)))


@people.command("hand-over")
def people_hand_over(
    old: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where she was reached.")],
) -> None:
    """Take a number from somebody: the phone is somebody else's now."""
    from bot.people import people_commands  # noqa: PLC0415 - only these commands need it

    raise typer.Exit(commands.guarded(lambda: people_commands.hand_over(Settings(), old)))
