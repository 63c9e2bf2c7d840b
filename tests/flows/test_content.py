"""The shipped questionnaires and their isiZulu: the rules for them, and both played to the end."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
import yaml
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.authoring import Form, read
from flows.crisis import CRISIS, matches
from flows.crisis import collect as collect_crisis
from flows.engine import advance, begin
from flows.keywords import collect, reserved
from flows.lexicon import Lexicon
from flows.messages import LIMITS, SMS, Ask, ChannelName, Outbound, Prompt, Tell
from flows.notices import NOTICES
from flows.papers import PAPERS
from flows.phrases import PHRASES, source_lexicon
from flows.questionnaire import Item, offering
from flows.rendering import check_rendering, render
from flows.sessions import Event, Replied, Resumed, Say, Session, Started
from flows.sms import segments

ROOT = Path(__file__).parents[2]
NOW = datetime(2025, 3, 4, 14, 0, tzinfo=UTC)
FORMS = ("caregiver", "class_screen", "enrolment", "learner")
SENTENCES = {**PHRASES, **NOTICES, **PAPERS, **CRISIS}

CORE = {
    "material": ("money", "work"),
    "health": ("sick", "care_reach"),
    "nutrition": ("breakfast", "supper_home"),
    "education": ("missed_school", "homework"),
    "protection": ("after_school", "trusted_adult"),
    "psychosocial": ("play", "heavy"),
}
FOLLOW_UPS = {
    "material": ("grant_paid", "borrowed", "warm_clothes", "dry_home"),
    "health": ("sick_today", "vaccines", "sees_well", "hears_well"),
    "nutrition": ("ate_today", "full", "school_meal", "vegetables"),
    "education": ("miss_reason", "keeps_up", "likes_school", "teacher_talk"),
    "protection": ("minder", "night_adult", "know_where", "walk_safe"),
    "psychosocial": ("cries", "bad_dreams", "awake", "helped"),
}
PRIVATE = ("alone", "must_tell", "afraid", "hurt", "want_call")
LEARNER = {
    "material": ("clothes", "supplies"),
    "health": ("sick", "sees_board"),
    "nutrition": ("hungry", "break_food"),
    "education": ("absent", "keeps_up"),
    "protection": ("left_waiting", "cared_for"),
    "psychosocial": ("sad", "anger"),
}
SCREEN = {
    "material": ("screen_clothes",),
    "health": ("screen_sick",),
    "nutrition": ("screen_hungry",),
    "education": ("screen_absent", "screen_learning"),
    "protection": ("screen_care",),
    "psychosocial": ("screen_sad", "screen_anger"),
}
JOINING = {
    "programme": "Siyakhula",
    "school": "Thandanani",
    "offered": "en zu",
    "who_calls": "The school social worker",
    "partners": "Umthombo Clinic, Social Development",
    "sms_join_cost": "3",
    "sms_core_cost": "4",
}
BEST = {"days": "every", "often": "never", "yes_sometimes_no": "yes"}
WORST = {"days": "none", "often": "often", "yes_sometimes_no": "no"}

NEGATION = re.compile(r"\b(not|no|never|none|without|nor|neither|cannot|un(?!der|til|it)\w+)\b|n't")
VIOLENCE = re.compile(
    r"\b(hurt\w*|hit\w*|beat\w*|afraid|scare\w*|fright\w*|fear\w*|violen\w*|abus\w*|slap\w*|"
    r"kick\w*|punish\w*|threat\w*|danger\w*|touch\w*|rape\w*|alone now)\b"
)
PLACEHOLDER = re.compile(r"\$?\{\w+\}")


def source(form_id: str) -> str:
    return (ROOT / "flows" / "questionnaires" / f"{form_id}.yaml").read_text(encoding="utf-8")


def form(form_id: str) -> Form:
    made, faults = read(source(form_id), file=f"{form_id}.yaml")
    assert made is not None, faults
    return made


def catalog(name: str) -> Catalog:
    path = ROOT / "locales" / "zu" / "LC_MESSAGES" / f"{name}.po"
    return read_po(StringIO(path.read_text(encoding="utf-8")), abort_invalid=True)


def translated(name: str) -> dict[str, str]:
    return {str(m.context): str(m.string) for m in catalog(name) if m.context}


def lexicon(made: Form, language: str) -> Lexicon:
    if language == "en":
        return source_lexicon(made.texts, phrases=SENTENCES)
    return source_lexicon(
        translated(made.questionnaire.form_id),
        language="zu",
        name="isiZulu",
        phrases=translated("bot"),
    )


def asked(made: Form) -> list[Item]:
    return [item for item in made.questionnaire.items if item.asked]


def label(made: Form, name: str) -> str:
    return made.texts[f"{made.questionnaire.form_id}/{name}:label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a conversation came to: prompts and their messages, in order, and the last session."""

    prompts: list[Prompt]
    messages: list[tuple[Outbound, ...]]
    replies: int
    session: Session

    @property
    def shown(self) -> list[str]:
        return [
            name
            for prompt in self.prompts
            for part in prompt.parts
            if isinstance(part, Ask | Tell)
            for name in (part.items if isinstance(part, Ask) else (part.item,))
        ]


