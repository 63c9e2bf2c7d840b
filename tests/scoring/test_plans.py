from scoring.plans import suggest
from tests.scoring.samples import default_rules, scored


def suggested(answers: str) -> list[tuple[str, tuple[str, ...], str]]:
    rules = default_rules()
    return [(each.id, each.domains, each.band) for each in suggest(rules, scored(answers))]


def test_low_and_unknown_domains_suggest_nothing() -> None:
    assert suggested("learner/hungry=never learner/break_food=yes") == []


def test_a_moderate_domain_suggests_its_help() -> None:
    assert suggested("learner/hungry=often learner/break_food=yes") == [
        ("school_meals", ("nutrition",), "moderate"),
        ("health_screening", ("nutrition",), "moderate"),
    ]


def test_help_for_two_domains_is_suggested_once_and_high_domains_come_first() -> None:
    found = suggested(
        "learner/clothes=often learner/hungry=often learner/break_food=yes"
        " learner/sick=often learner/sees_board=no"
    )
    assert found == [
        ("clinic_referral", ("health",), "high"),
        ("health_screening", ("health", "nutrition"), "high"),
        ("vaccine_catch_up", ("health",), "high"),
        ("school_meals", ("nutrition",), "moderate"),
    ]


def test_the_caregiver_is_helped_too() -> None:
    found = suggested("caregiver/play=every caregiver/heavy=often")
    assert found == [
        ("caregiver_support", ("caregiver",), "high"),
        ("family_programme", ("caregiver", "psychosocial"), "high"),
        ("teacher_workshop", ("psychosocial",), "moderate"),
    ]
