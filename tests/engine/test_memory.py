"""A job that takes more memory than its worker may use fails alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.engine.tickets import work_with
from service.engine.workspace import Workspace, _own_memory, limited_memory
from service.jobs import records
from service.jobs.records import JobRecord
from service.learning.training.training import Training
from service.startup import machine

MEGABYTE = 1 << 20
pytestmark = pytest.mark.skipif(_own_memory() is None, reason="Linux alone limits the memory of a process")


def used() -> int:
    own = _own_memory()
    assert own is not None
    return own[0]


def test_what_goes_beyond_the_limit_is_an_error_and_nothing_else_is() -> None:
    with limited_memory(used() + 40 * MEGABYTE):
        kept = np.ones(10 * MEGABYTE, np.int8)
        with pytest.raises(MemoryError):
            np.empty(8000 * MEGABYTE, np.int8)  # more than the process may have freed before and kept
        assert kept.sum() == 10 * MEGABYTE
    assert len(np.ones(100 * MEGABYTE, np.int8)) == 100 * MEGABYTE


def test_a_job_that_takes_too_much_fails_and_the_next_one_succeeds(
    workspace: Workspace, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, greedy = Training.run, post(labels={"takes": "much"})
    taken = list[str]()

    def running(self: Training) -> object:
        for event in run(self):
            if not taken:
                taken.append("once")
                np.empty(8000 * MEGABYTE, np.int8)
            yield event

    monkeypatch.setattr(Training, "run", running)
    modest = post()
    limited = replace(workspace, memory=used() + 60 * MEGABYTE)
    for ticket in ("a", "b"):
        work_with(limited, ticket)

    def found(job: str) -> JobRecord:
        with workspace.database.reading() as session:
            return records.find(session, job)

    failed = found(greedy)
    assert (failed.state, failed.attempt) == ("failed", 1)
    assert failed.error is not None
    assert failed.error.code == "out_of_memory"
    assert "batch_size" in failed.error.detail
    assert found(modest).state == "succeeded"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("memory.max", "1073741824\n", 1 << 30),
        ("memory/memory.limit_in_bytes", "1073741824\n", 1 << 30),
        ("memory.max", "max\n", machine.memory()),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", machine.memory()),
    ],
)
def test_the_memory_of_a_container_is_what_it_may_have(tmp_path: Path, file: str, text: str, expected: int) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert machine.memory(tmp_path) == expected


def test_the_processors_of_a_container_are_those_of_its_quota(tmp_path: Path) -> None:
    everything = machine.processors(tmp_path)
    for quota, expected in (("max 100000", everything), ("50000 100000", 1), ("90000000 100000", everything)):
        folder = tmp_path / quota.replace(" ", "_")
        folder.mkdir()
        (folder / "cpu.max").write_text(quota)
        assert machine.processors(folder) == expected