def play(
    made: Form,
    pick: Callable[[Item], str],
    *,
    language: str = "en",
    channel: ChannelName = "sms",
    context: Mapping[str, str] | None = None,
    opening: Event | None = None,
    then: Mapping[str, Event] | None = None,
) -> Played:
    """Answer by digits until the end; `then` is what happens instead when an item is asked."""
    words, pending = lexicon(made, language), dict(then or {})
    handed = {"channel": channel, "duty_officer": "no", **(context or {})}
    session = begin(
        "0" * 32, made.questionnaire, channel=channel, language=language, now=NOW, context=handed
    )
    event, replies = opening or Started(), 0
    prompts: list[Prompt] = []
    messages: list[tuple[Outbound, ...]] = []
    while session.status == "open":
        turn = advance(made.questionnaire, session, event, now=NOW, lexicon=words)
        session = turn.session
        for effect in turn.effects:
            if isinstance(effect, Say):
                prompts.append(effect.prompt)
                messages.append(
                    render(
                        effect.prompt,
                        questionnaire=made.questionnaire,
                        session=session,
                        lexicon=words,
                        limits=LIMITS[session.channel],
                    )
                )
        if session.status == "open":
            asked = offering(made.questionnaire, session.context)
            items = [asked[name] for name in session.asking]
            event = pending.pop(items[0].name, None) or Replied(
                text=" ".join(str(item.choices.index(pick(item)) + 1) for item in items)
            )
            replies += isinstance(event, Replied)
            assert replies < 40
    return Played(prompts=prompts, messages=messages, replies=replies, session=session)


def best(item: Item) -> str:
    return BEST.get(item.list_name, item.choices[0])


def worst(item: Item) -> str:
    return WORST.get(item.list_name, item.choices[-1])


# Rules for every questionnaire.


@pytest.mark.parametrize("form_id", FORMS)
def test_it_reads_without_fault_and_uses_no_keyword_of_any_language(form_id: str) -> None:
    words = reserved(collect([source_lexicon({}, language="zu", phrases=translated("bot"))]))
    assert "yeka" in words
    made, faults = read(source(form_id), file=form_id, reserved=words)
    assert faults == ()
    assert made is not None
    assert made.questionnaire.form_id == form_id
    assert (made.source, made.licence) == ("Our own words. Not a validated scale.", "CC-BY-4.0")


@pytest.mark.parametrize("form_id", FORMS)
def test_every_question_is_short_and_without_negation(form_id: str) -> None:
    made = form(form_id)
    for item in asked(made):
        words = label(made, item.name)
        assert len(words.split()) <= 12, words
        assert not NEGATION.search(words.casefold()), words


