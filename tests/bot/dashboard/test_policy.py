"""The policy on the real app: role x page x verb x {own, other, opened, erased, invented} thing.

Everything here is made from the policy and from the pages there are: a new page needs a row in the
table, and a page about one thing needs to say here how such a thing is named.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Connection, func, insert, select
from starlette.routing import Route

from bot.dashboard.looks import FOLDER
from bot.dashboard.routes import LOGIN, find_exports, find_pages, verbs_of
from bot.login.users import ROLES, TEAM
from bot.policy import PolicyError, check_policy, shipped
from storage import schema
from storage.ids import new_id
from storage.trail import glass
from tests.bot.dashboard.house import ERASED, OPENED, OURS, THEIRS, House, post, token_of

POLICY = shipped()
PAGES = find_pages()
EVERY_PAGE = sorted(PAGES)
ACTIONS = sorted((name, verb) for name, page in PAGES.items() for verb in page.actions)
WHERE = {"own": OURS, "other": THEIRS, "opened": OPENED, "erased": ERASED, "invented": "ZZZZZZ"}

Named = tuple[str, Mapping[str, str]]
"""How a thing is named in a request: its path, and fields of the form."""


def of_alert(house: House, where: str) -> Named:
    return f"/dashboard/alerts/{WHERE[where]}", {"outcome": "confirmed", "reason": "because"}


def of_task(house: House, where: str) -> Named:
    return "/dashboard/tasks", {"task": house.tasks.get(where, "0" * 32)}


def of_letter(house: House, where: str) -> Named:
    return "/dashboard/inbox", {"task": house.letters.get(where, "0" * 32)}


def of_request(house: House, where: str) -> Named:
    """A data officer's reach is every school, so nothing that is there is foreign to her."""
    return f"/dashboard/requests/{OURS if where == 'own' else WHERE['invented']}", {}


def of_helped(house: House, where: str) -> Named:
    return "/dashboard/assisted", {"task": house.tasks.get(f"call:{where}", "0" * 32)}


THINGS: Mapping[str, Callable[[House, str], Named]] = {
    "alert": of_alert,
    "assisted": of_helped,
    "inbox": of_letter,
    "request": of_request,
    "tasks": of_task,
}
"""Pages whose verbs are done to one thing."""
NO_THING = {
    *("account", "home", "login", "setup", "step"),
    *("alerts", "annexes", "audit", "glass", "looked", "requests"),
}
"""Pages about the reader herself, or lists; `test_glass` has the rules of glass."""


NEEDS_A_PERSON = {("request", "build"), ("request", "download")}
"""Verbs that find nothing on this house's request, which names nobody; `test_request` has them."""


def path_of(page: str, code: str = OURS) -> str:
    return PAGES[page].path.replace("{code}", code)


def add_tasks(house: House, conn: Connection) -> None:
    """A task about the child of every alert, so one for each kind of place."""
    for where, code in WHERE.items():
        if code not in house.alerts:
            continue
        row = conn.execute(select(schema.alerts).where(schema.alerts.c.code == code)).one()
        for name, kind in ((where, "poison"), (f"call:{where}", "call_me")):
            task = new_id(house.now)
            conn.execute(
                insert(schema.tasks).values(
                    id=task,
                    key=f"t:{task}",
                    kind=kind,
                    school_id=row.school_id,
                    child_id=row.child_id,
                    state="open",
                    opened_at=house.now,
                    due_at=house.now + timedelta(days=1),
                )
            )
            house.tasks[name] = task
        house.letters[where] = add_letter(house, conn, row.school_id, row.child_id)


def add_letter(house: House, conn: Connection, school_id: str, child_id: str) -> str:
    """A task for a message that waits in the inbox; gives the task's id."""
    address, task = new_id(house.now), new_id(house.now)
    conn.execute(
        insert(schema.addresses).values(
            id=address,
            channel="sms",
            account="+27600000000",
            blind=address,
            value=b"sealed",
            language="en",
            created_at=house.now,
        )
    )
    conn.execute(
        insert(schema.tasks).values(
            id=task,
            key=f"inbox:{task}",
            kind="inbox",
            school_id=school_id,
            child_id=child_id,
            address_id=address,
            state="open",
            opened_at=house.now,
            due_at=house.now + timedelta(days=2),
        )
    )
    return task


