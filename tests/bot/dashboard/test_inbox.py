"""The inbox page: when something came and of what kind; the words on request, and audited."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, insert, select

from bot.sending.envelopes import dump_inbound
from flows.messages import Inbound
from storage import schema
from storage.ids import new_id
from tests.bot.dashboard.house import House, post
from tests.bot.dashboard.test_policy import add_letter

WORDS = "He was sent home from school today."


def write(house: House, conn: Connection, task: str, letters: Sequence[Inbound]) -> None:
    """Messages at the task's address, a minute apart."""
    address = conn.execute(
        select(schema.tasks.c.address_id).where(schema.tasks.c.id == task)
    ).scalar_one()
    for minute, inbound in enumerate(letters):
        row = new_id(house.now + timedelta(minutes=minute))
        conn.execute(
            insert(schema.inbox).values(
                id=row,
                address_id=address,
                channel="sms",
                account="+27600000000",
                status="done",
                body=house.vault.seal(dump_inbound(inbound), table="inbox", column="body", row=row),
                received_at=house.now,
                done_at=house.now,
                for_staff=inbound.message_id != "an answer",
            )
        )


def letter(house: House, text: str = "", message_id: str = "m", **said: object) -> Inbound:
    return Inbound(
        channel="sms",
        account="+27600000000",
        address="+27821230099",
        message_id=message_id,
        text=text,
        received_at=house.now,
        **said,  # type: ignore[arg-type]
    )


async def waiting(house: House, *letters: Inbound, school: str = "Ours") -> str:
    """A task with these messages at a school; gives its id."""

    def make(conn: Connection) -> str:
        place = house.schools[school]
        child = conn.execute(
            select(schema.children.c.id).where(schema.children.c.school_id == place).limit(1)
        ).scalar_one()
        task = add_letter(house, conn, place, child)
        write(house, conn, task, letters)
        return task

    return await house.database.write(make)


async def reads(house: House) -> list[str | None]:
    """Which addresses' messages were read, as the audit has it."""
    asked = select(schema.audit.c.object_id).where(
        schema.audit.c.verb == "read", schema.audit.c.object_kind == "inbox"
    )
    return await house.database.read(lambda conn: list(conn.execute(asked).scalars()))


async def test_the_list_has_kind_and_time_and_no_words(house: House) -> None:
    await waiting(
        house,
        letter(house, WORDS),
        letter(house, media=("audio",)),
        letter(house, "1", forwarded=True),
        letter(house, media=("hologram",)),
    )
    browser = await house.signed_in("coordinator")

    page = (await browser.get("/dashboard/inbox")).text

    for kind in ("text", "voice note", "passed on from somebody else", "something else"):
        assert f": {kind}</li>" in page
    assert WORDS not in page
    assert await reads(house) == []


async def test_the_words_are_shown_on_request_and_that_is_written_down(house: House) -> None:
    task = await waiting(house, letter(house, WORDS), letter(house, "1 2 1", "an answer"))
    browser = await house.signed_in("coordinator")

    page = await post(browser, "/dashboard/inbox", "show", task=task)

    assert WORDS in page.text
    assert "1 2 1" not in page.text
    assert len(await reads(house)) == 1


async def test_what_is_no_longer_kept_is_said_so(house: House) -> None:
    task = await waiting(house, letter(house, WORDS))
    await house.database.write(lambda conn: conn.execute(schema.inbox.update().values(body=None)))
    browser = await house.signed_in("coordinator")

    page = await post(browser, "/dashboard/inbox", "show", task=task)

    assert "no longer kept" in page.text
    assert WORDS not in page.text


async def test_another_schools_words_are_not_there(house: House) -> None:
    task = await waiting(house, letter(house, WORDS), school="Theirs")
    browser = await house.signed_in("coordinator")

    assert task not in (await browser.get("/dashboard/inbox")).text
    assert (await post(browser, "/dashboard/inbox", "show", task=task)).status_code == 404
    assert (await post(browser, "/dashboard/inbox", "done", task=task)).status_code == 404


async def test_done_takes_it_from_the_list_once(house: House) -> None:
    task = await waiting(house, letter(house, WORDS))
    browser = await house.signed_in("coordinator")

    answer = await post(browser, "/dashboard/inbox", "done", task=task)

    assert answer.headers["location"] == "/dashboard/inbox?now=done"
    assert "Nothing waits" in (await browser.get("/dashboard/inbox")).text
    assert (await post(browser, "/dashboard/inbox", "done", task=task)).status_code == 404


async def test_the_list_of_tasks_leads_there(house: House) -> None:
    await waiting(house, letter(house, WORDS))
    browser = await house.signed_in("coordinator")

    page = (await browser.get("/dashboard/tasks")).text

    assert 'href="/dashboard/inbox"' in page
    assert WORDS not in page
