"""The house keeps its rooms apart: what import-linter cannot see."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

import storage
from storage.care import cases
from storage.scope import Scope

ROOT = Path(__file__).parent.parent
ROOMS = ("flows", "scoring", "storage", "bot")
PURE = ("flows", "scoring")
FORBIDDEN_MODULES = frozenset(
    {
        *("asyncio", "os", "pathlib", "time", "random", "uuid", "logging", "importlib", "tempfile"),
        *("socket", "ssl", "http", "urllib", "subprocess", "threading", "structlog"),
        *("sqlalchemy", "starlette", "uvicorn", "twilio", "telegram", "pyxform"),
        *("bot", "storage", "main"),
    }
)
FORBIDDEN_CALLS = frozenset({"now", "today", "utcnow", "utcfromtimestamp"})
FORBIDDEN_NAMES = frozenset({"open", "exec", "eval", "__import__", "input", "print"})
LONGEST_FILE = 400
SQL = frozenset({"select", "insert", "update", "delete", "text"})


def files_of(*rooms: str) -> list[Path]:
    found = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    assert found
    return found


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(tree: ast.AST) -> Iterator[str]:
    """Names of the modules a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN_CALLS:
                yield f".{node.func.attr}()"
            elif isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_NAMES:
                yield f"{node.func.id}()"


def faults(source: str) -> list[str]:
    tree = ast.parse(source)
    return [
        *(m for m in imports(tree) if m.split(".")[0] in FORBIDDEN_MODULES),
        *calls(tree),
    ]


@pytest.mark.parametrize("path", files_of(*PURE), ids=named)
def test_flows_and_scoring_do_no_work_of_the_shell(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os.path",
        "from time import monotonic",
        "def f():\n    import random",
        "import storage.scope",
        "open('x')",
        "d = datetime.now(UTC)",
        "date.today()",
    ],
)
def test_the_rule_finds_what_it_forbids(source: str) -> None:
    assert faults(source)


@pytest.mark.parametrize("path", files_of(*ROOMS), ids=named)
def test_nothing_imports_the_front_door(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert "main" not in {module.split(".")[0] for module in imports(tree)}


def test_no_file_is_too_long_to_read() -> None:
    ours = [ROOT / "main.py", *files_of(*ROOMS)]
    long = {named(p): n for p in ours if (n := p.read_text("utf-8").count("\n")) > LONGEST_FILE}
    assert long == {}


@pytest.mark.parametrize("path", files_of("bot/dashboard"), ids=named)
def test_pages_hold_no_sql(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            assert SQL.isdisjoint(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module == "storage.schema":
            pytest.fail("a page reads tables itself: put the query into storage, with a Scope")


def page_reads() -> Iterator[tuple[str, object]]:
    """Functions of storage that a page imports and that take a connection."""
    for path in files_of("bot/dashboard"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if module.split(".")[0] != "storage":
                continue
            for alias in node.names:  # type: ignore[attr-defined]
                for found in members(module, alias.name):
                    if "conn" in inspect.signature(found).parameters:
                        yield f"{found.__module__}.{found.__qualname__}", found


def members(module: str, name: str) -> list[FunctionType]:
    """The function of that name, or all functions of the module of that name."""
    found = getattr(import_module(module), name, None)
    if found is None or inspect.ismodule(found):
        inside = import_module(f"{module}.{name}")
        own = [f for f in vars(inside).values() if inspect.isfunction(f)]
        return [f for f in own if f.__module__ == inside.__name__ and f.__name__[0] != "_"]
    return [found] if inspect.isfunction(found) else []


ACTS = {"storage.trail.audit.record", "storage.care.cases.accept", "storage.care.cases.pass_on"}
ACTS |= {"storage.care.cases.close", "storage.care.work.finish"}
ACTS |= {
    f"storage.trail.glass.{name}" for name in ("done_under", "end_now", "open_school", "review")
}
"""They act on something that was read in scope, by its id."""
NO_CHILD = {
    "storage.trail.glass.other_schools",
    "storage.trail.glass.running",
    "storage.families.programmes.school_ids",
}
NO_CHILD |= {"storage.talk.inviting.count_to_invite"}
"""Schools, her own openings, a number: nothing of a child or a family is in them."""
BEFORE_LOGIN = ("storage.staff.users.", "storage.staff.logins.")
"""Logins and sessions are what a scope is made from."""


def test_every_read_of_a_page_takes_a_scope() -> None:
    unscoped = {
        name
        for name, found in page_reads()
        if name not in ACTS | NO_CHILD
        and not name.startswith(BEFORE_LOGIN)
        and not any(
            p.annotation in (Scope, "Scope")
            for p in inspect.signature(found).parameters.values()  # type: ignore[arg-type]
        )
    }
    assert unscoped == set()


def test_no_finder_of_alerts_or_profiles_is_without_a_scope() -> None:
    finders = [cases.alerts_in, cases.count_alerts, cases.alert, cases.steps_of, cases.profile_of]
    for finder in finders:
        assert "scope" in inspect.signature(finder).parameters
    assert Path(storage.__file__).parent == ROOT / "storage"
