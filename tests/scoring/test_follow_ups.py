"""The follow-up conditions of the rules are those under which the questionnaires ask."""

from itertools import product

import pytest

from scoring.ruleset import Indicator
from tests.scoring.samples import NOW, catalogue, default_rules, questionnaires

CONTEXT = {"channel": "telegram", "duty_officer": "yes"}
INDICATORS = [each for each in default_rules().indicators if not each.screen]


def asked(indicator: Indicator, answers: dict[str, str]) -> bool:
    form, _, name = indicator.item.partition("/")
    relevant = questionnaires()[form][name].relevant
    return relevant is None or relevant.holds({**CONTEXT, **answers}, now=NOW)


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda each: f"{each.scale}:{each.item}")
def test_an_item_is_asked_exactly_when_the_rules_say_so(indicator: Indicator) -> None:
    if not indicator.follow_up:
        assert asked(indicator, {})
        return
    triggers = default_rules().follow_ups[indicator.follow_up].triggers
    offered = [("", *catalogue()[item]) for item, _ in triggers]
    for given in product(*offered):
        answers = {
            item.partition("/")[2]: code for (item, _), code in zip(triggers, given, strict=True)
        }
        expected = any(code in codes for (_, codes), code in zip(triggers, given, strict=True))
        assert asked(indicator, answers) == expected
