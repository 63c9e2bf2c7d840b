"""Who may do what: `policy.yaml` as values, and the one question everything asks, `may`.

Pages, chat commands, exports, jobs and commands ask the same object. What is missing from the table
refuses to start. Source: trust-and-dashboard.md §B5; OWASP ASVS 5.0, 8.1-8.4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storage.scope import Scope, user

Section = Literal["pages", "chat", "exports", "jobs", "commands"]
Shows = Literal["nothing", "counts", "codes", "child"]
Reach = Literal["named", "all", "none"]
Own = Literal["allow", "hide"]
Other = Literal["hide", "break_glass"]
Decision = Literal["allow", "not_found", "break_glass", "refuse"]

SECTIONS: tuple[Section, ...] = get_args(Section)
LEVELS: tuple[Shows, ...] = get_args(Shows)
"""What a row can show, the least first."""
SYSTEM = "system"
"""The role of the bot's own jobs."""


class PolicyError(Exception):
    """The policy and what there is do not fit together; nothing starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a role is for and how far it can ever see.

    Attributes:
        what: One sentence.
        sees: The most that a row open to this role may show.
        reach: The schools named in the account, all of them, or none.
        login: Whether it signs in to the dashboard.
    """

    what: str
    sees: Shows
    reach: Reach
    login: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may use one verb of one row, and on whose things.

    Attributes:
        roles: The roles that may; None means anyone, signed in or not.
        shows: The most it shows.
        own: What applies to a thing of one of her schools.
        other: What applies to a thing of another school.
        erased: What applies to a thing of a household that was erased, wherever it is.
    """

    roles: frozenset[str] | None
    shows: Shows
    own: Own
    other: Other
    erased: Own

    def allows(self, role: str) -> bool:
        """Whether somebody with this role may, on things that she may see."""
        return self.roles is None or role in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole table: roles by name, rules by (section, row, verb)."""

    roles: Mapping[str, Role]
    rules: Mapping[tuple[Section, str, str], Rule]

    def rule(self, section: Section, name: str, verb: str) -> Rule:
        """One rule. Raises KeyError where there is none, which `check_policy` prevents."""
        return self.rules[section, name, verb]

    def everywhere(self) -> frozenset[str]:
        """The roles that answer for every school."""
        return frozenset(name for name, role in self.roles.items() if role.reach == "all")

    def names(self, section: Section) -> set[tuple[str, str]]:
        """The (row, verb) pairs of a section."""
        return {(name, verb) for where, name, verb in self.rules if where == section}


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody who asks.

    Attributes:
        role: Her role; None for somebody who has not signed in.
        schools: Ids of the schools in her reach; None for every one, of jobs only.
        opened: Ids of the schools she has broken the glass of, for now.
    """

    role: str | None
    schools: frozenset[str] | None = frozenset()
    opened: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What is asked for: whose school's, and whether its household was erased."""

    school_id: str | None
    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is done: a row of the table, and the thing it is done to, if one."""

    section: Section
    name: str
    thing: Thing | None = None


NOBODY = Who(role=None)
JOB = Who(role=SYSTEM, schools=None)


def may(policy: Policy, who: Who, verb: str, place: Place) -> Decision:
    """The one question.

    Args:
        policy: The table.
        who: Who asks.
        verb: What she wants to do there.
        place: Where, and to what.

    Returns:
        "refuse": not with this role. "not_found": as if the thing did not exist. "break_glass": as
        if it did not exist, unless she opens its school and says why. "allow".

    Raises:
        KeyError: The table has no such row or verb; `check_policy` at the start prevents it.
    """
    rule = policy.rule(place.section, place.name, verb)
    if rule.roles is not None and who.role not in rule.roles:
        return "refuse"
    return "allow" if place.thing is None else _treated(rule, who, place.thing)


def _treated(rule: Rule, who: Who, thing: Thing) -> Decision:
    if thing.erased and rule.erased == "hide":
        return "not_found"
    own = who.schools is None or thing.school_id in who.schools
    if own and rule.own == "allow":
        return "allow"
    if own or rule.other == "hide":
        return "not_found"
    return "allow" if thing.school_id in who.opened else "break_glass"


def scope_of(rule: Rule, who: Who, *, user_id: str, purpose: str = "care") -> Scope:
    """The bounds of a read under a rule: exactly the things on which `may` says "allow".

    Args:
        rule: The rule of the verb.
        who: Somebody signed in.
        user_id: Her user id; it stands in the audit rows.
        purpose: Why she reads her own schools' things.
    """
    schools = who.schools or frozenset()
    return user(
        user_id,
        schools if rule.own == "allow" else frozenset(),
        purpose=purpose,
        opened=who.opened - schools if rule.other == "break_glass" else frozenset(),
        erased=rule.erased == "allow",
    )


@cache
def shipped() -> Policy:
    """The table that ships, `bot/policy.yaml`; read once."""
    return read_policy((files("bot") / "policy.yaml").read_text(encoding="utf-8"))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _RoleText(_Strict):
    what: str
    sees: Shows
    reach: Reach
    login: bool = True


class _RowText(_Strict):
    shows: Shows
    own: Own = "allow"
    other: Other = "hide"
    erased: Own = "hide"
    verbs: dict[str, list[str] | Literal["anyone"]] = Field(min_length=1)


class _PolicyText(_Strict):
    roles: dict[str, _RoleText]
    pages: dict[str, _RowText] = {}
    chat: dict[str, _RowText] = {}
    exports: dict[str, _RowText] = {}
    jobs: dict[str, _RowText] = {}
    commands: dict[str, _RowText] = {}


def read_policy(text: str) -> Policy:
    """Understand a table.

    Args:
        text: YAML in the shape of `policy.yaml`.

    Raises:
        PolicyError: It has another shape, names an unknown role, or shows somebody more than her
            role may ever see.
    """
    try:
        read = _PolicyText.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise PolicyError(f"policy.yaml: {error}") from error
    roles = {
        name: Role(what=r.what, sees=r.sees, reach=r.reach, login=r.login)
        for name, r in read.roles.items()
    }
    rules: dict[tuple[Section, str, str], Rule] = {}
    for section in SECTIONS:
        rows: dict[str, _RowText] = getattr(read, section)
        for name, row in rows.items():
            for verb, named in row.verbs.items():
                rules[section, name, verb] = _rule(f"{section}.{name}.{verb}", row, named, roles)
    return Policy(roles=roles, rules=rules)


def _rule(
    where: str, row: _RowText, named: list[str] | Literal["anyone"], roles: Mapping[str, Role]
) -> Rule:
    allowed = None if named == "anyone" else frozenset(named)
    if allowed is None and row.shows != "nothing":
        raise PolicyError(f"policy.yaml: {where} shows {row.shows} to anyone.")
    unknown = sorted((allowed or frozenset()) - set(roles))
    if unknown:
        raise PolicyError(f"policy.yaml: {where} names unknown roles {unknown}.")
    level = LEVELS.index(row.shows)
    for role in sorted(allowed or ()):
        if LEVELS.index(roles[role].sees) < level:
            raise PolicyError(f"policy.yaml: {where} shows {row.shows}, which {role} never sees.")
    if row.shows == "nothing":  # then it reads nothing, whoever asks
        return Rule(roles=allowed, shows="nothing", own="hide", other="hide", erased="hide")
    return Rule(roles=allowed, shows=row.shows, own=row.own, other=row.other, erased=row.erased)


def check_policy(policy: Policy, section: Section, found: Iterable[tuple[str, str]]) -> None:
    """Compare a section of the table with the (row, verb) pairs there are.

    Raises:
        PolicyError: A pair has no rule, or a rule has no pair.
    """
    there, told = set(found), policy.names(section)
    faults = [
        f"{section}: {name}.{verb} is missing from policy.yaml: say who may use it."
        for name, verb in sorted(there - told)
    ]
    faults += [
        f"{section}: policy.yaml names {name}.{verb}, which does not exist: remove it."
        for name, verb in sorted(told - there)
    ]
    if faults:
        raise PolicyError("\n".join(faults))
