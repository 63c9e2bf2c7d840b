"""Households filled through every table, each row remembered by whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from flows.sessions import Answer, Session, to_json
from storage import schema
from storage.care.cases import profile_row
from storage.families.learners import Learner
from storage.keyring.vault import Vault
from tests.storage.rows import ACCOUNT, School

Key = tuple[str, tuple[Any, ...]]


@dataclass(slots=True, kw_only=True)
class Family:
    """A household, what belongs to it, and a word that stands in all that is sealed for it."""

    id: str
    canary: str
    number: str
    children: list[Learner] = field(default_factory=list)
    persons: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    rows: set[Key] = field(default_factory=set)

    @property
    def keys(self) -> set[str]:
        """Its key, and those of what its people wrote before they joined."""
        return {self.id, *self.early}


@dataclass(slots=True, kw_only=True)
class Town:
    """A school with its teacher and coordinator, and its families."""

    conn: Connection
    vault: Vault
    now: datetime
    school: School = field(init=False)
    teacher: str = ""
    desk: str = ""
    coordinator: str = ""
    phone: str = ""
    user: str = ""
    families: list[Family] = field(default_factory=list)

    def __post_init__(self) -> None:
        conn, vault, now = self.conn, self.vault, self.now
        self.school = school = School(conn=conn, vault=vault, now=now)
        self.teacher = school.person("teacher")
        self.desk = school.reached_at(self.teacher, "+27110000001")
        self.coordinator, self.phone = school.coordinator("77001")
        conn.execute(update(schema.classes).values(teacher_id=self.teacher))
        self.user = school.new_id()
        row = {
            "id": self.user,
            "login": "thandi",
            "person_id": self.coordinator,
            "role": "coordinator",
            "schools": [school.id],
            "password_hash": "h",
            "totp_secret": vault.seal("s", table="users", column="totp_secret", row=self.user),
            "totp_last": 0,
            "created_at": now,
        }
        conn.execute(insert(schema.users).values(**row))

    # -- one family ---------------------------------------------------------------------------

    def family(self, number: int, *, children: int = 1, carers: int = 1) -> Family:
        """A household with something in every table."""
        first = self.school.child(number)
        home = Family(
            id=first.household_id, canary=f"Canary{number:03}x", number=f"+2782{number:07}"
        )
        self.families.append(home)
        home.children.append(first)
        home.rows |= {("households", (home.id,)), ("children", (first.id,))}
        for more in range(1, children):
            self._sibling(home, number + 100 * more)
        for place in range(carers):
            self._carer(home, place)
        for child in home.children:
            self._about(home, child)
        self._rights(home)
        return home

    def put(self, home: Family, table: Table, **row: Any) -> str:
        """Insert a row and remember that it is theirs."""
        self.conn.execute(insert(table).values(**row))
        key = tuple(row[c.name] for c in table.primary_key.columns) or tuple(row.values())
        home.rows.add((table.name, key))
        return str(row.get("id", ""))

    def seal(self, home: Family, table: Table, column: str, row: str, text: str = "") -> bytes:
        """Their canary, sealed with their key."""
        key = self.vault.key_for(home.id)
        said = text or home.canary
        return self.vault.seal(said, table=table.name, column=column, row=row, key=key)

    def _sibling(self, home: Family, number: int) -> None:
        child = self.school.child(number)
        self.conn.execute(
            update(schema.children)
            .where(schema.children.c.id == child.id)
            .values(household_id=home.id)
        )
        self.conn.execute(
            schema.households.delete().where(schema.households.c.id == child.household_id)
        )
        home.children.append(child)
        home.rows.add(("children", (child.id,)))

    def _carer(self, home: Family, place: int) -> None:
        s, now, new = self.school, self.now, self.school.new_id
        person, address = new(), new()
        value = f"{home.number}{place}"
        home.persons.append(person)
        home.addresses.append(address)
        self.put(
            home,
            schema.persons,
            id=person,
            programme_id=s.programme,
            school_id=s.id,
            household_id=home.id,
            kind="caregiver",
            name=self.seal(home, schema.persons, "name", person),
            language="zu",
            safe_hour="evening",
            shared_phone=True,
            created_at=now,
        )
        self.put(
            home,
            schema.addresses,
            id=address,
            channel="sms",
            account=ACCOUNT,
            blind=self.vault.blind_address("sms", ACCOUNT, value),
            value=self.seal(home, schema.addresses, "value", address, value),
            person_id=person,
            language="zu",
            created_at=now,
        )
        early = new() if self.vault.store is not None else None
        home.early += [early] if early else []
        self.put(
            home,
            schema.person_address,
            person_id=person,
            address_id=address,
            from_at=now,
            key_id=early,
        )
        if early:
            self._said_before(home, address, early)
        for status in ("done", "poison"):
            letter = new()
            self.put(
                home,
                schema.inbox,
                id=letter,
                address_id=address,
                channel="sms",
                account=ACCOUNT,
                status=status,
                body=self.seal(home, schema.inbox, "body", letter),
                received_at=now,
                done_at=now,
            )
        message = self.message(home, address, person_id=person, provider_id=f"SM{new()}")
        self.put(
            home,
            schema.delivery_events,
            id=new(),
            outbox_id=message,
            provider_id="SM",
            raw="sent",
            error="",
            at=now,
            matched=True,
        )
        self.put(
            home,
            schema.dialogs,
            address_id=address,
            body=self.seal(home, schema.dialogs, "body", address),
            at=now,
        )
        self._task(home, "dead_letter", person_id=person, address_id=address, ref=message)

    def _said_before(self, home: Family, address: str, key: str) -> None:
        """What was said at an address before it belonged to anybody, each way."""
        for table, more in (
            (schema.inbox, {"channel": "sms", "account": ACCOUNT, "received_at": self.now}),
            (
                schema.outbox,
                {
                    "key": "",
                    "message_class": "reply",
                    "priority": 2,
                    "seq": 1,
                    "not_before": self.now,
                    "expires_at": self.now + timedelta(days=1),
                    "created_at": self.now,
                },
            ),
        ):
            row = self.school.new_id()
            place = {"table": table.name, "column": "body", "row": row}
            body = self.vault.seal(home.canary, **place, key=key)
            state = {"status": "done", "done_at": self.now}
            if table is schema.outbox:
                state = {"state": "queued", "key": f"k:{row}"}
            self.put(home, table, id=row, address_id=address, body=body, **more | state)

    def message(self, home: Family, address: str, **more: Any) -> str:
        """A message of theirs on its way out."""
        row = self.school.new_id()
        base = {
            "key": f"k:{row}",
            "message_class": "reply",
            "priority": 2,
            "seq": 1,
            "state": "queued",
            "body": self.seal(home, schema.outbox, "body", row),
            "not_before": self.now,
            "expires_at": self.now + timedelta(days=1),
            "created_at": self.now,
        }
        return self.put(home, schema.outbox, id=row, address_id=address, **base | more)

    def _task(self, home: Family, kind: str, **more: Any) -> str:
        row = self.school.new_id()
        base = {"state": "open", "opened_at": self.now, "due_at": self.now}
        return self.put(home, schema.tasks, id=row, key=f"{kind}:{row}", kind=kind, **base | more)

    def _about(self, home: Family, child: Learner) -> None:
        now, new = self.now, self.school.new_id
        carer, address = home.persons[0], home.addresses[0]
        key = (child.id, carer, now)
        self.conn.execute(
            insert(schema.child_caregiver).values(
                child_id=child.id, person_id=carer, capacity="parent_or_guardian", from_at=now
            )
        )
        home.rows.add(("child_caregiver", key))
        self.put(
            home,
            schema.join_codes,
            id=new(),
            child_id=child.id,
            blind=new(),
            issued_at=now,
            expires_at=now,
            claimed_at=now,
            claimed_by=address,
        )
        for granted in (True, False):
            row = new()
            self.put(
                home,
                schema.consents,
                id=row,
                person_id=carer,
                child_id=child.id,
                purpose="help",
                granted=granted,
                capacity="parent_or_guardian",
                text_version="v1",
                language="zu",
                channel="sms",
                mode="self",
                witness_name=self.seal(home, schema.consents, "witness_name", row),
                at=now,
            )
        self.told(home, child, by=carer, at=address)
        self.told(home, child, by=self.teacher, at=self.desk, form="learner")
        self._judged(home, child)

    def told(
        self, home: Family, child: Learner, *, by: str, at: str, form: str = "caregiver"
    ) -> str:
        """A questionnaire about a child, answered."""
        s, now, new = self.school, self.now, self.school.new_id
        given = new()
        self.put(
            home,
            schema.assignments,
            id=given,
            key=f"{form}:{given}",
            person_id=by,
            child_id=child.id,
            wave_id=s.wave,
            form_id=form,
            state="done",
            priority=0,
            created_at=now,
        )
        session = new()
        self.put(
            home,
            schema.sessions,
            id=session,
            address_id=at,
            person_id=by,
            assignment_id=given,
            child_id=child.id,
            household_id=home.id,
            wave_id=s.wave,
            form_id=form,
            version="v1",
            status="completed",
            state=self.seal(home, schema.sessions, "state", session),
            rev=1,
            started_at=now,
            changed_at=now,
        )
        self.put(
            home,
            schema.events,
            session_id=session,
            rev=1,
            kind="replied",
            body=self.seal(home, schema.events, "body", f"{session}:1"),
            at=now,
        )
        self.put(
            home,
            schema.answers,
            session_id=session,
            item="worry",
            revision=1,
            child_id=child.id,
            household_id=home.id,
            wave_id=s.wave,
            form_id=form,
            informant="caregiver",
            state="answered",
            text=self.seal(home, schema.answers, "text", f"{session}:worry:1"),
            version="v1",
            language="zu",
            text_revision=1,
            mode="self",
            at=now,
        )
        self.put(
            home,
            schema.timers,
            key=f"nudge:{session}:1",
            kind="nudge",
            ref=session,
            due_at=now,
            data={},
            state="done",
        )
        self.put(
            home,
            schema.disputes,
            id=new(),
            session_id=session,
            item="worry",
            child_id=child.id,
            at=now,
        )
        return session

    def _judged(self, home: Family, child: Learner) -> None:
        s, now, new = self.school, self.now, self.school.new_id
        self.put(
            home,
            schema.child_state,
            child_id=child.id,
            wave_id=s.wave,
            domain="health",
            band="high",
            rules="r1",
            as_of=now,
        )
        body = self.seal(home, schema.profiles, "body", profile_row(child.id, s.wave))
        self.put(
            home,
            schema.profiles,
            child_id=child.id,
            wave_id=s.wave,
            school_id=s.id,
            level="high",
            rules="r1",
            body=body,
            as_of=now,
        )
        alert = s.alert_row(child, state="closed", owner_id=self.coordinator, closed_at=now)
        alert["reason"] = self.seal(home, schema.alerts, "reason", alert["id"])
        alert["report_ref"] = self.seal(home, schema.alerts, "report_ref", alert["id"])
        self.put(home, schema.alerts, **alert)
        self.put(home, schema.alert_events, id=new(), alert_id=alert["id"], kind="opened", at=now)
        self.put(
            home,
            schema.timers,
            key=f"alert:{alert['id']}:resend",
            kind="alert",
            ref=alert["id"],
            due_at=now,
            data={},
            state="done",
        )
        self.message(home, self.phone, key=f"alert:{alert['id']}:{self.phone}:0")
        self._task(home, "phone_me", child_id=child.id, ref=alert["id"])

    def _rights(self, home: Family) -> None:
        now, new = self.now, self.school.new_id
        row, hold = new(), new()
        self.put(
            home,
            schema.requests,
            id=row,
            key=row,
            kind="erasure",
            household_id=home.id,
            person_id=home.persons[0],
            child_id=home.children[0].id,
            school_id=self.school.id,
            address_id=home.addresses[0],
            way="chat",
            received_at=now,
            due_at=now,
            state="granted",
            note=self.seal(home, schema.requests, "note", row),
        )
        self.put(
            home,
            schema.legal_holds,
            id=hold,
            household_id=home.id,
            reason=self.seal(home, schema.legal_holds, "reason", hold),
            set_by=self.user,
            from_at=now,
            until_at=now,
        )
        self.put(
            home,
            schema.exports,
            id=new(),
            kind="access",
            household_id=home.id,
            person_id=home.persons[0],
            purpose="access",
            made_at=now,
            expires_at=now,
        )

    # -- what is everybody's ------------------------------------------------------------------

    def class_screen(self, numbers: Mapping[str, str], *, roster: str) -> str:
        """The teacher's look over her class: list numbers by item."""
        s, now, new = self.school, self.now, self.school.new_id
        row = new()
        value = Session(
            id=row,
            form_id="class_screen",
            version="v1",
            channel="sms",
            language="en",
            status="completed",
            answers={item: Answer(said) for item, said in numbers.items()},
            context={"roster": roster, "class_name": "1A"},
            rev=len(numbers),
            changed_at=now,
        )
        s.session(
            self.desk,
            id=row,
            person_id=self.teacher,
            class_id=s.class_id,
            wave_id=s.wave,
            form_id="class_screen",
            status="completed",
            state=self.vault.seal(to_json(value), table="sessions", column="state", row=row),
            rev=len(numbers),
        )
        for rev, (item, said) in enumerate(numbers.items(), 1):
            s.answer(row, item, said, revision=rev, form_id="class_screen", informant="teacher")
            body = self.vault.seal(said, table="events", column="body", row=f"{row}:{rev}")
            s.put(schema.events, session_id=row, rev=rev, kind="replied", body=body, at=now)
        s.letter(self.desk, "done", done_at=now)
        return row


def everything(conn: Connection) -> dict[Key, tuple[Any, ...]]:
    """All rows of the database by table and primary key (the whole row where it has none)."""
    found = {}
    for table in schema.metadata.sorted_tables:
        for row in conn.execute(select(table)).mappings():
            names = [c.name for c in table.primary_key.columns] or [
                name for name in row if name not in {"capacity", "until_at"}
            ]
            key = tuple(row[name] for name in names)
            found[table.name, key] = tuple(map(repr, row.values()))
    return found
