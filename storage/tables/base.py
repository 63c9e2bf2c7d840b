"""What every table is made of: the metadata, the kinds of column, the declaration of keeping.

Ids are 128-bit time-ordered hex made by the shell before the insert (`storage.ids`). Times are
`Instant`. `sealed` columns hold ciphertext of `storage.keyring.vault`, bound to table, column and
row; what is plain (codes, bands, dates, states) says nothing about a person by itself. No foreign
key cascades: erasing and moving are decided in code, and a batch migration must never delete rows.

Every table is declared by what it hangs on: `household` (erased with it), `reference` (about the
programme, no person) or `intake` (before we know whom it belongs to, or for the machine room).
"""

from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

Kind = TypeEngine[Any] | type[TypeEngine[Any]]
Keeping = Literal["household", "reference", "intake"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
KEEPING: dict[str, Keeping] = {}
"""How each table is declared; a test compares it with the metadata."""

ID = String(32)
BIGINT = BigInteger().with_variant(Integer, "sqlite")
CODE = String(64)


def table(
    name: str,
    keeping: Keeping,
    *items: Column[Any] | UniqueConstraint | Index,
    rowid: bool = True,
) -> Table:
    """A table of our metadata, declared by what it hangs on.

    Without a `rowid`, short rows stand in the tree of their own key: SQLite writes one tree less.
    """
    KEEPING[name] = keeping
    return Table(name, metadata, *items, sqlite_with_rowid=rowid)


def own_id() -> Column[Any]:
    """The id column every row of its own has."""
    return Column("id", ID, primary_key=True)


def ref(name: str, target: str, *, null: bool = False) -> Column[Any]:
    """A reference to another table's id."""
    return Column(name, ID, ForeignKey(f"{target}.id"), nullable=null)


def col(name: str, kind: Kind, *, null: bool = False) -> Column[Any]:
    """A column; not null unless told."""
    return Column(name, kind, nullable=null)


def flag(name: str) -> Column[Any]:
    """A yes/no that starts as no."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def count(name: str) -> Column[Any]:
    """A number that starts at 0."""
    return Column(name, Integer, nullable=False, server_default=text("0"))


def sealed(name: str, *, null: bool = True) -> Column[Any]:
    """Ciphertext of `storage.keyring.vault`, bound to table, column and row."""
    return Column(name, LargeBinary, nullable=null, info={"sealed": True})
