"""Who may do what: `policy.yaml` as values, and the check that nothing is missing from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

Bounds = Literal["school", "none"]


class PolicyError(Exception):
    """The policy and the pages do not fit together; the dashboard does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may use one verb of one page.

    Attributes:
        roles: The roles that may; None means anyone, signed in or not.
        bounds: "school": reads are bound to the user's schools; "none": no such reads at all.
    """

    roles: frozenset[str] | None
    bounds: Bounds

    def allows(self, role: str) -> bool:
        """Whether somebody signed in with this role may."""
        return self.roles is None or role in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole policy: roles with what they are for, and rules by (page, verb)."""

    roles: Mapping[str, str]
    rules: Mapping[tuple[str, str], Rule]


class _PageText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    scope: Bounds
    verbs: dict[str, list[str] | Literal["anyone"]]


class _PolicyText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    roles: dict[str, str]
    pages: dict[str, _PageText]


def read_policy(text: str) -> Policy:
    """Understand a policy.

    Args:
        text: YAML in the shape of `policy.yaml`.

    Raises:
        PolicyError: It has another shape, names an unknown role, or shows a school to anyone.
    """
    try:
        read = _PolicyText.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise PolicyError(f"policy.yaml: {error}") from error
    rules = {}
    for page, of_page in read.pages.items():
        for verb, roles in of_page.verbs.items():
            if roles == "anyone":
                if of_page.scope != "none":
                    raise PolicyError(f"policy.yaml: {page}.{verb} shows a school to anyone.")
                rules[page, verb] = Rule(roles=None, bounds="none")
                continue
            unknown = sorted(set(roles) - set(read.roles))
            if unknown:
                raise PolicyError(f"policy.yaml: {page}.{verb} names unknown roles {unknown}.")
            rules[page, verb] = Rule(roles=frozenset(roles), bounds=of_page.scope)
    return Policy(roles=read.roles, rules=rules)


def check_policy(policy: Policy, found: Iterable[tuple[str, str]]) -> None:
    """Compare the policy with the (page, verb) pairs there are.

    Raises:
        PolicyError: A pair has no rule, or a rule has no pair.
    """
    there = set(found)
    faults = [
        f"{page}.{verb} is missing from policy.yaml: say who may use it."
        for page, verb in sorted(there - set(policy.rules))
    ]
    faults += [
        f"policy.yaml names {page}.{verb}, which no page has: remove it."
        for page, verb in sorted(set(policy.rules) - there)
    ]
    if faults:
        raise PolicyError("\n".join(faults))
