"""Golden conversations: a text file is played through the real turn and must come out the same.

The form of the files is told in `tests/transcripts/README.md`. What goes in (the head, `<`, `~`,
`!`, `#`) is kept; what comes out (`>` and `=`) is written anew and compared.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast, get_args

from sqlalchemy import Connection, select

from bot.care import signing
from bot.consent import consents
from bot.consent.proving import Told
from bot.people import numbers, second
from bot.site import Site
from flows.consent import Purpose
from flows.messages import ChannelName
from flows.routing import LOGIN_LIFE
from storage.families import people
from storage.keyring.vault import Vault
from storage.schema import addresses, children
from storage.staff import logins, users
from tests.person import Person
from tests.stored import Facts, Ledger, changed, facts
from tests.town import ACCOUNTS, ZONE, Resident, Sent, Town, open_town, site

CHANNELS: tuple[ChannelName, ...] = get_args(ChannelName)
ROLES = ("caregiver", "teacher", "coordinator")
_HEAD = re.compile(r"# (?P<key>[a-z ]+): (?P<value>.+)")
_SAYS = re.compile(r"(?:(?P<name>[a-z]+)(?:/(?P<on>[a-z]+))? )?<(?: (?P<text>.*))?")
_WAITS = re.compile(r"~ (?:\+(?P<number>\d+)(?P<unit>[mhd])|(?P<until>[\d-]+ [\d:]+))")
_TAP = re.compile(r"\[(?P<title>[^\]]+)\](?: under: (?P<under>.+))?")
_CALL = "(missed call)"
_DIALS = "(dials)"
_MEDIA = re.compile(r"\((?P<kind>image|audio|video|location|contact|sticker)\)")
_PASSED_ON = re.compile(r"\((?P<how>forwarded|edited)\) (?P<text>.+)")
_SIGNS_IN = re.compile(r"! (?P<name>[a-z]+) signs in and sees (?P<number>\d\d)")
_SECOND = re.compile(r"! another adult may join for (?P<child>\d+)")
_NUMBER = re.compile(r"! (?P<old>[a-z]+) has the number of (?P<new>[a-z]+) now")
_PASSED = re.compile(r"! the phone of (?P<old>[a-z]+) is somebody else's now")
_PAPER = re.compile(r"! (?P<name>[a-z]+) signed for (?P<child>\d+): (?P<words>[a-z ,]+)")
_CODE = re.compile(r"\(code (\d+)\)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class TranscriptError(Exception):
    """A line of a transcript that nobody can read."""


@dataclass(slots=True, kw_only=True)
class Head:
    """What the first lines of a transcript set up."""

    at: datetime | None = None
    residents: list[Resident] = field(default_factory=list)
    consented: tuple[int, ...] = ()
    changes: dict[str, object] = field(default_factory=dict)

    def take(self, key: str, value: str) -> bool:
        """Understand one line of the head; False where it is only a comment."""
        role, *rest = [part.strip() for part in value.split(",")]
        match key:
            case "at":
                self.at = datetime.fromisoformat(value).replace(tzinfo=ZONE)
            case "consented":
                self.consented = tuple(map(int, value.split()))
            case "duty officer":
                self.changes["duty_officer"] = value == "yes"
            case "contact within":
                self.changes["contact_hours"] = int(value)
            case "calls staffed":
                self.changes["calls_staffed"] = value == "yes"
            case "templates":
                names = [] if value == "none" else value.split()
                self.changes["templates"] = {name: f"cwb_{name}" for name in names}
            case _ if role in ROLES:
                self.residents.append(self._resident(key, role, rest))
            case _:
                return False
        return True

    def decisions(self) -> Site:
        """The site of this conversation."""
        return site(**self.changes)

    def _resident(self, name: str, role: str, rest: Sequence[str]) -> Resident:
        channel = next(c for c in CHANNELS if c == rest[0])
        invited = next((p.split()[-1] for p in rest if p.startswith("invited for")), "0")
        agreed = next((p.split()[-1] for p in rest if p.startswith("agreed")), "")
        return Resident(
            name=name,
            role=role,
            channel=channel,
            place=len(self.residents) + 1,
            invited_for=int(invited),
            agreed_on=agreed,
        )


@dataclass(slots=True, kw_only=True)
class Play:
    """One transcript being played: the town, its people, and the lines so far."""

    town: Town
    people: dict[str, Person]
    lines: list[str]
    heard: int = 0
    stood: Facts = field(default_factory=dict)

    @property
    def many(self) -> bool:
        return len(self.people) > 1

    async def line(self, line: str) -> None:
        """Play one line that goes in."""
        if not line.strip() or line.startswith("#"):
            self.lines.append(line)
        elif line.startswith("~"):
            await self._wait(line)
        elif line.startswith("!"):
            await self._staff(line)
        else:
            await self._says(line)

    async def _says(self, line: str) -> None:
        found = _SAYS.fullmatch(line)
        name = (found["name"] or next(iter(self.people))) if found else ""
        if found is None or name not in self.people:
            raise TranscriptError(f"nobody says {line!r}")
        self.lines.append(line)
        person, text = self.people[name], found["text"] or ""
        if tap := _TAP.fullmatch(text):
            await person.taps(tap["title"], under=tap["under"] or "")
        elif text == _DIALS:
            await person.dials()
        elif text == _CALL:
            await person.rings()
        elif media := _MEDIA.fullmatch(text):
            await person.shows(media["kind"])
        elif passed := _PASSED_ON.fullmatch(text):
            await person.passes_on(passed["text"], edited=passed["how"] == "edited")
        else:
            on = next((c for c in CHANNELS if c == found["on"]), None)
            await person.says(self._coded(text), on=on)
        await self._tell(name)

    def _coded(self, text: str) -> str:
        return _CODE.sub(lambda found: self.town.codes[int(found[1])], text)

    async def _wait(self, line: str) -> None:
        found = _WAITS.match(line)
        if found is None:
            raise TranscriptError(f"how long is {line!r}?")
        until = (
            datetime.fromisoformat(found["until"]).replace(tzinfo=ZONE)
            if found["until"]
            else self.town.now + timedelta(**{_UNITS[found["unit"]]: int(found["number"])})
        )
        await self.town.wait(until)
        shown = until.astimezone(ZONE)
        self.lines.append(f"{found[0]}   ({shown:%a %d %b %H:%M})")
        await self._tell("")

    async def _staff(self, line: str) -> None:
        """`! amina can also be reached by sms`: what staff do outside the conversation."""
        if found := _SIGNS_IN.fullmatch(line):
            await sign_in(self.town, self.people[found["name"]].who, found["number"])
            self.lines.append(line)
            await self._settled()
            return
        if found := _PAPER.fullmatch(line):
            who = self.people[found["name"]].who
            await sign(self.town, who, int(found["child"]), found["words"].split(", "))
            self.lines.append(line)
            await self._settled()
            return
        if found := _SECOND.fullmatch(line):
            await self._second_adult(int(found["child"]))
            self.lines.append(line)
            await self._settled()
            return
        if await self._about_a_number(line):
            self.lines.append(line)
            await self._settled()
            return
        if line == "! the words of consent change":
            await self.town.change_words()
            self.lines.append(line)
            await self._tell("")
            return
        words = line.removeprefix("! ").split()
        if words[1:-1] != ["can", "also", "be", "reached", "by"]:
            raise TranscriptError(f"nobody can do {line!r}")
        who = self.people[words[0]].who
        channel = next(c for c in CHANNELS if c == words[-1])
        town = self.town
        vault = town.world.vault
        blind = vault.blind_address(who.channel, ACCOUNTS[who.channel], who.address)

        def note(conn: Connection) -> None:
            row = conn.execute(select(addresses).where(addresses.c.blind == blind)).one()
            people.add_address(
                conn,
                person_id=row.person_id,
                channel=channel,
                account=ACCOUNTS[channel],
                value=who.on(channel),
                vault=vault,
                now=town.now,
            )

        await town.database.write(note)
        self.lines.append(line)
        await self._tell("")

    async def _second_adult(self, number: int) -> None:
        """`(code 17)` is from now on what staff print for another adult of the child."""

        def issue(conn: Connection) -> str:
            child = select(children.c.code).where(children.c.list_number == number)
            code = str(conn.execute(child).scalar_one())
            return second.issue(conn, self.town.world, code, now=self.town.now).code

        self.town.codes[number] = await self.town.database.write(issue)

    async def _about_a_number(self, line: str) -> bool:
        """Staff write down a new number, or that a phone was passed on."""
        found = _NUMBER.fullmatch(line) or _PASSED.fullmatch(line)
        if found is None:
            return False
        town, old = self.town, self.people[found["old"]].who.on("sms")
        if "new" in found.groupdict():
            new = self.people[found["new"]].who.on("sms")
            await town.database.write(
                lambda c: numbers.change(c, town.world, old, new, now=town.now)
            )
        else:
            await town.database.write(lambda c: numbers.hand_over(c, town.world, old, now=town.now))
        return True

    async def _settled(self) -> None:
        await self.town.settle()
        await self._tell("")

    async def _tell(self, speaker: str) -> None:
        """What came out: messages, the speaker's first, then what was stored."""
        sent = self.town.channel.sent[self.heard :]
        self.heard = len(self.town.channel.sent)
        order = sorted(self.people, key=lambda name: name != speaker)
        for name in order:
            for one in sent:
                if self.people[name].who.has(one.address):
                    self.lines += self._shown(name, one)
        stands = await self.town.database.read(lambda c: facts(c, self.town))
        self.lines += [f"= {line}" for line in changed(self.stood, stands)]
        self.stood = stands
        ledger = next(iter(self.people.values())).ledger
        await self.town.database.read(lambda c: ledger.check(c, self.town.world))

    def _shown(self, name: str, sent: Sent) -> Iterator[str]:
        message, who = sent.message, self.people[name].who
        on = "" if sent.channel == who.channel else f"/{sent.channel}"
        mark = f"{name}{on} >" if self.many or on else ">"
        first, *rest = message.text.split("\n")
        if message.template:
            first = f"({message.template}) {first}"
        if first or rest or message.buttons:
            yield f"{mark} {first}".rstrip()
            yield from (f"{mark}   {line}".rstrip() for line in rest)
        if message.buttons:
            titles = " ".join(f"[{button.title}]" for button in message.buttons)
            opener = f"({message.menu}) " if message.menu else ""
            yield f"{mark}   {opener}{titles}"


