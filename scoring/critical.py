"""Answers that need a person at the moment they are given."""

from scoring.model import CriticalHit, Informant
from scoring.ruleset import Rules


def critical(
    rules: Rules, *, form_id: str, item: str, value: str, informant: Informant
) -> CriticalHit | None:
    """The critical rule an answer meets, if any; the first of the file where several do.

    Args:
        rules: The rules.
        form_id: The questionnaire.
        item: The item's name in it.
        value: The code given; several are separated by spaces, and one that counts is enough.
        informant: Who answered.
    """
    address = f"{form_id}/{item}"
    for rule in rules.critical_by_item.get(address, ()):
        if not rule.codes.isdisjoint(value.split()):
            return CriticalHit(rule=rule.id, item=address, informant=informant, words=rule.words)
    return None
