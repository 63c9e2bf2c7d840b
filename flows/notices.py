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
    "offer.caregiver": "The next questions are about your other child. Start now?",
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
    "stop.still": "You stopped our messages. Send START to get them again.",
    "start.done": "Welcome back. You will get messages from us again.",
    # Everything else.
    "help.general": "This is the child wellbeing line. Send JOIN and your code to register, "
    "LANGUAGE to change language, STOP to end.",
    "idle.address": "If you work with us: your address here is telegram:{number}",
    "idle.welcome": "Welcome to the child wellbeing line. We have your message. To register a "
    "child, send JOIN and the code on the paper from the school.",
    "trouble": "Thank you, we have your message. We will come back to you.",
}
"""English source by key."""
