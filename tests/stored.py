"""What a conversation left in the database: told in plain lines, and checked.

`facts` is what the `=` lines of a transcript are made of; `check_sessions` holds every stored
session against the fold of its stored events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from bot.turns.world import World
from flows.engine import begin, fold
from flows.journal import load_event
from flows.sessions import Session, from_json, to_json
from scoring.model import DOMAINS
from storage import schema
from tests.town import ZONE, Town

Facts = dict[tuple[str, ...], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What people and children are called in a transcript."""

    addresses: Mapping[str, str]
    persons: Mapping[str, str]
    children: Mapping[str, str]
    many: bool

    def at(self, address_id: str) -> str:
        """Who, as the beginning of a line; nothing where there is only one to mean."""
        return f"{self.addresses.get(address_id, 'somebody')}: " if self.many else ""


def names(conn: Connection, town: Town) -> Names:
    """Who is behind the ids."""
    addresses, persons = {}, {}
    vault = town.world.vault
    for row in conn.execute(select(schema.addresses)):
        value = vault.open(row.value, table="addresses", column="value", row=row.id)
        name = next((r.name for r in town.residents if r.has(value)), "somebody")
        addresses[row.id] = name
        if row.person_id:
            persons[row.person_id] = name
    found = conn.execute(select(schema.children.c.id, schema.children.c.list_number))
    return Names(
        addresses=addresses,
        persons=persons,
        children={row.id: f"learner {row.list_number}" for row in found},
        many=len(town.residents) > 1,
    )


def facts(conn: Connection, town: Town) -> Facts:
    """Everything a reader of a transcript may want to see change, by a key of its own."""
    who = names(conn, town)
    return {
        **_sessions(conn, who),
        **_answers(conn, who),
        **_consents(conn, who),
        **_doors(conn, who),
        **_assignments(conn, who),
        **_tasks(conn, who),
        **_requests(conn, who),
        **_profiles(conn, who),
        **_alerts(conn, who),
        **_logins(conn, who),
        **_sending(conn, who),
    }


def changed(before: Facts, after: Facts) -> list[str]:
    """The lines that are new or say something else; answers of one reply share a line."""
    lines: list[str] = []
    group: tuple[str, ...] = ()
    for key, line in after.items():
        if before.get(key) == line:
            continue
        if key[0] == "address" and key not in before and line.endswith("open"):
            continue
        if key[0] == "answer":
            head, _, said = line.rpartition(": ")
            if group == key[:2]:
                lines[-1] += f", {said}"
            else:
                lines.append(f"{head}: {said}")
            group = key[:2]
        else:
            lines.append(line)
            group = ()
    return lines


def _logins(conn: Connection, who: Names) -> Facts:
    prompts, users = schema.login_prompts, schema.users
    found = conn.execute(
        select(prompts.c.id, prompts.c.state, users.c.person_id)
        .join(users, users.c.id == prompts.c.user_id)
        .order_by(prompts.c.id)
    )
    return {
        ("login", r.id): f"the sign-in of {who.persons[r.person_id]} is {r.state}" for r in found
    }


def _sessions(conn: Connection, who: Names) -> Facts:
    rows = conn.execute(select(schema.sessions).order_by(schema.sessions.c.id))
    return {
        ("session", r.id): f"{who.at(r.address_id)}{r.form_id} is {r.status}"
        + (f" ({who.children[r.child_id]})" if r.form_id == "learner" else "")
        for r in rows
    }


def _answers(conn: Connection, who: Names) -> Facts:
    answers, sessions = schema.answers, schema.sessions
    found = conn.execute(
        select(answers, sessions.c.address_id)
        .join(sessions, sessions.c.id == answers.c.session_id)
        .order_by(answers.c.session_id, answers.c.revision)
    ).all()
    out: Facts = {}
    seen: set[tuple[str, str]] = set()
    for row in found:
        value = "(words)" if row.text is not None else row.value
        said = {
            "skipped": "(skipped)",
            "withdrawn": "(taken back)",
            "carried": f"{value} (as before)",
        }.get(row.state, value)
        again = (row.session_id, row.item) in seen and row.state == "answered"
        seen.add((row.session_id, row.item))
        line = f"{who.at(row.address_id)}{row.form_id} answers: {row.item} {said}"
        key = ("answer", row.session_id, row.item, str(row.revision))
        out[key] = line + (" (corrected)" if again else "")
    return out


def _consents(conn: Connection, who: Names) -> Facts:
    rows = conn.execute(select(schema.consents).order_by(schema.consents.c.id))
    return {
        ("consent", r.id): f"consent for {who.children[r.child_id]}: {r.purpose} "
        f"{'yes' if r.granted else 'taken back' if r.withdrawn_at else 'no'}, "
        f"as {r.capacity.replace('_', ' ')}"
        for r in rows
        if r.purpose != "contact" or r.withdrawn_at
    }


def _doors(conn: Connection, who: Names) -> Facts:
    out: Facts = {}
    for row in conn.execute(select(schema.join_codes)):
        child = who.children[row.child_id]
        holder = f"used by {who.addresses[row.claimed_by]}" if row.claimed_by else "free"
        out["code", row.id] = f"the code of {child} is {holder}"
    for row in conn.execute(select(schema.addresses)):
        state = "stopped" if row.opted_out_at else "open"
        out["address", row.id] = f"messages to {who.addresses[row.id]} are {state}"
    return out


