"""Catalogs follow the English source: nothing is guessed, nothing is lost from sight."""

from datetime import date
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from bot.content.catalogs import (
    CatalogError,
    Change,
    changed,
    changes,
    fresh,
    run,
    updated,
    wanted,
)
from flows.translations import reviewed

HEADER = '# isiZulu: a sample\nmsgid ""\nmsgstr ""\n"Language: zu\\n"\n'
STOP = '# state: approved 2026-11-22\nmsgctxt "a.stop"\nmsgid "Stop"\nmsgstr "Yima"\n'
GO = '# state: draft-machine\nmsgctxt "a.go"\nmsgid "Go"\nmsgstr "Hamba"\n'
BOTH = f"{HEADER}\n{STOP}\n{GO}"


def test_a_catalog_that_is_up_to_date_stays_byte_for_byte() -> None:
    assert updated(BOTH, {"a.stop": "Stop", "a.go": "Go"}) == BOTH


def test_a_new_text_comes_untranslated_after_its_neighbour() -> None:
    new = updated(BOTH, {"a.stop": "Stop", "a.wait": "Wait {count}", "a.go": "Go"})
    assert new == (
        f"{HEADER}\n{STOP}\n"
        '#, python-brace-format\nmsgctxt "a.wait"\nmsgid "Wait {count}"\nmsgstr ""\n'
        f"\n{GO}"
    )
    assert updated(new, {"a.stop": "Stop", "a.wait": "Wait {count}", "a.go": "Go"}) == new


def test_a_new_first_text_stands_first() -> None:
    new = updated(BOTH, {"a.first": "First", "a.stop": "Stop", "a.go": "Go"})
    assert new.index("a.first") < new.index("a.stop")


def test_the_order_of_a_catalog_is_its_own() -> None:
    assert updated(BOTH, {"a.go": "Go", "a.stop": "Stop"}) == BOTH


def test_changed_english_loses_its_translation_and_keeps_it_in_sight() -> None:
    texts = {"a.stop": "Stop now", "a.go": "Go"}
    new = updated(BOTH, texts)
    catalog = read_po(StringIO(new))
    assert catalog.get("Stop now", "a.stop").string == ""
    assert "fuzzy" not in new
    assert new.endswith(
        '# state: approved 2026-11-22\n#~ msgctxt "a.stop"\n#~ msgid "Stop"\n#~ msgstr "Yima"\n'
    )
    assert updated(new, texts) == new


def test_english_that_comes_back_finds_its_translation_again() -> None:
    texts = {"a.stop": "Stop", "a.go": "Go"}
    assert updated(updated(BOTH, {"a.stop": "Halt", "a.go": "Go"}), texts) == BOTH


def test_a_text_that_is_gone_becomes_obsolete() -> None:
    new = updated(BOTH, {"a.stop": "Stop"})
    assert "\n#~ msgctxt" in new
    assert [m.context for m in read_po(StringIO(new)) if m.id] == ["a.stop"]
    assert updated(new, {"a.stop": "Stop"}) == new


def test_an_untranslated_text_that_is_gone_leaves_nothing() -> None:
    new = updated(HEADER, {"a.stop": "Stop"})
    assert "#~" not in updated(new, {"a.stop": "Halt"})


def test_a_fuzzy_translation_is_a_guess_and_counts_as_none() -> None:
    guessed = BOTH.replace("# state: draft-machine\n", "#, fuzzy\n")
    catalog = read_po(StringIO(updated(guessed, {"a.stop": "Stop", "a.go": "Go"})))
    assert catalog.get("Go", "a.go").string == ""
    assert not catalog.get("Go", "a.go").fuzzy


@pytest.fixture
def languages(tmp_path: Path) -> Path:
    folder = tmp_path / "zu" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "bot.po").write_text(BOTH, encoding="utf-8")
    return tmp_path


def test_every_catalog_a_language_lacks_is_made(languages: Path) -> None:
    content = {"bot": ("sentences", {"a.stop": "Stop"}), "form": ("A form", {"form/q:label": "Q"})}
    found = changes(languages, content)
    assert sorted(path.name for path in found) == ["bot.po", "form.po"]
    made = found[languages / "zu" / "LC_MESSAGES" / "form.po"]
    assert made.startswith("# isiZulu: A form\n")
    assert read_po(StringIO(made)).get("Q", "form/q:label").string == ""


