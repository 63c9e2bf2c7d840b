"""Setting an account up with a one-time code: what each code takes, and that it works once."""

import re
from datetime import timedelta

import httpx
import pyotp
import pytest
from sqlalchemy import select

from bot.login import user_codes
from bot.login.access import FAILURES
from bot.login.enrolling import CODE_LIFE, new_recovery
from storage.schema import audit
from storage.staff import users
from tests.bot.dashboard.house import PASSWORD, SECRETS, House, log_in, post

SETUP = "/dashboard/setup"
KEY = re.compile(r"<code>((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})</code>")
RECOVERY = re.compile(r"<li><code>([0-9A-Z-]{19})</code></li>")
NEW = "eleven tall giraffes"
WRONG = "nine blue bicycles"


async def opened(browser: httpx.AsyncClient, code: str) -> httpx.Response:
    return await post(browser, SETUP, "open", code=code)


async def save(browser: httpx.AsyncClient, code: str, **fields: str) -> httpx.Response:
    return await post(browser, SETUP, "save", code=code, **fields)


def app_code(house: House, page: httpx.Response) -> str:
    """What an authenticator shows that scanned the page's key."""
    key = KEY.search(page.text)
    assert key is not None
    return pyotp.TOTP(key[1].replace(" ", "")).at(house.now)


def secret_of(page: httpx.Response) -> str:
    key = KEY.search(page.text)
    assert key is not None
    return key[1].replace(" ", "")


async def coded(house: House, make: str, **named: object) -> str:
    """A code an operator hands out."""
    work = getattr(user_codes, make)
    made = await house.database.write(
        lambda conn: work(conn, vault=house.vault, now=house.now, **named)
    )
    return made if isinstance(made, str) else str(made.code)


async def invited(house: House) -> str:
    return await coded(house, "invite_user", login="thandi", role="coordinator", schools=["Ours"])


async def test_an_invited_user_sets_password_and_authenticator_and_signs_in(house: House) -> None:
    code, browser = await invited(house), house.browser()
    page = await opened(browser, code.lower())
    done = await save(
        browser, code, password=NEW, again=NEW, proof=app_code(house, page), login="someone.else"
    )
    secret = secret_of(page)

    assert 'value="thandi"' in page.text
    assert "data:image/svg+xml" in page.text
    assert len(set(RECOVERY.findall(done.text))) == 10
    same_code = pyotp.TOTP(secret).at(house.now)
    used = await log_in(house, browser, "thandi", password=NEW, code=same_code)
    house.later(timedelta(seconds=30))
    next_code = pyotp.TOTP(secret).at(house.now)
    entered = await log_in(house, browser, "thandi", password=NEW, code=next_code)
    assert (used.status_code, entered.status_code) == (401, 303)
    assert (await browser.get("/dashboard/alerts")).status_code == 200


async def test_before_that_nobody_signs_in(house: House) -> None:
    await invited(house)

    for password in ("", NEW):
        answer = await log_in(house, house.browser(), "thandi", password=password, code="000000")
        assert answer.status_code == 401


async def test_a_code_works_once_and_for_a_day(house: House) -> None:
    code, late, browser = await invited(house), "", house.browser()
    page = await opened(browser, code)
    await save(browser, code, password=NEW, again=NEW, proof=app_code(house, page))
    again = await opened(browser, code)
    saved_again = await save(browser, code, password=NEW, again=NEW, proof="1")

    assert again.status_code == 401
    assert "That code does not work" in again.text
    assert saved_again.status_code == 401
    late = await coded(house, "new_password", login="thandi")
    house.later(CODE_LIFE)
    assert (await opened(house.browser(), late)).status_code == 401


@pytest.mark.parametrize("typed", ["", "123456", "AAAA-AAAA-AAAA-AAAA", "' or 1=1 --"])
async def test_every_wrong_code_gets_the_same_answer(house: House, typed: str) -> None:
    answer = await opened(house.browser(), typed)

    assert answer.status_code == 401
    assert "That code does not work" in answer.text


async def test_guessing_codes_is_braked(house: House) -> None:
    code = await invited(house)
    for _ in range(FAILURES):
        await opened(house.browser(), "AAAA-AAAA-AAAA-AAAA")

    answer, saved = await opened(house.browser(), code), await save(house.browser(), code)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert saved.status_code == 429


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"password": "Password1234", "again": "Password1234"}, "among the first"),
        ({"password": "thandithandi", "again": "thandithandi"}, "among the first"),
        ({"again": "eleven small giraffes"}, "the two passwords differ"),
        ({"proof": "000000"}, "the code did not fit"),
        ({"proof": ""}, "the code did not fit"),
    ],
)
async def test_what_cannot_be_taken_says_why_and_uses_up_nothing(
    house: House, changes: dict[str, str], said: str
) -> None:
    code, browser = await invited(house), house.browser()
    page = await opened(browser, code)
    good = {"password": NEW, "again": NEW, "proof": app_code(house, page)}

    for _ in range(FAILURES + 1):  # mending a form is no guessing
        answer = await save(browser, code, **(good | changes))
        assert (answer.status_code, said in answer.text) == (422, True)
        assert secret_of(answer) == secret_of(page)
    assert "Your recovery codes" in (await save(browser, code, **good)).text


