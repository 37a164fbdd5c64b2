"""Logs: time and level on each line, the same message at most once a minute, no noise at a stop."""

import io
import logging
import os
import re
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import pytest
from sqlalchemy.exc import OperationalError

from service.client import Client
from service.jobs import records
from service.telemetry.logs import LineFormatter, OnceAMinute, warn
from tests.support.databases import database_in
from tests.support.serving import PATIENCE, RunningService, wait_for

pytestmark = pytest.mark.waits(10)

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARNING|ERROR|CRITICAL) +\S.*")


class GroupedService(RunningService):
    """A service with its processes in one group."""

    leads_group = True


class NewService(RunningService):
    """A service that makes its tables."""

    finds_database = False


class Written:
    """A handler on a stream of its own; records come at the moments that a test names."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = OnceAMinute(self._stream)

    def log(self, message: str, *arguments: object, at: float) -> None:
        record = logging.LogRecord("service", logging.WARNING, "", 0, message, arguments, None)
        record.created = at
        self.handler.handle(record)

    @property
    def lines(self) -> list[str]:
        return self._stream.getvalue().splitlines()


@pytest.fixture
def written() -> Iterator[Written]:
    each = Written()
    yield each
    each.handler.close()


def test_a_message_that_comes_again_is_written_once_a_minute_with_a_count(written: Written) -> None:
    for second in range(121):
        written.log("job %s cannot be written: the disk is full", "job_1", at=second)
    text = "job job_1 cannot be written: the disk is full"
    assert written.lines == [text, f"{text} (59 more in 60 s)", f"{text} (59 more in 60 s)"]


def test_a_count_is_written_though_the_message_comes_no_more(written: Written) -> None:
    written.log("full", at=0)
    written.log("full", at=1)
    written.log("other", at=70)
    assert written.lines == ["full", "full (1 more in 70 s)", "other"]


def test_a_count_is_written_at_the_end(written: Written) -> None:
    written.log("full", at=0)
    written.log("full", at=1)
    written.handler.close()
    assert len(written.lines) == 2


def test_messages_about_different_things_are_all_written(written: Written) -> None:
    written.log("job %s failed", "a", at=0)
    written.log("job %s failed", "b", at=1)
    written.log("100 % of %s", at=2)
    assert written.lines == ["job a failed", "job b failed", "100 % of %s"]


def test_a_message_that_does_not_fit_its_arguments_harms_nobody(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    written.log("%d things", "x", at=0)
    assert "Message: '%d things'" in capsys.readouterr().err


def test_a_locked_database_is_a_line_and_an_error_of_ours_a_traceback(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger(__name__)
    monkeypatch.setattr(log, "handlers", [written.handler])
    warn(log, "job %s cannot beat: %s", "a", OperationalError("BEGIN", None, sqlite3.OperationalError("locked")))
    assert written.lines == ["job a cannot beat: locked"]
    warn(log, "job %s cannot beat: %s", "b", ValueError("ours"))
    assert written.lines[1:] == ["job b cannot beat: ours", "ValueError: ours"]


def test_each_line_of_a_traceback_has_time_and_level() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("service", logging.ERROR, "", 0, "broke off", None, sys.exc_info())
    lines = LineFormatter().format(record).splitlines()
    assert len(lines) > 3
    assert all(LINE.fullmatch(line) for line in lines)


class Story(NamedTuple):
    """The lives of a service: killed at work, stopped by two signals to its group; and the jobs meanwhile."""

    of_the_killed: list[str]
    """Lines up to the end of the start after it."""
    of_the_stopped: list[str]
    failed: str
    running: str
    losses: list[int]
    """Losses of workers of the job that ran, before and after each signal."""


def losses_once_it_runs(client: Client, job: str) -> int:
    wait_for(lambda: client.job(job).state == "running")
    return client.job(job).losses_of_worker


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story") / "data"
    killed = NewService(folder, "--workers", "1")
    with killed.client() as client:
        dataset = client.create_dataset({"x": [0, 1, 2], "y": [2, 6, 10]}, ["y"])
        model = client.create_model("Dense(1 => 1)")
        failed = client.train(model.id, dataset.id, wait=60, optimiser={"rule": "Descent", "eta": 1e30}).id
        (worker,) = killed.workers()
        worker.kill()
        wait_for(lambda: "another one starts" in killed.log)
        running = client.train(model.id, dataset.id, epochs=1_000_000, path="batches", batch_size=1).id
        wait_for(lambda: client.job(running).state == "running")
        killed.kill()
    before, losses = 0, list[int]()
    for sent in (signal.SIGINT, signal.SIGTERM):
        with GroupedService.running(folder, "--workers", "1") as service, service.client() as client:
            before = before or len(service.log)
            losses.append(losses_once_it_runs(client, running))
            os.killpg(service.process.pid, sent)
            service.process.wait(timeout=PATIENCE)
        with closing(database_in(folder)) as database, database.reading() as session:
            record = records.find(session, running)
            losses.append(record.losses_of_worker)
            assert record.state == "queued"
    log = (folder / "log").read_text()
    return Story(log[:before].splitlines(), log[before:].splitlines(), failed, running, losses)


def test_a_signal_to_the_whole_group_ends_the_service_without_a_traceback(story: Story) -> None:
    assert [line for line in story.of_the_stopped if not LINE.fullmatch(line)] == []
    assert story.losses == 4 * story.losses[:1]


def test_migration_failure_killed_worker_and_recovery_get_one_line_each(story: Story) -> None:
    # Python's own tracker of semaphores, whose service was killed, has a line of its own
    lines = [line for line in story.of_the_killed if "resource_tracker" not in line and "warn(" not in line]
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    told = [line for line in lines if "INFO" not in line or "brought" in line]
    for start in (
        "the database was brought from schema none to ",
        f"job {story.failed} failed: ",
        "a worker process has ended (signal 9 (SIGKILL)), another one starts",
        f"recovered from a stop without a warning: 1 jobs that ran go on ({story.running})",
    ):
        assert sum(start in line for line in told) == 1, told
    assert len(told) == 4, told
