"""What a live site says: nothing that nobody has read, no consent that nobody has approved."""

from pathlib import Path

import pytest

from bot.content.checking import everything
from bot.content.library import LibraryError, load
from bot.settings import Settings
from bot.turns.learning import fitting
from flows.languages import OWN, in_order
from tests.bot.translating.languages import eleven, marked, reworded, shipped

READ = "reviewed by A. Mokoena on 2026-11-02"
SIGNED = "approved by T. Sithole on 2026-11-09, reviewed by A. Mokoena on 2026-11-02"
BACK = 'msgid "This is the first question, so there is nothing to go back to."\n'
OFFER = '# state: {}\nmsgctxt "offer.now"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """isiZulu, wholly approved."""
    return marked(shipped(tmp_path), {"": SIGNED})


def offered(folder: Path, *, drafts: bool = False) -> tuple[str, ...]:
    return load(folder=folder, drafts=drafts).offered


def test_an_approved_language_is_offered(folder: Path) -> None:
    live = load(folder=folder, drafts=False)
    assert live.offered == ("en", "zu")
    assert live.waiting == {"zu": ()}
    assert live.lexicons["zu"].draft is False


def test_one_draft_keeps_it_from_real_people_and_only_from_them(folder: Path) -> None:
    reworded(folder, OFFER.format(SIGNED), OFFER.format("draft-machine"))
    assert offered(folder) == ("en",)
    assert offered(folder, drafts=True) == ("en", "zu")
    assert load(folder=folder).lexicons["zu"].draft is True


def test_a_text_without_a_state_is_a_draft(folder: Path) -> None:
    reworded(folder, OFFER.format(SIGNED), 'msgctxt "offer.now"\n')
    live = load(folder=folder, drafts=False)
    assert (live.offered, live.waiting["zu"]) == (("en",), ("offer.now",))


def test_consent_has_to_be_approved_and_everything_else_reviewed(tmp_path: Path) -> None:
    folder = marked(shipped(tmp_path), {"": READ})
    waiting = load(folder=folder, drafts=False).waiting["zu"]
    assert offered(folder) == ("en",)
    assert {address.split("/")[0].split(".")[0] for address in waiting} == {
        *("enrolment", "enrol", "withdraw", "again")
    }


def test_who_has_the_language_already_hears_english_where_it_is_not_ready(folder: Path) -> None:
    reworded(folder, OFFER.format(SIGNED), OFFER.format("draft-machine"))
    zulu = load(folder=folder, drafts=False).lexicon("zu")
    assert zulu.phrases["offer.now"] == "Yes, now"
    assert zulu.phrases["offer.later"] == "Kamuva"
    assert load(folder=folder).lexicon("zu").phrases["offer.now"] != "Yes, now"


def test_commands_and_crisis_words_work_from_the_draft_on(tmp_path: Path) -> None:
    live = load(folder=shipped(tmp_path), drafts=False)
    assert live.offered == ("en",)
    assert live.keywords.actions["yeka"] == "stop"
    demo = load(folder=tmp_path / "locales")
    assert live.crisis == demo.crisis
    assert live.crisis.after.keys() > load(folder=empty(tmp_path)).crisis.after.keys()
    assert live.lexicon("zu").phrases["keyword.stop"] == demo.lexicon("zu").phrases["keyword.stop"]


def empty(root: Path) -> Path:
    (root / "nothing").mkdir()
    return root / "nothing"


def test_changed_english_loses_translation_and_state(folder: Path) -> None:
    reworded(folder, BACK, 'msgid "Other English."\n')
    live = load(folder=folder, drafts=False)
    assert live.offered == ("en",)
    assert [gap.address for gap in live.gaps] == ["back.none"]
    assert live.lexicon("zu").phrases["back.none"].startswith("This is the first question")


SPELLING = '\n# state: {}\nmsgctxt "offer.later:sms"\nmsgid "Later"\nmsgstr "{}"\n'