async def sign_in(town: Town, who: Resident, number: str) -> str:
    """A member of staff begins to sign in by chat; her browser shows the number. Gives its id."""
    world, now = town.world, town.now
    blind = world.vault.blind_address(who.channel, ACCOUNTS[who.channel], who.address)
    prompt_id = world.new_id(now)

    def begin(conn: Connection) -> None:
        row = conn.execute(select(addresses).where(addresses.c.blind == blind)).one()
        user = users.by_login(conn, who.name)
        if user is None:
            user = users.User(
                id=world.new_id(now),
                login=who.name,
                person_id=row.person_id,
                role="coordinator",
                schools=frozenset(),
                password_hash="",
                totp_secret=b"none",
                totp_last=0,
                created_at=now,
                ends_at=None,
                disabled_at=None,
            )
            users.add(conn, user)
        prompt = logins.Prompt(
            id=prompt_id,
            user_id=user.id,
            number=number,
            state="asked",
            attempt=(),
            expires_at=now + LOGIN_LIFE,
        )
        logins.add_prompt(conn, prompt, browser=prompt_id * 2, now=now)
        assert signing.ask(conn, row.person_id, prompt_id, now, world=world)

    await town.database.write(begin)
    town.queue.poke()  # the clock looks every second; here nothing ticks by itself
    return prompt_id


