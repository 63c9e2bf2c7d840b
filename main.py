"""The front door: one command line, one line a command. The work is in `bot`."""

import gc
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

gc.disable()  # what the imports make stays: `main` says so, and has garbage looked for again

from bot import commands
from bot.app import now
from bot.consent.consent_cli import consent
from bot.content.growth_cli import growth_command
from bot.content.score_cli import score
from bot.lists.slip_cli import slips
from bot.login import user_commands
from bot.people.people_cli import people
from bot.rights.cli import breach, privacy, requests
from bot.rights.erase_cli import erase, hold, retention
from bot.settings import Settings
from bot.trail.audit_cli import audit
from bot.translating.cli import locales

app = typer.Typer(
    help="Child wellbeing by chat: questionnaires by SMS, WhatsApp and Telegram, a risk profile, "
    "alerts that a person must take. Without settings, `run` starts a demo on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
webhooks = typer.Typer(help="Tell the providers where this bot is.", no_args_is_help=True)
users = typer.Typer(help="Logins of the dashboard.", no_args_is_help=True)
reports = typer.Typer(help="Reports for those who answer for others.", no_args_is_help=True)
app.add_typer(hold, name="hold")
app.command()(erase)
app.command()(score)
app.command("growth")(growth_command)
app.command()(slips)
app.command()(retention)
app.add_typer(webhooks, name="webhooks")
app.add_typer(audit, name="audit")
app.add_typer(users, name="users")
app.add_typer(reports, name="report")
keys = typer.Typer(help="The master key, its recovery sheet, the key store.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(consent, name="consent")
app.add_typer(people, name="people")
app.add_typer(requests, name="requests")
app.add_typer(breach, name="breach")
app.add_typer(privacy, name="privacy")
app.add_typer(locales, name="locales")


class Channel(StrEnum):
    """Channels to try a questionnaire on."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    TELEGRAM = "telegram"
    USSD = "ussd"


class Role(StrEnum):
    """Roles of a login."""

    COORDINATOR = "coordinator"
    SOCIAL_WORKER = "social_worker"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    DATA_OFFICER = "data_officer"
    RESEARCHER = "researcher"
    AUDITOR = "auditor"
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
    from bot.content.chatting import chat as play  # noqa: PLC0415 - only this command needs it

    _exit(commands.guarded(lambda: play(questionnaire, channel=channel.value, language=lang)))


@app.command()
def check(json_wanted: Json = False) -> None:
    """Check questionnaires, languages, channels, rules and site.yaml; list every problem."""
    _exit(commands.guarded(lambda: commands.check(Settings(), json_wanted=json_wanted)))


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


@app.command()
def doctor(
    live: Annotated[bool, typer.Option("--live", help="Also the launch gate.")] = False,
    online: Annotated[bool, typer.Option("--online", help="Also ask the providers.")] = False,
    json_wanted: Json = False,
) -> None:
    """Look at this deployment: what is wrong, and what to do about it."""
    from bot.doctor.run import doctor as look  # noqa: PLC0415 - only this command needs it

    _exit(
        commands.guarded(
            lambda: look(Settings(), live=live, online=online, json_wanted=json_wanted)
        )
    )


@app.command()
def backup(
    to: Annotated[Path, typer.Option("--to", help="File, or a folder to name it in.")],
    keys_to: Annotated[
        Path | None, typer.Option("--keys-to", help="Where the keys' copy goes: another place.")
    ] = None,
) -> None:
    """Copy the database beside a running bot: sealed, checked by reading it back, without keys."""
    from bot.keyring import backups as work  # noqa: PLC0415 - only these commands need it

    _exit(
        commands.guarded(
            lambda: work.backup(Settings(), to=to, keys_to=keys_to, now=now()),
            noted=("exported", "database"),
        )
    )


@app.command()
def restore(
    source: Annotated[Path, typer.Option("--from", help="The backup.")],
    keys_file: Annotated[
        Path | None, typer.Option("--keys", help="A copy of the keys; the newest is used.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="URL of a new database.")] = "",
    drill: Annotated[
        bool, typer.Option("--drill", help="Prove that it works; keep nothing.")
    ] = False,
) -> None:
    """Open a backup, erase again who was erased since, check it, put it in place."""
    from bot.keyring import backups as work  # noqa: PLC0415 - as above

    _exit(
        commands.guarded(
            lambda: work.restore(
                Settings(), source=source, keys=keys_file, to=to, drill=drill, now=now()
            ),
            noted=("drilled" if drill else "restored", "database"),
        )
    )


@keys.command("sheet")
def keys_sheet() -> None:
    """Print the recovery sheet: the master key on paper."""
    from bot.keyring import keys as work  # noqa: PLC0415 - only these commands need it

    _exit(
        commands.guarded(lambda: work.sheet(Settings(), now=now()), noted=("sheet_printed", "keys"))
    )


@keys.command("confirm")
def keys_confirm() -> None:
    """Type two groups of the recovery sheet back; until then `doctor` is red."""
    from bot.keyring import keys as work  # noqa: PLC0415 - as above

    _exit(
        commands.guarded(
            lambda: work.confirm(Settings(), now=now()), noted=("sheet_confirmed", "keys")
        )
    )


@keys.command("rotate")
def keys_rotate() -> None:
    """Replace the master key; every key of the store is wrapped anew, the old one opens nothing."""
    from bot.keyring import keys as work  # noqa: PLC0415 - as above

    _exit(commands.guarded(lambda: work.rotate(Settings(), now=now()), noted=("rotated", "keys")))


@keys.command("rotate-blind")
def keys_rotate_blind() -> None:
    """Replace the key addresses are found by, beside a running bot; takes two minutes or more."""
    from bot.keyring import keys as work  # noqa: PLC0415 - as above

    _exit(
        commands.guarded(
            lambda: work.rotate_blind(Settings(), now=now()), noted=("index_rotated", "keys")
        )
    )


@keys.command("list")
def keys_list(json_wanted: Json = False) -> None:
    """How many keys there are, how old the master key is, whether its sheet is confirmed."""
    from bot.keyring import keys as work  # noqa: PLC0415 - as above

    _exit(commands.guarded(lambda: work.show(Settings(), json_wanted=json_wanted)))


@keys.command("recover")
def keys_recover() -> None:
    """Type the recovery sheet in: the master key goes into MASTER_KEY_FILE, or on the screen."""
    from bot.keyring import keys as work  # noqa: PLC0415 - as above

    _exit(commands.guarded(lambda: work.recover(Settings())))


@webhooks.command("set")
def webhooks_set() -> None:
    """Register webhooks, bot commands and WhatsApp's generic contents; safe to repeat."""
    _exit(commands.guarded(lambda: commands.webhooks_set(Settings())))


@users.command("first")
def users_first() -> None:
    """Print the one-time code with which the first login is made on the dashboard."""
    _exit(commands.guarded(lambda: user_commands.first(Settings())))


@users.command("add")
def users_add(
    login: Login,
    *,
    role: Annotated[Role, typer.Option(help="What she may do.")],
    school: Annotated[list[str] | None, typer.Option(help="School she works for; repeat.")] = None,
    person_address: Annotated[
        str, typer.Option(help="Her chat address, e.g. telegram:123, if she gets alerts.")
    ] = "",
    ends: Annotated[
        str, typer.Option(help="Last day, like 2027-06-30; a year from now unless told.")
    ] = "",
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin", help="Ready at once, password from stdin: for rehearsals only."
        ),
    ] = False,
) -> None:
    """Make a login; prints the one-time code with which she sets it up herself."""
    _exit(
        commands.guarded(
            lambda: user_commands.add(
                Settings(),
                login,
                role=role.value,
                schools=school or [],
                address=person_address,
                ends=ends,
                password_stdin=password_stdin,
            )
        )
    )


