"""Signing in over the web: what gets in, what does not, and that nothing can be told apart."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from bot.dashboard.routes import routes
from bot.login.access import FAILURES, IDLE, LONGEST, WINDOW
from bot.login.enrolling import new_recovery
from tests.bot.dashboard.house import BASE, NUMBER, OURS, TOKEN, House, log_in, post

LOGIN = "/dashboard/login"
WRONG = "nine blue bicycles"


async def test_password_and_code_open_the_dashboard(house: House) -> None:
    browser = house.browser()

    answer = await log_in(house, browser, "coordinator")

    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    assert (await browser.get("/dashboard/alerts")).status_code == 200


async def test_the_session_cookie_is_bound_to_this_host_and_hidden_from_scripts(
    house: House,
) -> None:
    answer = await log_in(house, house.browser(), "coordinator")

    cookies = answer.headers.get_list("set-cookie")
    cookie = next(c for c in cookies if c.startswith("__Host-cwb="))
    assert {"httponly", "secure", "path=/", "samesite=lax"} <= {
        part.strip().lower() for part in cookie.split(";")
    }
    assert "domain" not in cookie.lower()


async def test_a_link_leads_back_to_its_page_after_login(house: House) -> None:
    browser = house.browser()
    page = f"/dashboard/alerts/{OURS}"

    sent_away = await browser.get(page)
    answer = await log_in(house, browser, "coordinator", where=page)

    assert sent_away.headers["location"] == f"{LOGIN}?next={page}"
    assert answer.headers["location"] == page


@pytest.mark.parametrize(
    "where", ["//evil.example", "https://evil.example", "/dashboard//evil", "/dashboard/\\evil", ""]
)
async def test_no_link_leads_elsewhere_after_login(house: House, where: str) -> None:
    answer = await log_in(house, house.browser(), "coordinator", where=where)

    assert answer.headers["location"] == "/dashboard"


@pytest.mark.parametrize(
    ("login", "password", "code"),
    [
        ("nobody", "seven green bicycles", "123456"),
        ("coordinator", "seven grey bicycles", None),
        ("coordinator", "seven green bicycles", "000000"),
        ("coordinator", "seven green bicycles", "not six digits"),
        ("", "", ""),
    ],
)
async def test_every_wrong_try_gets_the_same_answer(
    house: House, login: str, password: str, code: str | None
) -> None:
    browser = house.browser()
    typed = house.code("coordinator") if code is None else code

    answer = await log_in(house, browser, login, password=password, code=typed)

    assert answer.status_code == 401
    assert "Check login and password" in answer.text
    assert not password or password not in answer.text
    assert "__Host-cwb=" not in answer.headers["set-cookie"]


async def test_the_login_stays_in_the_form_after_a_wrong_try(house: House) -> None:
    answer = await log_in(house, house.browser(), "coordinator", password=WRONG)

    assert 'name="login" value="coordinator"' in answer.text


async def test_a_code_works_once(house: House) -> None:
    code = house.code("coordinator")
    first = await log_in(house, house.browser(), "coordinator", code=code)
    second = await log_in(house, house.browser(), "coordinator", code=code)

    assert (first.status_code, second.status_code) == (303, 401)


async def test_an_older_code_does_not_work_after_a_newer_one(house: House) -> None:
    old = house.code("coordinator")
    house.later(timedelta(seconds=30))
    newer = await log_in(house, house.browser(), "coordinator")
    older = await log_in(house, house.browser(), "coordinator", code=old)

    assert (newer.status_code, older.status_code) == (303, 401)


async def test_five_failures_close_the_door_even_for_the_right_password(house: House) -> None:
    for _ in range(FAILURES):
        await log_in(house, house.browser(), "coordinator", password=WRONG)

    answer = await log_in(house, house.browser(), "coordinator")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "900"
    house.later(WINDOW + timedelta(seconds=1))
    assert (await log_in(house, house.browser(), "coordinator")).status_code == 303


async def test_one_address_cannot_try_many_logins(house: House) -> None:
    for number in range(FAILURES):
        await log_in(house, house.browser(), f"nobody{number}", code="1")

    answer = await log_in(house, house.browser(), "supervisor")

    assert answer.status_code == 429


async def test_an_unknown_login_runs_out_of_tries_like_a_known_one(house: House) -> None:
    answers = []
    for login in ("nobody", "coordinator"):
        house.later(WINDOW * 2)
        codes = []
        for _ in range(FAILURES + 1):
            answer = await log_in(house, house.browser(), login, password=WRONG, code="1")
            codes.append(answer.status_code)
        answers.append(codes)

    assert answers[0] == answers[1] == [401] * FAILURES + [429]


async def test_an_idle_session_ends(house: House) -> None:
    browser = await house.signed_in("coordinator")
    house.later(IDLE - timedelta(seconds=1))
    assert (await browser.get("/dashboard/alerts")).status_code == 200
    house.later(IDLE + timedelta(seconds=1))

    answer = await browser.get("/dashboard/alerts")

    assert answer.headers["location"].startswith(LOGIN)


async def test_a_busy_session_ends_too(house: House) -> None:
    browser = await house.signed_in("coordinator")
    for _ in range(LONGEST // timedelta(minutes=15)):
        house.later(timedelta(minutes=15))
        assert (await browser.get("/dashboard/alerts")).status_code == 200
    house.later(timedelta(minutes=1))

    assert (await browser.get("/dashboard/alerts")).status_code == 303


async def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    browser = await house.signed_in("coordinator")
    token = browser.cookies["__Host-cwb"]

    answer = await post(browser, "/dashboard/account", "sign_out")

    assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    thief = house.browser()
    thief.cookies.set("__Host-cwb", token)
    assert (await thief.get("/dashboard/alerts")).status_code == 303


async def test_a_new_login_ends_the_session_it_came_with(house: House) -> None:
    browser = await house.signed_in("coordinator")
    old = browser.cookies["__Host-cwb"]
    shown = await browser.get("/dashboard/account")
    token = shown.text.split('name="token" value="')[1][:64]

    await browser.post(
        f"{LOGIN}/enter",
        data={
            "token": token,
            "login": "supervisor",
            "password": "seven green bicycles",
            "code": house.code("supervisor"),
        },
    )

    thief = house.browser()
    thief.cookies.set("__Host-cwb", old)
    assert (await thief.get("/dashboard/alerts")).status_code == 303


async def test_somebody_signed_in_does_not_see_the_login_form(house: House) -> None:
    browser = await house.signed_in("tech")

    assert (await browser.get(LOGIN)).headers["location"] == "/dashboard"
    assert (await browser.get("/dashboard")).headers["location"] == "/dashboard/account"


async def test_other_browsers_can_be_signed_out(house: House) -> None:
    here, there = await house.signed_in("tech"), await house.signed_in("tech")
    assert "Sign out everywhere else" in (await here.get("/dashboard/account")).text

    answer = await post(here, "/dashboard/account", "end_others")

    assert (await there.get("/dashboard/account")).status_code == 303
    assert "Nobody is signed in there now" in (await here.get(answer.headers["location"])).text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": BASE},
    ],
)
async def test_a_login_form_on_another_site_is_refused(
    house: House, headers: dict[str, str]
) -> None:
    browser = house.browser()
    browser.headers.update(headers)

    assert (await log_in(house, browser, "coordinator")).status_code == 403


@pytest.mark.parametrize("origin", [BASE, "null"])
async def test_our_own_origin_and_a_hidden_one_pass(house: House, origin: str) -> None:
    browser = house.browser()
    browser.headers["origin"] = origin

    assert (await log_in(house, browser, "coordinator")).status_code == 303


async def test_a_form_without_its_cookie_or_token_is_refused(house: House) -> None:
    fields = {"login": "coordinator", "password": "x", "code": "1", "token": "0" * 64}
    with_cookie = house.browser()
    await with_cookie.get(LOGIN)

    without = await house.browser().post(f"{LOGIN}/enter", data=fields)
    wrong = await with_cookie.post(f"{LOGIN}/enter", data=fields)
    none = await with_cookie.post(f"{LOGIN}/enter", data={})
    json = await with_cookie.post(f"{LOGIN}/enter", json=fields)

    assert {r.status_code for r in (without, wrong, none, json)} == {403}


async def test_a_huge_form_is_refused_unread(house: House) -> None:
    browser = house.browser()
    await browser.get(LOGIN)

    answer = await browser.post(f"{LOGIN}/enter", data={"login": "x" * 30_000})

    assert answer.status_code == 403


async def test_the_address_of_an_action_leads_back_to_its_page(house: House) -> None:
    answer = await house.browser().get(f"{LOGIN}/enter")

    assert (answer.status_code, answer.headers["location"]) == (303, LOGIN)


async def test_without_https_the_cookie_is_plain(house: House) -> None:
    house.base = "http://127.0.0.1:8000"
    house.open()
    browser = house.browser()

    answer = await log_in(house, browser, "coordinator")

    assert isinstance(answer, httpx.Response)
    assert "cwb" in browser.cookies
    assert not any("secure" in c.lower() for c in answer.headers.get_list("set-cookie"))


CHAT = {"login": "coordinator", "password": "seven green bicycles", "how": "chat"}


async def ask(browser: httpx.AsyncClient, **changes: str) -> tuple[httpx.Response, str]:
    """Sign in with a word by chat; the answer and the number it shows."""
    answer = await post(browser, LOGIN, "enter", **(CHAT | changes))
    found = NUMBER.search(answer.text)
    return answer, found[1] if found else ""


async def go_on(browser: httpx.AsyncClient, where: str = "") -> httpx.Response:
    """The button of the page that shows the number; its token is the login form's."""
    return await post(browser, LOGIN, "confirm", next=where)


