"""A short torture; `make torture` runs the long one."""

import random
from pathlib import Path

import pytest

from tests.torture.run import command, torture

pytestmark = pytest.mark.waits(30)

KILLS = 8
TINY = 60
SHARE = 0.4
"""Of the epochs that jobs of the long run train: deaths are as near to each other as there."""


def test_jobs_of_all_kinds_survive_the_deaths_of_processes(folder: Path) -> None:
    seed = random.randrange(1_000_000)  # noqa: S311 - faults, not secrets
    outcome = torture(folder, seed, KILLS, TINY, SHARE)
    assert outcome.violations == [], command(seed, KILLS, TINY, SHARE)
