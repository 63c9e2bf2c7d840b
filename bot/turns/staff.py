"""What staff say by chat: to an alert (accept, pass on, phone me), to a sign-in of theirs.

Replies carry the code only. About an alert the policy is asked as on a page: her role at its
school, what she wants, the alert.
"""

from typing import get_args

from bot.care.glass import TOLD as GLASS_TOLD
from bot.care.recipients import ALERTS, TOLD, told_roles
from bot.policy import Place, Thing, Who, may
from bot.turns.desk import Desk, Sender
from bot.turns.talk import add_task
from flows.messages import Phrase
from flows.routing import AlertChoice, AlertList, AlertReply, LoginReply
from storage import scope
from storage.care.cases import accept, pass_on
from storage.care.raising import offered_to, owned_code
from storage.staff.logins import answer_prompt
from storage.staff.standing import place_of_alert, roles_of
from storage.trail import audit

LIST = "list"
VERBS: tuple[tuple[str, str], ...] = (
    *((ALERTS, verb) for verb in (LIST, TOLD, *get_args(AlertChoice))),
    ("login", "confirm"),
    GLASS_TOLD,
)
"""What staff say and are told by chat: the (row, verb) pairs of the policy's chat section."""


def answer(desk: Desk, sender: Sender, intent: AlertReply | AlertList) -> None:
    """Act on a staff member's word, only on an alert of her schools that nobody has yet."""
    person = sender.person
    if person is None or person.kind != "staff":
        desk.say(sender, Phrase(key="idle.welcome"))
        return
    verb = LIST if isinstance(intent, AlertList) else intent.choice
    roles = told_roles(desk.world.policy, verb)
    offered = offered_to(desk.conn, [person.id], roles=roles, passed=True).get(person.id, ())
    if isinstance(intent, AlertList):
        allowed = [code for i, code in offered if _may(desk, person.id, LIST, i)]
        _list(desk, sender, allowed)
        return
    named = intent.alert or intent.code
    found = next(((i, c) for i, c in offered if named in (i, c)), None)
    if found is None or not _may(desk, person.id, intent.choice, found[0]):
        _not_open(desk, sender, owned_code(desk.conn, person.id, named), intent.code or "CWB")
        return
    _choose(desk, sender, intent.choice, *found)


def _may(desk: Desk, person_id: str, verb: str, alert_id: str) -> bool:
    """Whether the policy lets her, in any role she has now; a no looks as if it were not there."""
    at = place_of_alert(desk.conn, alert_id)
    if at is None:
        return False
    place = Place(section="chat", name=ALERTS, thing=Thing(school_id=at[0], erased=at[1]))
    return any(
        may(desk.world.policy, Who(role=role, schools=schools), verb, place) == "allow"
        for role, schools in roles_of(desk.conn, person_id, desk.now).items()
    )


def _not_open(desk: Desk, sender: Sender, own: str, code: str) -> None:
    """Hers already (said again, kindly), or somebody else's, or closed."""
    if own:
        values = {"code": own, "url": f"{desk.world.base_url}/dashboard"}
        desk.say(sender, Phrase(key="alert.accepted", values=values))
    else:
        desk.say(sender, Phrase(key="alert.gone", values={"code": code}))


def _choose(desk: Desk, sender: Sender, choice: AlertChoice, alert_id: str, code: str) -> None:
    person_id = sender.address.person_id or ""
    new_id = desk.world.new_id
    values = {"code": code, "url": f"{desk.world.base_url}/dashboard"}
    if choice == "accept":
        taken = accept(
            desk.conn, alert_id=alert_id, person_id=person_id, now=desk.now, new_id=new_id
        )
        key = "alert.accepted" if taken else "alert.gone"
        desk.say(sender, Phrase(key=key, values=values if taken else {"code": code}))
    elif choice == "pass":
        pass_on(desk.conn, alert_id=alert_id, person_id=person_id, now=desk.now, new_id=new_id)
        desk.say(sender, Phrase(key="alert.passed", values={"code": code}))
    else:
        add_task(
            desk,
            sender,
            "phone_me",
            key=f"phone_me:{alert_id}:{person_id}",
            ref=alert_id,
            due_at=desk.now,
        )
        desk.say(sender, Phrase(key="alert.phone", values={"code": code}))


def _list(desk: Desk, sender: Sender, codes: list[str]) -> None:
    if not codes:
        desk.say(sender, Phrase(key="alert.none"))
        return
    desk.say(
        sender,
        Phrase(key="alert.list", values={"code": codes[0], "codes": ", ".join(codes)}),
    )


def sign_in(desk: Desk, sender: Sender, intent: LoginReply) -> None:
    """Her word on a sign-in to the dashboard: its number lets it go on, any other one ends it."""
    person_id = sender.address.person_id or ""
    word, user_id = answer_prompt(
        desk.conn, intent.login, person_id=person_id, number=intent.number, now=desk.now
    )
    before = {k: v for k, v in (sender.address.open_prompt or {}).items() if k != "login"}
    sender.address.open_prompt = before if before.get("kind") != "login" else None
    if word != "over":
        entry = audit.row(
            scope.person(person_id, (), purpose="access"),
            f"sign_in_{word}",
            "users",
            user_id,
            id=desk.new_id(),
            at=desk.now,
        )
        audit.record(desk.conn, [entry])
    desk.say(sender, Phrase(key=f"login.{word}"))
