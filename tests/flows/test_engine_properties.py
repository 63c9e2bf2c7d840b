"""What holds for any conversation, whatever is sent in whatever order."""

from datetime import timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flows.engine import advance, fold, token
from flows.lexicon import Lexicon
from flows.messages import LIMITS
from flows.questionnaire import Questionnaire
from flows.rendering import render
from flows.sessions import (
    AskedAgain,
    Changed,
    Completed,
    Event,
    HelpAsked,
    LanguageChosen,
    Lapsed,
    Recorded,
    Replied,
    Restarted,
    Resumed,
    Say,
    Session,
    Skipped,
    Started,
    Stopped,
    Turn,
    WentBack,
    Withdrawn,
    from_json,
    to_json,
)
from tests.flows.samples import ENGLISH, KINDS, NOW, PRIVATE, WEEK, ZULU, Talk

CHANNELS = st.sampled_from(["sms", "whatsapp", "telegram"])
FORMS = st.sampled_from([WEEK, KINDS, PRIVATE])
LIKELY = st.sampled_from(
    ["1", "2", "3", "1 2 3", "1 9 2", "never often never", "yes", "no", "0", "5/1/2018", "23,5"]
)
TEXTS = LIKELY | st.text(st.characters(exclude_categories=()), max_size=40)
TOKENS = st.builds(
    token, st.just(Talk(WEEK).first), st.integers(0, 12), st.integers(0, 4)
) | st.text(max_size=20)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Replied, text=TEXTS),
    st.builds(Replied, text=TEXTS),
    st.builds(Replied, token=TOKENS),
    st.builds(Replied, text=TEXTS, media=st.just(("image",))),
    st.just(Skipped()),
    st.just(WentBack()),
    st.just(HelpAsked()),
    st.just(Lapsed()),
    st.builds(LanguageChosen, language=st.sampled_from(["en", "zu"])),
    st.builds(Resumed, channel=CHANNELS),
    st.builds(AskedAgain, item=st.sampled_from(["agree", "meals"]), channel=CHANNELS),
    st.builds(
        Changed, item=st.sampled_from(["meals", "weight", "agree", "none"]), channel=CHANNELS
    ),
    st.just(Restarted()),
    st.builds(Started, known=st.just({"adults": "3", "food": "yes"})),
)
RUNS = st.lists(EVENTS, max_size=25)


def speaking(session: Session, event: Event) -> list[Lexicon]:
    language = event.language if isinstance(event, LanguageChosen) else session.language
    return [ENGLISH, ZULU] if language == "en" else [ZULU, ENGLISH]


def turns(questionnaire: Questionnaire, events: list[Event]) -> list[Turn]:
    """All turns of a run; the session goes through its JSON between every two."""
    session, played = Talk(questionnaire).first, []
    for number, event in enumerate(events):
        first, *others = speaking(session, event)
        turn = advance(
            questionnaire,
            session,
            event,
            now=NOW + timedelta(minutes=number),
            lexicon=first,
            others=others,
        )
        session = from_json(to_json(turn.session))
        assert session == turn.session
        played.append(turn)
    return played


@given(FORMS, RUNS)
@settings(deadline=None, max_examples=150)
def test_never_silent_while_open_and_everything_said_can_be_shown(
    questionnaire: Questionnaire, events: list[Event]
) -> None:
    for turn in turns(questionnaire, [Started(), *events]):
        said = [effect.prompt for effect in turn.effects if isinstance(effect, Say)]
        if turn.session.status == "open":
            assert said
            assert turn.session.asking
        for prompt in said:
            assert render(
                prompt,
                questionnaire=questionnaire,
                session=turn.session,
                lexicon=ENGLISH,
                limits=LIMITS[turn.session.channel],
            )


@given(FORMS, RUNS)
@settings(deadline=None, max_examples=100)
def test_replaying_the_events_gives_the_session(
    questionnaire: Questionnaire, events: list[Event]
) -> None:
    played = turns(questionnaire, events)
    timed = [(NOW + timedelta(minutes=number), event) for number, event in enumerate(events)]
    first = Talk(questionnaire).first
    assert fold(questionnaire, first, timed, [ENGLISH, ZULU]) == (
        played[-1].session if played else first
    )


