"""The command line of `audit`: its arguments; what they do is in `bot.trail.audit`."""

from typing import Annotated

import typer

from bot import commands
from bot.settings import Settings

audit = typer.Typer(help="The chain over who did and saw what.", no_args_is_help=True)


@audit.command("head")
def audit_head() -> None:
    """Print the signed head of the chain: how many rows, the last link. Keep it elsewhere."""
    from bot.trail.audit import show_head  # noqa: PLC0415 - only these commands need it

    raise typer.Exit(commands.guarded(lambda: show_head(Settings())))


@audit.command("verify")
def audit_verify(
    head: Annotated[
        list[str] | None, typer.Option(help="A head's line that was kept elsewhere; repeat.")
    ] = None,
) -> None:
    """Look whether rows were edited, deleted, reordered, cut off or written anew."""
    from bot.trail.audit import show_verdict  # noqa: PLC0415 - as above

    raise typer.Exit(commands.guarded(lambda: show_verdict(Settings(), lines=head or [])))


@audit.command("restored")
def audit_restored() -> None:
    """Say, signed, that a backup was restored: the chain goes on from here."""
    from bot.trail.audit import show_restored  # noqa: PLC0415 - as above

    raise typer.Exit(commands.guarded(lambda: show_restored(Settings())))
