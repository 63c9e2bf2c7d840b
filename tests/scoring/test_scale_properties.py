"""What holds for every published scale that ships, whatever is answered."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scoring.scale_model import MISSING, Facts, Missing, PublishedScale, Score
from scoring.scales import applies, reverse, score_scale
from tests.scoring.scale_samples import answers_of, shipped

SCALES = st.sampled_from(sorted(shipped().values(), key=lambda scale: scale.id))
FACTS = st.builds(
    Facts,
    language=st.sampled_from(["", "en", "zu", "af", "xh-ZA", "tn"]),
    country=st.sampled_from(["", "ZA", "BW"]),
    age=st.none() | st.integers(0, 30),
    sex=st.none() | st.sampled_from(["m", "f"]),
)
Answers = dict[str, str | None]


@st.composite
def answered(draw: st.DrawFn, scale: PublishedScale, *, gaps: bool = True) -> Answers:
    """Answers a form can give: an item only where it applies, a given total never."""
    answers: Answers = {}
    for name, item in scale.items.items():
        if name == scale.given or not applies(item, answers):
            continue
        answers[name] = draw(st.sampled_from(sorted(item.points)))
        if gaps and draw(st.integers(0, 5)) == 0:
            answers[name] = None
    return answers


@st.composite
def cases(draw: st.DrawFn, *, gaps: bool = True) -> tuple[PublishedScale, Answers, Facts]:
    scale = draw(SCALES)
    return scale, draw(answered(scale, gaps=gaps)), draw(FACTS)


def scores(scale: PublishedScale, answers: Answers, facts: Facts) -> dict[str, Score]:
    result = score_scale(scale, answers, {}, facts)
    return {"total": result.total, **result.parts}


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 9), min_size=1))
def test_turned_twice_is_as_before(points: dict[str, int]) -> None:
    once = reverse(points)
    assert reverse(once) == points
    assert (min(once.values()), max(once.values())) == (min(points.values()), max(points.values()))


@settings(deadline=None)
@given(cases())
def test_a_score_is_in_its_range_and_its_band_among_the_possible(
    case: tuple[PublishedScale, Answers, Facts],
) -> None:
    scale, _, facts = case
    for score in scores(*case).values():
        low, high = score.range
        assert low <= high
        assert score.valid == (score.value is not None)
        assert score.value is None or low <= score.value <= high
        assert score.band is None or score.band in score.bands
        assert (score.filled == "none") or low < high
        assert bool(score.bands) == bool(score.cutoff)
        assert score.cutoff is None or (scale.fits(facts) and score.cutoff.holds(facts))


@settings(deadline=None)
@given(cases(), st.data())
def test_the_order_of_items_and_answers_never_matters(
    case: tuple[PublishedScale, Answers, Facts], data: st.DataObject
) -> None:
    scale, answers, facts = case
    items = dict(data.draw(st.permutations(list(scale.items.items()))))
    total = replace(scale.total, items=tuple(data.draw(st.permutations(scale.total.items))))
    shuffled = dict(data.draw(st.permutations(list(answers.items()))))
    other = replace(scale, items=items, total=total)
    assert scores(other, shuffled, facts) == scores(*case)


@settings(deadline=None)
@given(cases(gaps=False), st.data())
def test_a_higher_answer_never_lowers_a_score(
    case: tuple[PublishedScale, Answers, Facts], data: st.DataObject
) -> None:
    scale, answers, facts = case
    places = [
        name
        for name in answers
        if scale.items[name].counts
        and not any(name in other.when for other in scale.items.values())
    ]
    assume(places)  # a household without hunger is asked nothing that counts
    name = data.draw(st.sampled_from(places))
    points = scale.items[name].points
    now = points[answers[name] or ""]
    higher = data.draw(st.sampled_from(sorted(c for c, p in points.items() if p >= now)))
    after = scores(scale, {**answers, name: higher}, facts)
    for part, before in scores(*case).items():
        new = after[part]
        assert before.value is not None
        assert new.value is not None
        assert new.value >= before.value
        if before.cutoff:
            order = [band for band, _ in before.cutoff.bands]
            assert order.index(new.band or "") >= order.index(before.band or "")


@settings(deadline=None)
@given(cases(gaps=False), st.data())
def test_a_missing_answer_never_changes_a_band_silently(
    case: tuple[PublishedScale, Answers, Facts], data: st.DataObject
) -> None:
    scale, answers, facts = case
    gone = data.draw(st.sets(st.sampled_from(sorted(answers)), min_size=1))
    skipped = data.draw(st.booleans())
    left = {name: code for name, code in answers.items() if name not in gone}
    less = scores(scale, {**left, **dict.fromkeys(gone)} if skipped else left, facts)
    for part, before in scores(*case).items():
        after = less[part]
        assert before.value is not None
        assert after.range[0] <= before.value <= after.range[1]
        assert before.band is None or before.band in after.bands
        if after.band != before.band:
            assert not after.valid or after.filled != "none"
        if after.filled == "zero":
            assert after.band in (None, before.band)


@settings(deadline=None)
@given(cases(), st.data())
def test_each_missing_answer_is_told_once_with_its_reason(
    case: tuple[PublishedScale, Answers, Facts], data: st.DataObject
) -> None:
    scale, answers, facts = case
    open_items = [n for n, i in scale.items.items() if answers.get(n) is None and n != scale.given]
    reasons: dict[str, Missing] = data.draw(
        st.dictionaries(st.sampled_from(open_items), st.sampled_from(MISSING))
        if open_items
        else st.just({})
    )
    result = score_scale(scale, answers, reasons, facts)
    told = [name for names in result.missing.values() for name in names]
    assert sorted(told) == sorted(
        name for name in open_items if applies(scale.items[name], answers) is not False
    )
    for why in MISSING:
        for name in result.missing[why]:
            assert why == reasons.get(name, "skipped" if name in answers else "not_yet")


@settings(deadline=None)
@given(SCALES)
def test_the_ends_of_the_range_are_reached(scale: PublishedScale) -> None:
    """With nothing answered the range is the scale's own, and both ends can be scored."""
    low, high = score_scale(scale, {}).total.range
    plain = [name for name, item in scale.items.items() if not item.counts]
    for rest, end in (("LEAST", low), ("MOST", high)):
        gates = [f"{name}={'no' if rest == 'LEAST' else 'yes'}" for name in plain]
        # Equipment questions of the one scale that has them are not counted either.
        gates = [word for word in gates if not scale.items[word.partition("=")[0]].when]
        score = score_scale(scale, answers_of(scale, [*gates, f"rest={rest}"])).total
        assert score.value == end


def test_a_total_given_is_the_sum_of_its_parts() -> None:
    scale = shipped()["sdq_parent"]
    parts: Answers = {"emotional": "4", "conduct": "3", "hyperactivity": "6", "peer": "3"}
    assert (
        score_scale(scale, parts).total
        == score_scale(scale, {**parts, "total_difficulties": "16"}).total
    )
    assert score_scale(scale, parts).total.value == Fraction(16)
