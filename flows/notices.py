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
    "alert.task": "CWB: an urgent task waits. Sign in to view: {url}",
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
    "done.caregiver_hours": "Thank you. That was all. Somebody from our team will contact you "
    "within {hours} hours.",
    "done.caregiver_soon": "Thank you. That was all. Somebody from our team will contact you today "
    "or tomorrow.",
    "done.lesson": "Well done. Send MENU for the other lessons.",
    "done.practice": "Well done. Now you know how to answer us.",
    "done.helplines": "Free help any time: {helplines}",
    # She typed words that may mean danger. Nothing of them is said again.
    "crisis.reply": "Thank you for telling us. You matter, and you are not alone. Please talk to "
    "somebody now.",
    "crisis.hours": "Somebody from our team will contact you within {hours} hours.",
    "crisis.soon": "Somebody from our team will contact you today or tomorrow.",
    "crisis.told": "Our team has your message too.",
    # Offers.
    "offer.learner": "Next: 12 short questions about learner {list_number}. Start now?",
    "offer.class_screen": "8 questions about your class {class_name}, about 10 minutes. Start now?",
    "offer.caregiver": "Next: short questions about a child in your care. Start now?",
    "offer.go_on": "Next: the questions about a child in your care that you began. Go on now?",
    "offer.now": "Yes, now",
    "offer.later": "Later",
    "offer.deferred": "All right. Write to us when you are ready.",
    "offer.week": "That is all for this week. Thank you.",
    # Several children on one phone: a class and a number, never a name. A row of a list has room
    # for 24 characters.
    "child.ask": "Which child do you want to answer about now?",
    "child.about": "Now about: {child}.",
    "child.listed": "Class {class_name}, number {list_number}",
    "child.class": "Class {class_name}",
    "child.none": "No class yet",
    "progress.children": "{done} of {of} children done.",
    "progress.learners": "{done} of {of} learners done this week.",
    # A new number. Nothing is said of her before she has answered from it.
    "moving.ask": "Hello. Somebody told us that this is her new number. Is it yours? Reply 1 for "
    "yes, 2 if you do not know us.",
    "moving.again": "Please reply 1 if you asked us to write to this number, 2 if you do not know "
    "us.",
    "moving.done": "Thank you. From now on we write to this number, and not to the old one.",
    # Practice and lessons.
    "learn.choose": "Practice and short lessons, a few minutes each. Which one?",
    "learn.done": "{title} (done)",
    # Language.
    "language.choose": "Choose a language:",
    "language.unchanged": "We do not have that language yet.",
    # Nudges and invitations: neutral, nothing about anybody.
    "nudge.first": "Your questions are waiting. Reply with any word to go on, or STOP to end.",
    "nudge.second": "We saved your answers. Reply with any word to finish, or STOP to end.",
    # Questions she wanted to be asked later: what they are about stands nowhere in it.
    "later.offer": "Hello again. Is now a good time to go on? To end, send STOP.",
    "later.deferred": "All right, another time.",
    "invite.caregiver": "Hello from {school}. You agreed that we may write to you. Reply 1 to "
    "hear more, STOP to end. Not you? Reply WRONG NUMBER.",
    "invite.again": "Hello from {school}. This is our last message unless you reply. Reply 1 to "
    "hear more, STOP to end. Not you? Reply WRONG NUMBER.",
    "invite.start": "Hear more",
    # She rang and hung up: one SMS back.
    "call.welcome": "Hello. You called this number. To join, reply JOIN and the code on the paper "
    "from the school. If you did not call, you need not do anything.",
    "call.asked_only": "Thank you. You are on the list of people to call.",
    "call.listed_only": "We saw your call. You are on the list of people to call. You can also "
    "write to us here.",
    "call.asked": "Thank you. {who} will call you by {day}.",
    "call.listed": "We saw your call. {who} will call you by {day}. You can also write to us here.",
    # Whoever has the phone is not whom the school meant.
    "wrong.done": "Thank you, and sorry for the trouble. We do not write to this number again.",
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
    # The same to a shared phone, where staff wrote it down and she did not write just now.
    "withdraw.noted": "We have noted what you told us. Thank you.",
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
    # MENU, and what is chosen there.
    "menu.ask": "What would you like to do?",
    "menu.go_on": "Go on with questions",
    "menu.child": "Another child",
    "menu.class": "My class list",
    "menu.alerts": "Open items",
    "menu.learn": "Practice and lessons",
    "menu.language": "Change language",
    "menu.call": "Call me",
    "menu.data": "What you keep",
    "menu.stop": "Stop all messages",
    # CHANGE 3 and RESTART.
    "change.which": "You can change answers 1 to {count}, in the order you gave them. For example: "
    "CHANGE {count}",
    "change.none": "There is no answer to change now. If something was wrong, send CALL ME.",
    "restart.ask": "Start again from the first question? What you answered does not count then.",
    "restart.yes": "Yes, start again",
    "restart.no": "No, go on",
    "restart.none": "No questions are open now.",
    # LATER at a question.
    "pause.told": "All right. We write to you once more on {day}. You can go on any time: reply "
    "with any word.",
    # BYE: whoever looks at her phone now reads no more than this.
    "exit.done": "Goodbye. You can write again at any time.",
    # What no question waits for, and what only a person can read.
    "inbox.told": "Thank you. A person from our team will read your message.",
    "inbox.unread": "We can only read text here. A person from our team will look at what you "
    "sent.",
    # Too many messages.
    "guard.wait": "We got many messages from you in a short time. We answer again from {time}. "
    "What you answered is kept.",
    # Everything else.
    "help.general": "This is the child wellbeing line. Send JOIN and your code to register, "
    "LANGUAGE to change language, STOP to end, DATA to see what we keep, DELETE to have it "
    "deleted.",
    "idle.address": "If you work with us: your address here is telegram:{number}",
    "idle.welcome": "Welcome to the child wellbeing line. We have your message. To register a "
    "child, send JOIN and the code on the paper from the school.",
    # USSD: the menu behind 00, and how to see the rest of a long text.
    "ussd.back": "Back",
    "ussd.call": "Call me",
    "ussd.go_on": "Go on",
    "ussd.help": "Help",
    "ussd.language": "Language",
    "ussd.menu": "Menu",
    "ussd.more": "More",
    "ussd.skip": "Skip",
    "ussd.start": "Get messages again",
    "ussd.stop": "Stop all messages",
    "ussd.later": "That took too long. Please dial again in a few minutes. What you answered "
    "before is kept.",
    "trouble": "Thank you, we have your message. We will come back to you.",
}
"""English source by key."""
