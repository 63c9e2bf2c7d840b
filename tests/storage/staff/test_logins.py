"""One-time codes and sign-ins by chat, on both databases: each works once, come who may."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select, update

from storage.database import Database
from storage.families import people
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import addresses, login_prompts, user_codes
from storage.staff import logins, users
from storage.staff.logins import Code, CodeKind, Prompt
from tests.storage.staff.test_users import user

DAY = timedelta(days=1)
LIFE = timedelta(minutes=10)


def code(now: datetime, digest: str, **changes: object) -> Code:
    values: dict[str, object] = {
        "id": new_id(now),
        "user_id": None,
        "kind": "first",
        "digest": digest,
        "secret": b"sealed",
        "expires_at": now + DAY,
    }
    return Code(**(values | changes))  # type: ignore[arg-type]


async def keep(database: Database, now: datetime, *codes: Code) -> None:
    await database.write(lambda conn: logins.add_codes(conn, codes, now=now))


async def live(database: Database, digest: str, at: datetime) -> Code | None:
    return await database.read(lambda conn: logins.live_code(conn, digest, now=at))


async def test_a_code_comes_back_until_it_is_too_old(database: Database, now: datetime) -> None:
    made = code(now, "d1")
    await keep(database, now, made)

    assert await live(database, "d1", now + DAY - timedelta(seconds=1)) == made
    assert await live(database, "d1", now + DAY) is None
    assert await live(database, "d2", now) is None


async def test_a_code_is_used_once_even_at_the_same_moment(
    database: Database, now: datetime
) -> None:
    made, old = code(now, "d1"), code(now, "d2", expires_at=now)
    await keep(database, now, made, old)
    use = partial(logins.use_code, code_id=made.id, now=now)

    at_once = await asyncio.gather(*(database.write(use) for _ in range(4)))

    assert sorted(at_once) == [False, False, False, True]
    assert await live(database, "d1", now) is None
    assert not await database.write(partial(logins.use_code, code_id=old.id, now=now))
    secrets = await database.read(
        lambda conn: dict(conn.execute(select(user_codes.c.digest, user_codes.c.secret)).all())  # type: ignore[arg-type]
    )
    assert secrets == {"d1": None, "d2": b"sealed"}  # a used code keeps no authenticator


async def test_recovery_codes_are_hers_and_work_once(database: Database, now: datetime) -> None:
    hers, other = user(now), user(now, "other")
    for made in (hers, other):
        await database.write(partial(users.add, user=made))
    kinds: tuple[tuple[str, str, CodeKind], ...] = (
        ("r1", hers.id, "recovery"),
        ("r2", hers.id, "recovery"),
        ("r3", other.id, "recovery"),
        ("p1", hers.id, "password"),
    )
    await keep(
        database,
        now,
        *(
            code(
                now, d, user_id=u, kind=k, secret=None, expires_at=None if k == "recovery" else now
            )
            for d, u, k in kinds
        ),
    )

    async def use(digest: str) -> bool:
        return await database.write(
            lambda conn: logins.use_recovery(
                conn, user_id=hers.id, digest=digest, now=now + 9 * DAY
            )
        )

    assert [await use(d) for d in ("r1", "r1", "r3", "p1", "none")] == [True, *[False] * 4]
    left = [
        await database.read(lambda conn, u=u: logins.recovery_left(conn, u))
        for u in (hers.id, other.id)
    ]
    assert left == [1, 1]


async def test_codes_are_dropped_by_kind_and_used_ones_stay(
    database: Database, now: datetime
) -> None:
    made = user(now)
    await database.write(lambda conn: users.add(conn, made))
    used = code(now, "used")
    await keep(
        database,
        now,
        used,
        code(now, "first"),
        code(now, "invite", user_id=made.id, kind="invite"),
        code(now, "recovery", user_id=made.id, kind="recovery"),
    )
    await database.write(partial(logins.use_code, code_id=used.id, now=now))

    await database.write(lambda conn: logins.drop_codes(conn, None, ("first", "invite")))
    await database.write(lambda conn: logins.drop_codes(conn, made.id, ("first", "invite")))

    kept = await database.read(
        lambda conn: set(conn.execute(select(user_codes.c.digest)).scalars())
    )
    assert kept == {"used", "recovery"}


async def test_whether_there_is_an_open_account(database: Database, now: datetime) -> None:
    async def there(at: datetime) -> bool:
        return await database.read(lambda conn: logins.any_user(conn, now=at))

    assert not await there(now)
    made = user(now, ends_at=now + DAY)
    await database.write(lambda conn: users.add(conn, made))
    assert await there(now)
    assert not await there(now + DAY)
    await database.write(lambda conn: users.end(conn, user_id=made.id, now=now))
    assert not await there(now)


def family(conn: Connection, vault: Vault, now: datetime) -> dict[str, str]:
    """A coordinator with three addresses and a login."""
    programme = people.ensure_programme(conn, name="Umthombo", now=now)
    school = people.ensure_school(conn, programme_id=programme, name="Hill", now=now)
    person = people.add_person(conn, kind="staff", programme_id=programme, now=now, vault=vault)
    made = {"person": person, "school": school}
    for channel, value in (
        ("sms", "+27820000001"),
        ("telegram", "55"),
        ("whatsapp", "+27820000001"),
    ):
        made[channel] = people.add_address(
            conn,
            person_id=person,
            channel=channel,  # type: ignore[arg-type]
            account="1",
            value=value,
            vault=vault,
            now=now,
        )
    hers = user(now, person_id=person)
    users.add(conn, hers)
    return made | {"user": hers.id}


async def ask(database: Database, now: datetime, user_id: str | None, number: str = "42") -> str:
    prompt = Prompt(
        id=new_id(now),
        user_id=user_id,
        number=number,
        state="asked",
        attempt=("a1", "a2"),
        expires_at=now + LIFE,
    )
    await database.write(
        lambda conn: logins.add_prompt(conn, prompt, browser=prompt.id * 2, now=now)
    )
    found = await database.read(lambda conn: logins.prompt_of(conn, prompt.id * 2))
    assert found == prompt
    return prompt.id


async def test_her_number_confirms_and_goes_on_once(
    database: Database, vault: Vault, now: datetime
) -> None:
    made = await database.write(lambda conn: family(conn, vault, now))
    prompt = await ask(database, now, made["user"])
    finish = partial(logins.finish_prompt, prompt_id=prompt, now=now)
    answer = partial(
        logins.answer_prompt, prompt_id=prompt, person_id=made["person"], number="42", now=now
    )

    early = await database.write(finish)
    first, second = await database.write(answer), await database.write(answer)
    at_once = await asyncio.gather(*(database.write(finish) for _ in range(3)))

    assert not early
    assert (first, second) == (("confirmed", made["user"]), ("over", ""))
    assert sorted(at_once) == [False, False, True]


async def test_any_other_number_ends_it(database: Database, vault: Vault, now: datetime) -> None:
    made = await database.write(lambda conn: family(conn, vault, now))
    prompt = await ask(database, now, made["user"])

    async def answer(number: str, person: str = made["person"]) -> str:
        return (
            await database.write(
                lambda conn: logins.answer_prompt(
                    conn, prompt, person_id=person, number=number, now=now
                )
            )
        )[0]

    assert await answer("42", person="somebody else") == "over"
    assert [await answer("43"), await answer("42")] == ["refused", "over"]
    assert not await database.write(partial(logins.finish_prompt, prompt_id=prompt, now=now))


async def test_a_sign_in_ends_by_itself(database: Database, vault: Vault, now: datetime) -> None:
    made = await database.write(lambda conn: family(conn, vault, now))
    late, timely = await ask(database, now, made["user"]), await ask(database, now, made["user"])
    over = now + LIFE

    async def answer(prompt: str, at: datetime) -> str:
        say = partial(logins.answer_prompt, person_id=made["person"], number="42", now=at)
        return (await database.write(partial(say, prompt_id=prompt)))[0]

    assert await answer(late, over) == "over"
    assert await answer(timely, over - timedelta(seconds=1)) == "confirmed"
    assert not await database.write(partial(logins.finish_prompt, prompt_id=timely, now=over))


async def test_one_without_a_user_never_comes_true_and_all_are_forgotten(
    database: Database, vault: Vault, now: datetime
) -> None:
    made = await database.write(lambda conn: family(conn, vault, now))
    empty = await ask(database, now, None)

    word = await database.write(
        lambda conn: logins.answer_prompt(
            conn, empty, person_id=made["person"], number="42", now=now
        )
    )
    await ask(database, now + DAY, None)

    assert word == ("over", "")
    ids = await database.read(lambda conn: set(conn.execute(select(login_prompts.c.id)).scalars()))
    assert empty not in ids
    assert len(ids) == 1


async def test_she_is_asked_where_she_can_be_reached(
    database: Database, vault: Vault, now: datetime
) -> None:
    made = await database.write(lambda conn: family(conn, vault, now))
    await database.write(
        lambda conn: conn.execute(
            update(addresses).where(addresses.c.id == made["sms"]).values(opted_out_at=now)
        )
    )
    await database.write(
        lambda conn: conn.execute(
            update(addresses).where(addresses.c.id == made["whatsapp"]).values(bad_at=now)
        )
    )

    found = await database.read(lambda conn: logins.reaches(conn, made["person"]))

    assert [(r.address_id, r.channel, r.language) for r in found] == [
        (made["telegram"], "telegram", "en")
    ]


async def test_what_she_was_asked_before_stays_open_beside_it(
    database: Database, vault: Vault, now: datetime
) -> None:
    made = await database.write(lambda conn: family(conn, vault, now))
    asked = {"kind": "question", "ref": "s1", "options": [], "asked_at": now.isoformat()}
    await database.write(
        lambda conn: conn.execute(
            update(addresses).where(addresses.c.id == made["sms"]).values(open_prompt=asked)
        )
    )

    for address in (made["sms"], made["telegram"]):
        await database.write(
            partial(logins.open_login_prompt, address_id=address, prompt_id="p1", now=now)
        )

    prompts = await database.read(
        lambda conn: dict(conn.execute(select(addresses.c.id, addresses.c.open_prompt)).all())  # type: ignore[arg-type]
    )
    login = {"ref": "p1", "asked_at": now.isoformat()}
    assert prompts[made["sms"]] == asked | {"login": login}
    assert prompts[made["telegram"]]["kind"] == "login"
    assert prompts[made["telegram"]]["login"] == login


async def test_the_names_around_an_account(database: Database, vault: Vault, now: datetime) -> None:
    made = await database.write(lambda conn: family(conn, vault, now))

    names = await database.read(lambda conn: logins.context_names(conn, {made["school"]}))

    assert names == ["Umthombo", "Hill"]
