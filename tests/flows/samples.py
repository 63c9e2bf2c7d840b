"""Small hand-made questionnaires, lexicons and a driver for the tests of the conversation."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from flows.engine import advance, begin
from flows.expressions import compile_expression
from flows.lexicon import Lexicon
from flows.messages import LIMITS, ChannelName, Prompt
from flows.phrases import PHRASES, source_lexicon
from flows.questionnaire import Item, Questionnaire
from flows.rendering import render
from flows.replies import Understanding, Understood, understand
from flows.sessions import Effect, Event, Replied, Say, Session, Started, Turn, from_json, to_json

NOW = datetime(2025, 3, 4, 9, 30, tzinfo=UTC)
ID = "0195600000007abc8000123456789abc"

LISTS: dict[str, dict[str, tuple[str, str]]] = {
    "often": {
        "never": ("Never", "not once"),
        "sometimes": ("Now and then", "sometimes"),
        "often": ("Often", "a lot"),
    },
    "yes_no": {"yes": ("Yes", ""), "no": ("No", "")},
    "who": {
        "parent": ("Parent or guardian", "parent"),
        "carer": ("Somebody else who cares for the child", ""),
        "other": ("Other", ""),
        "granny": ("Granny", ""),
    },
    "helpers": {
        "aunt": ("Aunt", ""),
        "friend": ("Friend", ""),
        "church": ("Church", ""),
        "none": ("Nobody helps", ""),
    },
    "people": {"aunt": ("Aunt", ""), "friend": ("Friend", "")},
}

LABELS = {
    "intro": "A few questions about your child.",
    "meals": "How often does your child eat well?",
    "sick": "How often is your child sick?",
    "school": "How often is your child at school?",
    "more": "Now a little more about food.",
    "food": "Is there food at home today?",
    "shop": "Can you reach a shop?",
    "adults": "How many adults live at home?",
    "weight": "How much does your child weigh, in kg?",
    "born": "When was your child born?",
    "helpers": "Who helps you?",
    "absent": "Which learners were absent from ${class_name}?",
    "words": "What would you like to add?",
    "agree": "May we call you?",
    "who": "You said ${agree}. Who are you?",
    "end": "That was the last one.",
    "size": "",
}


def item(name: str, kind: str = "select_one", list_name: str = "", **rules: object) -> Item:
    """An item; `relevant`, `constraint` and `calculation` may be given as text."""
    parsed = {
        key: compile_expression(value)
        if key in ("relevant", "constraint", "calculation") and isinstance(value, str)
        else value
        for key, value in rules.items()
    }
    choices = tuple(LISTS.get(list_name, {}))
    return Item(name=name, type=kind, list_name=list_name, choices=choices, **parsed)  # type: ignore[arg-type]


def form(*items: Item, form_id: str = "f", context: Sequence[str] = ()) -> Questionnaire:
    return Questionnaire(
        form_id=form_id,
        version="1",
        informant="caregiver",
        items=items,
        context=tuple(context),
        index={one.name: place for place, one in enumerate(items)},
    )


def texts(form_id: str = "f") -> dict[str, str]:
    """English strings of every sample item and list."""
    found = {f"{form_id}/{name}:label": label for name, label in LABELS.items()}
    for list_name, choices in LISTS.items():
        for code, (label, accept) in choices.items():
            found[f"{form_id}/{list_name}/{code}:label"] = label
            found[f"{form_id}/{list_name}/{code}:accept"] = accept
    found[f"{form_id}/adults:constraint_message"] = "Between 1 and 20, please."
    return found


ENGLISH = source_lexicon(texts())
ZULU = Lexicon(
    language="zu",
    name="isiZulu",
    phrases={
        **PHRASES,
        "keyword.stop": "yeka|misa",
        "keyword.back": "emuva",
        "keyword.join": "joyina",
        "word.yes": "yebo",
        "word.no": "cha|hhayi",
        "word.and": "no",
        "word.language": "zulu",
    },
    texts={
        **texts(),
        "f/often/never:label": "Akwenzeki",
        "f/often/sometimes:label": "Ngezinye izikhathi",
        "f/often/often:label": "Njalo",
        "f/yes_no/yes:label": "Yebo",
        "f/yes_no/no:label": "Cha",
        "f/meals:label": "Ingane yakho idla kahle kangaki?",
    },
    numbers={"kunye": "1", "kubili": "2", "kuthathu": "3"},
)

WEEK = form(
    item("intro", "note"),
    item("meals", list_name="often", pack="week"),
    item("sick", list_name="often", pack="week"),
    item("school", list_name="often", pack="week"),
    item("size", "calculate", calculation="if(${meals} = 'never', 'small', 'big')"),
    item("more", "note", relevant="${meals} = 'never'"),
    item("food", list_name="yes_no", about="household", relevant="${meals} = 'never'"),
    item("shop", list_name="yes_no", about="household", relevant="${food} = 'no'"),
    item("adults", "integer", about="household", constraint=". > 0 and . <= 20"),
    item("agree", list_name="yes_no", required=True),
    item("end", "note"),
)
"""A pack, a branch within a branch, a calculation, a constraint and a required last item."""

KINDS = form(
    item("weight", "decimal"),
    item("born", "date", constraint=". <= today()"),
    item("helpers", "select_multiple", "helpers"),
    item("absent", "select_multiple_from_roster", about="class"),
    item("words", "text"),
    item("agree", list_name="yes_no"),
    item("who", list_name="who"),
    context=("roster", "class_name"),
)
"""One item of every other type."""

CONSENT = form(
    item("agree", list_name="yes_no", pack="join", required=True),
    item("food", list_name="yes_no", pack="join", relevant="${agree} != 'no'"),
    item("adults", "integer", pack="join", relevant="${agree} != 'no'"),
    item("end", "note", pack="join"),
    item("shop", list_name="yes_no", pack="join", relevant="${agree} != 'no'"),
)
"""A branch that closes inside a pack, and a note in it."""

PRIVATE = form(
    item("agree", list_name="yes_no", relevant="${channel} != 'sms'"),
    item("food", list_name="yes_no", relevant="${channel} != 'sms' and ${agree} = 'yes'"),
    item("meals", list_name="often"),
    item("adults", "integer"),
)
"""Two questions that are for chats only."""

ROSTER = ("1", "02", "3", "7", "19")
CONTEXT = {"roster": "1 2 3 7 19", "class_name": "2B"}


class Talk:
    """A conversation played turn by turn; the session goes through its JSON after each."""

    def __init__(
        self,
        questionnaire: Questionnaire,
        channel: ChannelName = "sms",
        lexicon: Lexicon = ENGLISH,
        others: Sequence[Lexicon] = (),
    ) -> None:
        self.questionnaire = questionnaire
        self.lexicon = lexicon
        self.others = tuple(others)
        self.first = begin(
            ID, questionnaire, channel=channel, language="en", now=NOW, context=CONTEXT
        )
        self.session = self.first
        self.events: list[tuple[datetime, Event]] = []
        self.effects: tuple[Effect, ...] = ()

    def does(self, event: Event) -> Turn:
        turn = advance(
            self.questionnaire,
            self.session,
            event,
            now=NOW,
            lexicon=self.lexicon,
            others=self.others,
        )
        assert from_json(to_json(turn.session)) == turn.session
        self.session, self.effects = turn.session, turn.effects
        self.events.append((NOW, event))
        return turn

    def starts(self, **known: str) -> "Talk":
        self.does(Started(known=known))
        return self

    def says(self, *messages: str) -> "Talk":
        for text in messages:
            self.does(Replied(text=text))
        return self

    @property
    def parts(self) -> list[object]:
        """The parts of what was said last."""
        return [part for prompt in self.prompts for part in prompt.parts]

    @property
    def prompts(self) -> list[Prompt]:
        return [effect.prompt for effect in self.effects if isinstance(effect, Say)]

    @property
    def heard(self) -> str:
        """What was said last, in words."""
        return "\n--\n".join(
            message.text
            for prompt in self.prompts
            for message in render(
                prompt,
                questionnaire=self.questionnaire,
                session=self.session,
                lexicon=self.lexicon,
                limits=LIMITS[self.session.channel],
            )
        )

    @property
    def answers(self) -> dict[str, str]:
        return {name: answer.value for name, answer in self.session.answers.items()}


def at(session: Session, **changes: object) -> Session:
    """The session with some fields changed."""
    return replace(session, **changes)  # type: ignore[arg-type]


def read(question: Item, text: str, *others: Lexicon, lexicon: Lexicon = ENGLISH) -> str:
    """The value understood, or the reason in brackets."""
    return shown(understanding(question, text, *others, lexicon=lexicon))


def understanding(
    question: Item, text: str, *others: Lexicon, lexicon: Lexicon = ENGLISH
) -> Understanding:
    return understand(
        question, text, form_id="f", lexicon=lexicon, others=others, roster=ROSTER, now=NOW
    )


def shown(said: Understanding) -> str:
    return said.value if isinstance(said, Understood) else f"[{said.reason}]"
