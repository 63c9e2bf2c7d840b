"""The demo in a real browser, by somebody who knows nothing but what the page shows."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rigs.serving import ROOT, wait_for

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
expect = playwright.expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_ACTIONS = 40
WORRYING = "No, no food today"
CHEERFUL = ("Every day", "Never", "Yes")
ANSWERS = ("No days", WORRYING)


@dataclass(slots=True, kw_only=True)
class Reader:
    """Somebody at the page. Everything she does to it counts as an action."""

    page: "playwright.Page"
    actions: int = 0

    def phone(self, whose: str) -> "playwright.Locator":
        return self.page.get_by_role("region", name=whose, exact=True)

    def said(self, whose: str) -> list[str]:
        """What the bot said on a phone, oldest first."""
        return self.phone(whose).locator(".theirs .said").all_inner_texts()

    def says(self, whose: str, text: str) -> None:
        phone = self.phone(whose)
        mine = phone.locator(".mine")
        before = mine.count()
        send = phone.get_by_role("button", name="Send", exact=True)
        phone.get_by_role("textbox").fill(text)
        send.click()
        self.actions += 2
        expect(mine).to_have_count(before + 1)
        expect(send).to_be_enabled()  # with the reply

    def taps(self, whose: str, button: str, *, under: str) -> None:
        message = self.phone(whose).get_by_role("listitem").filter(has_text=under)
        message.get_by_role("button", name=button, exact=True).click()
        self.actions += 1


def answer(text: str) -> str:
    """A reply to a question as it stands on the phone: the numbers of the answers it offers."""
    questions = re.findall(r"^[a-f]\) (.+)$", text, re.MULTILINE)
    shared = re.findall(r"(?:^| )(\d) (.+?)(?= \d |$)", text.splitlines()[-1])
    if not questions:
        listed = re.findall(r"^(\d) (.+)$", text, re.MULTILINE)
        assert listed, f"nothing on the phone says how to answer: {text!r}"
        return _pick(text, listed)
    replies = []
    for question in questions:
        own = re.findall(r" (\d) (.+?)(?= \d |$)", question)
        replies.append(_pick(question, own or shared))
    return " ".join(replies)


def _pick(question: str, options: list[tuple[str, str]]) -> str:
    """She has not eaten; everything else is well."""
    wanted = ANSWERS if "eat" in question and "supper" not in question else CHEERFUL
    return next((digit for label in wanted for digit, own in options if own == label), "1")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a demo listens that `main.py run` started, with an empty folder and no settings."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "TMPDIR"}}
    env = {**kept, "DEMO": "1", "DATA_DIR": str(tmp_path / "data"), "PORT": str(port)}
    log = tmp_path / "stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own front door
            [sys.executable, str(ROOT / "main.py"), "run"], cwd=tmp_path, env=env, stderr=stderr
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_for(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def browser() -> "Iterator[playwright.Browser]":
    """Debian's Chromium, or whichever is on the path."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install the package `chromium`")
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_worrying_answer_reaches_the_coordinator_and_she_sees_why(
    address: str, browser: "playwright.Browser", script: bool
) -> None:
    context = browser.new_context(java_script_enabled=script)
    reader = Reader(page=context.new_page())
    page = reader.page
    page.goto(address)
    join = page.locator("kbd", has_text="JOIN").first.inner_text()

    reader.says("Caregiver", join)
    worried = False
    while "That was all" not in (heard := reader.said("Caregiver")[-1]):
        assert reader.actions < MOST_ACTIONS, "it takes too long"
        reader.says("Caregiver", answer(heard))
        if not worried and WORRYING in heard:
            worried = True
            coordinator = reader.phone("Coordinator")
            expect(coordinator.get_by_text("urgent item")).to_be_visible(timeout=3_000)
    assert worried, "the question about food today was not asked"
    assert reader.actions <= MOST_ACTIONS

    alerts = reader.said("Coordinator")
    code = re.search(r"urgent item (\w+)", alerts[0])
    assert code is not None
    for alert in alerts:
        assert not re.search("food|eat|hungry|nutrition|child|learner", alert, re.IGNORECASE)

    reader.taps("Coordinator", "Accept", under=code[1])
    taken = reader.phone("Coordinator").get_by_text("it is yours now")
    expect(taken).to_be_visible(timeout=3_000)
    assert code[1] in taken.inner_text()

    _sign_in(page)
    page.get_by_role("link", name=code[1], exact=True).click()
    why = page.get_by_role("region", name="Why", exact=False).first
    expect(why).to_contain_text("Did your child eat today?")
    expect(page.get_by_role("main")).to_contain_text("Nutrition")
    expect(page.get_by_role("main")).to_contain_text("Accepted")
    context.close()


def _sign_in(page: "playwright.Page") -> None:
    """With the login, the password and the code of the moment that stand on the demo's page."""
    facts = {
        name: page.locator("dt", has_text=name).locator("xpath=../dd").inner_text()
        for name in ("Login", "Password", "Code now")
    }
    page.get_by_role("link", name="Sign in to the dashboard").click()
    for label, fact in (("login", "Login"), ("password", "Password"), ("code", "Code now")):
        page.locator(f"#{label}").fill(facts[fact])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("navigation").first).to_be_visible()


def test_nothing_is_wider_than_a_small_phone(address: str, browser: "playwright.Browser") -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640})
    reader = Reader(page=context.new_page())
    page = reader.page
    page.goto(address)
    reader.says("Caregiver", "what is this? " * 11)
    expect(reader.phone("Caregiver").locator(".theirs")).to_have_count(1)
    assert _overflow(page) == 0, "the demo page"
    reader.says("Caregiver", page.locator("kbd", has_text="JOIN").first.inner_text())
    while not reader.said("Coordinator"):
        assert reader.actions < MOST_ACTIONS
        reader.says("Caregiver", answer(reader.said("Caregiver")[-1]))
    assert _overflow(page) == 0, "the demo page with a conversation"
    page.get_by_role("link", name="Sign in to the dashboard").click()
    assert _overflow(page) == 0, "signing in"
    page.goto(address)
    _sign_in(page)
    assert _overflow(page) == 0, "the alerts"
    page.get_by_role("main").locator("a[href*='/dashboard/alerts/']").first.click()
    expect(page.get_by_role("main")).to_contain_text("Did your child eat today?")
    assert _overflow(page) == 0, "an alert"
    context.close()


def _overflow(page: "playwright.Page") -> int:
    """Pixels by which a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
