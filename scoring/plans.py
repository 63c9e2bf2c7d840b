"""What may help, from the bands of a profile. A person chooses; this only suggests."""

from dataclasses import dataclass

from scoring.model import BANDS, DOMAINS, Band, Profile
from scoring.ruleset import Rules, ScaleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An intervention to consider.

    Attributes:
        id: Its code in the rules.
        words: English words for the page.
        domains: The scales that call for it, most worrying first.
        band: The worst band among them.
    """

    id: str
    words: str
    domains: tuple[ScaleName, ...]
    band: Band


def suggest(rules: Rules, profile: Profile) -> tuple[Suggestion, ...]:
    """Interventions for every domain at moderate or high risk, and for the caregiver.

    Args:
        rules: The rules with their plan.
        profile: The child's profile.

    Returns:
        Each intervention once: those of high domains first, in the order of the six domains.
    """
    bands: dict[ScaleName, Band] = {name: profile.domains[name].band for name in DOMAINS}
    bands["caregiver"] = profile.caregiver
    found: dict[str, Suggestion] = {}
    for name in sorted(bands, key=lambda name: -BANDS.index(bands[name])):
        for help_ in rules.plan[name].get(bands[name], ()):
            before = found.get(help_.id)
            found[help_.id] = Suggestion(
                id=help_.id,
                words=help_.words,
                domains=(*before.domains, name) if before else (name,),
                band=before.band if before else bands[name],
            )
    return tuple(found.values())