@users.command("list")
def users_list(json_wanted: Json = False) -> None:
    """List logins with role, schools and state."""
    _exit(commands.guarded(lambda: commands.users_list(Settings(), json_wanted=json_wanted)))


@users.command("password")
def users_password(login: Login) -> None:
    """Void a login's password; prints a one-time code to choose a new one."""
    _exit(commands.guarded(lambda: user_commands.password(Settings(), login)))


@users.command("authenticator")
def users_authenticator(login: Login) -> None:
    """Void a lost phone's authenticator; prints a one-time code to set up another."""
    _exit(commands.guarded(lambda: user_commands.authenticator(Settings(), login)))


@users.command("code")
def users_code(login: Login) -> None:
    """Print another one-time code for what a login still has to set up."""
    _exit(commands.guarded(lambda: user_commands.code(Settings(), login)))


@users.command("reopen")
def users_reopen(
    login: Login,
    ends: Annotated[
        str, typer.Option(help="Last day, like 2027-06-30; a year from now unless told.")
    ] = "",
) -> None:
    """Open a login again that ended or was idle, or give it another last day."""
    _exit(commands.guarded(lambda: user_commands.reopen(Settings(), login, ends=ends)))


@users.command("end")
def users_end(login: Login) -> None:
    """End a login and its sessions at once."""
    _exit(commands.guarded(lambda: commands.users_end(Settings(), login)))


@reports.command("looks")
def report_looks(
    month: Annotated[
        str, typer.Option(help="Like 2026-11; the last whole month unless told.")
    ] = "",
    json_wanted: Json = False,
) -> None:
    """Who looked at cases in a month, and who of them without an assignment. Codes only."""
    from bot.trail.look_commands import looks  # noqa: PLC0415 - only this command needs it

    _exit(
        commands.guarded(
            lambda: looks(Settings(), month=month, json_wanted=json_wanted),
            noted=("listed", "audit"),
        )
    )


def main() -> None:
    """Console script."""
    gc.freeze()
    gc.enable()
    app()


if __name__ == "__main__":
    main()