async def sign(town: Town, who: Resident, number: int, words: Sequence[str]) -> None:
    """A caregiver signed the form at school; staff write down her yes and her number.

    `words` are purposes; "no research" is a no.
    """
    said = {one.removeprefix("no "): not one.startswith("no ") for one in words}

    def note(conn: Connection) -> None:
        child = select(children.c.code).where(children.c.list_number == number)
        consents.record(
            conn,
            town.world,
            conn.execute(child).scalar_one(),
            words=cast("dict[Purpose, bool]", said),
            capacity="parent_or_guardian",
            language="en",
            told=Told(mode="paper", at=town.now, kept_at="school safe, folder 3"),
            now=town.now,
            address=who.address if who.channel == "sms" else f"{who.channel}:{who.address}",
        )

    await town.database.write(note)


async def replay(text: str, *, url: str, vault: Vault, language: str = "") -> str:
    """Play a transcript on an empty database and write down what comes of it.

    Args:
        text: The transcript.
        url: An empty database.
        vault: Seals and blinds.
        language: Tag of one that is offered beside English and isiZulu.

    Raises:
        TranscriptError: A line cannot be read.
        AssertionError: A second delivery had an effect, or a session is not the fold of its events.
    """
    head = Head()
    lines = text.splitlines()
    size = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    for line in lines[:size]:
        if found := _HEAD.fullmatch(line):
            head.take(found["key"], found["value"])
    if head.at is None or not head.residents:
        raise TranscriptError("the head of a transcript says when it is and who is there")
    async with open_town(
        url,
        vault,
        head.residents,
        at=head.at,
        consented=head.consented,
        decisions=head.decisions(),
        language=language,
    ) as town:
        ledger = Ledger()
        cast = {r.name: Person(town=town, who=r, ledger=ledger) for r in head.residents}
        stood = await town.database.read(lambda c: facts(c, town))
        play = Play(town=town, people=cast, lines=lines[:size], stood=stood)
        for line in lines[size:]:
            if not _came_out(line):
                await play.line(line)
        return "\n".join(play.lines) + "\n"


def _came_out(line: str) -> bool:
    return re.match(r"(?:[a-z]+(?:/[a-z]+)? )?>|=", line) is not None
