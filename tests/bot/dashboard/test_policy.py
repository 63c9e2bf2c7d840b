"""The policy as data: what it refuses, and that every page in every role does what it says."""

import pytest

from bot.dashboard.looks import FOLDER
from bot.dashboard.policy import PolicyError, check_policy, read_policy
from bot.dashboard.routes import find_pages, verbs_of
from bot.users import ROLES
from tests.bot.dashboard.house import OURS, THEIRS, House, post

POLICY = read_policy((FOLDER / "policy.yaml").read_text(encoding="utf-8"))
PAGES = find_pages()
EVERY_PAGE = sorted(PAGES)
ACTIONS = sorted((name, verb) for name, page in PAGES.items() for verb in page.actions)
FOREIGN = [name for name, page in PAGES.items() if "{code}" in page.path]


def path_of(page: str, code: str = OURS) -> str:
    return PAGES[page].path.replace("{code}", code)


def test_the_roles_are_those_that_users_can_have() -> None:
    assert set(POLICY.roles) == set(ROLES)


def test_every_page_and_verb_has_a_rule() -> None:
    check_policy(POLICY, verbs_of(PAGES))

    assert len(verbs_of(PAGES)) == len(POLICY.rules)


def test_a_page_without_a_rule_refuses_to_start() -> None:
    with pytest.raises(PolicyError, match=r"export\.view is missing"):
        check_policy(POLICY, [*verbs_of(PAGES), ("export", "view")])


def test_a_rule_without_a_page_refuses_to_start() -> None:
    with pytest.raises(PolicyError, match=r"static\.view, which no page has"):
        check_policy(POLICY, [pair for pair in verbs_of(PAGES) if pair[0] != "static"])


@pytest.mark.parametrize(
    ("pages", "fault"),
    [
        ("{a: {scope: school, verbs: {view: anyone}}}", "shows a school to anyone"),
        ("{a: {scope: none, verbs: {view: [boss]}}}", "unknown roles"),
        ("{a: {scope: all, verbs: {view: [tech]}}}", "scope"),
        ("{a: {verbs: {view: [tech]}}}", "scope"),
        ("[", "policy.yaml"),
    ],
)
def test_a_faulty_policy_is_refused(pages: str, fault: str) -> None:
    with pytest.raises(PolicyError, match=fault):
        read_policy(f"roles: {{tech: x}}\npages: {pages}")


def test_no_rule_that_shows_a_child_lets_tech_in() -> None:
    childrens = [rule for rule in POLICY.rules.values() if rule.bounds == "school"]

    assert childrens
    assert not any(rule.allows("tech") for rule in childrens)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", EVERY_PAGE)
async def test_each_page_opens_for_the_roles_of_its_rule_only(
    house: House, page: str, role: str
) -> None:
    browser = await house.signed_in(role)

    answer = await browser.get(path_of(page))

    allowed = POLICY.rules[page, "view"].allows(role)
    assert answer.status_code in ((200, 303) if allowed else (403,))
    if not allowed:
        assert OURS not in answer.text


@pytest.mark.parametrize("page", EVERY_PAGE)
async def test_each_page_asks_a_stranger_to_sign_in(house: House, page: str) -> None:
    answer = await house.browser().get(path_of(page))

    if POLICY.rules[page, "view"].roles is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/dashboard/login")


@pytest.mark.parametrize(("page", "verb"), ACTIONS)
async def test_each_action_needs_a_session(house: House, page: str, verb: str) -> None:
    answer = await house.browser().post(f"{path_of(page)}/{verb}", data={"token": "0" * 64})

    anyone = POLICY.rules[page, verb].roles is None
    assert answer.status_code == (403 if anyone else 303)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("page", "verb"), ACTIONS)
async def test_each_action_needs_the_token_of_its_session(
    house: House, page: str, verb: str, role: str
) -> None:
    mine, other = await house.signed_in(role), await house.signed_in(role)
    foreign = (await other.get("/dashboard/account")).text.split('name="token" value="')[1][:64]

    for data in ({"token": foreign}, {"token": ""}, {}):
        answer = await mine.post(f"{path_of(page)}/{verb}", data=data)
        assert answer.status_code == 403


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("page", "verb"), ACTIONS)
async def test_each_action_is_refused_to_other_roles(
    house: House, page: str, verb: str, role: str
) -> None:
    browser = await house.signed_in(role)
    token = (await browser.get("/dashboard/account")).text.split('name="token" value="')[1][:64]

    answer = await browser.post(f"{path_of(page)}/{verb}", data={"token": token})

    if not POLICY.rules[page, verb].allows(role):
        assert (answer.status_code, "Not for your role" in answer.text) == (403, True)
    else:
        # 404: the task that the form does not name is not found; 401: no password was sent.
        assert answer.status_code in (303, 401, 404, 422)
        assert "Not for your role" not in answer.text


@pytest.mark.parametrize("role", [role for role in ROLES if role != "tech"])
@pytest.mark.parametrize("page", FOREIGN)
async def test_another_schools_object_does_not_exist(house: House, page: str, role: str) -> None:
    browser = await house.signed_in(role)

    foreign = await browser.get(path_of(page, THEIRS))
    invented = await browser.get(path_of(page, "ZZZZZZ"))

    assert foreign.status_code == invented.status_code == 404
    assert foreign.text == invented.text


@pytest.mark.parametrize("verb", [verb for page, verb in ACTIONS if page == "alert"])
async def test_another_schools_alert_cannot_be_acted_on(house: House, verb: str) -> None:
    browser = await house.signed_in("coordinator")
    token = (await browser.get("/dashboard/account")).text.split('name="token" value="')[1][:64]
    before = await house.audited()

    answer = await browser.post(
        f"{path_of('alert', THEIRS)}/{verb}",
        data={"token": token, "outcome": "confirmed", "reason": "because"},
    )

    assert answer.status_code == 404
    assert await house.audited() == before


async def test_a_school_taken_away_takes_its_alerts_away(house: House) -> None:
    browser = await house.signed_in("coordinator")
    listed = await browser.get("/dashboard/alerts")

    assert OURS in listed.text
    assert THEIRS not in listed.text


async def test_tech_has_no_menu_entry_with_children(house: House) -> None:
    browser = await house.signed_in("tech")

    page = await browser.get("/dashboard/account")

    assert "/dashboard/alerts" not in page.text


async def test_an_action_changes_nothing_for_a_role_that_may_not(house: House) -> None:
    browser = await house.signed_in("tech")
    token = (await browser.get("/dashboard/account")).text.split('name="token" value="')[1][:64]

    await browser.post(f"{path_of('alert')}/accept", data={"token": token})

    other = await house.signed_in("coordinator")
    assert "nobody yet" in (await other.get(path_of("alert"))).text
    assert (await post(other, path_of("alert"), "accept")).headers["location"].endswith("done")