def _assignments(conn: Connection, who: Names) -> Facts:
    rows = conn.execute(
        select(schema.assignments).order_by(schema.assignments.c.priority, schema.assignments.c.id)
    )
    return {
        ("given", r.id): f"{who.persons.get(r.person_id, 'somebody')} is "
        f"{'not ' if r.state == 'withdrawn' else ''}to answer: {r.form_id}"
        + (f" about {who.children[r.child_id]}" if r.child_id else "")
        for r in rows
    }


def _tasks(conn: Connection, who: Names) -> Facts:
    rows = conn.execute(select(schema.tasks).order_by(schema.tasks.c.id))
    return {
        ("task", r.id): f"task for staff: {r.kind}"
        + (f", {who.children[r.child_id]}" if r.child_id else "")
        + f", by {r.due_at.astimezone(ZONE):%a %d/%m %H:%M}"
        for r in rows
    }


def _requests(conn: Connection, who: Names) -> Facts:
    rows = conn.execute(select(schema.requests).order_by(schema.requests.c.id))
    return {
        ("request", r.id): f"request of {who.persons.get(r.person_id or '', 'a stranger')}: "
        f"{r.kind} is {r.state}, by {r.due_at.astimezone(ZONE):%a %d/%m %H:%M}"
        for r in rows
    }


def _profiles(conn: Connection, who: Names) -> Facts:
    bands: dict[tuple[str, str], dict[str, str]] = {}
    for row in conn.execute(select(schema.child_state)):
        bands.setdefault((row.child_id, row.wave_id), {})[row.domain] = row.band
    out: Facts = {}
    for row in conn.execute(select(schema.profiles)):
        found = bands[row.child_id, row.wave_id]
        words = ", ".join(f"{name} {found[name]}" for name in DOMAINS)
        if set(found.values()) == {"unknown"}:
            words = "nothing known yet"
        line = f"profile of {who.children[row.child_id]}: {words}; level {row.level}"
        out["profile", row.child_id, row.wave_id] = line
    return dict(sorted(out.items(), key=lambda item: item[1]))


def _alerts(conn: Connection, who: Names) -> Facts:
    out: Facts = {}
    codes = {}
    for row in conn.execute(select(schema.alerts).order_by(schema.alerts.c.id)):
        codes[row.id] = row.code
        owner = f" by {who.persons[row.owner_id]}" if row.owner_id else ""
        line = f"alert {row.code}, {who.children[row.child_id]}, {row.level}, {row.rule}"
        out["alert", row.id] = f"{line}: {row.state}{owner}"
    for row in conn.execute(select(schema.alert_events).order_by(schema.alert_events.c.id)):
        if row.kind.startswith("answers_"):
            out["noted", row.id] = f"alert {codes[row.alert_id]}: {row.kind.replace('_', ' ')}"
        if row.kind == "passed":
            out["passed", row.id] = (
                f"alert {codes[row.alert_id]}: {who.persons[row.actor_id]} passed it on"
            )
    return out


def _sending(conn: Connection, who: Names) -> Facts:
    out: Facts = {}
    for row in conn.execute(select(schema.outbox).order_by(schema.outbox.c.id)):
        if row.state in ("refused", "expired", "dead"):
            line = f"{row.message_class} to {who.addresses[row.address_id]} not sent: "
            out["unsent", row.id] = line + (row.error or row.state)
    for row in conn.execute(select(schema.timers).order_by(schema.timers.c.key)):
        if row.state == "skipped":
            number = f" {row.key[-1]}" if row.kind == "nudge" else ""
            out["timer", row.key] = f"{row.kind}{number} left out: {row.reason}"
    return out


@dataclass(slots=True)
class Ledger:
    """Remembers how each session began, which its stored value does not tell any more."""

    first: dict[str, Session] = field(default_factory=dict)

    def check(self, conn: Connection, world: World) -> None:
        """Every stored session survives JSON and equals the fold of its stored events.

        Raises:
            AssertionError: One does not.
        """
        lexicons = [world.library.lexicons[tag] for tag in world.library.offered]
        events = schema.events
        for row in conn.execute(select(schema.sessions)):
            text = world.vault.open(row.state, table="sessions", column="state", row=row.id)
            stored = from_json(text)
            assert from_json(to_json(stored)) == stored
            assert (stored.status, stored.rev) == (row.status, row.rev)
            questionnaire = world.library.questionnaire(row.version)
            first = self.first.setdefault(
                row.id,
                begin(
                    row.id,
                    questionnaire,
                    channel=stored.channel,
                    language=stored.language,
                    now=row.started_at,
                    context={n: stored.context[n] for n in questionnaire.context},
                ),
            )
            found = conn.execute(
                select(events).where(events.c.session_id == row.id).order_by(events.c.rev)
            )
            told = [
                (e.at, load_event(e.kind, _open(world, e.body, f"{row.id}:{e.rev}"))) for e in found
            ]
            assert fold(questionnaire, first, told, lexicons) == stored


def _open(world: World, body: bytes, row: str) -> str:
    return world.vault.open(body, table="events", column="body", row=row)
