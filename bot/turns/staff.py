"""What staff say to an alert by chat: accept, pass on, phone me. Replies carry the code only."""

from bot.turns.desk import Desk, Sender
from bot.turns.talk import add_task
from flows.messages import Phrase
from flows.routing import AlertChoice, AlertList, AlertReply
from storage.cases import accept, pass_on
from storage.raising import offered_to, owned_code


def answer(desk: Desk, sender: Sender, intent: AlertReply | AlertList) -> None:
    """Act on a staff member's word, only on an alert of her schools that nobody has yet."""
    person = sender.person
    if person is None or person.kind != "staff":
        desk.say(sender, Phrase(key="idle.welcome"))
        return
    offered = offered_to(desk.conn, [person.id], passed=True).get(person.id, ())
    if isinstance(intent, AlertList):
        _list(desk, sender, [code for _, code in offered])
        return
    named = intent.alert or intent.code
    found = next(((i, c) for i, c in offered if named in (i, c)), None)
    if found is None:
        _not_open(desk, sender, owned_code(desk.conn, person.id, named), intent.code or "CWB")
        return
    _choose(desk, sender, intent.choice, *found)


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
