"""Whatever shows or changes an identity leaves a row: every page and verb of the policy is tried.

A page or a verb that is new fails here until it says how it is reached, and leaves its row.
"""

import inspect
import re
from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import Connection, func, insert, select, update

from bot.dashboard import assisted, glass, inbox, request
from bot.dashboard.routes import find_pages
from bot.login import access, enrolling, sessions
from bot.policy import shipped
from bot.rights import correction, deciding, settling
from storage import schema
from storage.families import people
from storage.ids import new_id
from storage.schema import audit
from tests.bot.dashboard.house import OURS, TOKEN, House, log_in, post
from tests.town import ACCOUNTS

NUMBER = "+27820001111"

POLICY = shipped()
PAGES = find_pages()
QUIET = {
    ("static", "view"): "style sheets hold nothing",
    ("login", "view"): "an empty form",
    ("setup", "view"): "an empty form",
    ("setup", "open"): "opens a form with a one-time code; saving it is what changes something",
    ("home", "view"): "leads on, or says what the launch lacks",
    ("account", "view"): "her own role and sessions",
    ("step", "view"): "an empty form",
}
"""What shows nobody's identity to anybody else and changes nothing, with the reason."""

Fields = Mapping[str, str] | Callable[[House], Mapping[str, str]]


def the_task(house: House) -> Mapping[str, str]:
    return {"task": house.tasks["audited"]}


TRIED: Mapping[tuple[str, str], Fields] = {
    ("alerts", "view"): {},
    ("alert", "view"): {},
    ("alert", "accept"): {},
    ("alert", "pass_on"): {},
    ("alert", "close"): {"outcome": "confirmed", "reason": "Spoke to her teacher."},
    ("tasks", "view"): {},
    ("tasks", "show"): the_task,
    ("tasks", "done"): the_task,
    ("audit", "view"): {},
    ("audit", "csv"): {},
    ("looked", "view"): {},
    ("glass", "open"): lambda house: {
        "school": house.schools["Theirs"],
        "reason": "Her sister is in our school and has not come home.",
    },
    ("account", "end_others"): {},
    ("requests", "view"): {},
    ("requests", "add"): {"kind": "access", "address": NUMBER, "note": "She wrote a letter."},
    ("request", "view"): {},
    ("request", "identify"): {"how": "called_back"},
    ("request", "note"): {"note": "She asks for her own answers."},
    ("annexes", "view"): {},
    ("inbox", "view"): {},
    ("assisted", "view"): {},
}
"""What each is sent when it is tried on the real app."""
WRITERS: Mapping[tuple[str, str], Callable[..., object]] = {
    ("login", "enter"): access._admit,  # noqa: SLF001 - tried below, too
    ("login", "confirm"): access._admit,  # noqa: SLF001
    ("account", "sign_out"): sessions.Sessions._leave,  # noqa: SLF001 - tried below, too
    ("account", "end_one"): sessions.Sessions._leave,  # noqa: SLF001
    ("account", "password"): enrolling.Enrolment.change_password,
    ("account", "recovery"): enrolling.Enrolment.new_recovery,
    ("setup", "save"): enrolling.Enrolment._set,  # noqa: SLF001
    ("step", "prove"): access.Access.step_up,
    ("glass", "view"): glass._show,  # noqa: SLF001 - where there are reasons to read
    ("glass", "end"): glass.end,
    ("glass", "review"): glass.review,
    ("request", "decide"): deciding.decide,
    ("request", "confirm"): deciding.confirm,
    ("request", "informed"): deciding.informed,
    ("request", "correct"): correction._write_down,  # noqa: SLF001
    ("request", "dispute"): correction._write_down,  # noqa: SLF001
    ("request", "settle"): settling.settle,
    ("request", "build"): request.build,
    ("request", "download"): request.hand_out,
    ("annexes", "download"): request.hand_out,
    ("inbox", "show"): inbox.show,  # `test_inbox` comes to both
    ("inbox", "done"): inbox.done,
    ("assisted", "say"): assisted._enter,  # noqa: SLF001 - `test_assisted` comes to all three
    ("assisted", "skip"): assisted._enter,  # noqa: SLF001
    ("assisted", "back"): assisted._enter,  # noqa: SLF001
}
"""Verbs that need a long story to come to: the function that writes their row."""
WRITES = re.compile(r"audit\.record\(|(?<!add)_note\(|visit\.note\(|_audit\(|\brecord\(")


def shown() -> list[tuple[str, str]]:
    """Every page and verb that shows or changes something of somebody."""
    return sorted(pair for pair in POLICY.names("pages") if pair not in QUIET)


def test_every_verb_says_here_how_its_row_is_proved() -> None:
    lacking = set(shown()) - set(TRIED) - set(WRITERS)
    assert lacking == set(), "say in TRIED how each is reached, or in WRITERS what writes its row"


@pytest.mark.parametrize(("page", "verb"), sorted(WRITERS))
def test_its_writer_writes_a_row(page: str, verb: str) -> None:
    assert (page, verb) in POLICY.names("pages")
    assert WRITES.search(inspect.getsource(WRITERS[page, verb])), f"{page}.{verb}"