@given(FORMS, RUNS)
@settings(deadline=None, max_examples=100)
def test_recorded_and_withdrawn_effects_are_the_answers(
    questionnaire: Questionnaire, events: list[Event]
) -> None:
    kept = {}
    for turn in turns(questionnaire, [Started(), *events]):
        for effect in turn.effects:
            if isinstance(effect, Recorded):
                assert effect.amended == (effect.item in kept)
                kept[effect.item] = effect.answer
            if isinstance(effect, Withdrawn):
                del kept[effect.item]
        assert kept == turn.session.answers
        assert set(turn.session.trail) <= set(kept)


@given(FORMS, RUNS, EVENTS)
@settings(deadline=None, max_examples=60)
def test_what_is_over_never_changes(
    questionnaire: Questionnaire, events: list[Event], late: Event
) -> None:
    *_, stopped = turns(questionnaire, [Started(), *events, Stopped()])
    assert stopped.session.status in ("stopped", "completed")
    # What was put off or is to be answered anew opens a completed one; a stopped one stays shut.
    assume(stopped.session.status == "stopped" or not isinstance(late, AskedAgain | Changed))
    turn = advance(questionnaire, stopped.session, late, now=NOW, lexicon=ENGLISH)
    assert turn == Turn(session=stopped.session, effects=())


@given(st.sampled_from(["sms", "telegram"]), st.lists(st.integers(1, 3), min_size=40, max_size=40))
@settings(deadline=None, max_examples=60)
def test_digits_always_lead_to_the_end(channel: str, digits: list[int]) -> None:
    talk = Talk(WEEK, channel).starts()  # type: ignore[arg-type]
    stream = iter(digits)
    while talk.session.status == "open":
        count = len(talk.session.asking)
        talk.says(" ".join(str(next(stream)) for _ in range(count)))
    assert talk.effects[-1] == Completed()


@given(RUNS)
@settings(deadline=None, max_examples=150)
def test_what_is_for_chats_only_is_never_asked_by_sms(events: list[Event]) -> None:
    for turn in turns(PRIVATE, [Started(), *events]):
        if turn.session.channel == "sms":
            assert not {"agree", "food"} & set(turn.session.asking)


CHOICES = st.fixed_dictionaries(
    {
        "meals": st.integers(1, 3),
        "sick": st.integers(1, 3),
        "school": st.integers(1, 3),
        "food": st.integers(1, 2),
        "shop": st.integers(1, 2),
        "adults": st.integers(1, 20),
        "agree": st.integers(1, 2),
    }
)


def until_last(talk: Talk, wanted: dict[str, int], stop: int) -> Talk:
    """Answer as wanted until the last question, or `stop` answers."""
    while talk.session.asking != ("agree",) and len(talk.session.trail) < stop:
        talk.says(str(wanted[talk.session.asking[0]]))
    return talk


@given(CHOICES, CHOICES, st.integers(0, 7))
@settings(deadline=None, max_examples=100)
def test_going_back_and_changing_equals_answering_right_first_time(
    at_first: dict[str, int], wanted: dict[str, int], stop: int
) -> None:
    changed = until_last(Talk(WEEK, "telegram").starts(), at_first, stop)
    for _ in range(len(changed.session.trail)):
        changed.does(WentBack())
    for name in changed.session.trail:
        # Each in turn, from the first; a branch that closes on the way takes its answers along.
        while changed.session.asking[0] != name and name in changed.session.trail:
            changed.does(WentBack())
        if name in changed.session.trail:
            changed.says(str(wanted[name]))
    until_last(changed, wanted, 99)
    right = until_last(Talk(WEEK, "telegram").starts(), wanted, 99)
    assert changed.answers == right.answers
    assert changed.session.asking == right.session.asking == ("agree",)
    assert changed.says("1").session.status == "completed"
