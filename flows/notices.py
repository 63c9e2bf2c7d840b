"""What the bot says around the questionnaires: welcome, consent, offers, alerts, nudges, stop.

English source in GSM-7 with `{placeholders}`, like `flows.phrases`, which hands both on as one.
Nothing here names a child, a domain or an answer; alerts and nudges least of all.
"""

from collections.abc import Mapping

NOTICES: Mapping[str, str] = {
    # Alerts to staff: a code, how urgent, what to do. Never a word about the child.
    "alert.accepted": "{code}: it is yours now. Thank you. Sign in to see it: {url}",
    "alert.gone": "{code} is with somebody already, or closed.",
    "alert.list": "Reply with the number and the code, for example 1 {code}. Open: {codes}",
    "alert.none": "No open item waits for you.",
    "alert.open": "CWB: {level} item {code}. Sign in to view: {url}",
    "alert.choices": "Reply 1 to accept, 2 to pass on, 3 if you have no data and want a call.",
    "alert.choice.accept": "Accept",
    "alert.choice.pass": "Pass on",
    "alert.choice.phone": "Phone me",
    "alert.passed": "{code}: passed on to the others.",
    "alert.phone": "{code}: somebody will phone you about it.",
    "alert.level.high": "high",
    "alert.level.urgent": "urgent",
    # To a supervisor: somebody opened a school that is not hers. A code, never why or whom.
    "glass.opened": "CWB: a colleague opened another school's records, item {code}. Sign in to "
    "review: {url}",
    # A sign-in to the dashboard, confirmed by chat. Nothing here opens anything by itself.
    "login.ask": "Are you signing in to the dashboard? Reply with the two digits on your screen. "
    "If it is not you, reply 0.",
    "login.confirmed": "Thank you. Go on in your browser.",
    "login.refused": "That sign-in is stopped and nobody got in. If it was not you, somebody knows "
    "your password: ask for a new one today.",
    "login.over": "That sign-in is over. If it was you, start again in your browser.",
    # Telegram's command menu.
    "command.help": "How to answer, and who we are",
    "command.language": "Change language",
    "command.stop": "Stop all messages",
    # Joining.
    "join.busy": "We have your code. First these questions; then please send JOIN again.",
    "join.claimed": "Thank you. Somebody from the school will contact you about this code.",
    "join.unknown": "We cannot find this code. Please check it and send JOIN and the code again.",
    # Enrolment ends.
    "enrol.carer": "Thank you. {who} will call you by {day} to arrange consent with the parent "
    "or guardian. We ask nothing about the child until then.",
    "enrol.done": "Thank you, you are registered. The questions start now.",
    "enrol.wait": "Thank you. {who} will call you by {day}. We ask nothing about the child until "
    "then.",
    "enrol.refused": "Thank you for telling us. We ask nothing more and delete this within 7 days. "
    "Send JOIN and your code if you change your mind.",
    # Questionnaires end.
    "done.caregiver": "Thank you. That was all. If we can help, somebody will contact you by "
    "{day}.",
    "done.class_screen": "Thank you, the class list is complete.",
    "done.learner": "Thank you, learner {list_number} is complete.",
    "done.other": "Thank you. That was all.",
    "done.helplines": "Free help any time: {helplines}",
    # Offers.
    "offer.learner": "Next: 12 short questions about learner {list_number}. Start now?",
    "offer.class_screen": "8 questions about your class {class_name}, about 10 minutes. Start now?",
    "offer.caregiver": "Next: short questions about a child in your care. Start now?",
    "offer.now": "Yes, now",
    "offer.later": "Later",
    "offer.deferred": "All right. Write to us when you are ready.",
    "offer.week": "That is all for this week. Thank you.",
    # Language.
    "language.choose": "Choose a language:",
    "language.unchanged": "We do not have that language yet.",
    # Nudges and invitations: neutral, nothing about anybody.
    "nudge.first": "Your questions are waiting. Reply with any word to go on, or STOP to end.",
    "nudge.second": "We saved your answers. Reply with any word to finish, or STOP to end.",
    "invite.caregiver": "Hello from {school}. You agreed that we may write to you. Reply 1 to "
    "hear more, STOP to end.",
    "invite.start": "Hear more",
    # Stopping and starting again.
    "stop.ask": "Do you want us to stop all messages?",
    "stop.no": "No, go on",
    "stop.yes": "Yes, stop",
    "stop.done": "You will get no more messages from us. Send START if you want them again.",
    "stop.take_back": "To also take back your yes, send TAKE BACK.",
    "stop.still": "You stopped our messages. Send START to get them again.",
    "start.done": "Welcome back. You will get messages from us again.",
    # Asking for one's data, or for its end: the same words to everybody, whatever is decided.
    "request.received": "Thank you, we have your request. A person looks at it and answers you by "
    "{day}. We may call you first, to be sure that it is you.",
    # Consent taken back, in part or wholly, and asked for anew where its words have changed.
    "withdraw.ask": "You can take back your yes at any time and lose nothing by it. What do you "
    "take back?",
    "withdraw.all": "Everything",
    "withdraw.partners": "Partner sharing",
    "withdraw.research": "Research use",
    "withdraw.nothing": "Nothing, go on",
    "withdraw.done": "Your yes is taken back. We ask nothing more about your child. If a child is "
    "in danger, we still have to act. To have your answers deleted too, send DELETE. To say yes "
    "again, send JOIN and your code.",
    "withdraw.partners_done": "Done. From now on we do not share your answers with partners.",
    "withdraw.research_done": "Done. From now on research does not use your answers.",
    "withdraw.kept": "All right, everything stays as it was.",
    "withdraw.none": "There is no yes of yours to take back. Without one we ask nothing about a "
    "child.",
    "again.done": "Thank you.",
    "again.refused": "Thank you for telling us. We ask nothing more about your child. To have your "
    "answers deleted, send DELETE. To say yes again, send JOIN and your code.",
    "over.learner": "The questions about learner {list_number} have ended. You need not do "
    "anything. Thank you.",
    "over.caregiver": "These questions have ended. {who} can tell you more. Thank you.",
    # Everything else.
    "help.general": "This is the child wellbeing line. Send JOIN and your code to register, "
    "LANGUAGE to change language, STOP to end, DATA to see what we keep, DELETE to have it "
    "deleted.",
    "idle.address": "If you work with us: your address here is telegram:{number}",
    "idle.welcome": "Welcome to the child wellbeing line. We have your message. To register a "
    "child, send JOIN and the code on the paper from the school.",
    "trouble": "Thank you, we have your message. We will come back to you.",
}
"""English source by key."""
