from datetime import timedelta

from scoring.model import DOMAINS
from tests.scoring.samples import NOW, default_rules, scored, submission


def test_a_profile_has_all_six_domains_even_without_answers() -> None:
    result = scored([])
    assert tuple(result.domains) == DOMAINS
    assert {domain.band for domain in result.domains.values()} == {"unknown"}
    assert (result.caregiver, result.urgent, result.level) == ("unknown", False, "none")
    assert result.rules == default_rules().version
    assert result.as_of == NOW


def test_without_a_form_begun_everything_always_asked_is_missing() -> None:
    assert scored([]).domains["nutrition"].missing == (
        "caregiver/breakfast",
        "caregiver/supper_home",
        "learner/hungry",
        "learner/break_food",
    )


def test_only_what_the_forms_begun_ask_for_is_missing() -> None:
    result = scored("caregiver/breakfast=few caregiver/full=few caregiver/vegetables=none")
    assert result.domains["nutrition"].missing == (
        "caregiver/supper_home",
        "caregiver/ate_today",
        "caregiver/school_meal",
    )


def test_follow_ups_of_an_unanswered_trigger_are_possible_but_not_missing() -> None:
    domain = scored("caregiver/breakfast=every caregiver/supper_home=").domains["nutrition"]
    assert domain.missing == ("caregiver/supper_home",)
    assert domain.range == (0.0, 18 / 24)


def test_what_another_informant_answered_to_the_same_form_is_not_missing() -> None:
    result = scored(
        [
            submission("learner", hungry="often"),
            submission("learner", informant="nurse", break_food="yes"),
        ]
    )
    domain = result.domains["nutrition"]
    assert domain.missing == ()
    assert [view.band for view in domain.sources] == ["unknown", "unknown"]


def test_reasons_come_most_points_first_and_say_the_answer() -> None:
    domain = scored(
        "caregiver/sick=often caregiver/care_reach=sometimes caregiver/sick_today=in_care"
    ).domains["health"]
    assert [(reason.item, reason.points) for reason in domain.reasons] == [
        ("caregiver/sick", 6),
        ("caregiver/care_reach", 2),
        ("caregiver/sick_today", 1),
    ]
    assert domain.reasons[2].words.endswith("in care.")
    assert domain.reasons[0].most == 6


def test_sources_show_what_each_informant_alone_says() -> None:
    result = scored(
        [
            submission("caregiver", breakfast="every", supper_home="every"),
            submission("learner", days=2, hungry="often", break_food="unknown"),
        ]
    )
    caregiver, teacher = result.domains["nutrition"].sources
    assert (caregiver.informant, caregiver.band, caregiver.score) == ("caregiver", "low", 0.0)
    assert (teacher.informant, teacher.band, teacher.score) == ("teacher", "unknown", None)
    assert (teacher.answered, teacher.of) == (1, 2)
    assert teacher.as_of == NOW + timedelta(days=2)
    assert not result.domains["nutrition"].disagree


def test_an_informant_who_answered_nothing_has_no_time() -> None:
    (source,) = scored([submission("learner")]).domains["health"].sources
    assert (source.answered, source.of, source.as_of) == (0, 2, None)


def test_the_newest_answer_to_each_item_counts_and_a_skip_replaces_nothing() -> None:
    old = submission("learner", hungry="often", break_food="no")
    new = submission("learner", days=1, hungry="never", break_food=None)
    for order in ([old, new], [new, old]):
        domain = scored(order).domains["nutrition"]
        assert domain.score == 0.5
        assert domain.sources[0].as_of == NOW + timedelta(days=1)


def test_a_newer_not_sure_takes_an_answer_back() -> None:
    old = submission("learner", hungry="often", break_food="no")
    new = submission("learner", days=1, hungry="unknown")
    assert scored([old, new]).domains["nutrition"].band == "unknown"


def test_at_the_same_moment_the_more_worrying_answer_counts() -> None:
    calm = submission("caregiver", ate_today="yes", breakfast="few", supper_home="few")
    worried = submission("caregiver", ate_today="no_food", breakfast="every")
    for order in ([calm, worried], [worried, calm]):
        result = scored(order)
        assert [hit.rule for hit in result.critical] == ["no_food_today"]
        answers = {r.item: r.answer for r in result.domains["nutrition"].reasons}
        assert answers["caregiver/breakfast"] == "few"


def test_a_critical_answer_makes_the_profile_urgent_whatever_the_bands() -> None:
    result = scored("caregiver/ate_today=no_food caregiver/want_call=no")
    assert result.urgent
    assert result.level == "urgent"
    assert [(hit.item, hit.informant) for hit in result.critical] == [
        ("caregiver/ate_today", "caregiver")
    ]


def test_a_high_domain_alone_calls_for_a_high_alert() -> None:
    assert scored("learner/hungry=often learner/break_food=no").level == "high"


def test_a_moderate_domain_calls_for_no_alert() -> None:
    assert scored("learner/hungry=often learner/break_food=yes").level == "none"


def test_the_caregiver_and_her_child_are_banded_apart() -> None:
    result = scored("caregiver/play=every caregiver/heavy=often")
    assert (result.caregiver, result.domains["psychosocial"].band) == ("high", "moderate")


def test_forms_without_rules_change_nothing() -> None:
    assert scored([submission("enrolment", informant="caregiver", capacity="carer")]) == scored([])


def test_scoring_looks_reasons_up_and_makes_none() -> None:
    (reason,) = scored("learner/hungry=often").domains["nutrition"].reasons
    (indicator,) = default_rules().by_item["learner/hungry"]
    assert reason is indicator.reasons["teacher"]["often"]
