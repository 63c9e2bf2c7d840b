"""What holds for every set of answers to the default rules."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scoring.model import BANDS, DOMAINS, DomainResult, Submission
from tests.scoring.samples import default_rules, scored, submission

RULES = default_rules()
GATE = "caregiver/alone"


def answered(core: dict[str, str | None], more: dict[str, str | None]) -> list[Submission]:
    """Answers a conversation can give: follow-ups only where their condition holds."""
    given = dict(core)
    for indicator in RULES.indicators:
        if indicator.follow_up and indicator.item in more:
            triggers = RULES.follow_ups[indicator.follow_up].triggers
            if any(core.get(item) in codes for item, codes in triggers):
                given[indicator.item] = more[indicator.item]
    forms: dict[str, dict[str, str | None]] = {}
    for item, code in given.items():
        form, _, name = item.partition("/")
        forms.setdefault(form, {})[name] = code
    return [submission(form, **answers) for form, answers in forms.items()]


def codes(item: str) -> st.SearchStrategy[str | None]:
    points = RULES.by_item[item][0].points
    return st.none() | st.sampled_from(sorted(points))


def some(*, follow_up: bool) -> st.SearchStrategy[dict[str, str | None]]:
    items = {i.item: codes(i.item) for i in RULES.indicators if bool(i.follow_up) == follow_up}
    if not follow_up:
        items[GATE] = st.sampled_from([None, "yes", "not_now"])
    return st.fixed_dictionaries({}, optional=items)


def full() -> st.SearchStrategy[list[Submission]]:
    return st.builds(answered, some(follow_up=False), some(follow_up=True))


def well_formed(result: DomainResult) -> bool:
    low, high = result.range
    if result.score is None:
        return result.band == "unknown" and 0 <= low <= high <= 1
    moderate, at_high = result.thresholds
    expected = (
        "low" if result.score < moderate else "moderate" if result.score < at_high else "high"
    )
    return result.band == expected and 0 <= low <= result.score <= high <= 1


@settings(deadline=None)
@given(full())
def test_every_domain_is_in_range_and_in_exactly_one_band(given: list[Submission]) -> None:
    profile = scored(given)
    assert all(well_formed(result) for result in profile.domains.values())
    assert profile.caregiver in BANDS


@settings(deadline=None)
@given(full(), full(), st.integers(0, 2), st.data())
def test_the_order_of_submissions_and_answers_never_matters(
    first: list[Submission], second: list[Submission], days: int, data: st.DataObject
) -> None:
    later = [
        replace(each, submitted_at=each.submitted_at.replace(day=10 + days)) for each in second
    ]
    shuffled = [
        replace(each, answers=dict(data.draw(st.permutations(list(each.answers.items())))))
        for each in data.draw(st.permutations([*first, *later]))
    ]
    assert scored(shuffled) == scored([*first, *later])


@settings(deadline=None)
@given(full(), st.booleans(), st.data())
def test_without_an_answer_the_true_score_is_within_the_range_and_unknown_stays_unknown(
    given: list[Submission], skipped: bool, data: st.DataObject
) -> None:
    places = [
        (n, item)
        for n, each in enumerate(given)
        for item in sorted(each.answers)
        if each.questionnaire != "class_screen"
    ]
    if not places:
        assert scored(given).level == "none"
        return
    n, gone = data.draw(st.sampled_from(places))
    left = {item: code for item, code in given[n].answers.items() if item != gone}
    if skipped:
        left[gone] = None
    less = scored([*given[:n], replace(given[n], answers=left), *given[n + 1 :]])
    whole = scored(given)
    for name in DOMAINS:
        before, after = whole.domains[name], less.domains[name]
        if before.score is None:
            assert after.band == "unknown"
        else:
            assert after.range[0] <= before.score <= after.range[1]


@settings(deadline=None)
@given(full(), st.data())
def test_a_worse_answer_never_lowers_a_score(given: list[Submission], data: st.DataObject) -> None:
    scorable = [
        (n, item)
        for n, each in enumerate(given)
        for item, code in sorted(each.answers.items())
        if code and f"{each.questionnaire}/{item}" in RULES.by_item
    ]
    if not scorable:
        assert scored(given).level == "none"
        return
    n, item = data.draw(st.sampled_from(scorable))
    indicators = RULES.by_item[f"{given[n].questionnaire}/{item}"]
    now = given[n].answers[item] or ""
    worse = [
        code
        for code in indicators[0].points
        if all(each.points[code] >= each.points[now] for each in indicators)
    ]
    changed = {**given[n].answers, item: data.draw(st.sampled_from(worse))}
    after = scored([*given[:n], replace(given[n], answers=changed), *given[n + 1 :]])
    before = scored(given)
    for name in DOMAINS:
        old, new = before.domains[name], after.domains[name]
        assert (new.score is None) == (old.score is None)
        assert (new.score or 0) >= (old.score or 0)
        assert BANDS.index(new.band) >= BANDS.index(old.band)
    assert BANDS.index(after.caregiver) >= BANDS.index(before.caregiver)
