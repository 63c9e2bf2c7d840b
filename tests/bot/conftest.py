"""What tests of the shell share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.live import Live, live


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Live]:
    """A live bot over HTTP, with its providers."""
    async with live(tmp_path) as running:
        yield running