async def test_the_first_account_chooses_its_login(house: House) -> None:
    for role in list(house.users):
        await house.database.write(
            lambda conn, r=role: users.end(conn, user_id=house.users[r].id, now=house.now)
        )
    code, browser = await coded(house, "first_code"), house.browser()
    page = await opened(browser, code)
    fields = {"password": NEW, "again": NEW, "proof": app_code(house, page)}
    bad = await save(browser, code, login="No Good", **fields)
    taken = await save(browser, code, login="tech", **fields)
    done = await save(browser, code, login=" Admin@School ", **fields)

    assert "a login has 2 to 63" in bad.text
    assert "already such a login" in taken.text
    assert len(RECOVERY.findall(done.text)) == 10
    house.later(timedelta(seconds=30))
    answer = await log_in(
        house,
        browser,
        "admin@school",
        password=NEW,
        code=pyotp.TOTP(secret_of(page)).at(house.now),
    )
    assert answer.status_code == 303
    made = await house.database.read(lambda conn: users.by_login(conn, "admin@school"))
    assert made is not None
    assert (made.role, made.schools, made.waits_for) == ("tech", frozenset(), None)
    assert made.ends_at is not None


async def test_a_first_code_makes_no_second_account(house: House) -> None:
    for role in list(house.users):
        await house.database.write(
            lambda conn, r=role: users.end(conn, user_id=house.users[r].id, now=house.now)
        )
    code, browser = await coded(house, "first_code"), house.browser()
    page = await opened(browser, code)
    await invited(house)
    fields = {"password": NEW, "again": NEW, "proof": app_code(house, page)}

    await save(browser, code, login="admin", **fields)

    assert await house.database.read(lambda conn: users.by_login(conn, "admin")) is None


async def test_a_new_password_needs_the_authenticator(house: House) -> None:
    signed_in = await house.signed_in("supervisor")
    code, browser = await coded(house, "new_password", login="supervisor"), house.browser()
    page = await opened(browser, code)
    without = await save(browser, code, password=NEW, again=NEW, proof="000000")
    with_it = await save(browser, code, password=NEW, again=NEW, proof=house.code("supervisor"))

    assert KEY.search(page.text) is None
    assert (await signed_in.get("/dashboard/account")).status_code == 303
    assert "password or code did not fit" in without.text
    assert "Done" in with_it.text
    assert RECOVERY.findall(with_it.text) == []
    house.later(timedelta(minutes=1))
    old = await log_in(house, house.browser(), "supervisor")
    new = await log_in(house, house.browser(), "supervisor", password=NEW)
    assert (old.status_code, new.status_code) == (401, 303)


async def test_or_a_recovery_code_which_is_then_used(house: House) -> None:
    user = house.users["supervisor"]
    recovery, *_ = await house.database.write(lambda conn: new_recovery(conn, user.id, house.now))
    code, browser = await coded(house, "new_password", login="supervisor"), house.browser()

    done = await save(browser, code, password=NEW, again=NEW, proof=recovery)
    answer = await log_in(house, browser, "supervisor", password=NEW, code=recovery)

    assert "Done" in done.text
    assert answer.status_code == 401


async def test_guessing_the_authenticator_beside_a_code_is_braked(house: House) -> None:
    code, browser = await coded(house, "new_password", login="supervisor"), house.browser()
    answers = [
        await save(browser, code, password=NEW, again=NEW, proof="000000")
        for _ in range(FAILURES + 1)
    ]

    assert [a.status_code for a in answers[:FAILURES]].count(422) >= FAILURES - 1
    assert answers[-1].status_code == 429
    right = await save(browser, code, password=NEW, again=NEW, proof=house.code("supervisor"))
    assert right.status_code == 429


async def test_a_new_authenticator_needs_the_password_and_brings_new_recovery_codes(
    house: House,
) -> None:
    code, browser = await coded(house, "new_authenticator", login="supervisor"), house.browser()
    page = await opened(browser, code)
    wrong = await save(browser, code, password=WRONG, proof=app_code(house, page))
    before = await log_in(house, house.browser(), "supervisor")
    right = await save(browser, code, password=PASSWORD, proof=app_code(house, page))

    assert 'name="again"' not in page.text
    assert "password or code did not fit" in wrong.text
    assert before.status_code == 401  # the lost phone's codes are void from the start
    assert len(RECOVERY.findall(right.text)) == 10
    house.later(timedelta(minutes=1))
    assert SECRETS["supervisor"] != secret_of(page)
    old = await log_in(house, house.browser(), "supervisor")
    new = await log_in(
        house,
        house.browser(),
        "supervisor",
        code=pyotp.TOTP(secret_of(page)).at(house.now),
    )
    assert (old.status_code, new.status_code) == (401, 303)


async def test_a_code_of_an_account_that_ended_opens_nothing(house: House) -> None:
    code = await coded(house, "new_password", login="supervisor")
    user = house.users["supervisor"]
    await house.database.write(lambda conn: users.end(conn, user_id=user.id, now=house.now))

    assert (await opened(house.browser(), code)).status_code == 401


async def test_a_recovery_code_is_no_set_up_code(house: House) -> None:
    user = house.users["supervisor"]
    recovery, *_ = await house.database.write(lambda conn: new_recovery(conn, user.id, house.now))

    assert (await opened(house.browser(), recovery)).status_code == 401


async def test_it_is_written_down(house: House) -> None:
    code, browser = await invited(house), house.browser()
    page = await opened(browser, code)
    await save(browser, code, password=NEW, again=NEW, proof=app_code(house, page))

    verbs = await house.database.read(
        lambda conn: set(conn.execute(select(audit.c.verb)).scalars())
    )
    assert {"code_invite", "set_up_invite"} <= verbs
