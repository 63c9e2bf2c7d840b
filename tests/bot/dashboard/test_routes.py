"""Headers on every answer, static files, sizes, and that pages need nothing from elsewhere."""

import re

import pytest
from starlette.routing import Route

from bot.dashboard.looks import FOLDER, templates
from bot.dashboard.routes import find_pages, static_url
from bot.dashboard.words import WORDS
from tests.bot.dashboard.house import OURS, House

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}
FULL_PAGE_BYTES = 100_000


def address(route: Route) -> str:
    path = route.path.replace("{code}", OURS).replace("{rest:path}", "nowhere/at/all")
    return path.replace("{name}", "style.css")


async def test_every_route_answers_with_every_header(house: House) -> None:
    assert len(house.routes) > 8
    for role in (None, "coordinator"):
        browser = await house.signed_in(role) if role else house.browser()
        for route in house.routes:
            for method in sorted((route.methods or set()) - {"HEAD"}):
                answer = await browser.request(method, address(route))
                found = {name: answer.headers.get(name) for name in HEADERS}
                assert found == HEADERS, f"{method} {route.path}"


async def test_only_static_files_may_be_kept_by_browsers(house: House) -> None:
    browser = await house.signed_in("coordinator")
    for route in house.routes:
        answer = await browser.get(address(route))
        kept = answer.headers["cache-control"]
        assert kept == ("max-age=86400" if route.name == "static" else "no-store"), route.path


async def test_without_https_browsers_are_not_told_to_stay_on_it(house: House) -> None:
    house.base = "http://127.0.0.1:8000"
    house.open()

    answer = await house.browser().get("/dashboard/login")

    assert "strict-transport-security" not in answer.headers


async def test_the_front_door_of_a_live_site_is_the_dashboard(house: House) -> None:
    answer = await house.browser().get("/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


async def test_an_unknown_page_is_not_found(house: House) -> None:
    answer = await house.browser().get("/dashboard/../../etc/passwd")

    assert answer.status_code == 404


async def test_static_files_are_named_ones_only(house: House) -> None:
    browser = house.browser()
    style = await browser.get("/static/style.css")

    assert style.headers["content-type"].startswith("text/css")
    assert (await browser.get("/static/policy.yaml")).status_code == 404
    assert (await browser.get("/static/..%2Fpolicy.yaml")).status_code == 404


async def test_pages_load_nothing_from_elsewhere_and_run_no_script(house: House) -> None:
    browser = await house.signed_in("coordinator")
    for name, page in find_pages().items():
        text = (await browser.get(address(Route(page.path, lambda _: None)))).text
        assert "<script" not in text, name
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text), name
        assert not re.search(r"\sstyle=|\son\w+=", text), name
        assert len(text) < FULL_PAGE_BYTES, name


def test_a_style_sheets_address_changes_with_its_content() -> None:
    assert re.fullmatch(r"/static/style\.css\?v=[0-9a-f]{8}", static_url("style.css"))
    assert static_url("style.css")[-8:] != static_url("demo.css")[-8:]


def test_the_folder_scan_finds_the_pages_and_only_pages() -> None:
    found = find_pages()

    assert {"account", "alert", "alerts", "home", "login"} <= set(found)
    assert not {"explain", "guard", "looks", "page", "people", "policy", "routes"} & set(found)
    assert {page.title for page in found.values()} <= set(WORDS)
    for name in set(found) - {"home"}:
        assert templates().get_template(f"{name}.html") is not None


@pytest.mark.parametrize("name", sorted(p.name for p in FOLDER.glob("*.html")))
def test_templates_say_only_words_that_exist(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")

    keys = re.findall(r"""\bt\(["']([a-z_.]+)["'][,)]""", text)
    assert [key for key in keys if key not in WORDS] == []


def test_every_word_is_said_somewhere() -> None:
    files = [*FOLDER.glob("*.html"), *FOLDER.glob("*.py")]
    text = "".join(p.read_text(encoding="utf-8") for p in files if not p.stem.startswith("words"))
    begun = set(re.findall(r"""["']([a-z_.]+\.)(?:["']|\{)""", text))

    silent = [key for key in WORDS if f'"{key}"' not in text.replace("'", '"')]
    assert [key for key in silent if not any(key.startswith(b) for b in begun)] == []
