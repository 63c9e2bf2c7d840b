"""Sentences of the page on which a helper reads questions aloud; `words` gathers them."""

from collections.abc import Mapping

ASSISTED: Mapping[str, str] = {
    "assisted.all": "All people to call",
    "assisted.answer": "Her answer",
    "assisted.back": "Go back to the last question",
    "assisted.bad.mode": "Say how you talk with her.",
    "assisted.chat": (
        "She can go on by chat at any time: her next message brings her to the question that "
        "stands then. Nothing you do here is sent to her phone."
    ),
    "assisted.due": "Call her by",
    "assisted.empty": "Nobody waits for a call.",
    "assisted.english": "In English",
    "assisted.go": "Save and go on",
    "assisted.hers": "Read this to her",
    "assisted.mode": "How do you talk with her?",
    "assisted.mode.in_person": "Face to face",
    "assisted.mode.paper": "From a sheet she filled in",
    "assisted.mode.phone": "On the phone",
    "assisted.moved": (
        "Your entry was not taken: she answered by chat meanwhile. This is what stands now."
    ),
    "assisted.nothing": (
        "No questions of hers are open now that you may ask. Ask what she needs, and close the "
        "task on the list."
    ),
    "assisted.over": "That was the last question. Read her this, and thank her.",
    "assisted.own_words": "As she said it; or the number of an answer",
    "assisted.say": "Read this to her first",
    "assisted.skip": "She leaves it out",
    "assisted.start": "Help her answer",
    "assisted.text": (
        "Read the question as it stands and enter what she says, not what you think. If she is not "
        "alone, leave private questions for another day."
    ),
    "assisted.title": "People to call",
}
"""English by key."""