async def test_a_word_by_chat_stands_in_for_the_code(house: House) -> None:
    browser = house.browser()
    answer, number = await ask(browser)
    early = await go_on(browser)
    await house.answers(number)
    done = await go_on(browser, "/dashboard/alerts")

    assert answer.status_code == 200
    assert "There is no reply yet" in early.text
    assert NUMBER.search(early.text)[1] == number  # type: ignore[index]
    assert (done.status_code, done.headers["location"]) == (303, "/dashboard/alerts")
    assert (await browser.get("/dashboard/alerts")).status_code == 200
    assert [person for person, _ in house.asked] == [house.users["coordinator"].person_id]


async def test_the_asking_browser_alone_goes_on(house: House) -> None:
    browser, thief = house.browser(), house.browser()
    answer, number = await ask(browser)
    await house.answers(number)

    assert (await go_on(thief)).status_code == 401
    cookies = answer.headers.get_list("set-cookie")
    cookie = next(c for c in cookies if c.startswith("__Host-cwb-ask="))
    assert {"httponly", "secure", "path=/"} <= {p.strip().lower() for p in cookie.split(";")}
    assert (await go_on(browser)).status_code == 303
    assert "__Host-cwb-ask" not in browser.cookies


async def test_another_number_or_ten_minutes_end_it(house: House) -> None:
    browser = house.browser()
    await ask(browser)
    await house.answers("0")
    refused = await go_on(browser)
    _, number = await ask(browser)
    await house.answers(number)
    house.later(timedelta(minutes=10))
    late = await go_on(browser)

    assert [refused.status_code, late.status_code] == [401, 401]
    assert "That sign-in is over" in refused.text


