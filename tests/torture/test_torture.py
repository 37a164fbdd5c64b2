"""A short torture; `make torture` runs the long one."""

import random
from pathlib import Path

import pytest

from tests.torture.run import command, torture

pytestmark = pytest.mark.waits(30)

KILLS = 8
TINY = 60


def test_jobs_of_all_kinds_survive_the_deaths_of_processes(folder: Path) -> None:
    seed = random.randrange(1_000_000)  # noqa: S311 - faults, not secrets
    outcome = torture(folder, seed, KILLS, TINY)
    assert outcome.violations == [], command(seed, KILLS, TINY)
