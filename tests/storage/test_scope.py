import pytest
from sqlalchemy import literal_column, select, union_all

from storage.database import Database
from storage.scope import Scope, person, system, user


def test_the_system_sees_all_and_says_why() -> None:
    scope = system("escalation")
    assert scope.sees("s1")
    assert scope.sees(None)
    assert (scope.actor_kind, scope.actor_id, scope.purpose) == ("system", None, "escalation")


def test_a_person_sees_her_schools_only() -> None:
    for scope in (person("p", ["s1"], purpose="alert"), user("u", {"s1"}, purpose="page")):
        assert scope.sees("s1")
        assert not scope.sees("s2")
        assert not scope.sees(None)


@pytest.mark.parametrize(
    "bounds",
    [
        {"actor_id": "p", "actor_kind": "person", "schools": None, "purpose": "x"},
        {"actor_id": None, "actor_kind": "user", "schools": frozenset(), "purpose": "x"},
        {"actor_id": "p", "actor_kind": "system", "schools": None, "purpose": "x"},
        {"actor_id": None, "actor_kind": "system", "schools": None, "purpose": ""},
    ],
)
def test_a_scope_without_a_name_or_a_purpose_or_bounds_is_refused(
    bounds: dict[str, object],
) -> None:
    with pytest.raises(ValueError, match=r"scope|system"):
        Scope(**bounds)


async def test_a_query_is_kept_in_bounds(database: Database) -> None:
    rows = union_all(
        *(select(literal_column(f"'{s}'").label("school_id")) for s in ("s1", "s2", "s3"))
    ).subquery()
    asked = {
        "all": system("x"),
        "two": user("u", ["s1", "s3", "s9"], purpose="x"),
        "none": user("u", [], purpose="x"),
    }
    for name, expected in {"all": 3, "two": 2, "none": 0}.items():
        query = select(rows).where(asked[name].within(rows.c.school_id))
        found = await database.read(lambda conn, query=query: conn.execute(query).all())
        assert len(found) == expected
