"""The table as data: what it refuses to say, what it answers, and that reads keep to the answer."""

from dataclasses import replace
from itertools import product
from typing import Any, get_args

import pytest
import typer

from bot.login.users import ROLES, TEAM
from bot.policy import (
    JOB,
    NOBODY,
    SECTIONS,
    Place,
    PolicyError,
    Thing,
    Who,
    check_policy,
    may,
    read_policy,
    scope_of,
    shipped,
)
from bot.turns import permitted, staff
from flows.keywords import Action
from main import app
from storage.scope import BREAK_GLASS

POLICY = shipped()
VERBS = (*staff.VERBS, *permitted.VERBS)
SMALL = """
roles:
  worker: {what: w, sees: child, reach: named}
  office: {what: o, sees: codes, reach: all}
  tech: {what: t, sees: nothing, reach: none}
"""
ROW = SMALL + "pages:\n  a: {shows: child, other: %s, erased: %s, verbs: {view: [worker]}}\n"
MINE, THEIRS = Thing(school_id="mine"), Thing(school_id="theirs")


def test_the_roles_that_sign_in_are_those_that_accounts_can_have() -> None:
    assert {name for name, role in POLICY.roles.items() if role.login} == set(ROLES)
    assert {name for name, role in POLICY.roles.items() if role.reach == "named"} == set(TEAM)
    assert all(role.what.endswith(".") for role in POLICY.roles.values())


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("pages: {a: {shows: codes, verbs: {view: anyone}}}", "shows codes to anyone"),
        ("pages: {a: {shows: nothing, verbs: {view: [boss]}}}", "unknown roles"),
        ("pages: {a: {shows: child, verbs: {view: [office]}}}", "shows child, which office never"),
        ("chat: {a: {shows: codes, verbs: {tell: [tech]}}}", "shows codes, which tech never"),
        ("pages: {a: {shows: all, verbs: {view: [tech]}}}", "shows"),
        ("pages: {a: {verbs: {view: [tech]}}}", "shows"),
        ("pages: {a: {shows: nothing, verbs: {}}}", "verbs"),
        ("pages: {a: {shows: child, other: allow, verbs: {view: [worker]}}}", "other"),
        ("windows: {a: {shows: nothing, verbs: {view: [tech]}}}", "windows"),
        ("[", "policy.yaml"),
    ],
)
def test_a_faulty_table_is_refused(rows: str, fault: str) -> None:
    with pytest.raises(PolicyError, match=fault):
        read_policy(SMALL + rows)


@pytest.mark.parametrize(
    ("other", "erased", "thing", "opened", "answer"),
    [
        ("hide", "hide", MINE, set(), "allow"),
        ("hide", "hide", THEIRS, set(), "not_found"),
        ("hide", "hide", THEIRS, {"theirs"}, "not_found"),
        ("break_glass", "hide", THEIRS, set(), "break_glass"),
        ("break_glass", "hide", THEIRS, {"third"}, "break_glass"),
        ("break_glass", "hide", THEIRS, {"theirs"}, "allow"),
        ("break_glass", "hide", Thing(school_id="theirs", erased=True), {"theirs"}, "not_found"),
        ("hide", "hide", Thing(school_id="mine", erased=True), set(), "not_found"),
        ("hide", "allow", Thing(school_id="mine", erased=True), set(), "allow"),
        ("hide", "hide", Thing(school_id=None), set(), "not_found"),
        ("hide", "hide", None, set(), "allow"),
    ],
)
def test_what_applies_to_a_thing(
    other: str, erased: str, thing: Thing | None, opened: set[str], answer: str
) -> None:
    policy = read_policy(ROW % (other, erased))
    who = Who(role="worker", schools=frozenset({"mine"}), opened=frozenset(opened))
    place = Place(section="pages", name="a", thing=thing)

    assert may(policy, who, "view", place) == answer
    assert may(policy, Who(role="tech"), "view", place) == "refuse"
    assert may(policy, NOBODY, "view", place) == "refuse"


def test_a_row_that_is_missing_is_an_error_and_not_an_answer() -> None:
    with pytest.raises(KeyError):
        may(POLICY, NOBODY, "view", Place(section="exports", name="everything"))


