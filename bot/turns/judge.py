"""Judging: profiles of the children whose answers changed, and the alerts they call for.

Runs after the batch's answers are written and before its commit. The children are locked in order
of id first, so that whoever comes second sees the first one's answers.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from bot.care.alerts import send, unreachable
from bot.care.recipients import on_call
from bot.turns.closing import flag_for_teacher
from bot.turns.desk import Desk
from scoring.model import DOMAINS, Profile, Submission
from scoring.plans import suggest
from scoring.profile import profile
from scoring.report import to_document
from scoring.screen import named, screen_answers
from scoring.triage import BACK, CHANGED, AlertCall, alert_for, alerts_for, anew, revision
from storage.care.assessments import Sheet, sheets_about_children, sheets_about_classes
from storage.care.cases import OPEN, profile_row
from storage.care.raising import raise_alerts
from storage.care.revising import judged_before, raised_about
from storage.schema import alert_events, child_state, profiles, timers
from storage.talk.conversations import ChildRow, children_by_id
from storage.talk.starts import consented_children

POINTS_SCALE = 1000
CODE_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Call:
    """An alert called for, with where it belongs."""

    call: AlertCall
    child: ChildRow
    wave_id: str


def judge(desk: Desk) -> None:
    """Profiles and alerts for everything this batch touched.

    A critical answer in the middle of a questionnaire stores a profile too, so that whoever opens
    the alert sees why; what the profile itself calls for waits until the questionnaire ends. An
    alert that rests on no answer (`Desk.calls`) stores none.
    """
    pairs = set(desk.touched) | _screened(desk)
    early = {(child, wave) for child, wave, _ in desk.critical} - pairs
    ids = {child for child, _ in pairs | early} | {child for child, _, _ in desk.calls}
    if not ids:
        return
    children = children_by_id(desk.conn, ids, lock=True)
    calls = [
        Call(alert_for(hit, child=child, wave=wave), children[child], wave)
        for child, wave, hit in desk.critical
    ]
    calls += [Call(call, children[child], wave) for child, wave, call in desk.calls]
    _profiles(desk, sorted(early), children)
    judged = _profiles(desk, sorted(pairs), children)
    desk.writes.flush(desk.conn)
    again = _revise(desk, pairs | early, calls, judged, whole=pairs)
    _raise(desk, [*calls, *judged, *again])


def _revise(
    desk: Desk,
    pairs: set[tuple[str, str]],
    hits: list[Call],
    judged: list[Call],
    *,
    whole: set[tuple[str, str]],
) -> list[Call]:
    """Note at each alert whether its reason left the answers or came back; none is taken away.

    Of a questionnaire that is still being answered (not `whole`) only what came back counts.
    Returns what is to be raised anew: a reason that is back and whose alert was closed meanwhile.
    """
    raised = [
        one
        for one in raised_about(desk.conn, {child for child, _ in pairs})
        if (one.child_id, one.wave_id) in pairs
    ]
    now: dict[tuple[str, str], dict[str, Call]] = {}
    for call in (*judged, *(c for c in hits if (c.child.id, c.wave_id) not in whole)):
        now.setdefault((call.child.id, call.wave_id), {})[call.call.rule] = call
    open_now = {(r.child_id, r.wave_id, r.rule) for r in raised if r.state in OPEN}
    again: dict[tuple[str, str, str], Call] = {}
    for one in raised:
        place = (one.child_id, one.wave_id)
        called = now.get(place, {})
        note = revision(one.rule, called.keys(), one.note)
        if not note or (note == CHANGED and place not in whole):
            continue
        desk.writes.insert(
            alert_events,
            id=desk.new_id(),
            alert_id=one.id,
            kind=note,
            actor_id=None,
            at=desk.now,
        )
        if note == BACK and (*place, one.rule) not in open_now:
            call = called[one.rule]
            again[(*place, one.rule)] = Call(anew(call.call, desk.now), call.child, call.wave_id)
    return list(again.values())


def _screened(desk: Desk) -> set[tuple[str, str]]:
    """Children named in the class screens of this batch, now or before."""
    found: set[tuple[str, str]] = set()
    sheets = sheets_about_classes(desk.conn, {c for c, _ in desk.screened})
    for class_id, wave_id in desk.screened:
        roster = consented_children(desk.conn, class_id)
        for sheet in sheets.get((class_id, wave_id), []):
            answers = {item: value for item, value in sheet.answers.items() if value}
            found |= {(roster[n].id, wave_id) for n in named(answers) if n in roster}
        # Who was named before and is not any more is judged anew as well.
        listed = judged_before(desk.conn, {child.id for child in roster.values()}, wave_id)
        found |= {(child_id, wave_id) for child_id in listed}
    return found


def _profiles(
    desk: Desk, pairs: list[tuple[str, str]], children: dict[str, ChildRow]
) -> list[Call]:
    """Recompute and store each child's profile; returns the alerts they call for."""
    if not pairs:
        return []
    about = sheets_about_children(desk.conn, {child for child, _ in pairs})
    classes = {children[c].class_id for c, _ in pairs} - {None}
    screens = sheets_about_classes(desk.conn, [c for c in classes if c])
    calls = []
    for child_id, wave_id in pairs:
        child = children[child_id]
        sheets = about.get((child_id, wave_id), [])
        submissions = [_submission(s, s.answers) for s in sheets]
        for sheet in screens.get((child.class_id or "", wave_id), []):
            answers = {item: value for item, value in sheet.answers.items() if value is not None}
            submissions.append(_submission(sheet, screen_answers(answers, child.list_number or 0)))
        result = profile(desk.world.library.rules, submissions, as_of=desk.now)
        _store(desk, child, wave_id, result)
        if result.level != "none" and any(s.informant == "caregiver" for s in sheets):
            flag_for_teacher(desk, child, wave_id)
        calls += [Call(c, child, wave_id) for c in alerts_for(result, child=child_id, wave=wave_id)]
    return calls