def break_open(house: House, conn: Connection, role: str) -> None:
    made = new_id(house.now)
    assert glass.open_school(
        conn,
        id=made,
        code=f"G{made[-8:]}",
        user_id=house.users[role].id,
        school_id=house.schools["Opened"],
        reason=house.vault.seal("x", table="break_glass", column="reason", row=made),
        now=house.now,
        ends_at=house.now + timedelta(minutes=60),
    )


def test_every_page_and_verb_has_a_rule() -> None:
    check_policy(POLICY, "pages", verbs_of(PAGES))

    assert set(verbs_of(PAGES)) == POLICY.names("pages")


def test_a_page_without_a_rule_refuses_to_start() -> None:
    with pytest.raises(PolicyError, match=r"export\.view is missing"):
        check_policy(POLICY, "pages", [*verbs_of(PAGES), ("export", "view")])


def test_whatever_hands_out_a_file_names_its_kind_and_each_kind_has_a_rule() -> None:
    check_policy(POLICY, "exports", [(name, "download") for name in find_exports()])
    modules = [p for p in FOLDER.glob("*.py") if "Content-Disposition" in p.read_text("utf-8")]

    assert modules
    for path in modules:
        text = path.read_text("utf-8")
        assert "EXPORTS = " in text, path.name
        assert ".may_export(" in text, path.name


def test_every_page_says_here_whose_things_it_shows() -> None:
    assert set(PAGES) <= set(THINGS) | NO_THING
    assert {name for name in PAGES if "{" in PAGES[name].path} <= set(THINGS)


async def test_every_route_of_the_app_is_a_page_of_the_policy(house: House) -> None:
    known = {page.path for page in PAGES.values()}
    known |= {f"{PAGES[name].path}/{verb}" for name, verb in ACTIONS}
    loose = {"/", "/static/{name}", "/dashboard/{rest:path}"}

    assert {route.path for route in house.routes if isinstance(route, Route)} == known | loose


async def test_pages_and_actions_ask_a_stranger_to_sign_in(house: House) -> None:
    browser = house.browser()
    for page in EVERY_PAGE:
        answer = await browser.get(path_of(page))
        anyone = POLICY.rule("pages", page, "view").roles is None
        assert answer.status_code == (200 if anyone else 303), page
        assert anyone or answer.headers["location"].startswith(LOGIN), page
    for page, verb in ACTIONS:
        answer = await browser.post(f"{path_of(page)}/{verb}", data={"token": "0" * 64})
        anyone = POLICY.rule("pages", page, verb).roles is None
        assert answer.status_code == (403 if anyone else 303), f"{page}.{verb}"


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_gets_the_pages_and_actions_of_its_rows_only(house: House, role: str) -> None:
    browser = await house.signed_in(role)
    token = await token_of(browser)
    for page in EVERY_PAGE:
        answer = await browser.get(path_of(page))
        allowed = POLICY.rule("pages", page, "view").allows(role)
        assert answer.status_code in ((200, 303) if allowed else (403,)), page
        assert allowed or OURS not in answer.text, page
    for page, verb in ACTIONS:
        if (page, verb) in (("account", "sign_out"), ("login", "enter")):
            continue  # they end this session
        answer = await browser.post(f"{path_of(page)}/{verb}", data={"token": token})
        allowed = POLICY.rule("pages", page, verb).allows(role)
        refused = (answer.status_code, "Not for your role" in answer.text) == (403, True)
        assert refused != allowed, f"{page}.{verb}"


@pytest.mark.parametrize("role", ROLES)
async def test_each_action_needs_the_token_of_its_session(house: House, role: str) -> None:
    mine, other = await house.signed_in(role), await house.signed_in(role)
    foreign = await token_of(other)
    for page, verb in ACTIONS:
        for data in ({"token": foreign}, {"token": ""}, {}):
            answer = await mine.post(f"{path_of(page)}/{verb}", data=data)
            assert answer.status_code == 403, f"{page}.{verb}"