def test_a_teacher_and_a_stranger_reach_nothing_of_a_child() -> None:
    for section, name, verb in POLICY.rules:
        for who in (NOBODY, Who(role="teacher")):
            answer = may(POLICY, who, verb, Place(section=section, name=name, thing=MINE))
            assert answer in ("refuse", "not_found"), f"{section}.{name}.{verb}"


@pytest.mark.parametrize("role", ["tech", "manager", "researcher", "auditor"])
def test_no_row_that_shows_a_child_is_open_to_them(role: str) -> None:
    shown = [key for key, rule in POLICY.rules.items() if rule.shows == "child"]

    assert shown
    assert [key for key in shown if POLICY.rules[key].allows(role)] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_read_is_bound_to_exactly_what_the_policy_allows(role: str) -> None:
    who = Who(role=role, schools=frozenset({"mine"}), opened=frozenset({"open"}))
    for (section, name, verb), rule in POLICY.rules.items():
        if rule.roles is None or role not in rule.roles:
            continue
        scope = scope_of(rule, who, user_id="u")
        for school, erased in product(("mine", "open", "theirs", None), (False, True)):
            thing = Thing(school_id=school, erased=erased)
            answer = may(POLICY, who, verb, Place(section=section, name=name, thing=thing))
            reads = scope.sees(school) and (scope.erased or not erased)
            assert reads == (answer == "allow"), f"{section}.{name}.{verb} {thing}"


def test_a_read_under_broken_glass_says_so() -> None:
    who = Who(role="coordinator", schools=frozenset({"mine"}), opened=frozenset({"open"}))
    scope = scope_of(POLICY.rule("pages", "alert", "view"), who, user_id="u")

    assert [scope.purpose_at(s) for s in ("mine", "open", None)] == ["care", BREAK_GLASS, "care"]


def test_the_table_knows_every_word_by_chat() -> None:
    check_policy(POLICY, "chat", VERBS)

    told = POLICY.rule("chat", "alerts", "told").roles
    assert told == {"coordinator"}
    for verb in ("list", "accept", "pass", "phone"):
        assert POLICY.rule("chat", "alerts", verb).roles == told


@pytest.mark.parametrize("word", ["stop", "cancel", "withdraw", "start", "data", "delete"])
def test_what_is_everybodys_right_is_open_to_anyone(word: str) -> None:
    assert POLICY.rule("chat", permitted.WORDS, word).roles is None


@pytest.mark.parametrize("word", get_args(Action))
def test_a_key_word_without_a_rule_refuses_to_start(word: str) -> None:
    rules = {k: r for k, r in POLICY.rules.items() if k != ("chat", permitted.WORDS, word)}
    with pytest.raises(PolicyError, match=rf"chat: words\.{word} is missing"):
        check_policy(replace(POLICY, rules=rules), "chat", VERBS)


def test_what_is_missing_and_what_is_too_much_is_named() -> None:
    found = [*VERBS, ("alerts", "close")]
    with pytest.raises(PolicyError, match=r"chat: alerts\.close is missing"):
        check_policy(POLICY, "chat", found)
    with pytest.raises(PolicyError, match=r"chat: policy\.yaml names glass\.told, which does not"):
        check_policy(POLICY, "chat", [pair for pair in VERBS if pair[0] != "glass"])


def test_jobs_are_run_by_the_bot_alone() -> None:
    for name, verb in POLICY.names("jobs"):
        place = Place(section="jobs", name=name)
        assert may(POLICY, JOB, verb, place) == "allow"
        assert all(may(POLICY, Who(role=r), verb, place) == "refuse" for r in ROLES)


def commands() -> list[str]:
    """Every command of the front door, e.g. "users add"."""
    root: Any = typer.main.get_command(app)
    found = []
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        found += [name] if inner is None else [f"{name} {sub}" for sub in inner]
    return found


def test_every_command_is_in_the_table_and_shows_no_child() -> None:
    told = {name for name, verb in POLICY.names("commands") if verb == "run"}

    assert told == set(commands())
    for name in told:
        rule = POLICY.rule("commands", name, "run")
        assert (rule.roles, rule.shows in ("nothing", "codes")) == ({"operator"}, True), name


def test_every_section_is_told_apart() -> None:
    assert {section for section, _, _ in POLICY.rules} <= set(SECTIONS)
    assert ("alerts", "accept") in POLICY.names("chat")
    assert ("alerts", "accept") not in POLICY.names("pages")
