"""The words of papers made for one person."""

import string

import pytest

from flows.notices import NOTICES
from flows.papers import PAPERS
from flows.phrases import PHRASES
from scoring.model import BANDS, DOMAINS


@pytest.mark.parametrize("key", PAPERS)
def test_a_paper_s_words_are_whole_and_their_key_is_their_own(key: str) -> None:
    said = PAPERS[key]
    assert said.strip() == said != ""
    assert key.startswith(("paper.", "slip."))
    assert key not in PHRASES
    assert key not in NOTICES
    names = [name for _, name, _, _ in string.Formatter().parse(said) if name is not None]
    assert all(name.isidentifier() for name in names)


def test_every_domain_and_band_has_a_word() -> None:
    assert {f"paper.domain.{name}" for name in DOMAINS} <= set(PAPERS)
    assert {f"paper.band.{name}" for name in BANDS} <= set(PAPERS)


def test_what_is_kept_back_is_said_in_the_same_words_to_everybody() -> None:
    assert "whether or not" in PAPERS["paper.kept_back"]
    assert "{" not in PAPERS["paper.kept_back"]
