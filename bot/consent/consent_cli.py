"""The command line of `consent`: its arguments; the work is in `consent_commands`."""

from typing import Annotated

import typer

from bot import commands
from bot.settings import Settings

consent = typer.Typer(help="Who agreed to what about a child.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Code = Annotated[str, typer.Argument(help="The child's code, as on its page.")]
SaidAt = Annotated[str, typer.Option(help="When: 2026-01-31 or '2026-01-31 14:30'; else now.")]
Whose = Annotated[str, typer.Option(help="Whose word it is: her address.")]
Seen = Annotated[str, typer.Option(help="Who saw it: an address or a name.")]
WrittenBy = Annotated[str, typer.Option(help="Address of the colleague who took it down.")]


@consent.command("show")
def consent_show(code: Code, *, json_wanted: Json = False) -> None:
    """Show the ledger about a child, and what it carries now."""
    from bot.consent import consent_commands  # noqa: PLC0415 - only these commands need it

    _exit(
        commands.guarded(
            lambda: consent_commands.show(Settings(), code, json_wanted=json_wanted),
            noted=("read", "consents"),
        )
    )


@consent.command("record")
def consent_record(
    code: Code,
    *,
    yes: Annotated[list[str] | None, typer.Option(help="A purpose she agreed to; repeat.")] = None,
    no: Annotated[list[str] | None, typer.Option(help="A purpose she said no to; repeat.")] = None,
    capacity: Annotated[str, typer.Option(help="parent_or_guardian or carer.")] = (
        "parent_or_guardian"
    ),
    mode: Annotated[
        str, typer.Option(help="paper, thumbprint, in_person, or phone (a recorded call).")
    ] = "paper",
    lang: Annotated[str, typer.Option(help="Language of the words she read.")] = "",
    at: SaidAt = "",
    address: Whose = "",
    witness: Seen = "",
    witness_role: Annotated[
        str, typer.Option(help="What the witness is: neighbour, school clerk.")
    ] = "",
    kept_at: Annotated[str, typer.Option(help="Where the paper lies.")] = "",
    recording: Annotated[str, typer.Option(help="The recording of the call.")] = "",
    helper: Annotated[str, typer.Option(help="Address of who helped her to read it.")] = "",
    by: WrittenBy = "",
    text: Annotated[
        list[str] | None, typer.Option(help="help=DIGEST of older words on the paper; repeat.")
    ] = None,
) -> None:
    """Write down what somebody agreed to on paper, by thumbprint, in person or in a call.

    A paper needs --kept-at; a thumbprint also --witness and --witness-role; a word in person
    --witness and --witness-role; a call --recording.
    """
    from bot.consent import consent_commands  # noqa: PLC0415 - only these commands need it

    _exit(
        commands.guarded(
            lambda: consent_commands.record(
                Settings(),
                code,
                yes=yes or [],
                no=no or [],
                capacity=capacity,
                mode=mode,
                lang=lang,
                at=at,
                address=address,
                told={
                    "witness": witness,
                    "witness_role": witness_role,
                    "kept_at": kept_at,
                    "recording": recording,
                    "helper": helper,
                    "by": by,
                },
                text=text or [],
            )
        )
    )


@consent.command("withdraw")
def consent_withdraw(
    code: Code,
    *,
    purpose: Annotated[
        list[str] | None, typer.Option(help="Only this: partners, research; else everything.")
    ] = None,
    mode: Annotated[str, typer.Option(help="paper, in_person or phone.")] = "phone",
    at: SaidAt = "",
    address: Whose = "",
    witness: Seen = "",
    by: WrittenBy = "",
) -> None:
    """Take a yes back: questions about the child end, alerts stay."""
    from bot.consent import consent_commands  # noqa: PLC0415 - only these commands need it

    _exit(
        commands.guarded(
            lambda: consent_commands.withdraw(
                Settings(),
                code,
                purposes=purpose or [],
                mode=mode,
                at=at,
                address=address,
                witness=witness,
                by=by,
            )
        )
    )


@consent.command("texts")
def consent_texts(json_wanted: Json = False) -> None:
    """List every wording of consent that was published, with its digest."""
    from bot.consent import consent_commands  # noqa: PLC0415 - only these commands need it

    _exit(commands.guarded(lambda: consent_commands.texts(Settings(), json_wanted=json_wanted)))


def _exit(code: int) -> None:
    raise typer.Exit(code)
