"""The front door: one command line, one line a command. The work is in `bot`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot import commands
from bot.settings import Settings

app = typer.Typer(
    help="Child wellbeing by chat: questionnaires by SMS, WhatsApp and Telegram, a risk profile, "
    "alerts that a person must take. Without settings, `run` starts a demo on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
webhooks = typer.Typer(help="Tell the providers where this bot is.", no_args_is_help=True)
users = typer.Typer(help="Logins of the dashboard.", no_args_is_help=True)
app.add_typer(webhooks, name="webhooks")
app.add_typer(users, name="users")


class Channel(StrEnum):
    """Channels to try a questionnaire on."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    TELEGRAM = "telegram"


class Role(StrEnum):
    """Roles of a login."""

    COORDINATOR = "coordinator"
    SOCIAL_WORKER = "social_worker"
    SUPERVISOR = "supervisor"
    TECH = "tech"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Login = Annotated[str, typer.Argument(help="The login's name.")]


def _exit(code: int) -> None:
    raise typer.Exit(code)


@app.command()
def run(
    host: Annotated[str, typer.Option(help="Address to listen on (HOST).")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on (PORT).", min=0, max=65535)] = 0,
) -> None:
    """Start the bot: webhooks, dashboard, delivery and clock in one process."""
    told = {k: v for k, v in {"host": host, "port": port}.items() if v}
    _exit(commands.guarded(lambda: commands.serve(commands.settings(**told))))


@app.command()
def chat(
    questionnaire: Annotated[str, typer.Argument(help="Form id, e.g. caregiver.")],
    channel: Annotated[
        Channel, typer.Option(help="Whose limits and buttons to use.")
    ] = Channel.SMS,
    lang: Annotated[str, typer.Option(help="Language tag, e.g. zu.")] = "en",
) -> None:
    """Try a questionnaire in the terminal; a pipe as input makes it a script."""
    from bot.chatting import chat as play  # noqa: PLC0415 - only this command needs it

    _exit(commands.guarded(lambda: play(questionnaire, channel=channel.value, language=lang)))


@app.command()
def check(json_wanted: Json = False) -> None:
    """Check questionnaires, languages, channels, rules and site.yaml; list every problem."""
    _exit(commands.guarded(lambda: commands.check(Settings(), json_wanted=json_wanted)))


@app.command()
def score(
    file: Annotated[
        Path, typer.Argument(help="JSON with child, as_of and submissions; - for stdin.")
    ],
    json_wanted: Json = False,
) -> None:
    """Score submissions: six domains with bands and reasons, critical answers, a plan."""
    del json_wanted  # the result is JSON in any case
    _exit(commands.guarded(lambda: commands.score(file)))


@app.command()
def sms(
    text: Annotated[str, typer.Argument(help="The text of a message.")],
    json_wanted: Json = False,
) -> None:
    """Say how many SMS a text takes, and in which encoding."""
    del json_wanted  # the result is JSON in any case
    _exit(commands.sms(text))


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    _exit(commands.guarded(lambda: commands.migrate(Settings())))


@app.command("import-roster")
def import_roster(
    file: Annotated[Path, typer.Argument(help="CSV: school, grade, class, number, sex, ...")],
    codes_to: Annotated[
        Path | None, typer.Option(help="Write the JOIN codes to this file instead of stdout.")
    ] = None,
) -> None:
    """Import a class list; prints each learner's single-use JOIN code once."""
    _exit(commands.guarded(lambda: commands.import_roster(Settings(), file, codes_to=codes_to)))


@app.command("import-staff")
def import_staff(
    file: Annotated[Path, typer.Argument(help="CSV: role, school, address, optional name")],
) -> None:
    """Import coordinators and other staff with the addresses that get alerts."""
    _exit(commands.guarded(lambda: commands.import_staff(Settings(), file)))


@webhooks.command("set")
def webhooks_set() -> None:
    """Register webhooks, bot commands and WhatsApp's generic contents; safe to repeat."""
    _exit(commands.guarded(lambda: commands.webhooks_set(Settings())))


@users.command("add")
def users_add(
    login: Login,
    role: Annotated[Role, typer.Option(help="What she may do.")],
    school: Annotated[list[str] | None, typer.Option(help="School she works for; repeat.")] = None,
    person_address: Annotated[
        str, typer.Option(help="Her chat address, e.g. telegram:123, if she gets alerts.")
    ] = "",
) -> None:
    """Make a login. The password is asked for (or read from stdin); TOTP is shown once."""
    _exit(
        commands.guarded(
            lambda: commands.users_add(
                Settings(), login, role=role.value, schools=school or [], address=person_address
            )
        )
    )


@users.command("list")
def users_list(json_wanted: Json = False) -> None:
    """List logins with role, schools and state."""
    _exit(commands.guarded(lambda: commands.users_list(Settings(), json_wanted=json_wanted)))


@users.command("password")
def users_password(login: Login) -> None:
    """Give a login a new password; its sessions end."""
    _exit(commands.guarded(lambda: commands.users_password(Settings(), login)))


@users.command("authenticator")
def users_authenticator(login: Login) -> None:
    """Give a login a new authenticator after a lost phone; its sessions end."""
    _exit(commands.guarded(lambda: commands.users_authenticator(Settings(), login)))


@users.command("end")
def users_end(login: Login) -> None:
    """End a login and its sessions at once."""
    _exit(commands.guarded(lambda: commands.users_end(Settings(), login)))


def main() -> None:
    """Console script."""
    app()


if __name__ == "__main__":
    main()
