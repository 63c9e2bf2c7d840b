"""The command line of `score`: a file's submissions scored, or the published scales listed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot import commands
from bot.content.library import load, load_scales
from scoring.report import score_text
from scoring.rules import item_codes
from scoring.scale_report import listed

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def score(
    file: Annotated[
        Path | None, typer.Argument(help="JSON with child, as_of and submissions; - for stdin.")
    ] = None,
    list_scales: Annotated[
        bool, typer.Option("--list-scales", help="List the published scales instead.")
    ] = False,
    json_wanted: Json = False,
) -> None:
    """Score submissions: six domains with bands and reasons, published scales, a plan."""
    if list_scales == (file is not None):
        raise typer.BadParameter("name a file, or --list-scales")
    if file is None:
        raise typer.Exit(commands.guarded(lambda: _list_scales(json_wanted=json_wanted)))
    raise typer.Exit(commands.guarded(lambda: _score(file)))  # JSON in any case


def _score(path: Path) -> int:
    """The profile, and the results of the scales, of the submissions in a JSON file."""
    library = load(languages=("en",))
    forms = (library.newest(form_id) for form_id in library.current)
    text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    document, errors = score_text(text, library.rules, item_codes(forms), load_scales(library))
    for error in errors:
        commands.err(f"{path}: {error}")
    if document is None:
        return commands.PROBLEM
    commands.as_json(document)
    return commands.GOOD


def _list_scales(*, json_wanted: bool) -> int:
    """Every published scale with its source and licence."""
    scales = load_scales(load(languages=("en",))).values()
    if json_wanted:
        commands.as_json({"scales": listed(scales)})
        return commands.GOOD
    for scale in scales:
        commands.out(f"{scale.id}  {scale.title}, by {scale.informant}")
        commands.out(f"  version: {scale.version} ({scale.digest})")
        commands.out(f"  source: {scale.citation} {scale.url}")
        commands.out(f"  licence: {scale.verdict}. {scale.licence}")
    return commands.GOOD
