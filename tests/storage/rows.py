"""Rows for tests: a school with its people, put in with the fewest words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from storage.families import people
from storage.families.learners import Learner, NewChild, add_children
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    alerts,
    answers,
    assignments,
    child_caregiver,
    consents,
    inbox,
    outbox,
    sessions,
)

ACCOUNT = "+2711"


@dataclass(slots=True, kw_only=True)
class School:
    """A programme with one school, one class and one open wave."""

    conn: Connection
    vault: Vault
    now: datetime
    programme: str = ""
    id: str = ""
    class_id: str = ""
    wave: str = ""

    def __post_init__(self) -> None:
        conn, now = self.conn, self.now
        self.programme = people.ensure_programme(conn, name="P", now=now)
        self.id = people.ensure_school(conn, programme_id=self.programme, name="North", now=now)
        self.class_id = people.ensure_class(conn, school_id=self.id, grade="1", name="A", now=now)
        self.wave = people.ensure_wave(
            conn, programme_id=self.programme, number=1, opens_at=now, now=now
        )

    def new_id(self) -> str:
        return new_id(self.now)

    def child(self, number: int, *, in_class: bool = True) -> Learner:
        (made,) = add_children(
            self.conn,
            [NewChild(list_number=number, sex="f", birth_month="2019-03")],
            programme_id=self.programme,
            school_id=self.id,
            class_id=self.class_id if in_class else None,
            now=self.now,
        )
        return made

    def person(self, kind: str = "caregiver", *, household: str | None = None) -> str:
        return people.add_person(
            self.conn,
            kind=kind,
            programme_id=self.programme,
            school_id=self.id,
            household_id=household,
            now=self.now,
            vault=self.vault,
        )

    def reached_at(self, person_id: str, value: str, channel: str = "sms") -> str:
        return people.add_address(
            self.conn,
            person_id=person_id,
            channel=channel,  # type: ignore[arg-type]
            account=ACCOUNT,
            value=value,
            vault=self.vault,
            now=self.now,
        )

    def coordinator(self, value: str, channel: str = "telegram") -> tuple[str, str]:
        """(person, address)"""
        person = self.person("staff")
        people.grant_role(
            self.conn, person_id=person, school_id=self.id, role="coordinator", now=self.now
        )
        return person, self.reached_at(person, value, channel)

    def stranger(self, value: str, *, heard: datetime | None = None, **more: Any) -> str:
        row = self.new_id()
        self.put(
            addresses,
            id=row,
            channel="sms",
            account=ACCOUNT,
            blind=self.vault.blind_address("sms", ACCOUNT, value),
            value=self.vault.seal(value, table="addresses", column="value", row=row),
            language="en",
            last_inbound_at=heard,
            created_at=heard or self.now,
            **more,
        )
        return row

    def agreed(self, child: Learner, person: str, **more: Any) -> None:
        base = {
            "capacity": "parent_or_guardian",
            "purpose": "help",
            "granted": True,
            "text_version": "v",
        }
        self.put(
            consents,
            id=self.new_id(),
            person_id=person,
            child_id=child.id,
            language="en",
            channel="sms",
            mode="self",
            at=self.now,
            **{**base, **more},
        )

    def cares_for(self, person: str, child: Learner) -> None:
        self.put(
            child_caregiver,
            child_id=child.id,
            person_id=person,
            capacity="parent_or_guardian",
            from_at=self.now,
        )

    def session(self, address: str, **more: Any) -> str:
        base = {
            "id": self.new_id(),
            "address_id": address,
            "form_id": "caregiver",
            "version": "v1",
            "status": "open",
            "state": b"sealed",
            "rev": 1,
            "started_at": self.now,
            "changed_at": self.now,
        }
        row = {**base, **more}
        self.put(sessions, **row)
        return str(row["id"])

    def answer(self, session: str, item: str, value: str | None, **more: Any) -> None:
        base = {
            "session_id": session,
            "item": item,
            "revision": 1,
            "form_id": "caregiver",
            "informant": "caregiver",
            "state": "answered",
            "value": value,
            "version": "v1",
            "language": "en",
            "text_revision": 1,
            "mode": "self",
            "at": self.now,
        }
        self.put(answers, **{**base, **more})

    def assignment(self, person: str, form: str, **more: Any) -> str:
        row = self.new_id()
        base = {"state": "due", "priority": 0, "created_at": self.now, "wave_id": self.wave}
        self.put(
            assignments, id=row, key=f"{form}:{row}", person_id=person, form_id=form, **base | more
        )
        return row

    def letter(self, address: str, status: str = "waiting", **more: Any) -> str:
        row = self.new_id()
        base = {"channel": "sms", "account": ACCOUNT, "body": b"sealed", "received_at": self.now}
        self.put(inbox, id=row, address_id=address, status=status, **base | more)
        return row

    def message(self, address: str, **more: Any) -> str:
        row = self.new_id()
        base = {
            "key": f"k:{row}",
            "message_class": "reply",
            "priority": 2,
            "seq": 1,
            "state": "queued",
            "body": b"sealed",
            "not_before": self.now,
            "expires_at": self.now + timedelta(days=1),
            "created_at": self.now,
        }
        self.put(outbox, id=row, address_id=address, **base | more)
        return row

    def alert_row(self, child: Learner, rule: str = "high", **more: Any) -> dict[str, Any]:
        base = {
            "id": self.new_id(),
            "key": f"{child.id}:{self.wave}:{rule}",
            "code": self.new_id()[-6:].upper(),
            "child_id": child.id,
            "school_id": self.id,
            "wave_id": self.wave,
            "level": "high",
            "rule": rule,
            "rules": "r1",
            "state": "opened",
            "opened_at": self.now,
        }
        return base | more

    def alert(self, child: Learner, rule: str = "high", **more: Any) -> dict[str, Any]:
        row = self.alert_row(child, rule, **more)
        self.put(alerts, **row)
        return row

    def put(self, table: Table, **row: Any) -> None:
        self.conn.execute(insert(table).values(**row))

    def count(self, table: Table) -> int:
        return len(self.conn.execute(select(table)).all())
