"""What the bot says around the questionnaires."""

import re

import pytest

from flows.notices import NOTICES
from flows.phrases import PHRASES
from flows.sms import segments

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
ABOUT_A_CHILD = re.compile(
    r"\b(child|children|learner|domain|risk|food|hungry|hurt|health|school|answer|question)\w*",
    re.IGNORECASE,
)


@pytest.mark.parametrize("key", NOTICES)
def test_a_notice_is_gsm_and_no_phrase_has_its_key(key: str) -> None:
    plain = PLACEHOLDER.sub("x", NOTICES[key])
    assert segments(plain).encoding.startswith("GSM")
    assert key not in PHRASES


@pytest.mark.parametrize("key", [k for k in NOTICES if k.startswith("alert.")])
def test_an_alert_says_nothing_about_a_child(key: str) -> None:
    assert not ABOUT_A_CHILD.search(PLACEHOLDER.sub("", NOTICES[key]))
    assert set(PLACEHOLDER.findall(NOTICES[key])) <= {"code", "codes", "level", "url"}


@pytest.mark.parametrize("key", [k for k in NOTICES if k.startswith("nudge.")])
def test_a_nudge_names_nobody_and_says_nothing_about_a_child(key: str) -> None:
    said = NOTICES[key]
    assert not PLACEHOLDER.findall(said)
    assert not re.search(r"\b(child|learner|hungry|hurt|risk)\w*", said, re.IGNORECASE)


def test_the_first_message_to_somebody_says_how_to_stop() -> None:
    assert "STOP" in NOTICES["invite.caregiver"]
