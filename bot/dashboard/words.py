"""Every English sentence of the dashboard, by key: to read, correct and translate.

What belongs to signing in stands in `words_door`.
"""

from collections.abc import Mapping

from bot.dashboard.words_assisted import ASSISTED
from bot.dashboard.words_door import DOOR
from bot.dashboard.words_requests import REQUESTS

WORDS: Mapping[str, str] = {
    **ASSISTED,
    **DOOR,
    "alert.accept": "I take this",
    "alert.accept.text": "Everybody sees that you have it, and its clock stops.",
    "alert.back": "All alerts",
    "alert.bad.long": "Shorten the reason to {most} characters; it has {count}.",
    "alert.bad.outcome": "Choose what you found.",
    "alert.bad.reason": "Write at least three characters about what you found and did.",
    "alert.change": "What would change it",
    "alert.child": "Child {code}",
    "alert.class": "Grade {grade}, class {name}",
    "alert.clock": "Until it goes to the next person",
    "alert.close": "Close",
    "alert.close.go": "Close it",
    "alert.close.text": "Closing needs what you found and a reason. It is signed with your name.",
    "alert.close.title": "Close this alert",
    "alert.critical": "A critical answer",
    "alert.detail": "Answers that added points",
    "alert.disagree": "Sources disagree: {views}.",
    "alert.disputed": "The family calls these answers wrong: {questions}",
    "alert.done": "Done.",
    "alert.empty": "No profile is stored for this child and wave yet.",
    "alert.faults": "Not saved yet",
    "alert.gone": "Not changed: somebody else has it already, or it is closed.",
    "alert.list_number": "learner {number} on the class list",
    "alert.no_reasons": "No answer added points.",
    "alert.not_validated": (
        "This is a summary of answers under our own rules, not a diagnosis and not a prediction."
    ),
    "alert.rule.crisis": (
        "Somebody who cares for this child wrote words that may mean danger, to herself or to "
        "somebody else. The words are kept out of this page. Call her now."
    ),
    "alert.rule.unread": (
        "A message could not be handled, and it may have held an answer that needs a person at "
        "once. Call her and ask how they are."
    ),
    "alert.opened_by": "raised by the rules",
    "alert.other_domains": "The other domains",
    "alert.outcome": "What did you find?",
    "alert.outcome.confirmed": "Confirmed: the child needs help",
    "alert.outcome.not_confirmed": "Not confirmed: it is in order",
    "alert.outcome.not_found": "Could not reach the family",
    "alert.owner": "Who has it",
    "alert.owner.nobody": "nobody yet",
    "alert.owner.somebody": "a colleague",
    "alert.owner.you": "you",
    "alert.pass_on": "Pass on",
    "alert.pass_on.text": "If you cannot take it on: it goes to the next person at once.",
    "alert.plan": "What could help",
    "alert.reason": "Your reason",
    "alert.reason.hint": "What you saw, whom you spoke to, what happens next. No names.",
    "alert.source": "{informant}, {when}",
    "alert.sources": "Who told us",
    "alert.state": "What happened",
    "alert.state.now": "State",
    "alert.title": "Why is this child flagged?",
    "alert.unknown": "What we do not know",
    "alert.unknown.age": "The newest answer is {age} old; the oldest source {oldest}.",
    "alert.unknown.count": "{count} without an answer",
    "alert.unknown.disagree": "sources disagree",
    "alert.unknown.none": "Every question of these domains was answered.",
    "alert.what_next": "What now",
    "alert.why": "Why",
    "alerts.age": "open for {age}",
    "alerts.all": "Showing {first} to {last} of {total}.",
    "alerts.empty.closed": "Nothing closed yet.",
    "alerts.empty.open": "No open alerts. Last look {when}.",
    "alerts.late": "{count} past the clock",
    "alerts.next": "Next page",
    "alerts.previous": "Previous page",
    "alerts.sentence": "{total} open: {urgent} urgent, {high} high. {nobody} without an owner.",
    "alerts.sort": "Urgent first, then the oldest.",
    "alerts.sort.closed": "The last closed first.",
    "alerts.title": "Alerts",
    "alerts.why": "Why, and what now",
    "annexes.empty": "No list of numbers can be opened now. breach worksheet makes one.",
    "annexes.text": "Numbers of people to be told after a breach. A list is gone after 24 hours.",
    "annexes.title": "Breach lists",
    "audit.actor": "Who (the code, or the end of it)",
    "audit.any": "Any",
    "audit.at": "When",
    "audit.bad.day": "{found} is no day. Write it as 2026-02-28.",
    "audit.csv": "Download all {total} as a file",
    "audit.empty": "No row fits. Choose more days, or leave a field empty.",
    "audit.note": (
        "Codes only: no name and no login stands here. Rows are linked in the order of the "
        "last column; main.py audit verify checks that nothing was changed."
    ),
    "audit.object": "To what",
    "audit.purpose": "What for",
    "audit.school": "School",
    "audit.sentence": "Rows {first} to {last} of {total}, the newest first.",
    "audit.seq": "Place",
    "audit.show": "Show",
    "audit.since": "From",
    "audit.title": "Audit",
    "audit.too_many": "These are {count} rows; a file takes {most}. Choose fewer days.",
    "audit.unlinked": "not yet",
    "audit.until": "Until",
    "audit.verb": "What",
    "audit.who": "Who",
    "band.high": "High",
    "band.low": "Low",
    "band.moderate": "Moderate",
    "band.unknown": "Unknown",
    "change.critical": (
        "A critical answer does not fade: it stands until somebody has looked and closed the alert."
    ),
    "change.fewer": "{informant}: {points} fewer would make it {band}.",
    "change.range": (
        "With the questions still open, it could lie anywhere between {low} and {high}."
    ),
    "change.several": "Every source at {band} would have to change for the domain to change.",
    "demo": "Demo: invented school, invented children.",
    "domain.education": "Education and learning",
    "domain.health": "Health",
    "domain.material": "Material wellbeing",
    "domain.nutrition": "Nutrition",
    "domain.protection": "Protection and care",
    "domain.psychosocial": "Psychosocial health",
    "fault.again": "Back to the start page",
    "fault.forbidden.text": "Your role does not open this page. Ask your supervisor if it should.",
    "fault.forbidden.title": "Not for your role",
    "fault.form.text": "Nothing was saved. Open the page again and repeat it there.",
    "fault.form.title": "This form is too old",
    "fault.missing.text": "There is nothing here that you can open. Check the code or the list.",
    "fault.missing.title": "Not found",
    "footer.as_of": "As of {when}",
    "footer.help": "Help: {phone}",
    "glass.bad.reason": "Write why, in at least three words and 15 characters.",
    "glass.bad.school": "Choose a school from the list.",
    "glass.end": "End it now",
    "glass.faults": "Nothing was opened yet",
    "glass.finding.follow_up": "I follow it up",
    "glass.finding.in_order": "It was in order",
    "glass.kind.addresses": "a number",
    "glass.kind.alerts": "an alert",
    "glass.kind.tasks": "the tasks",
    "glass.none": "There is no other school in your programme.",
    "glass.open": "Open it for 60 minutes",
    "glass.open.title": "Open another school",
    "glass.prove": "First prove once more that it is you.",
    "glass.prove.go": "Password and code",
    "glass.reason": "Why must it be you, and now?",
    "glass.reason.hint": "For the supervisor. No names.",
    "glass.review.none": "Nothing waits for your review.",
    "glass.review.title": "To review",
    "glass.runs": "open until {when}",
    "glass.said.busy": "Not opened: one school at a time. End the other one first.",
    "glass.said.ended": "Ended. That school is closed to you again.",
    "glass.said.gone": "Not changed: it has not ended yet, or somebody reviewed it already.",
    "glass.said.opened": "Opened. Its alerts and tasks stand in your lists now.",
    "glass.said.reviewed": "Saved: reviewed, with your name.",
    "glass.school": "School",
    "glass.text": (
        "For an emergency at a school that is not yours. It opens for 60 minutes, its supervisor "
        "and yours are told at once, every look is written down, and a supervisor reviews it."
    ),
    "glass.title": "Another school",
    "glass.unseen": "Nothing was looked at.",
    "glass.until": "{school} is open to you until {when}. Every look is written down.",
    "glass.verb.accepted": "Accepted",
    "glass.verb.closed": "Closed",
    "glass.verb.listed": "Listed",
    "glass.verb.passed": "Passed on",
    "glass.verb.read": "Read",
    "home.ending": "These accounts end soon. Their last day:",
    "home.ending.fix": (
        "Who stays needs a later day: main.py users reopen LOGIN --ends 2027-06-30. For who leaves "
        "there is nothing to do: what she has accepted goes back to the others."
    ),
    "home.launch": "Families are not invited yet: the launch gate is shut.",
    "home.launch.fix": (
        "The technician runs main.py doctor --live, which says what to do about each."
    ),
    "home.launch.waiting": (
        "{waiting} invitations wait. They go out when everything is on record."
    ),
    "home.on": "Go on",
    "home.title": "Start",
    "informant.caregiver": "Caregiver",
    "informant.child": "Child",
    "informant.nurse": "Nurse",
    "informant.teacher": "Teacher",
    "inbox.empty": "Nothing waits in the inbox.",
    "inbox.kind.audio": "voice note",
    "inbox.kind.contact": "contact",
    "inbox.kind.document": "document",
    "inbox.kind.edited": "changed after it was sent",
    "inbox.kind.forwarded": "passed on from somebody else",
    "inbox.kind.gone": "no longer kept",
    "inbox.kind.image": "picture",
    "inbox.kind.location": "location",
    "inbox.kind.other": "something else",
    "inbox.kind.poll": "poll",
    "inbox.kind.sticker": "sticker",
    "inbox.kind.text": "text",
    "inbox.kind.video": "video",
    "inbox.show": "Read it",
    "inbox.text": (
        "Messages that no question waited for. Reading one is written down. We keep no voice notes "
        "or pictures, only that one came: call, and ask."
    ),
    "inbox.title": "Inbox",
    "level.high": "High",
    "level.urgent": "Urgent",
    "looked.because": "Why it stands here",
    "looked.earlier": "Earlier: {month}",
    "looked.empty": "Nobody looked at anything in this month.",
    "looked.last": "Last",
    "looked.nothing": "Everybody looked only at what was hers or waited for her team.",
    "looked.now": "This month so far",
    "looked.people": "Looks at alerts and numbers, by person",
    "looked.role": "Role",
    "looked.school": "School",
    "looked.text": (
        "Logins and codes, no names of children. A look is no offence by itself: ask about those "
        "that you cannot explain."
    ),
    "looked.times": "Times",
    "looked.title": "Who looked",
    "looked.total": "All",
    "looked.what": "What",
    "looked.why.break_glass": "Another school, opened with a reason",
    "looked.why.hers": "Her own case",
    "looked.why.no_role": "Not on that school's team",
    "looked.why.office": "By office, for every school",
    "looked.why.open": "Waiting for anybody of her team",
    "looked.why.others": "Somebody else's case",
    "looked.without": "Without an assignment",
    "menu": "Menu",
    "name": "Child wellbeing",
    "role.auditor": "Auditor",
    "role.coordinator": "Coordinator",
    "role.data_officer": "Data officer",
    "role.manager": "Programme manager",
    "role.researcher": "Researcher",
    "role.social_worker": "Social worker",
    "role.supervisor": "Supervisor",
    "role.tech": "Technician",
    "sign_out": "Sign out",
    "skip": "Skip to the content",
    "state.accepted": "Accepted",
    "state.closed": "Closed",
    "state.offered": "Waiting for somebody",
    "state.open": "Open",
    "state.opened": "New",
    "step.accepted": "Accepted",
    "step.answers_back": "The answers give this reason again",
    "step.answers_changed": "Answers changed: they do not give this reason any more",
    "step.closed": "Closed",
    "step.escalated": "Sent to the next in line",
    "step.offered": "Sent to staff on call",
    "step.opened": "Opened",
    "step.passed": "Passed on",
    "table.answer": "Answer",
    "table.item": "Question",
    "table.points": "Points",
    "table.source": "Source",
    "table.threshold": "Together {share}. {band} starts at {threshold}.",
    "task.alert_unreachable": "An alert reached nobody: no coordinator can be reached by chat.",
    "task.auto_reply": "A phone answers us by itself, again and again. See whose it is.",
    "task.call_me": (
        "Somebody to call: a missed call, the words CALL ME, or two reminders without an answer."
    ),
    "task.carer_not_guardian": "Call the carer: the parent or guardian has not consented yet.",
    "task.code_claimed_twice": "A JOIN code was sent from a second phone. Find out who is right.",
    "task.consent_unclear": "Two people who may decide for a child disagree. Call the family.",
    "task.consent_withdrawn": (
        "Consent was taken back: nothing more is asked. See what is open, close what may be closed."
    ),
    "task.crisis": "Words that may mean danger came in, and no child is known. Call at once.",
    "task.dead_letter": "A message could not be delivered after several tries.",
    "task.glass_unseen": (
        "A colleague of another school opened this school's records; no supervisor could be told."
    ),
    "task.inbox": "A message that no question waited for. Read it, and answer if need be.",
    "task.not_invited": (
        "A caregiver agreed that we write to her, but WhatsApp lets nothing out without a "
        "template. Call her, or hand her the letter with the code."
    ),
    "task.not_understood": "Somebody could not make herself understood. Call and help her.",
    "task.partners_withdrawn": "No more sharing for this family: tell the partners who were told.",
    "task.phone_me": "A colleague without data asks for a phone call about an alert.",
    "task.poison": "A message could not be handled. Look at it and answer the person.",
    "task.wrong_number": (
        "This number is somebody else's. Ask the school for the right one; do not write here again."
    ),
    "task.who_looked": "Last month's list of who looked without an assignment is ready to be read.",
    "tasks.done": "Done",
    "tasks.done.said": "Saved: the task is closed.",
    "tasks.due": "Due",
    "tasks.empty": "Nothing to do here now. New tasks appear by themselves.",
    "tasks.open": "Open the page",
    "tasks.sentence": "{total} open tasks, {shown} shown, the earliest due first.",
    "tasks.show": "Show the number",
    "tasks.title": "Tasks",
    "wave": "Wave {number}",
    **REQUESTS,
}


def say(key: str, **values: object) -> str:
    """The sentence of a key with its values filled in. Raises KeyError for an unknown key."""
    return WORDS[key].format(**values)


def known(key: str, otherwise: str) -> str:
    """The sentence of a key, or a code made readable where nobody wrote one."""
    return WORDS.get(key, otherwise.replace("_", " ").capitalize())