@pytest.mark.parametrize("form_id", FORMS)
def test_every_question_has_at_most_four_options_that_fit_buttons_or_rows(form_id: str) -> None:
    made = form(form_id)
    for item in asked(made):
        assert len(item.choices) <= 4, item.name
        for code in item.choices:
            for language in ("en", "zu"):
                shown = lexicon(made, language).choice(form_id, item.list_name, code)
                assert len(shown) <= (20 if len(item.choices) <= 3 else 24), shown


@pytest.mark.parametrize("form_id", FORMS)
def test_every_row_says_whom_it_is_about(form_id: str) -> None:
    rows = yaml.safe_load(source(form_id))["survey"]
    silent = [
        row["name"]
        for row in rows
        if row["type"] not in ("begin_group", "end_group") and "about" not in row
    ]
    assert silent == []


@pytest.mark.parametrize("form_id", FORMS)
def test_texts_are_gsm_in_both_languages(form_id: str) -> None:
    made = form(form_id)
    for text in (*made.texts.values(), *translated(form_id).values()):
        assert segments(text).encoding == "GSM-7", text


@pytest.mark.parametrize("form_id", FORMS)
@pytest.mark.parametrize("language", ["en", "zu"])
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "telegram", "ussd"])
def test_everything_fits_every_channel(form_id: str, language: str, channel: ChannelName) -> None:
    made = form(form_id)
    found = check_rendering(made.questionnaire, lexicon(made, language), LIMITS[channel])
    assert found == []


@pytest.mark.parametrize("name", [*FORMS, "bot"])
def test_isizulu_is_complete_with_the_placeholders_of_the_source(name: str) -> None:
    texts = SENTENCES if name == "bot" else form(name).texts
    found = catalog(name)
    entries = {str(m.context): m for m in found if m.context}
    assert found.locale_identifier == "zu"
    assert found.num_plurals == 2
    assert [key for key in texts if key not in entries] == []
    assert [key for key in entries if key not in texts] == []
    for key, text in texts.items():
        entry = entries[key]
        words = str(entry.string)
        assert entry.id == text, key
        assert words.strip(), key
        assert sorted(PLACEHOLDER.findall(words)) == sorted(PLACEHOLDER.findall(text)), key
        assert any(line.startswith("state: ") for line in entry.user_comments), key


def test_isizulu_sentences_of_the_bot_are_gsm() -> None:
    for text in translated("bot").values():
        assert segments(text.replace("{", "").replace("}", "")).encoding == "GSM-7", text


def test_isizulu_words_that_steer_are_its_own_and_name_one_thing_each() -> None:
    owners: dict[str, str] = {}
    for key, words in translated("bot").items():
        if key.startswith(("keyword.", "number.")):
            for word in words.split("|"):
                assert owners.setdefault(word, key) == key, word
    english = {w for k, v in PHRASES.items() if k.startswith("keyword.") for w in v.split("|")}
    assert owners.keys() & english == set()


def test_no_answer_and_no_question_of_ours_is_taken_for_words_of_danger() -> None:
    zulu = source_lexicon({}, language="zu", name="isiZulu", phrases=translated("bot"))
    words = collect_crisis([zulu])
    ours = [
        text for name in FORMS for text in (*form(name).texts.values(), *translated(name).values())
    ]
    spoken = {k: v for k, v in SENTENCES.items() if not k.startswith("word.")}
    assert matches("he hits us", words)
    assert matches("uyasishaya", words)
    for text in (*ours, *spoken.values()):
        for said in text.split("|"):
            assert not matches(said, words), said


@pytest.mark.parametrize("form_id", FORMS)
def test_choices_stay_apart_in_isizulu(form_id: str) -> None:
    made, words = form(form_id), lexicon(form(form_id), "zu")
    for item in asked(made):
        owners: dict[str, str] = {}
        for code in item.choices:
            label_and_more = (
                words.choice(form_id, item.list_name, code),
                *words.accept(form_id, item.list_name, code),
            )
            for word in label_and_more:
                assert owners.setdefault(word.casefold(), code) == code, (item.name, word)


