"""The data officer's pages: hers alone, step by step; the file only once she proved herself."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, select, update

from bot.rights.deciding import notes_of
from storage import schema
from storage.families import people
from storage.rights.request_steps import add
from storage.rights.requests import asker_of
from storage.scope import system
from tests.bot.dashboard.house import PASSWORD, House, post
from tests.town import ACCOUNTS

NAME, NUMBER = "Nomvula Canaryname", "+27821230055"
LIST = "/dashboard/requests"


@pytest.fixture
async def mother(house: House) -> str:
    """A caregiver of the child of our alert."""

    def build(conn: Connection) -> str:
        child = conn.execute(
            select(schema.children).where(schema.children.c.school_id == house.schools["Ours"])
        ).first()
        assert child is not None
        person = people.add_person(
            conn,
            kind="caregiver",
            programme_id=child.programme_id,
            school_id=child.school_id,
            household_id=child.household_id,
            now=house.now,
            vault=house.vault,
            name=NAME,
        )
        people.add_address(
            conn,
            person_id=person,
            channel="sms",
            account=ACCOUNTS["sms"],
            value=NUMBER,
            vault=house.vault,
            now=house.now,
        )
        conn.execute(
            schema.child_caregiver.insert().values(
                child_id=child.id,
                person_id=person,
                capacity="parent_or_guardian",
                from_at=house.now,
            )
        )
        return person

    return await house.database.write(build)


async def enter(browser: httpx.AsyncClient, **fields: str) -> str:
    """Enter a request; its page."""
    form = {"kind": "access", "address": NUMBER, **fields}
    answer = await post(browser, LIST, "add", **form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def prove_again(house: House, browser: httpx.AsyncClient) -> None:
    """Password and code once more."""
    house.later(timedelta(seconds=31))
    code = house.code("data_officer")
    answer = await post(browser, "/dashboard/step", "prove", password=PASSWORD, code=code)
    assert answer.status_code == 303, answer.text


async def granted(house: House, browser: httpx.AsyncClient) -> str:
    """An access request that was granted in part."""
    page = await enter(browser)
    await post(browser, page, "identify", how="called_back")
    await prove_again(house, browser)
    answer = await post(browser, page, "decide", outcome="part", ground="lawful")
    assert answer.headers["location"].endswith("decided"), answer.text
    return page


async def test_the_list_tells_days_and_says_that_no_lawyer_confirmed_them(
    house: House, mother: str
) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser)

    shown = (await browser.get(LIST)).text
    assert "To see what we keep" in shown
    assert "No lawyer has confirmed this number yet" in shown
    assert page in shown
    assert NAME not in shown

    house.later(timedelta(days=31))
    browser = await house.signed_in("data_officer")
    assert "late by" in (await browser.get(LIST)).text


async def test_one_request_shows_who_asks_and_what_is_kept_back(house: House, mother: str) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser, note="wants everything on paper")

    shown = (await browser.get(page)).text

    assert NAME in shown
    assert "Not proved yet" in shown
    assert "What other people told us" in shown, "the stored profile rests on a teacher too"
    assert "wants everything on paper" in shown
    assert "kept back unless you decide otherwise" in shown


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"address": "+27829999999"}, "We find nobody by that"),
        ({"address": "", "child": "ZZZ"}, "We find nobody by that"),
        ({"kind": "gossip"}, "Choose what she asks for"),
    ],
)
async def test_a_request_of_nobody_is_refused_and_the_form_stays_filled(
    house: House, mother: str, fields: dict[str, str], words: str
) -> None:
    browser = await house.signed_in("data_officer")

    answer = await post(browser, LIST, "add", **{"kind": "access", "address": NUMBER, **fields})

    assert answer.status_code == 422
    assert words in answer.text


async def test_deciding_asks_for_a_second_proof_and_for_who_asks(house: House, mother: str) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser)

    answer = await post(browser, page, "decide", outcome="part", ground="lawful")
    assert answer.headers["location"].startswith("/dashboard/step")

    await prove_again(house, browser)
    answer = await post(browser, page, "decide", outcome="part", ground="lawful")
    assert answer.status_code == 422
    assert "First note how you know who she is" in answer.text


async def test_a_decision_that_does_not_fit_is_explained(house: House, mother: str) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser)
    await post(browser, page, "identify", how="known_in_person", note="from the school gate")
    await prove_again(house, browser)

    answer = await post(browser, page, "decide", outcome="granted", ground="lawful")

    assert answer.status_code == 422
    assert "Something is kept back" in answer.text


async def test_the_file_is_made_sealed_and_handed_out_with_her_name_on_it(
    house: House, mother: str
) -> None:
    browser = await house.signed_in("data_officer")
    page = await granted(house, browser)

    made = await post(browser, page, "build")
    assert made.headers["location"].endswith("built")
    (file,) = list(Path(house.exports).iterdir())  # noqa: ASYNC240
    assert b"Canary" not in file.read_bytes()

    html = await post(browser, page, "download", export=file.stem, format="html")
    data = await post(browser, page, "download", export=file.stem, format="json")

    assert html.headers["content-disposition"].startswith('attachment; filename="subject-')
    assert html.headers["cache-control"] == "no-store"
    assert NAME in html.text
    assert "for: data_officer" in html.text
    assert json.loads(data.text)["handed_out"]["purpose"] == "answer_request"
    verbs = [row[0] for row in await house.audited()]
    assert verbs.count("downloaded") == 2
    assert "exported" in verbs


async def test_the_file_is_not_handed_out_late_unproved_or_by_another_name(
    house: House, mother: str
) -> None:
    browser = await house.signed_in("data_officer")
    page = await granted(house, browser)
    await post(browser, page, "build")
    (file,) = list(Path(house.exports).iterdir())  # noqa: ASYNC240

    other = await post(browser, page, "download", export="f" * 32)
    assert other.status_code == 404

    house.later(timedelta(minutes=6))
    unproved = await post(browser, page, "download", export=file.stem)
    assert unproved.headers["location"].startswith("/dashboard/step")

    house.later(timedelta(hours=24))
    browser = await house.signed_in("data_officer")
    await prove_again(house, browser)
    late = await post(browser, page, "download", export=file.stem)
    assert late.status_code == 404


async def test_no_file_before_access_is_granted(house: House, mother: str) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser)

    answer = await browser.post(f"{page}/build", data={"token": await token(browser, page)})

    assert answer.status_code == 422
    assert "once access is granted" in answer.text


async def token(browser: httpx.AsyncClient, page: str) -> str:
    return (await browser.get(page)).text.split('name="token" value="')[1][:64]


async def test_erasing_needs_another_officer(house: House, mother: str) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser, kind="erasure")
    await post(browser, page, "identify", how="called_back")
    await prove_again(house, browser)
    await post(browser, page, "decide", outcome="granted", ground="lawful")

    shown = (await browser.get(page)).text
    assert "Another data officer must confirm" in shown
    answer = await post(browser, page, "confirm", agrees="yes")
    assert answer.status_code == 422
    assert "Another person than the one who decided" in answer.text

    def by_another(conn: Connection) -> None:
        conn.execute(
            update(schema.requests)
            .where(schema.requests.c.kind == "erasure")
            .values(decided_by=house.users["supervisor"].id)
        )

    await house.database.write(by_another)
    answer = await post(browser, page, "confirm", agrees="yes")
    assert answer.headers["location"].endswith("confirmed")
    assert "main.py erase --request" in (await browser.get(page)).text


async def test_a_value_is_corrected_an_answer_marked_and_she_is_told(
    house: House, mother: str
) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser, kind="correction")
    await post(browser, page, "identify", how="called_back")

    wrong = await post(browser, page, "correct", field="sex", value="boy")
    assert wrong.status_code == 422
    right = await post(browser, page, "correct", field="sex", value="m")
    assert right.headers["location"].endswith("corrected")
    shown = (await browser.get(page)).text
    assert "sex: f -&gt; m" in shown
    assert "She must be told by" in shown
    told = await post(browser, page, "informed")
    assert told.headers["location"].endswith("informed")
    assert "She must be told by" not in (await browser.get(page)).text
    missing = await post(browser, page, "dispute", answer="x:y")
    assert missing.status_code == 422


async def test_an_objection_says_what_stops_and_it_does(house: House, mother: str) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser, kind="objection")
    await post(browser, page, "identify", how="called_back")
    assert "What she objects to" in (await browser.get(page)).text
    await prove_again(house, browser)

    granted = {"outcome": "granted", "ground": "lawful"}
    nothing = await post(browser, page, "decide", **granted, against="")
    assert (nothing.status_code, "Choose what is to stop." in nothing.text) == (422, True)
    done = await post(browser, page, "decide", **granted, against="messages")

    assert done.headers["location"].endswith("decided")
    asked = select(schema.consents.c.purpose, schema.consents.c.mode).where(
        schema.consents.c.person_id == mother
    )
    rows = await house.database.read(lambda conn: conn.execute(asked).all())
    assert [tuple(row) for row in rows] == [("contact", "objection")]


async def test_a_mark_is_taken_off_on_the_page(house: House, mother: str) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser, kind="correction")
    await post(browser, page, "identify", how="called_back")

    def dispute(conn: Connection) -> None:
        address = select(schema.addresses.c.id).where(schema.addresses.c.person_id == mother)
        conn.execute(
            schema.sessions.insert().values(
                id="e" * 32,
                address_id=conn.execute(address).scalar_one(),
                person_id=mother,
                form_id="caregiver",
                version="v",
                status="completed",
                state=b"x",
                rev=1,
                started_at=house.now,
                changed_at=house.now,
            )
        )
        marked = {"id": "d" * 32, "session_id": "e" * 32, "item": "breakfast", "at": house.now}
        asked = page.rsplit("/", 1)[1]
        conn.execute(schema.disputes.insert().values(request_id=asked, **marked))

    await house.database.write(dispute)
    assert "Take a mark off" in (await browser.get(page)).text
    empty = await post(browser, page, "settle", mark="d" * 32, outcome="right", reason="")
    assert (empty.status_code, "Write something." in empty.text) == (422, True)
    done = await post(browser, page, "settle", mark="d" * 32, outcome="right", reason="asked them")
    assert done.headers["location"].endswith("settled")
    shown = (await browser.get(page)).text
    assert "Take a mark off" not in shown
    assert "asked them" in shown
    again = await post(browser, page, "settle", mark="d" * 32, outcome="right", reason="twice")
    assert (again.status_code, "off already" in again.text) == (422, True)


async def test_a_note_is_kept_sealed(house: House, mother: str) -> None:
    browser = await house.signed_in("data_officer")
    page = await enter(browser)

    assert (await post(browser, page, "note", note=" ")).status_code == 422
    assert (await post(browser, page, "note", note="she called twice")).status_code == 303

    row = await house.database.read(
        lambda conn: conn.execute(
            select(schema.requests).where(schema.requests.c.note.is_not(None))
        ).one()
    )
    assert b"twice" not in row.note
    assert notes_of(house.vault, row.id, row.note)[-1]["text"] == "she called twice"


async def test_requests_are_nobody_else_s_task(house: House, mother: str) -> None:
    def ask(conn: Connection) -> None:
        asker = asker_of(conn, system("test"), mother)
        assert asker is not None
        add(
            conn,
            kind="access",
            asker=asker,
            way="chat",
            due_at=house.now,
            now=house.now,
            new_id=lambda now: f"{int(now.timestamp()):032x}",
        )

    await house.database.write(ask)
    browser = await house.signed_in("coordinator")

    assert "0 open tasks" in (await browser.get("/dashboard/tasks")).text
    assert (await browser.get(LIST)).status_code == 403