def _submission(sheet: Sheet, answers: Any) -> Submission:
    return Submission(
        informant=sheet.informant,  # type: ignore[arg-type]
        questionnaire=sheet.form_id,
        submitted_at=sheet.at,
        answers=dict(answers),
    )


def _store(desk: Desk, child: ChildRow, wave_id: str, result: Profile) -> None:
    rules, vault = desk.world.library.rules, desk.world.vault
    for domain in DOMAINS:
        found = result.domains[domain]
        desk.writes.put(
            child_state,
            child_id=child.id,
            wave_id=wave_id,
            domain=domain,
            band=found.band,
            points=None if found.score is None else round(found.score * POINTS_SCALE),
            disagree=found.disagree,
            rules=rules.version,
            as_of=desk.now,
        )
    document = msgspec.json.encode(to_document(result, suggest(rules, result))).decode()
    desk.writes.put(
        profiles,
        child_id=child.id,
        wave_id=wave_id,
        school_id=child.school_id,
        level=result.level,
        urgent=result.urgent,
        rules=rules.version,
        body=vault.seal(
            document,
            table="profiles",
            column="body",
            row=profile_row(child.id, wave_id),
            key=vault.key_for(child.household_id),
        ),
        as_of=desk.now,
    )


def _raise(desk: Desk, calls: list[Call]) -> None:
    """One row an alert; messages to those on call, or an openly unreachable task."""
    world, now = desk.world, desk.now
    rows: dict[str, dict[str, Any]] = {
        c.call.key: {
            "id": desk.new_id(),
            "key": c.call.key,
            "code": world.new_code(CODE_LENGTH),
            "child_id": c.child.id,
            "school_id": c.child.school_id,
            "wave_id": c.wave_id,
            "level": c.call.level,
            "rule": c.call.rule,
            "rules": world.library.rules.version,
            "state": "opened",
            "opened_at": now,
        }
        for c in calls
    }
    new = raise_alerts(desk.conn, [rows[key] for key in sorted(rows)])
    if not new:
        return
    schools = {rows[key]["school_id"] for key in new}
    members = on_call(desk.conn, world.policy, schools, now=now)
    for key in sorted(new):
        row = rows[key]
        sent = send(
            desk.writes,
            world,
            alert_id=row["id"],
            code=row["code"],
            level=row["level"],
            round_number=0,
            members=members[row["school_id"]],
            passed=frozenset(),
            now=now,
        )
        desk.writes.insert(
            alert_events,
            id=desk.new_id(),
            alert_id=row["id"],
            kind="opened",
            actor_id=None,
            at=now,
        )
        desk.writes.offer(
            timers,
            key=f"alert:{row['id']}:resend",
            kind="alert",
            ref=row["id"],
            due_at=now + world.site.resend_after(row["level"]),
            data={},
            state="due",
            reason=None,
            done_at=None,
        )
        if not sent:
            unreachable(desk.writes, world, alert_id=row["id"], school_id=row["school_id"], now=now)
