"""What we promise at the end: helplines for everybody, and contact as fast as the site said.

Nothing here promises more than `site.yaml` says somebody does.
"""

from bot.site import Site
from bot.turns.desk import Desk, Live
from flows.messages import Part, Phrase
from scoring.critical import critical


def helplines(site: Site) -> tuple[Part, ...]:
    """The site's helplines in one sentence; nothing where it has none."""
    lines = "; ".join(f"{line.name} {line.number}" for line in site.helplines)
    return (Phrase(key="done.helplines", values={"helplines": lines}),) if lines else ()


def gave_critical(desk: Desk, live: Live) -> bool:
    """Whether an answer that counts in this questionnaire raised an alert at once."""
    library = desk.world.library
    informant = library.questionnaire(live.row.version).teller
    return informant is not None and any(
        critical(
            library.rules,
            form_id=live.row.form_id,
            item=name,
            value=answer.value,
            informant=informant,
        )
        for name, answer in live.session.answers.items()
    )


def thanks(desk: Desk, live: Live, *, day: str) -> Phrase:
    """The caregiver's closing words.

    Where somebody answers day and night and an answer of hers raised an alert, contact is promised
    within the hours the site named, or today or tomorrow; else by the day tasks are due.
    """
    site = desk.world.site
    if not site.duty_officer or not gave_critical(desk, live):
        return Phrase(key="done.caregiver", values={"day": day})
    hours = site.contact_hours
    if hours is None:
        return Phrase(key="done.caregiver_soon")
    return Phrase(key="done.caregiver_hours", values={"hours": str(hours)})


def after_crisis(site: Site) -> Phrase:
    """What follows for her after words of danger, as the site is able to do it."""
    hours = site.contact_hours
    if not site.duty_officer:
        return Phrase(key="crisis.told")
    if hours is None:
        return Phrase(key="crisis.soon")
    return Phrase(key="crisis.hours", values={"hours": str(hours)})
