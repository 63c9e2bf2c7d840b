"""What is about protection and care: items of questionnaires, alerts, and what hangs on them."""

from collections.abc import Iterable

from flows.questionnaire import Questionnaire
from scoring.ruleset import HIGH_RULE, Rules
from storage.rights.subjects import Raised


def protected_items(rules: Rules) -> frozenset[str]:
    """Items (`form/item`) on protection and care, with the gate that leads to the private part."""
    own = {i.item for i in rules.indicators if i.scale == "protection"}
    private = {i.follow_up for i in rules.indicators if i.scale == "protection" and i.follow_up}
    gates = {
        item
        for name in private
        if rules.follow_ups[name].gate
        for item, _ in rules.follow_ups[name].triggers
    }
    behind = {i.item for i in rules.indicators if i.follow_up in private}
    return frozenset(own | gates | behind)


def about_protection(raised: Raised, rules: Rules, protected: frozenset[str]) -> bool:
    """Whether an alert is about protection: its rule's item, or a high band of that domain."""
    if raised.rule == HIGH_RULE:
        return raised.protection_band == "high"
    return any(rule.id == raised.rule and rule.item in protected for rule in rules.critical)


def attached(questionnaire: Questionnaire, protected: Iterable[str]) -> frozenset[str]:
    """Items that are asked because of how a protected one was answered, and those themselves.

    Args:
        questionnaire: One version.
        protected: Items on protection and care, as `form/item`.

    Returns:
        As `form/item`: in a text asked after "yes, he was hurt" stands what happened.
    """
    form = questionnaire.form_id
    found = {address.partition("/")[2] for address in protected if address.startswith(f"{form}/")}
    for item in questionnaire.items:  # a question only depends on what was asked before it
        if item.relevant is not None and found.intersection(item.relevant.refs):
            found.add(item.name)
    return frozenset(f"{form}/{name}" for name in found)