def spelled(folder: Path, state: str, words: str) -> Path:
    path = folder / "zu" / "LC_MESSAGES" / "bot.po"
    text = path.read_text(encoding="utf-8") + SPELLING.format(state, words)
    path.write_text(text, encoding="utf-8")
    return folder


def test_a_reviewed_spelling_is_used_and_a_draft_of_one_is_not(folder: Path) -> None:
    spelled(folder, READ, "Kmv")
    live = load(folder=folder, drafts=False).lexicon("zu")
    assert (live.phrases["offer.later"], live.plain.phrases["offer.later"]) == ("Kamuva", "Kmv")
    reworded(folder, f'# state: {READ}\nmsgctxt "offer.later:sms"', 'msgctxt "offer.later:sms"')
    live_now = load(folder=folder, drafts=False)
    assert live_now.offered == ("en", "zu")
    assert live_now.lexicon("zu").plain.phrases["offer.later"] == "Kamuva"
    assert load(folder=folder).lexicon("zu").plain.phrases["offer.later"] == "Kmv"


def test_a_faulty_spelling_is_named_and_not_used(folder: Path) -> None:
    live = load(folder=spelled(folder, SIGNED, "Kamũva"), drafts=False)
    assert [(gap.address, gap.spelling) for gap in live.gaps] == [("offer.later:sms", True)]
    assert live.offered == ("en", "zu")
    assert live.lexicon("zu").spellings == {}


def test_eleven_languages_stand_in_the_order_of_a_menu(tmp_path: Path) -> None:
    library = load(folder=eleven(tmp_path))
    assert library.offered == in_order(OWN, first="en")
    assert [library.lexicons[tag].name for tag in library.offered] == [
        OWN[tag] for tag in library.offered
    ]
    assert load(folder=tmp_path / "locales", languages=("zu", "xh")).offered == ("zu", "xh")
    live = load(folder=marked(tmp_path / "locales", {"": SIGNED}, "xh"), drafts=False)
    assert live.offered == ("en", "xh")


def test_a_broken_catalog_is_named_with_its_line(folder: Path) -> None:
    with (folder / "zu" / "LC_MESSAGES" / "learner.po").open("a", encoding="utf-8") as catalog:
        catalog.write("nonsense\n")
    with pytest.raises(LibraryError, match=r"locales/zu/LC_MESSAGES/learner.po:\d+: .* Fix: mend"):
        load(folder=folder)


def test_check_finds_no_clash_in_what_ships(tmp_path: Path) -> None:
    report = everything(Settings(_env_file=None, data_dir=tmp_path, demo=True))  # type: ignore[call-arg]
    assert not [problem for problem in report.problems if "use other words" in problem]


def test_no_language_waits_for_a_lesson_which_is_told_in_english(folder: Path) -> None:
    title = '# state: {}\nmsgctxt "practice_caregiver/menu:title"\n'
    reworded(folder, title.format(SIGNED), title.format("draft-machine"), "practice_caregiver")
    live = load(folder=folder, drafts=False)
    assert live.offered == ("en", "zu")
    assert live.in_english["zu"] == {"practice_caregiver"}
    assert live.lexicon("zu").texts["practice_caregiver/menu:title"] == "Practice"
    assert fitting(live, "caregiver", "zu") == ()
    assert fitting(live, "caregiver", "en") == ("practice_caregiver",)
    assert load(folder=folder).in_english["zu"] == set()


def test_a_lesson_without_translation_is_a_note_and_no_gap_that_stops(folder: Path) -> None:
    (folder / "zu" / "LC_MESSAGES" / "lesson_tell.po").unlink()
    live = load(folder=folder, drafts=False)
    assert {gap.catalog for gap in live.gaps} == {"lesson_tell"}
    assert (live.offered, live.in_english["zu"]) == (("en", "zu"), {"lesson_tell"})
    assert "lesson_tell" in fitting(live, "teacher", "zu")