# The caregiver's questions.


def test_the_core_is_twelve_items_two_a_domain() -> None:
    names = [item.name for item in asked(form("caregiver")) if item.relevant is None]
    assert len(names) == 12
    assert sorted(names) == sorted(name for pair in CORE.values() for name in pair)


def test_one_core_item_is_about_the_caregiver_and_the_home_is_asked_once() -> None:
    made = form("caregiver").questionnaire
    core = [made[name] for pair in CORE.values() for name in pair]
    assert [item.name for item in core if item.about == "caregiver"] == ["heavy"]
    home = {item.name for item in core if item.about == "household"}
    assert home == {"money", "work", "supper_home"}


@pytest.mark.parametrize("language", ["en", "zu"])
def test_a_family_without_worries_sends_four_sms_and_gets_four(language: str) -> None:
    played = play(form("caregiver"), best, language=language)
    assert played.session.status == "completed"
    assert len(played.session.answers) == 12
    assert played.replies == 4
    assert [len(sent) for sent in played.messages] == [1, 1, 1, 1]
    for (message,) in played.messages:
        assert segments(message.text).segments <= 2, message.text


@pytest.mark.parametrize("language", ["en", "zu"])
def test_every_pack_of_a_family_with_worries_is_one_sms_of_three_parts(language: str) -> None:
    played = play(form("caregiver"), worst, language=language)
    assert set(played.session.answers) == {
        name for table in (CORE, FOLLOW_UPS) for names in table.values() for name in names
    }
    for sent in played.messages:
        assert len(sent) == 1
        assert segments(sent[0].text).segments <= SMS.text, sent[0].text


@pytest.mark.parametrize("domain", list(CORE))
@pytest.mark.parametrize("place", [0, 1])
def test_a_worry_opens_the_follow_ups_of_its_own_domain_only(domain: str, place: int) -> None:
    name = CORE[domain][place]
    played = play(form("caregiver"), lambda item: (worst if item.name == name else best)(item))
    opened = set(played.session.answers) - {n for pair in CORE.values() for n in pair}
    assert opened <= set(FOLLOW_UPS[domain])
    assert len(opened) >= 3


def test_skipping_a_core_question_opens_no_follow_up() -> None:
    made = form("caregiver").questionnaire
    values = {name: "" for pair in CORE.values() for name in pair}
    handed = {"channel": "whatsapp", "duty_officer": "no"}
    rules = [made[name].relevant for names in FOLLOW_UPS.values() for name in names]
    assert all(rule is not None for rule in rules)
    assert not any(rule.holds({**handed, **values}, now=NOW) for rule in rules if rule)


def test_critical_answers_are_one_answer_each() -> None:
    made = form("caregiver").questionnaire
    assert "no_food" in made["ate_today"].choices
    assert "no_care" in made["sick_today"].choices
    assert made["grant_paid"].choices == ("yes", "no")


def test_a_second_child_is_not_asked_about_the_home_again() -> None:
    known = {"money": "yes", "work": "yes", "supper_home": "every", "heavy": "never"}
    played = play(form("caregiver"), best, opening=Started(known=known))
    assert set(known) & set(played.shown) == set()
    assert len(played.shown) == 8


# What is asked only in private.


def violent(made: Form) -> list[str]:
    return [
        item.name
        for item in made.questionnaire.items
        if VIOLENCE.search(label(made, item.name).casefold())
    ]


def test_the_words_that_must_not_stand_in_an_sms_are_found() -> None:
    assert set(violent(form("caregiver"))) == {"alone", "must_tell", "afraid", "hurt"}
    assert violent(form("class_screen")) == violent(form("learner")) == []