def test_the_catalog_of_a_questionnaire_that_is_gone_keeps_its_words(languages: Path) -> None:
    found = changes(languages, {})
    assert found[languages / "zu" / "LC_MESSAGES" / "bot.po"].count("#~ msgstr") == 2


def test_a_broken_catalog_is_named_with_its_line(languages: Path) -> None:
    (languages / "zu" / "LC_MESSAGES" / "bot.po").write_text(f"{BOTH}nonsense\n", encoding="utf-8")
    with pytest.raises(CatalogError, match=r"bot\.po:15: .*Fix:"):
        changes(languages, wanted())


@pytest.mark.parametrize("tag", ["", "nolanguage", "../zu"])
def test_a_new_language_must_be_one(tag: str) -> None:
    with pytest.raises(CatalogError, match="Fix: use one such as"):
        fresh(tag, "x")


def test_a_language_begins_with_every_catalog_untranslated(
    languages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(languages, add="xh", check=True) == 1
    assert not (languages / "xh").exists()
    assert run(languages, add="xh") == 0
    catalogs = {path.stem for path in (languages / "xh" / "LC_MESSAGES").glob("*.po")}
    assert catalogs == set(wanted())
    assert run(languages, check=True) == 0
    assert capsys.readouterr().out.endswith("Every catalog is up to date.\n")


def test_what_is_wrong_is_said_and_nothing_is_written(
    languages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(languages, add="english") == 1
    assert "english: is no language tag" in capsys.readouterr().err
    assert (languages / "zu" / "LC_MESSAGES" / "bot.po").read_text(encoding="utf-8") == BOTH


def test_the_shipped_catalogs_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Path(str(files("locales"))), check=True) == 0, capsys.readouterr().out


SPELLED = (
    '# state: reviewed by A. Mokoena on 2026-11-02\nmsgctxt "a.go:sms"\nmsgid "Go"\nmsgstr "Hamb"\n'
)
WITH_SPELLING = f"{BOTH}\n{SPELLED}"
READ = reviewed("A. Mokoena", date(2026, 11, 2))


def test_an_sms_spelling_stays_while_its_english_stands() -> None:
    texts = {"a.stop": "Stop", "a.go": "Go"}
    assert updated(WITH_SPELLING, texts) == WITH_SPELLING
    lost = updated(WITH_SPELLING, {"a.stop": "Stop", "a.go": "Go on"})
    assert [m.context for m in read_po(StringIO(lost)) if m.id] == ["a.stop", "a.go"]
    assert '#~ msgctxt "a.go:sms"' in lost
    assert updated(lost, texts) == WITH_SPELLING


def test_a_state_is_written_and_everything_else_stays() -> None:
    new = changed(BOTH, {"a.go": Change(standing=READ)})
    assert new == BOTH.replace(
        "# state: draft-machine\n", "# state: reviewed by A. Mokoena on 2026-11-02\n"
    )
    assert changed(BOTH, {}) == BOTH


def test_other_words_make_the_spelling_a_draft_again() -> None:
    new = changed(WITH_SPELLING, {"a.go": Change(standing=READ, words="Hambani")})
    assert 'msgstr "Hambani"' in new
    assert SPELLED.replace("reviewed by A. Mokoena on 2026-11-02", "draft-machine") in new
    same = changed(WITH_SPELLING, {"a.go": Change(standing=READ, words="Hamba")})
    assert SPELLED in same
    both = {
        "a.go": Change(standing=READ, words="Hambani"),
        "a.go:sms": Change(standing=READ, words="Hmbn"),
    }
    assert "draft-machine" not in changed(WITH_SPELLING, both)


def test_a_new_spelling_comes_after_its_text() -> None:
    new = changed(BOTH, {"a.stop:sms": Change(standing=READ, words="Yma")})
    assert [m.context for m in read_po(StringIO(new)) if m.id] == ["a.stop", "a.stop:sms", "a.go"]
    gone = f'{BOTH}\n#~ msgctxt "a.old"\n#~ msgid "Old"\n#~ msgstr "Dala"\n'
    assert changed(gone, {}) == gone
