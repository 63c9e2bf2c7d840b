"""Words that may mean that somebody is in danger, heard in whatever she types herself.

The lists (`word.crisis`, one a language, phrases separated by `|`) are ours: no clinician, no
linguist and no study has validated them. They say too much rather than too little on purpose; a
false alarm costs a call, a missed word may cost more. A phrase counts where its words stand one
after the other, whole, in any language and whatever language she chose. Buttons, digits, forwarded
messages and what staff write never count. docs/authoring.md tells how a list is kept.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flows.lexicon import Lexicon
from flows.messages import Inbound
from flows.replies import normalise

KEY = "word.crisis"
"""The phrase key of a language's list."""
Words = tuple[str, ...]
_WORD = re.compile(r"[^\W\d_]+")

CRISIS: Mapping[str, str] = {
    KEY: "|".join(
        (
            # To die, or to hurt oneself.
            "kill myself|kil myself|killing myself|end my life|ending my life|take my life",
            "take my own life|end it all|want to die|wants to die|wanna die|wish i was dead",
            "wish i were dead|wish i could die|better off dead|rather be dead|rather die",
            "do not want to live|dont want to live|dont want to be alive|cant go on living",
            "no reason to live|tired of living|tired of life|suicide|suicidal|sucide|suiside",
            "hurt myself|hurting myself|harm myself|harming myself|self harm|cut myself",
            "cutting myself|hang myself|hanging myself|shoot myself|overdose|drank poison",
            "drink poison|took poison|take poison",
            # Blows.
            "hitting me|hitting us|hitting him|hitting her|hitting them|hitting my",
            "hitting the child|hitting the children|hitting the kids|hitting the baby",
            "hits me|hits us|hits him|hits her|hits them|hits my|hits the child|hits the children",
            "hits the kids|hits the baby|hit me|hit us|hit my child|hit my children|hit my kids",
            "hit the child|hit the children|beating me|beating us|beating him|beating her",
            "beating them|beating my|beating the child|beating the children|beating the kids",
            "beats me|beats us|beats him|beats her|beats them|beats my|beats the child",
            "beats the children|beats the kids|beat me|beat us|beat my child|beat my children",
            "beat the child|beat the children|beaten me|beaten us|was beaten|is beaten",
            "being beaten|slaps me|slaps us|slaps my|kicks me|kicks us|kicks my|punches me",
            "punched me|choking me|choked me|strangled|strangling|strangles|stabbed|stabbing",
            "burned my child|burnt my child|burns my child|hurts me|hurts us|hurts my child",
            "hurts my children|hurting me|hurting us|hurting my child|hurting my children",
            "hurting the child|hurting the children|hurt my child|hurt my children|hurt my baby",
            "hurt the child|hurt the children",
            # Sexual violence.
            "rape|raped|rapes|raping|rapist|molest|molested|molests|molesting|sexual abuse",
            "sexually abused|sexually abuses|sexually assaulted|touched my child",
            "touches my child|touching my child|touched her private|touches her private",
            "touched his private|touches his private|private parts",
            # Abuse, threats, danger.
            "abuse me|abuses me|abusing me|abused me|abuse us|abuses us|abusing us|abused",
            "abusing|abuses|child abuse|kill me|kill us|kill him|kill her|kill them|kill my child",
            "kill my children|kill my kids|kill my baby|kill the child|kill the children",
            "kill the kids|kill the baby|killing me|killing us|threatens to kill",
            "threatened to kill|threatening to kill|wants to kill|want to kill|has a gun",
            "have a gun|with a gun|has a knife|with a knife|afraid for my life|fear for my life",
            "not safe at home|am in danger|im in danger|we are in danger|they are in danger",
            "children are in danger|kids are in danger|he is in danger|she is in danger",
            "my child is in danger|my baby is in danger|life in danger",
        )
    )
}
"""English source of the list. Ours, not validated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisWords:
    """The phrases of all languages, ready to be looked for.

    Attributes:
        after: For each first word of a phrase, the further words of each phrase that begins so.
    """

    after: Mapping[str, tuple[Words, ...]] = field(default_factory=dict)


NONE = CrisisWords()


def collect(lexicons: Iterable[Lexicon]) -> CrisisWords:
    """The phrases of all languages, English always among them."""
    lists = (CRISIS, *(lexicon.phrases for lexicon in lexicons))
    return gathered(phrase for phrases in lists for phrase in phrases.get(KEY, "").split("|"))


def gathered(phrases: Iterable[str]) -> CrisisWords:
    """These phrases, ready to be looked for; one without a letter in it is left out."""
    found: dict[str, set[Words]] = {}
    for phrase in phrases:
        if words := _words(phrase):
            found.setdefault(words[0], set()).add(words[1:])
    return CrisisWords(after={first: tuple(sorted(found[first])) for first in sorted(found)})


def matches(text: str, words: CrisisWords) -> bool:
    """Whether one of the phrases stands in `text`, whatever stands around it."""
    said = _words(text)
    return any(
        said[place + 1 : place + 1 + len(rest)] == rest
        for place, word in enumerate(said)
        for rest in words.after.get(word, ())
    )


def typed_in_crisis(inbound: Inbound, words: CrisisWords) -> bool:
    """Whether she typed one of the phrases herself: no button, nothing forwarded."""
    return not inbound.token and not inbound.forwarded and matches(inbound.text, words)


def _words(text: str) -> Words:
    """The words of a text as they are compared: letters only, "don't" as "dont"."""
    return tuple(_WORD.findall(normalise(text).replace("'", "")))