CHOICES = {item.name: item.choices for item in asked(form("caregiver"))}


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries({n: st.sampled_from(("", *codes)) for n, codes in CHOICES.items()}),
    st.sampled_from(("yes", "no", "")),
    st.sampled_from(("sms", "ussd")),
)
def test_no_answers_lead_to_violence_items_on_sms(
    answers: dict[str, str], duty_officer: str, channel: str
) -> None:
    made = form("caregiver").questionnaire
    values = {**answers, "channel": channel, "duty_officer": duty_officer}
    for name in PRIVATE:
        rule = made[name].relevant
        assert rule is not None
        assert not rule.holds(values, now=NOW), name


@pytest.mark.parametrize("channel", ["sms", "ussd"])
@pytest.mark.parametrize("duty_officer", ["yes", "no"])
def test_on_sms_no_violence_item_is_shown_even_to_the_most_worried(
    duty_officer: str, channel: str
) -> None:
    made = form("caregiver")
    played = play(made, worst, channel=channel, context={"duty_officer": duty_officer})
    assert set(played.shown) & set(PRIVATE) == set()
    for sent in played.messages:
        assert not VIOLENCE.search(sent[0].text.casefold())


def test_on_a_chat_they_are_asked_of_somebody_alone_while_an_officer_is_on_duty() -> None:
    made = form("caregiver")
    played = play(made, best, channel="whatsapp", context={"duty_officer": "yes"})
    assert played.shown[-5:] == list(PRIVATE)


@pytest.mark.parametrize(
    ("duty_officer", "alone", "shown"), [("no", "yes", []), ("yes", "wait", ["alone"])]
)
def test_without_officer_or_privacy_they_are_not_asked(
    duty_officer: str, alone: str, shown: list[str]
) -> None:
    played = play(
        form("caregiver"),
        lambda item: alone if item.name == "alone" else best(item),
        channel="whatsapp",
        context={"duty_officer": duty_officer},
    )
    assert [name for name in played.shown if name in PRIVATE] == shown


def test_being_alone_is_asked_again_for_the_next_child() -> None:
    played = play(
        form("caregiver"),
        best,
        channel="telegram",
        context={"duty_officer": "yes"},
        opening=Started(known={"alone": "yes"}),
    )
    assert "alone" in played.shown


@pytest.mark.parametrize("name", ["alone", "afraid", "hurt"])
def test_who_goes_on_by_sms_is_not_asked_them_there(name: str) -> None:
    played = play(
        form("caregiver"),
        best,
        channel="whatsapp",
        context={"duty_officer": "yes"},
        then={name: Resumed(channel="sms")},
    )
    assert played.session.channel == "sms"
    assert [shown for shown in played.shown if shown in PRIVATE] == list(
        PRIVATE[: PRIVATE.index(name) + 1]
    )


# The teacher's questions.


def test_the_class_screen_is_eight_roster_questions_over_the_six_domains() -> None:
    made = form("class_screen")
    items = asked(made)
    assert [item.type for item in items] == ["select_multiple_from_roster"] * 8
    assert sorted(i.name for i in items) == sorted(n for names in SCREEN.values() for n in names)
    assert all("which learners" in label(made, item.name) for item in items)
    assert {item.about for item in made.questionnaire.items} == {"class"}
    assert made.questionnaire.items[0].type == "note"


def test_a_learner_is_twelve_items_two_a_domain_in_four_sms() -> None:
    made = form("learner")
    names = [item.name for item in asked(made)]
    assert len(names) == 12
    assert sorted(names) == sorted(name for pair in LEARNER.values() for name in pair)
    assert all("${list_number}" in label(made, name) for name in names)
    assert all("unknown" in item.choices for item in asked(made))
    played = play(made, lambda item: item.choices[0], context={"list_number": "17"})
    assert played.replies == 4
    assert "learner 17" in played.messages[0][0].text


