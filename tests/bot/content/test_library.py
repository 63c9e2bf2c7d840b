"""The content as values: what ships is whole, and what is not whole is not offered."""

from dataclasses import replace

import pytest

from bot.content.checking import everything
from bot.content.library import SENTENCES, Library, LibraryError, digest, load, load_scales
from bot.settings import Settings
from flows.lexicon import Lexicon


@pytest.fixture(scope="module")
def library() -> Library:
    return load(languages=("en", "zu"))


def test_every_language_has_every_sentence_and_question(library: Library) -> None:
    # Lessons are for teachers and staff, who read English until theirs are translated.
    open_gaps = {g.catalog for g in library.gaps}
    assert open_gaps <= library.learning
    assert not [g for g in library.gaps if g.language == "zu" or g.catalog == "practice_caregiver"]
    texts = {address for form in library.forms.values() for address in form.texts}
    for lexicon in library.lexicons.values():
        assert set(lexicon.phrases) == set(SENTENCES)
        assert texts <= set(lexicon.texts)


def test_drafts_are_offered_only_where_they_may_be() -> None:
    assert load(languages=("en", "zu"), drafts=True).offered == ("en", "zu")
    drafted = load(languages=("zu", "en"), drafts=False)
    assert drafted.lexicons["zu"].draft
    assert drafted.offered == ("en",)
    # Somebody must be able to answer in some language.
    assert load(languages=("zu",), drafts=False).offered == ("en",)


def test_stop_is_understood_in_languages_that_are_not_offered() -> None:
    english = load(languages=("en",))
    assert english.keywords.actions["yeka"] == "stop"
    both = load(languages=("en", "zu"))
    stops = {word for word, action in both.keywords.actions.items() if action == "stop"}
    assert {word for word, a in english.keywords.actions.items() if a == "stop"} == stops


def test_versions_and_words_are_found(library: Library) -> None:
    version = library.current["caregiver"]
    assert library.questionnaire(version) is library.newest("caregiver")
    assert library.lexicon("xx").language == "en"
    assert library.lexicon("zu", "no such version").language == "zu"
    assert [lexicon.language for lexicon in library.others("zu")] == ["en"]
    with pytest.raises(KeyError):
        library.questionnaire("no such version")


def test_a_lost_version_hides_no_lesson_but_its_own() -> None:
    library = load(languages=("en",))
    known = library.learning
    assert known
    del library.forms[library.current["caregiver"]]
    assert library.learning == known
    lost = min(known)
    del library.forms[library.current[lost]]
    assert library.learning == known - {lost}


def test_an_adopted_version_keeps_its_own_words() -> None:
    library = load(languages=("en", "zu"))
    form = library.forms[library.current["learner"]]
    old = replace(form, questionnaire=replace(form.questionnaire, version="old"))
    address = "learner/hungry:label"
    library.adopt(old, {"zu": {address: "Amazwi amadala"}})
    assert library.lexicon("zu", "old").label("learner", "hungry") == "Amazwi amadala"
    assert library.lexicon("en", "old").label("learner", "hungry") == form.texts[address]
    assert library.lexicon("zu").label("learner", "hungry") != "Amazwi amadala"


def test_a_digest_tells_texts_apart_whatever_their_order() -> None:
    assert digest({"a": "1", "b": "2"}) == digest({"b": "2", "a": "1"})
    assert digest({"a": "1"}) != digest({"a": "2"})


def test_check_names_what_is_there(tmp_path) -> None:  # type: ignore[no-untyped-def]
    report = everything(Settings(_env_file=None, data_dir=tmp_path, demo=True))  # type: ignore[call-arg]
    assert report.problems == ()
    assert any(line.startswith("questionnaires: ") for line in report.found)
    assert any("machine drafts" in note for note in report.notes)
    assert any("not verified" in note for note in report.notes)


def test_a_live_check_names_gaps_in_the_settings(tmp_path) -> None:  # type: ignore[no-untyped-def]
    report = everything(Settings(_env_file=None, data_dir=tmp_path, demo=False))  # type: ignore[call-arg]
    assert any(problem.startswith("MASTER_KEY") for problem in report.problems)


def test_lexicons_are_whole_values(library: Library) -> None:
    assert all(isinstance(lexicon, Lexicon) for lexicon in library.lexicons.values())
    assert library.lexicons["en"].draft is False


def test_the_published_scales_are_read_and_none_is_called_like_a_questionnaire(
    library: Library,
) -> None:
    scales = load_scales(library)
    assert {"psc17", "who5"} <= set(scales)
    assert not set(scales) & set(library.current)
    clash = replace(library, current={**library.current, "psc17": "a version"})
    with pytest.raises(LibraryError, match="psc17 is a questionnaire"):
        load_scales(clash)
