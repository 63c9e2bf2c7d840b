"""USSD over HTTP, against the running bot: what a handset shows, step by step."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import Connection, func, select

from bot.channels.base import (
    Destination,
    DialogStep,
    Ignored,
    Malformed,
    NotAuthentic,
    Refused,
    WebRequest,
)
from bot.channels.ussd import NO_DIALOG, Ussd, UssdSettings, networks_of
from bot.dialogs import Dialogs
from flows.messages import Outbound
from flows.sms import segments
from storage.families import people
from storage.rights.correcting import leave_address
from storage.schema import (
    addresses,
    answers,
    dialogs,
    inbox,
    outbox,
    persons,
    schools,
    sessions,
    tasks,
)
from storage.talk.dialogs import LIFE
from tests.live import SMS, USSD_CODE, USSD_SECRET, Live, live, ussd_request

NOW = datetime(2026, 11, 22, tzinfo=UTC)
AMINA, THOKO = "+27821230001", "+27821230002"
FORM = {
    "sessionId": "ATUid_1",
    "serviceCode": USSD_CODE,
    "phoneNumber": AMINA,
    "networkCode": "65510",
    "text": "1*2",
}


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path, ussd=True) as running:
        yield running


async def join(bot: Live, number: str, *, session: str = "s1") -> str:
    """She dials, keys her code, and answers what joining asks; gives the path she came."""
    path = bot.codes[0]
    await bot.keys(number, session, "")
    shown = await bot.keys(number, session, path)
    while "98 More" in shown:
        path += "*98"
        shown = await bot.keys(number, session, path)
    for answer in ("1", "1", "1", "1", "2", "1"):
        path += f"*{answer}"
        shown = await bot.keys(number, session, path)
        if "breakfast" in shown:
            return path
    raise AssertionError(shown)


class TestASession:
    async def test_a_stranger_is_welcomed_and_may_key_her_code(self, bot: Live) -> None:
        shown = await bot.keys(AMINA, "s1", "")

        assert shown.startswith("CON Welcome to the child wellbeing line.")
        assert shown.endswith("00 Menu")
        joining = await bot.keys(AMINA, "s1", bot.codes[0])
        assert joining.startswith("CON We are Child Wellbeing") or "language" in joining

    async def test_every_screen_fits_and_can_be_spelled(self, bot: Live) -> None:
        shown = [await bot.keys(AMINA, "s1", "")]
        path = bot.codes[0]
        for _ in range(40):
            screen = await bot.keys(AMINA, "s1", path)
            shown.append(screen)
            path += "*98" if "98 More" in screen else "*1"
            if screen.startswith("END"):
                break

        assert screen.startswith("END"), "she comes to the end"
        assert all(segments(s).encoding == "GSM-7" and segments(s).units <= 182 for s in shown)

    async def test_answers_are_stored_and_the_end_closes_the_session(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        shown = ""
        while not shown.startswith("END"):
            path += "*1"
            shown = await bot.keys(AMINA, "s1", path)
            while "98 More" in shown:
                path += "*98"
                shown = await bot.keys(AMINA, "s1", path)

        assert "116" in shown, "helplines close every questionnaire"
        (found,) = await bot.rows(
            select(sessions.c.status).where(sessions.c.form_id == "caregiver")
        )
        assert found.status == "completed"
        assert await bot.problems() == []

    async def test_what_she_saw_is_noted_accepted_and_nothing_is_left_over(self, bot: Live) -> None:
        await join(bot, AMINA)

        rows = await bot.rows(select(outbox.c.state, outbox.c.body, outbox.c.provider_id))
        assert {(r.state, r.body, r.provider_id) for r in rows} == {("accepted", None, None)}
        assert bot.heard(AMINA) == []

    async def test_a_separator_in_an_answer_is_a_space(self, bot: Live) -> None:
        await bot.keys(AMINA, "s1", "")

        shown = await bot.keys(AMINA, "s1", f"JOIN*{bot.codes[0]}")

        assert "We are" in shown


class TestADuplicate:
    async def test_gets_the_same_screen_without_a_second_turn(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        first = await bot.keys(AMINA, "s1", f"{path}*2")
        count = select(func.count()).select_from(inbox)
        before = await bot.rows(count)

        again = await bot.keys(AMINA, "s1", f"{path}*2")

        assert again == first
        assert await bot.rows(count) == before

    async def test_at_the_same_moment_gets_the_same_screen(self, bot: Live) -> None:
        path = await join(bot, AMINA)

        shown = await asyncio.gather(
            *(bot.post(ussd_request(AMINA, "s1", f"{path}*2")) for _ in range(4))
        )

        await bot.bot.settle()
        assert {(s.status_code, s.text) for s in shown} == {(200, shown[0].text)}
        (count,) = await bot.rows(
            select(func.count()).where(answers.c.form_id == "caregiver").select_from(answers)
        )
        assert count[0] == 1

    async def test_of_an_older_step_shows_where_she_is(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        now = await bot.keys(AMINA, "s1", f"{path}*2")

        assert await bot.keys(AMINA, "s1", path) == now


class TestADroppedSession:
    async def test_asks_the_open_question_again_and_takes_no_digit_for_it(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        asked = await bot.keys(AMINA, "s1", f"{path}*2")

        again = await bot.keys(AMINA, "s2", "")

        assert again == asked
        assert await bot.keys(AMINA, "s3", "1") == asked, "she has not seen a question there yet"

    async def test_goes_on_where_she_was(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        await bot.keys(AMINA, "s1", f"{path}*2")
        await bot.keys(AMINA, "s2", "")

        await bot.keys(AMINA, "s2", "4")

        found = await bot.rows(
            select(answers.c.item, answers.c.value).where(answers.c.form_id == "caregiver")
        )
        assert dict(tuple(r) for r in found) == {"breakfast": "few", "supper_home": "every"}


class TestPages:
    async def test_98_turns_the_page_without_a_turn(self, bot: Live) -> None:
        await bot.keys(AMINA, "s1", "")
        first = await bot.keys(AMINA, "s1", bot.codes[0])
        assert "98 More" in first
        count = select(func.count()).select_from(inbox)
        before = await bot.rows(count)

        second = await bot.keys(AMINA, "s1", f"{bot.codes[0]}*98")

        assert second != first
        assert await bot.rows(count) == before
        assert await bot.keys(AMINA, "s1", f"{bot.codes[0]}*98") == second

    async def test_nobody_agrees_to_what_has_not_been_on_her_screen(self, bot: Live) -> None:
        await bot.keys(AMINA, "s1", "")
        path = bot.codes[0]
        shown = await bot.keys(AMINA, "s1", path)
        seen = [shown]
        while "98 More" in shown:
            path += "*1"
            shown = await bot.keys(AMINA, "s1", path)
            seen.append(shown)

        assert len(seen) > 3, "the words of consent take several screens"
        assert "May we ask about your child?" in shown
        assert await bot.rows(select(answers.c.item)) == []


class TestTheMenu:
    async def test_goes_on_where_she_was(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        asked = await bot.keys(AMINA, "s1", f"{path}*2")

        menu = await bot.keys(AMINA, "s1", f"{path}*2*00")

        assert menu.startswith("CON 1 Go on\n2 Back")
        assert await bot.keys(AMINA, "s1", f"{path}*2*00*9") == menu
        assert await bot.keys(AMINA, "s1", f"{path}*2*00*9*1") == asked

    async def test_goes_back(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        await bot.keys(AMINA, "s1", f"{path}*2")
        await bot.keys(AMINA, "s1", f"{path}*2*00")

        assert "breakfast" in await bot.keys(AMINA, "s1", f"{path}*2*00*2")

    async def test_puts_her_on_the_list_of_people_to_call(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        menu = await bot.keys(AMINA, "s1", f"{path}*00")
        call = next(line[0] for line in menu.splitlines() if "Call me" in line)

        shown = await bot.keys(AMINA, "s1", f"{path}*00*{call}")

        assert "will call you by" in shown
        assert "breakfast" in shown, "and asks again what was open"
        found = await bot.rows(select(tasks.c.kind))
        assert [r.kind for r in found] == ["call_me"]

    async def test_stops_and_starts_again(self, bot: Live) -> None:
        path = await join(bot, AMINA)
        menu = await bot.keys(AMINA, "s1", f"{path}*00")
        stop = next(line[0] for line in menu.splitlines() if "Stop" in line)

        stopped = await bot.keys(AMINA, "s1", f"{path}*00*{stop}")

        assert stopped.startswith("END You will get no more messages")
        assert (await bot.keys(AMINA, "s2", "")).startswith("CON You stopped our messages.")
        assert "Get messages again" in await bot.keys(AMINA, "s2", "00")
        assert "Welcome back" in await bot.keys(AMINA, "s2", "00*2")


class TestOneNumber:
    async def test_what_began_by_sms_is_taken_up_by_ussd_and_the_other_way(self, bot: Live) -> None:
        for text in (f"JOIN {bot.codes[0]}", "111121", "222"):
            await bot.says(AMINA, text)
        sms = bot.heard(AMINA)
        assert "sick" in sms[-1]

        shown = await bot.keys(AMINA, "s1", "")

        assert shown.startswith("CON Last month, how often was your child too sick")
        await bot.keys(AMINA, "s1", "1")
        await bot.says(AMINA, "hello")
        assert "miss school" in bot.heard(AMINA)[-1]
        (people,) = await bot.rows(
            select(func.count()).where(persons.c.kind == "caregiver").select_from(persons)
        )
        assert people[0] == 1

    async def test_another_number_is_somebody_else(self, bot: Live) -> None:
        await join(bot, AMINA)

        assert "Welcome" in await bot.keys(THOKO, "s9", "")

    async def test_a_member_of_staff_is_a_stranger(self, bot: Live) -> None:
        vault, now = bot.bot.world.vault, bot.bot.now()

        def hire(conn: Connection) -> None:
            school = conn.execute(select(schools.c.id, schools.c.programme_id)).one()
            staff = people.add_person(
                conn,
                kind="staff",
                programme_id=school.programme_id,
                school_id=school.id,
                now=now,
                vault=vault,
            )
            people.add_address(
                conn,
                person_id=staff,
                channel="sms",
                account=SMS,
                value=AMINA,
                vault=vault,
                now=now,
            )

        await bot.bot.database.write(hire)

        await bot.keys(AMINA, "s1", "")

        (found,) = await bot.rows(
            select(addresses.c.person_id).where(addresses.c.channel == "ussd")
        )
        assert found.person_id is None

    async def test_a_number_taken_from_her_by_sms_is_not_hers_by_ussd(self, bot: Live) -> None:
        await bot.says(AMINA, f"JOIN {bot.codes[0]}")
        await bot.says(AMINA, "111121")
        asked = await bot.keys(AMINA, "s1", "")
        assert "breakfast" in asked
        sms = addresses.c.channel == "sms"
        (hers,) = await bot.rows(select(addresses.c.id, addresses.c.person_id).where(sms))

        await bot.bot.database.write(
            lambda c: leave_address(
                c, address_id=hers.id, person_id=hers.person_id, now=bot.bot.now()
            )
        )
        await bot.keys(AMINA, "s2", "")

        found = await bot.rows(select(addresses.c.channel, addresses.c.person_id))
        assert {r.person_id for r in found if r.channel in ("sms", "ussd")} == {None}
        await bot.says(AMINA, "hello")
        (now,) = await bot.rows(select(addresses.c.person_id).where(sms))
        assert now.person_id is None, "nor does she come back by SMS"

    async def test_a_stop_by_sms_holds(self, bot: Live) -> None:
        await bot.says(AMINA, f"JOIN {bot.codes[0]}")
        for text in ("111121", "STOP"):
            await bot.says(AMINA, text)

        assert "You stopped our messages" in await bot.keys(AMINA, "s1", "")


class TestNothingIsPushed:
    async def test_a_nudge_is_not_sent_where_she_has_only_ussd(self, bot: Live) -> None:
        await join(bot, AMINA)
        last = (await bot.sent_rows())[-1].id

        await bot.later(45 * 3600)

        assert await bot.sent_rows(after=last) == []
        assert bot.heard(AMINA) == []

    async def test_a_nudge_comes_by_sms_where_she_writes_by_sms(self, bot: Live) -> None:
        for text in (f"JOIN {bot.codes[0]}", "111121", "222"):
            await bot.says(AMINA, text)
        await bot.keys(AMINA, "s1", "")
        await bot.keys(AMINA, "s1", "1")
        before = len(bot.heard(AMINA))

        await bot.later(45 * 3600)

        assert len(bot.heard(AMINA)) == before + 1

    async def test_a_channel_asked_to_send_refuses(self) -> None:
        to = Destination(channel="ussd", account=USSD_CODE, address=AMINA)

        assert await CHANNEL.send(Outbound(text="x"), to, key="1") == Refused(reason=NO_DIALOG)


class TestWhatGoesWrong:
    @pytest.mark.parametrize("secret", ["", "u" * 39, "v" * 40, "é"])
    async def test_a_wrong_secret_is_403_and_nothing_is_stored(
        self, bot: Live, secret: str
    ) -> None:
        answer = await bot.post(ussd_request(AMINA, "s1", "", secret=secret))

        assert answer.status_code == 403
        assert await bot.rows(select(addresses.c.id).where(addresses.c.channel == "ussd")) == []

    async def test_a_turn_that_takes_too_long_ends_the_session_kindly(self, bot: Live) -> None:
        running = bot.bot
        hasty = Dialogs(running.database, running.queue, clock=running.now, patience_s=0)
        step = DialogStep(
            channel="ussd",
            account=USSD_CODE,
            address=AMINA,
            session="s1",
            path="",
            received_at=running.now(),
        )

        dialog = await hasty.answer(step)

        assert not dialog.open
        assert "dial again" in dialog.screen
        await hasty.drain()
        await running.settle()
        assert "Welcome" in await bot.keys(AMINA, "s1", ""), "the turn itself went on to its end"

    async def test_screens_are_forgotten_some_minutes_after_the_session(self, bot: Live) -> None:
        await bot.keys(AMINA, "s1", "")
        assert await bot.rows(select(dialogs.c.address_id)) != []

        await bot.later(LIFE.total_seconds() + 60)

        assert await bot.rows(select(dialogs.c.address_id)) == []


CHANNEL = Ussd(UssdSettings(secret=USSD_SECRET, service_code=USSD_CODE))


def request(form: dict[str, str], *, client: str = "") -> WebRequest:
    body = urlencode(form).encode()
    return WebRequest(
        path=f"/hooks/ussd/{USSD_SECRET}", headers={}, body=body, received_at=NOW, client=client
    )


class TestParsing:
    def test_a_step_names_session_number_and_path(self) -> None:
        (step,) = CHANNEL.parse(request(FORM))

        assert isinstance(step, DialogStep)
        assert (step.session, step.address, step.path) == ("ATUid_1", AMINA, "1*2")
        assert (step.channel, step.account) == ("ussd", USSD_CODE)

    def test_their_notice_of_an_ended_session_is_ignored(self) -> None:
        over = {k: v for k, v in FORM.items() if k != "text"} | {"status": "Success"}

        assert CHANNEL.parse(request(over)) == (Ignored(kind="session_over"),)

    @pytest.mark.parametrize("code", ["384*57", "*384*57#", " *384*57# "])
    def test_a_service_code_is_the_same_however_it_is_written(self, code: str) -> None:
        assert CHANNEL.parse(request(FORM | {"serviceCode": code}))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"serviceCode": "*384*58#"},
            {"sessionId": ""},
            {"sessionId": "a b"},
            {"phoneNumber": "anonymous"},
            {"text": "1*\x00"},
            {"text": "1" * 1001},
        ],
    )
    def test_what_is_no_step_is_malformed(self, wrong: dict[str, str]) -> None:
        with pytest.raises(Malformed):
            CHANNEL.parse(request(FORM | wrong))

    def test_a_body_that_is_no_form_is_malformed(self) -> None:
        broken = WebRequest(
            path=f"/hooks/ussd/{USSD_SECRET}",
            headers={},
            body=b"\xff\xfe",
            received_at=NOW,
        )
        with pytest.raises(Malformed):
            CHANNEL.parse(broken)

    @pytest.mark.parametrize("client", ["", "192.0.3.1", "nonsense"])
    def test_a_request_from_elsewhere_is_not_authentic(self, client: str) -> None:
        listed = networks_of("192.0.2.0/24, 2001:db8::/32")
        strict = Ussd(UssdSettings(secret=USSD_SECRET, service_code=USSD_CODE, networks=listed))

        with pytest.raises(NotAuthentic):
            strict.parse(request(FORM, client=client))
        assert strict.parse(request(FORM, client="192.0.2.7"))
        assert strict.parse(request(FORM, client="2001:db8::1"))
