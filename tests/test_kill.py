"""The kill rig, short. `make kill` runs it for as long as one likes."""

from pathlib import Path

import pytest

from tests.rigs.kill import Rig


@pytest.mark.slow
async def test_kill_9_at_random_moments_breaks_no_promise(tmp_path: Path) -> None:
    report = await Rig(tmp_path, rounds=3, seed=7).run(settled=False)
    assert report.problems == []
    assert report.kills == 3
    assert report.families >= 3
    assert report.acknowledged == 7 * report.families
