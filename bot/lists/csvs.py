"""Writing CSV that no spreadsheet runs: every table that leaves as a file goes through here.

Source: OWASP ASVS 5.0, 1.2.10; RFC 4180.
"""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

FORMULA = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"
"""What a spreadsheet may take for the beginning of a formula, full-width forms included."""
BOM = "\ufeff"
"""Without it Excel reads UTF-8 as the machine's old code page."""


def as_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: such text gets a leading apostrophe.

    Args:
        value: Text as it is; None is an empty cell; a number stays the number it is.
    """
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(tuple(FORMULA)) else text


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]], *, end: str = "\r\n") -> str:
    r"""A table as CSV text, every cell made safe.

    Args:
        header: Names of the columns.
        rows: The cells; see `as_cell`.
        end: What ends a line: RFC 4180's for files, a bare \n for a terminal.
    """
    table = StringIO()
    writer = csv.writer(table, lineterminator=end)
    writer.writerow([as_cell(name) for name in header])
    writer.writerows([as_cell(value) for value in row] for row in rows)
    return table.getvalue()
