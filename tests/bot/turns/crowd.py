"""A school whose people are all in the middle of something: for tests of turns side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bot.launch import always_open
from bot.turns.batch import Done, Work, run
from bot.turns.desk import Desk, Letter, Sender
from bot.turns.talk import start
from bot.turns.world import World
from flows.messages import ChannelName, Inbound
from storage.families.people import add_address
from storage.ids import new_code, new_id
from storage.keyring.vault import Vault
from storage.schema import addresses as address_table
from storage.talk.conversations import ChildRow, children_by_id, lock_addresses_by_id, lock_persons
from tests.storage.rows import School
from tests.town import ACCOUNTS, ZONE, library, site


def make_world(vault: Vault, **changes: object) -> World:
    """The content and decisions that ship."""
    known = {
        "library": library(),
        "site": site(),
        "vault": vault,
        "zone": ZONE,
        "accounts": ACCOUNTS,
        "base_url": "https://cwb.example.org",
        "mark_drafts": False,
        "gate": always_open,
        "new_id": new_id,
        "new_code": new_code,
    }
    return World(**known | changes)  # type: ignore[arg-type]


@dataclass(slots=True)
class Pen:
    """Writes letters, each with an id of its own."""

    world: World
    now: datetime
    count: int = 0
    marks: dict[str, int] = field(default_factory=dict)

    def letter(self, channel: ChannelName, address: str, text: str, token: str = "") -> Letter:
        self.count += 1
        vault = self.world.vault
        inbound = Inbound(
            channel=channel,
            account=ACCOUNTS[channel],
            address=address,
            message_id=f"{id(self)}-{self.count}",
            text=text,
            token=token,
            received_at=self.now,
        )
        return Letter(
            inbound=inbound,
            blind=vault.blind_address(channel, inbound.account, address),
            digest=vault.blind("message", inbound.message_id),
            inbox_id=new_id(self.now),
        )

    def send(self, conn: Connection, *letters: Letter) -> Done:
        return run(conn, Work(letters=letters, me="test"), world=self.world, now=self.now)


@dataclass(frozen=True, slots=True)
class Pair:
    """A child with a caregiver and a teacher, both in a questionnaire about her."""

    child: str
    wave: str
    caregiver: str
    teacher: str


def begin(
    desk: Desk,
    pen: Pen,
    *,
    person: str,
    address_id: str,
    where: tuple[ChannelName, str],
    form: str,
    child: ChildRow,
    wave: str,
) -> None:
    """Put somebody into a questionnaire about a child."""
    (address,) = lock_addresses_by_id(desk.conn, [address_id]).values()
    sender = Sender(
        letter=pen.letter(*where, "hi"),
        address=address,
        person=lock_persons(desk.conn, {person})[person],
    )
    start(
        desk,
        sender,
        form,
        context={"channel": where[0], "list_number": "1", "duty_officer": "no"},
        child_id=child.id,
        household_id=child.household_id,
        wave_id=wave,
    )
    desk.writes.flush(desk.conn)
    desk.conn.execute(
        address_table.update()
        .where(address_table.c.id == address_id)
        .values(open_prompt=address.open_prompt)
    )


def pairs(conn: Connection, pen: Pen, number: int) -> list[Pair]:
    """So many children, each with two people who have just been asked the first question."""
    school = School(conn=conn, vault=pen.world.vault, now=pen.now)
    desk = Desk(conn=conn, world=pen.world, now=pen.now)
    school.coordinator("7001")
    made = []
    for n in range(1, number + 1):
        learner = school.child(n)
        row = children_by_id(conn, [learner.id])[learner.id]
        where: dict[str, tuple[ChannelName, str]] = {
            "caregiver": ("sms", f"+2782{n:07}"),
            "learner": ("telegram", f"{500000 + n}"),
        }
        for form, (channel, value) in where.items():
            kind = "caregiver" if form == "caregiver" else "teacher"
            person = school.person(kind)
            at = reach(school, person, channel, value)
            begin(
                desk,
                pen,
                person=person,
                address_id=at,
                where=(channel, value),
                form=form,
                child=row,
                wave=school.wave,
            )
        made.append(Pair(learner.id, school.wave, where["caregiver"][1], where["learner"][1]))
    return made


def reach(school: School, person: str, channel: ChannelName, value: str) -> str:
    """An address at our own account of the town."""
    return add_address(
        school.conn,
        person_id=person,
        channel=channel,
        account=ACCOUNTS[channel],
        value=value,
        vault=school.vault,
        now=school.now,
    )


def all_but_the_last(
    conn: Connection, pen: Pen, made: Sequence[Pair], *, home: Sequence[str], desk: Sequence[str]
) -> None:
    """Everybody has answered everything but the last question."""
    for text in home[:-1]:
        pen.send(conn, *(pen.letter("sms", pair.caregiver, text) for pair in made))
    for text in desk[:-1]:
        pen.send(conn, *(pen.letter("telegram", pair.teacher, text) for pair in made))