@pytest.mark.parametrize(("page", "verb"), sorted(TRIED))
async def test_it_leaves_a_row_with_who_did_it(house: House, page: str, verb: str) -> None:
    rule = POLICY.rule("pages", page, verb)
    assert rule.roles is not None, f"{page}.{verb} shows something to anyone"
    order = ("coordinator", "supervisor", "data_officer", "auditor")
    role = next(name for name in order if rule.allows(name))
    await house.database.write(lambda c: prepare(house, c, role, verb))
    browser = await house.signed_in(role)
    await house.database.write(
        lambda c: c.execute(update(schema.user_sessions).values(stepped_at=house.now))
    )
    path = PAGES[page].path.replace("{code}", OURS)
    before = await count(house, role)
    shown = await browser.get(path)
    looked = await count(house, role)
    assert shown.status_code == 200
    if verb == "view":
        assert looked > before, f"{page}.{verb} left no row"
        return
    fields = TRIED[page, verb]
    told = fields(house) if callable(fields) else fields
    token = TOKEN.search(shown.text)
    assert token is not None
    answer = await browser.post(f"{path}/{verb}", data={"token": token[1], **told})
    assert answer.status_code in (200, 303), f"{page}.{verb}: {answer.status_code} {answer.text}"
    assert "/step" not in answer.headers.get("location", "")
    assert await count(house, role) > looked, f"{page}.{verb} left no row"


def prepare(house: House, conn: Connection, role: str, verb: str) -> None:
    """A task with a number to show; a request; an alert she has, where it is to be closed."""
    row = conn.execute(select(schema.alerts).where(schema.alerts.c.code == OURS)).one()
    programme = conn.execute(select(schema.programmes.c.id)).scalar_one()
    person = people.add_person(
        conn,
        kind="teacher",
        programme_id=programme,
        school_id=row.school_id,
        now=house.now,
        vault=house.vault,
    )
    address = people.add_address(
        conn,
        person_id=person,
        channel="sms",
        account=ACCOUNTS["sms"],
        value=NUMBER,
        vault=house.vault,
        now=house.now,
    )
    task = new_id(house.now)
    conn.execute(
        insert(schema.tasks).values(
            id=task,
            key=f"t:{task}",
            kind="dead_letter",
            school_id=row.school_id,
            child_id=row.child_id,
            address_id=address,
            state="open",
            opened_at=house.now,
            due_at=house.now,
        )
    )
    house.tasks["audited"] = task
    there = select(schema.requests.c.id).where(schema.requests.c.id == OURS)
    if conn.execute(there).first() is None:
        house.ask_for_data(conn)
    if verb == "close":
        conn.execute(
            update(schema.alerts)
            .where(schema.alerts.c.id == row.id)
            .values(state="accepted", owner_id=house.users[role].person_id, accepted_at=house.now)
        )


async def count(house: House, role: str) -> int:
    """Rows of this user, or of the person she is."""
    user = house.users[role]
    mine = audit.c.actor_id.in_([user.id, user.person_id or user.id])
    return await house.database.read(
        lambda c: c.execute(select(func.count()).select_from(audit).where(mine)).scalar_one()
    )


def test_what_is_quiet_is_in_the_policy_and_shows_nothing() -> None:
    there = POLICY.names("pages")
    for page, verb in QUIET:
        assert (page, verb) in there, f"{page}.{verb} is no more: take it out of QUIET"
        assert POLICY.rule("pages", page, verb).shows == "nothing", f"{page}.{verb} shows something"


async def test_failed_logins_leave_a_row_without_the_login(house: House) -> None:
    known, unknown = house.browser(), house.browser()
    await log_in(house, known, "supervisor", password="wrong horse battery")  # noqa: S106
    await log_in(house, unknown, "nobody.at.all", code="123456")
    rows = await house.database.read(
        lambda c: c.execute(select(audit).where(audit.c.verb == "sign_in_failed")).all()
    )
    first, second = sorted(rows, key=lambda row: row.object_kind, reverse=True)
    assert (first.object_kind, first.object_id) == ("users", house.users["supervisor"].id)
    assert (second.object_kind, len(second.object_id)) == ("logins", 32)
    assert second.object_id == house.vault.blind("login", "nobody.at.all")
    assert "nobody" not in str(rows)


async def test_coming_in_and_going_out_leave_a_row(house: House) -> None:
    browser = house.browser()
    assert (await log_in(house, browser, "supervisor")).status_code == 303
    await post(browser, "/dashboard/account", "sign_out")
    verbs = [
        verb for verb, *_, actor in await house.audited() if actor == house.users["supervisor"].id
    ]
    # Both in the same millisecond of the house's clock.
    assert {verb for verb in verbs if verb.startswith("sign_")} == {"sign_in", "sign_out"}


async def test_a_page_that_is_not_for_her_role_leaves_a_row(house: House) -> None:
    browser = await house.signed_in("tech")
    assert (await browser.get("/dashboard/alerts")).status_code == 403
    refused = [row for row in await house.audited() if row[0] == "refused"]
    assert refused == [("refused", "alerts/view", None, house.users["tech"].id)]
