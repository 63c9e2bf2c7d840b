"""Answers that need a person at the moment they are given."""

from collections.abc import Iterable, Iterator

from flows.crisis import CrisisWords, gathered
from flows.lexicon import Lexicon
from flows.questionnaire import Item, Questionnaire
from flows.replies import normalise, trim
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


def names_of_critical(
    rules: Rules, questionnaire: Questionnaire, lexicons: Iterable[Lexicon]
) -> CrisisWords:
    """What can mean nothing in a questionnaire but a critical answer, in any language.

    For a message that is read without knowing what was asked. A name that another answer has as
    well ("yes") says nothing then and is left out, and so are digits.

    Args:
        rules: The rules.
        questionnaire: Whose answers are looked through.
        lexicons: Languages a reply may be in.
    """
    needed: set[str] = set()
    others: set[str] = set()
    languages = tuple(lexicons)
    form = questionnaire.form_id
    for item in questionnaire.items:
        codes = {
            code
            for rule in rules.critical_by_item.get(f"{form}/{item.name}", ())
            for code in rule.codes
        }
        for code, name in _names(item, form, languages):
            (needed if code in codes else others).add(name)
    return gathered(sorted(needed - others))


def _names(item: Item, form: str, lexicons: Iterable[Lexicon]) -> Iterator[tuple[str, str]]:
    """Each choice of a question with everything it is called."""
    for lexicon in lexicons:
        for code in item.choices:
            label = lexicon.texts.get(f"{form}/{item.list_name}/{code}:label", "")
            for word in (label, *lexicon.accept(form, item.list_name, code)):
                yield code, trim(normalise(word))
