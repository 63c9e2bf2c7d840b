"""The command line of `requests`, `breach` and `privacy`: their arguments."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from bot import commands
from bot.settings import Settings

requests = typer.Typer(help="What people ask about their data.", no_args_is_help=True)
breach = typer.Typer(help="When somebody saw what she should not have.", no_args_is_help=True)
privacy = typer.Typer(help="What leaves, what is kept.", no_args_is_help=True)

DAY = ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Request = Annotated[str, typer.Argument(help="The request's id.")]
Officer = Annotated[
    str,
    typer.Option("--as", help="A data officer's login; asks for her password and code."),
]
NoteText = Annotated[str, typer.Option(help="In your words; it is stored sealed.")]


@requests.command("add")
def requests_add(
    *,
    login: Officer,
    kind: Annotated[str, typer.Option(help="access, correction, erasure, objection, restriction.")],
    address: Annotated[str, typer.Option(help="Her number or chat: +27..., telegram:12345.")] = "",
    child: Annotated[str, typer.Option(help="Or the code of a child one person cares for.")] = "",
    note: NoteText = "",
) -> None:
    """Enter a request that came by letter, by phone or in person."""
    from bot.rights import shell  # noqa: PLC0415 - only these commands need it

    _run(
        lambda: shell.add(
            Settings(), login=login, kind=kind, address=address, child=child, note=note
        )
    )


@requests.command("list")
def requests_list(
    *,
    decided: Annotated[bool, typer.Option("--decided", help="Those that were decided.")] = False,
    json_wanted: Json = False,
) -> None:
    """What waits for an answer, the soonest first; ids and days, no names."""
    from bot.rights import shell  # noqa: PLC0415 - as above

    _run(lambda: shell.listing(Settings(), decided=decided, json_wanted=json_wanted))


@requests.command("show")
def requests_show(request: Request, *, login: Officer, json_wanted: Json = False) -> None:
    """One request: what would be given, what is kept back by default, the notes."""
    from bot.rights import shell  # noqa: PLC0415 - as above

    _run(lambda: shell.show(Settings(), request, login=login, json_wanted=json_wanted))


@requests.command("identify")
def requests_identify(
    request: Request,
    *,
    login: Officer,
    how: Annotated[
        str,
        typer.Option(help="known_in_person, called_back, identity_document, school_confirmed."),
    ],
    note: NoteText = "",
) -> None:
    """Write down how it was proved who asks."""
    from bot.rights import shell  # noqa: PLC0415 - as above

    _run(lambda: shell.identify(Settings(), request, login=login, how=how, note=note))


@requests.command("decide")
def requests_decide(
    request: Request,
    outcome: Annotated[
        str, typer.Argument(help="granted, part, refused, held; or confirm, disagree.")
    ],
    *,
    login: Officer,
    ground: Annotated[str, typer.Option(help="Ground of the whole, e.g. lawful.")] = "lawful",
    rule: Annotated[
        list[str] | None,
        typer.Option(help="A class: others=withhold:third_party; repeat. Else the defaults."),
    ] = None,
    against: Annotated[
        str,
        typer.Option(help="Of an objection: messages, partners, research, everything; it stops."),
    ] = "",
    note: NoteText = "",
) -> None:
    """Decide a request; an erasure counts when a second person confirms it."""
    from bot.rights import shell  # noqa: PLC0415 - as above

    rulings: dict[str, str] = {}
    for each in rule or []:
        name, _, what = each.partition("=")
        choice, _, why = what.partition(":")
        rulings |= {f"{name}.choice": choice, f"{name}.ground": why}
    _run(
        lambda: shell.decide(
            Settings(),
            request,
            login=login,
            outcome=outcome,
            ground=ground,
            rulings=rulings,
            note=note,
            against=against,
        )
    )


@requests.command("correct")
def requests_correct(
    request: Request,
    *,
    login: Officer,
    field: Annotated[str, typer.Option(help="name, number, birth_month, sex, capacity, ...")],
    value: Annotated[str, typer.Option(help="The right value.")],
    child: Annotated[str, typer.Option(help="The child's code, if she cares for several.")] = "",
    before: Annotated[str, typer.Option(help="The wrong number, if she has several.")] = "",
) -> None:
    """Correct one value; the old one is kept sealed in the request's notes."""
    from bot.rights import shell  # noqa: PLC0415 - as above
    from bot.rights.correction import Correction  # noqa: PLC0415 - as above

    asked = Correction(field=field, value=value, child=child, before=before)
    _run(lambda: shell.correct(Settings(), request, login=login, asked=asked))


@requests.command("settle")
def requests_settle(
    request: Request,
    mark: Annotated[str, typer.Argument(help="The mark's id, as requests show lists it.")],
    *,
    login: Officer,
    outcome: Annotated[str, typer.Option(help="right, asked_again or taken_back.")],
    reason: Annotated[str, typer.Option(help="Why, in your words; it is stored sealed.")],
) -> None:
    """Take the mark off an answer that somebody called wrong."""
    from bot.rights import shell  # noqa: PLC0415 - as above

    _run(
        lambda: shell.settle(
            Settings(), request, login=login, mark=mark, outcome=outcome, reason=reason
        )
    )


@breach.command("worksheet")
def breach_worksheet(
    *,
    start: Annotated[datetime, typer.Option("--from", help="When it began.", formats=DAY)],
    end: Annotated[datetime, typer.Option("--to", help="When it ended.", formats=DAY)],
    folder: Annotated[Path, typer.Option("--out", help="A new folder.")],
    found: Annotated[
        datetime | None, typer.Option(help="When it was found out; else now.", formats=DAY)
    ] = None,
    school: Annotated[str, typer.Option(help="One school only, by its name.")] = "",
    user: Annotated[str, typer.Option(help="What this login saw.")] = "",
    session: Annotated[
        str, typer.Option(help="What one browser session saw: how its digest begins.")
    ] = "",
    whole: Annotated[
        bool, typer.Option("--whole", help="The database or a copy was taken: everybody.")
    ] = False,
) -> None:
    """Who saw what, who is affected, drafts of the notices; names and numbers only sealed."""
    from bot.rights import breach_command  # noqa: PLC0415 - only this command needs it

    asked = breach_command.Asked(
        start=start,
        end=end,
        found=found,
        school=school,
        login=user,
        session=session,
        whole=whole,
    )
    _run(lambda: breach_command.worksheet(Settings(), asked, folder))


@privacy.command("data-flow")
def privacy_data_flow(*, json_wanted: Json = False) -> None:
    """What leaves this machine, to whom, where to; what is kept, by class."""
    from bot.rights import dataflow  # noqa: PLC0415 - only this command needs it

    def tell() -> int:
        from bot.app import accounts_of  # noqa: PLC0415 - as above

        configured = frozenset(str(name) for name in accounts_of(Settings()))
        if json_wanted:
            commands.as_json(dataflow.document(configured))
        else:
            commands.out(dataflow.markdown(configured).rstrip())
        return commands.GOOD

    _run(tell)


def _run(work: Callable[[], int]) -> None:
    raise typer.Exit(commands.guarded(work))
