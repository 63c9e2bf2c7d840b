"""The words of papers: a person's own file, the notice after a breach, the slip to join with.

They are printed or handed over, never sent as a message, so they may be longer than an SMS allows.
Translated like every other sentence of the bot.
"""

from collections.abc import Mapping

PAPERS: Mapping[str, str] = {
    "paper.title": "What we keep about you",
    "paper.made": "Made on {day}.",
    "paper.intro": "We are {programme}. You asked what we keep about you. Here it is, in words.",
    "paper.kept_back": "The law lets us keep some things back, for example what other people told "
    "us. This sentence stands on every such paper, whether or not there are such things.",
    "paper.wrong": "If something here is not right, tell us. {who} can be asked.",
    "paper.nothing": "Nothing.",
    # About her.
    "paper.you": "About you",
    "paper.name": "Name",
    "paper.language": "Language",
    "paper.address": "Number or chat",
    "paper.stopped": "You stopped our messages on {day}.",
    "paper.shared_phone": "Shared phone",
    "paper.safe_hour": "Best time to call you",
    "paper.school": "School",
    "paper.since": "With us since",
    "paper.yes": "yes",
    "paper.no": "no",
    # About a child.
    "paper.child": "Child {code}",
    "paper.sex": "Girl or boy",
    "paper.sex.f": "girl",
    "paper.sex.m": "boy",
    "paper.birth_month": "Month of birth",
    "paper.capacity": "You are",
    # What she agreed to.
    "paper.consents": "What you agreed to",
    "paper.purpose.help": "Questions, so that the child gets help",
    "paper.purpose.partners": "Telling partners who can help",
    "paper.purpose.research": "Research, without names",
    "paper.withdrawn": "taken back on {day}",
    # What she told us.
    "paper.answers": "What you told us",
    "paper.told": "What others told us",
    "paper.skipped": "left out",
    "paper.disputed": "You say this is not right.",
    # What it led to.
    "paper.bands": "What it led to",
    "paper.bands.text": "A summary of answers under our own rules. It is not a diagnosis.",
    "paper.domain.material": "Material wellbeing",
    "paper.domain.health": "Health",
    "paper.domain.nutrition": "Nutrition",
    "paper.domain.education": "Education and learning",
    "paper.domain.protection": "Protection and care",
    "paper.domain.psychosocial": "Feelings and relationships",
    "paper.band.high": "high risk",
    "paper.band.moderate": "moderate risk",
    "paper.band.low": "low risk",
    "paper.band.unknown": "not known",
    # Messages.
    "paper.messages": "Messages",
    "paper.from_you": "from you",
    "paper.to_you": "to you",
    "paper.gone": "The words are no longer kept.",
    # Why alerts were closed.
    "paper.notes": "What our team wrote down",
    # Who looked.
    "paper.looks": "Who looked",
    "paper.looked": "looked at it",
    "paper.changed": "changed or noted something",
    "paper.role.coordinator": "Coordinator",
    "paper.role.social_worker": "Social worker",
    "paper.role.supervisor": "Supervisor",
    "paper.role.data_officer": "Data officer",
    "paper.role.other": "Somebody of the team",
    # The slip that a learner takes home: how to join. No name, and nothing about anybody.
    "slip.learner": "Class {class_name}, learner {number}. Works once, until {day}.",
    "slip.lead": "{programme}: questions by phone, to help children. You choose.",
    "slip.sms": "SMS: send JOIN {code} to {number}",
    "slip.call": "No airtime? Ring {number} once and hang up. We write back.",
    "slip.scan": "{names}: scan the square, then send it.",
    # After a breach.
    "paper.breach.title": "About your information",
    "paper.breach.text": "We are {programme}. Somebody may have seen information that we keep "
    "about you, between {start} and {end}. We are sorry. {who} will call you and can help.",
    "paper.breach.ask": "To learn what we keep about you, send us the word DATA, or ask {who}.",
}
"""English source by key."""
