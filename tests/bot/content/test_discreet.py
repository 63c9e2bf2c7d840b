"""What may stand on a phone that others read: nothing we start, and no prompt, tells of anybody."""

import re
from collections.abc import Iterator

import pytest

from flows.lexicon import Lexicon
from flows.questionnaire import Questionnaire
from tests.town import library

STARTED = (
    *("nudge.first", "nudge.second", "later.offer", "over.caregiver", "exit.done"),
    *("invite.caregiver", "invite.again", "invite.start", "withdraw.noted"),
    *("withdraw.partners_done", "withdraw.research_done"),
)
"""What we say to a caregiver who did not write just now, and to whoever holds her phone."""
TELLS = {
    "en": r"\b(child|children|son|daughter|learner|domain|risk|food|hungry|meal|hurt|afraid|safe|"
    r"health|sick|clinic|money|grant|school work|wellbeing|protect|feel|abuse|care)\w*",
    "zu": r"(ngane|zingane|mntwana|bantwana|mfundi|ukudla|kudla|lamb|mpilo|gula|phila|mali|"
    r"phepha|vikel|hlukumez|inhlalakahle|nhlalakahle)",
}
"""Words of a child, of the six domains, of health and harm; cautious in both languages."""
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
ANSWER = re.compile(r"\$\{\s*([a-z_0-9]+)\s*\}")
LANGUAGES = sorted(TELLS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", STARTED)
def test_what_we_start_tells_nothing(key: str, language: str) -> None:
    said = PLACEHOLDER.sub("", library().lexicons[language].phrases[key])
    assert not re.search(TELLS[language], said, re.IGNORECASE), said


@pytest.mark.parametrize("key", STARTED)
def test_it_names_the_school_or_who_calls_at_most(key: str) -> None:
    for language in LANGUAGES:
        found = PLACEHOLDER.findall(library().lexicons[language].phrases[key])
        assert set(found) <= {"school", "who"}


def test_the_words_looked_for_are_found_where_they_may_stand() -> None:
    for language in LANGUAGES:
        said = library().lexicons[language].phrases["withdraw.done"]
        assert re.search(TELLS[language], said, re.IGNORECASE)


def prompts(form: Questionnaire, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Every text of a questionnaire that may be shown, with its address."""
    for address, text in lexicon.texts.items():
        if address.startswith(f"{form.form_id}/") and not address.endswith(":accept"):
            yield address, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_prompt_says_an_answer_again(language: str) -> None:
    content = library()
    seen = 0
    for form_id in content.current:
        form = content.newest(form_id)
        for address, text in prompts(form, content.lexicons[language]):
            seen += 1
            echoed = set(ANSWER.findall(text)) & set(form.index)
            calculated = {name for name in echoed if form[name].type == "calculate"}
            assert not echoed - calculated or form.is_learning, f"{address} echoes {echoed}"
    assert seen > 100
