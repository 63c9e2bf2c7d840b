"""The command line of `locales`: its arguments; the work is in `bot.translating.commands`."""

from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot import commands
from bot.app import now
from bot.settings import Settings

locales = typer.Typer(
    help="Translations: how far each language is, sheets for reviewers, review, approval.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Tag = Annotated[str, typer.Argument(help="The language: zu, xh, nso, ...")]
Catalog = Annotated[
    str, typer.Option(help="Only this catalog: bot, or a questionnaire such as caregiver.")
]
By = Annotated[str, typer.Option("--by", help="Who did it: a person's name, not an office.")]
On = Annotated[str, typer.Option("--on", help="The day it was done, like 2026-11-02.")]


@locales.command("status")
def locales_status(*, json_wanted: Json = False) -> None:
    """Show how far each language is, and what keeps it from being offered to real people."""
    from bot.translating import commands as work  # noqa: PLC0415 - only these commands need it

    _exit(lambda: work.show(_root(), json_wanted=json_wanted))


@locales.command("export")
def locales_export(
    tag: Tag,
    *,
    out: Annotated[Path, typer.Option("--out", help="The CSV to write.")],
    catalog: Catalog = "",
    reference: Annotated[
        str, typer.Option(help="Another language to show beside the English, e.g. zu.")
    ] = "",
) -> None:
    """Write a sheet for a reviewer: each text, where it is seen, and room for a verdict."""
    from bot.translating import commands as work  # noqa: PLC0415 - as above

    _exit(lambda: work.export(_root(), tag, catalog=catalog, reference=reference, to=out))


@locales.command("import")
def locales_import(
    file: Annotated[Path, typer.Argument(help="The sheet, filled in and saved as CSV.")],
    *,
    by: By,
) -> None:
    """Take a reviewed sheet: all of it, or nothing and every problem with its line."""
    from bot.translating import commands as work  # noqa: PLC0415 - as above

    _exit(lambda: work.take(_root(), file, by=by, today=_today()))


@locales.command("review")
def locales_review(
    tag: Tag,
    addresses: Annotated[
        list[str] | None, typer.Argument(help="Texts, such as caregiver/sick:label or menu.choose.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every draft of the language.")] = False,
    by: By,
    on: On,
) -> None:
    """Write down that a speaker has read texts and leaves them as they are."""
    from bot.translating import commands as work  # noqa: PLC0415 - as above

    if bool(addresses) is everything:
        raise typer.BadParameter("name the texts, or say --all")
    _exit(
        lambda: work.review(
            _root(), tag, addresses or [], everything=everything, by=by, on=on, today=_today()
        )
    )


@locales.command("approve")
def locales_approve(tag: Tag, *, by: By, on: On, catalog: Catalog = "") -> None:
    """Approve what was reviewed; the words of consent, somebody else than their reviewer."""
    from bot.translating import commands as work  # noqa: PLC0415 - as above

    _exit(lambda: work.approve(_root(), tag, catalog=catalog, by=by, on=on, today=_today()))


def _exit(work: Callable[[], int]) -> None:
    raise typer.Exit(commands.guarded(work))


def _root() -> Path:
    return Path(str(files("locales")))


def _today() -> date:
    return now().astimezone(ZoneInfo(Settings().timezone)).date()