def test_nothing_names_a_child() -> None:
    for form_id in FORMS:
        found = PLACEHOLDER.findall(" ".join(form(form_id).texts.values()))
        assert {name.strip("${}") for name in found} <= {"list_number", "class_name", *JOINING}


# Joining.


@pytest.mark.parametrize("language", ["en", "zu"])
def test_joining_takes_three_sms_with_the_join_code(language: str) -> None:
    played = play(
        form("enrolment"), lambda item: item.choices[0], language=language, context=JOINING
    )
    join_code = 1
    assert join_code + played.replies == 3
    assert played.shown[:2] == ["cost_sms", "language"]
    assert len(played.session.answers) == 7


@pytest.mark.parametrize("language", ["en", "zu"])
def test_the_consent_text_is_four_short_messages_at_most(language: str) -> None:
    played = play(
        form("enrolment"), lambda item: item.choices[0], language=language, context=JOINING
    )
    sent = played.messages[1]
    assert sum(len(message.text) for message in sent) <= 4 * 306
    assert len(sent) <= 4
    made, words = form("enrolment"), lexicon(form("enrolment"), language)
    for name in ("cost_sms", "who_we_are", "who_sees"):
        assert len(words.label("enrolment", name)) <= 306
    pack = [item.name for item in asked(made) if item.pack]
    (block,) = render(
        Prompt(parts=(Ask(items=tuple(pack)),)),
        questionnaire=made.questionnaire,
        session=played.session,
        lexicon=words,
        limits=SMS,
    )
    assert len(block.text) <= (306 if language == "en" else 340)


def test_she_is_told_the_cost_first_and_only_where_it_costs() -> None:
    made = form("enrolment")
    played = play(made, lambda item: item.choices[0], context=JOINING)
    text = played.messages[0][0].text
    assert text.startswith("Joining costs you 3 SMS, the questions 4 SMS. Ukujoyina kudla")
    chat = play(made, lambda item: item.choices[0], channel="telegram", context=JOINING)
    assert "cost_sms" not in chat.shown
    assert not any("SMS" in message.text for sent in chat.messages for message in sent)


def test_the_consent_text_says_what_the_law_wants_said() -> None:
    played = play(form("enrolment"), lambda item: item.choices[0], context=JOINING)
    told = [message.text for sent in played.messages for message in sent]
    text = " ".join(told)
    for needed in (
        "We ask about",
        "no grant",
        "sees your answers",
        "danger",
        "STOP",
        "TAKE BACK",
        "delete",
    ):
        assert needed in text
    for name, value in JOINING.items():
        assert name == "offered" or value in text


def test_a_no_ends_it_and_keeps_nothing_else() -> None:
    played = play(form("enrolment"), lambda item: item.choices[-1], context=JOINING)
    assert played.session.status == "completed"
    assert {n: a.value for n, a in played.session.answers.items()} == {
        "language": "zu",
        "consent_help": "no",
    }


def test_asked_again_she_reads_the_same_words_and_answers_only_what_changed() -> None:
    for again, replies in (("help", 1), ("help partners research", 1), ("research", 1)):
        context = {**JOINING, "again": again}
        played = play(form("enrolment"), lambda item: item.choices[0], context=context)
        assert played.shown[:3] == ["new_words", "who_we_are", "who_sees"]
        assert played.replies == replies
        assert set(played.session.answers) == {f"consent_{name}" for name in again.split()}
    context = {**JOINING, "again": "help partners"}
    refused = play(form("enrolment"), lambda item: item.choices[-1], context=context)
    assert {n: a.value for n, a in refused.session.answers.items()} == {"consent_help": "no"}


def test_what_joining_needs_cannot_be_skipped() -> None:
    made = form("enrolment").questionnaire
    needed = [item.name for item in made.items if item.required]
    assert needed == ["language", "consent_help", "capacity"]
    assert {item.about for item in made.items} == {"self"}
    assert made["capacity"].choices == ("parent_or_guardian", "carer")
    assert made["safe_hour"].choices == ("morning", "midday", "evening")
