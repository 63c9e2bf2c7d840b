"""The command line of `erase`, `retention` and `hold`: their arguments."""

from datetime import datetime
from typing import Annotated

import typer

from bot import commands
from bot.settings import Settings

hold = typer.Typer(help="Households nothing may be deleted of.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def erase(
    *,
    request: Annotated[str, typer.Option(help="The request two people granted, its id.")],
    by: Annotated[
        str, typer.Option(help="Login of who carries it out, asked for password and code.")
    ],
    second: Annotated[str, typer.Option(help="Login of the other one who granted it.")],
    household: Annotated[str, typer.Option(help="A household, by its id.")] = "",
    child: Annotated[str, typer.Option(help="The household of this child, by its code.")] = "",
    number: Annotated[
        bool, typer.Option("--number", help="Whoever writes from an address; asks for it.")
    ] = False,
    json_wanted: Json = False,
) -> None:
    """Erase a household, its keys and all copies; prints a certificate."""
    from bot.rights import erase_command as work  # noqa: PLC0415 - only this command needs it

    asked = work.Asked(
        household=household, child=child, number=number, request=request, by=by, second=second
    )
    _leave(commands.guarded(lambda: work.run(Settings(), asked, json_wanted=json_wanted)))


def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Let go of what is due.")] = False,
    json_wanted: Json = False,
) -> None:
    """What has been kept for long enough, class by class; without --apply nothing is deleted."""
    from bot.rights.retention_command import run as look  # noqa: PLC0415 - as above

    _leave(commands.guarded(lambda: look(Settings(), apply=apply, json_wanted=json_wanted)))


@hold.command("add")
def hold_add(
    reason: Annotated[str, typer.Option(help="Why; it is stored sealed.")],
    by: Annotated[str, typer.Option(help="Login of who holds; asks for password and code.")],
    household: Annotated[str, typer.Option(help="A household, by its id.")] = "",
    child: Annotated[str, typer.Option(help="The household of this child, by its code.")] = "",
    until: Annotated[
        datetime | None,
        typer.Option(help="Last day; without it until ended.", formats=["%Y-%m-%d"]),
    ] = None,
) -> None:
    """Hold a household: nothing of it is erased or let go."""
    from bot.rights import hold_command as work  # noqa: PLC0415 - as above

    _leave(
        commands.guarded(
            lambda: work.add(
                Settings(),
                household=household,
                child=child,
                reason=reason,
                by=by,
                until=until,
            )
        )
    )


@hold.command("end")
def hold_end(
    hold_id: Annotated[str, typer.Argument(help="The hold, by its id.")],
    by: Annotated[str, typer.Option(help="Login of who ends it; asks for password and code.")],
) -> None:
    """End a hold."""
    from bot.rights import hold_command as work  # noqa: PLC0415 - as above

    _leave(commands.guarded(lambda: work.end(Settings(), hold_id, by=by)))


@hold.command("list")
def hold_list(
    all_: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    json_wanted: Json = False,
) -> None:
    """List the holds that stand, with their reasons."""
    from bot.rights import hold_command as work  # noqa: PLC0415 - as above

    _leave(
        commands.guarded(
            lambda: work.listed(Settings(), all_=all_, json_wanted=json_wanted),
            noted=("listed", "legal_holds"),
        )
    )


def _leave(code: int) -> None:
    raise typer.Exit(code)