async def try_it(
    browser: httpx.AsyncClient, row: tuple[str, str], named: Named, token: str
) -> httpx.Response:
    (_, verb), (path, fields) = row, named
    if verb == "view":
        return await browser.get(path)
    return await browser.post(f"{path}/{verb}", data={"token": token, **fields})


@pytest.mark.parametrize("role", ROLES)
async def test_a_things_place_decides(house: House, role: str) -> None:
    """Foreign and erased things answer 404, byte for byte as invented ones do, and stay as is."""
    if role in TEAM:
        await house.database.write(lambda conn: break_open(house, conn, role))
    browser = await house.signed_in(role)
    token = await token_of(browser)
    verbs = [(page, verb) for page, verb in sorted(POLICY.names("pages")) if page in THINGS]
    for page, verb in verbs:
        if verb == "view" and "{" not in PAGES[page].path:
            continue  # a list: what stands in it is tested below
        await house.database.write(lambda conn: add_tasks(house, conn))
        rule, place = POLICY.rule("pages", page, verb), f"{page}.{verb}"
        missing = await try_it(browser, (page, verb), THINGS[page](house, "invented"), token)
        assert missing.status_code == (404 if rule.allows(role) else 403), place
        for where in ("other", "erased"):
            before = await kept(house)
            answer = await try_it(browser, (page, verb), THINGS[page](house, where), token)
            assert (answer.status_code, answer.text) == (missing.status_code, missing.text), place
            assert await kept(house) == before, f"{place} of {where} left a trace"
        for where in ("own", "opened"):
            answer = await try_it(browser, (page, verb), THINGS[page](house, where), token)
            found = rule.allows(role) and (where == "own" or rule.other == "break_glass")
            wanted = (200, 303, 422) if found else (missing.status_code,)
            wanted += (404,) if (page, verb) in NEEDS_A_PERSON else ()
            assert answer.status_code in wanted, f"{place} of {where}: {answer.status_code}"


async def kept(house: House) -> tuple[object, ...]:
    """What a request could have changed: alerts, tasks, how much was written down.

    That a role was refused is written down too, with no thing in it; it shows nothing to anybody.
    """
    return await house.database.read(
        lambda conn: (
            conn.execute(
                select(schema.alerts.c.state, schema.alerts.c.owner_id).order_by(schema.alerts.c.id)
            ).all(),
            conn.execute(select(schema.tasks.c.state).order_by(schema.tasks.c.id)).all(),
            conn.execute(
                select(func.count())
                .select_from(schema.audit)
                .where(schema.audit.c.verb != "refused")
            ).scalar(),
        )
    )


@pytest.mark.parametrize("role", TEAM)
async def test_lists_hold_own_things_and_opened_ones(house: House, role: str) -> None:
    await house.database.write(lambda conn: add_tasks(house, conn))
    browser = await house.signed_in(role)

    alerts = (await browser.get("/dashboard/alerts")).text
    tasks = (await browser.get("/dashboard/tasks")).text
    letters = (await browser.get("/dashboard/inbox")).text
    await house.database.write(lambda conn: break_open(house, conn, role))
    more = (await browser.get("/dashboard/alerts")).text

    assert [code in alerts for code in (OURS, THEIRS, OPENED, ERASED)] == [True, *[False] * 3]
    assert [code in more for code in (OURS, THEIRS, OPENED, ERASED)] == [True, False, True, False]
    for where in ("own", "other", "opened", "erased"):
        assert (house.tasks[where] in tasks) == (where == "own")
        assert (house.letters[where] in letters) == (where == "own")


async def test_tech_has_no_menu_entry_with_children(house: House) -> None:
    browser = await house.signed_in("tech")

    page = await browser.get("/dashboard/account")

    assert "/dashboard/alerts" not in page.text


async def test_an_action_changes_nothing_for_a_role_that_may_not(house: House) -> None:
    browser = await house.signed_in("tech")

    await browser.post(f"{path_of('alert')}/accept", data={"token": await token_of(browser)})

    other = await house.signed_in("coordinator")
    assert "nobody yet" in (await other.get(path_of("alert"))).text
    assert (await post(other, path_of("alert"), "accept")).headers["location"].endswith("done")