@pytest.mark.parametrize(
    "changes", [{"password": WRONG}, {"login": "nobody"}, {"login": "tech"}, {"password": ""}]
)
async def test_a_wrong_password_looks_the_same_and_asks_nobody(
    house: House, changes: dict[str, str]
) -> None:
    right, _ = await ask(house.browser())
    asked = len(house.asked)
    wrong, number = await ask(house.browser(), **changes)

    assert len(house.asked) == asked
    assert number

    def plain(answer: httpx.Response) -> str:
        return TOKEN.sub("", NUMBER.sub("", answer.text))

    assert (wrong.status_code, plain(wrong)) == (right.status_code, plain(right))
    names = [
        sorted(c.split("=")[0] for c in a.headers.get_list("set-cookie")) for a in (wrong, right)
    ]
    assert names[0] == names[1]


async def test_nobody_is_asked_more_than_a_few_times(house: House) -> None:
    for _ in range(FAILURES):
        await ask(house.browser())

    answer, number = await ask(house.browser())

    assert (answer.status_code, number) == (429, "")
    assert len(house.asked) == FAILURES


async def test_without_chat_the_page_offers_none(house: House) -> None:
    with_chat = await house.browser().get(LOGIN)
    house.app = Starlette(routes=routes(replace(house.deps(), ask=None)))
    without = await house.browser().get(LOGIN)
    answer = await post(house.browser(), LOGIN, "enter", **CHAT)

    assert "Ask me by chat" in with_chat.text
    assert "Ask me by chat" not in without.text
    assert answer.status_code == 401


async def test_a_recovery_code_signs_in_and_says_how_many_are_left(house: House) -> None:
    browser = house.browser()
    user = house.users["coordinator"]
    code, *_ = await house.database.write(lambda conn: new_recovery(conn, user.id, house.now))

    answer = await log_in(house, browser, "coordinator", code=code)
    account = await browser.get(answer.headers["location"])
    again = await log_in(house, house.browser(), "coordinator", code=code)

    assert answer.status_code == 303
    assert "You used a recovery code" in account.text
    assert "You have 9 recovery codes left" in account.text
    assert again.status_code == 401
