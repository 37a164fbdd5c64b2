"""Deleted jobs without a server: who waits for them, who else works on them, and versions of earlier rows."""

import asyncio
import json
from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, text

from service.database.database import Database
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.errors import Conflict, NotFound
from service.evaluations import operations as evaluations
from service.evaluations.schemas import NewEvaluation
from service.jobs import operations, queue, verifications
from service.jobs.log.records import LogRecord
from service.jobs.records import CheckpointRecord, JobRecord
from service.jobs.reports.records import ReportsRecord
from service.jobs.states import State
from service.jobs.watching.one_job import event_stream
from service.jobs.watching.watcher import Watcher
from service.models.left.records import LastParametersRecord
from service.models.networks import Networks
from service.models.records import PointRecord
from tests.support.engine import shown

Post = Callable[..., str]


def left_over(workspace: Workspace) -> list[int]:
    kinds = (JobRecord, ReportsRecord, LogRecord, CheckpointRecord, LastParametersRecord)
    with workspace.database.reading() as session:
        return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


def test_a_deleted_job_leaves_no_rows_but_those_of_its_version(workspace: Workspace, post: Post) -> None:
    for recipe in ({"keep_every": 2}, {"optimiser": {"rule": "Descent", "eta": 1e6}}):
        job = post(epochs=300, **recipe)
        work_on(workspace, job, job)
        operations.delete(workspace.database, job)
    assert left_over(workspace) == [0, 0, 0, 0, 0]
    with workspace.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PointRecord)) == 150


def test_streams_and_waits_end_when_their_job_is_deleted(workspace: Workspace, post: Post) -> None:
    job, other = post(), post()

    async def watched() -> list[bytes]:
        watcher = Watcher(workspace.database)
        waits = asyncio.create_task(watcher.until_at_rest(job, 60))
        stream = event_stream(workspace.database, watcher, job, 0)
        events = [await anext(stream)]
        reading = asyncio.create_task(anext(stream, b""))
        await asyncio.to_thread(end_and_delete, workspace, job)
        watcher.nudge()
        async with asyncio.timeout(30):
            events.append(await reading)
            await waits
        with pytest.raises(TimeoutError):  # that of another job goes on
            async with asyncio.timeout(0.3):
                await watcher.until_at_rest(other, 60)
        await stream.aclose()  # type: ignore[attr-defined]  # a generator, declared as an iterator
        await watcher.stop()
        return events

    first, last = asyncio.run(watched())
    assert job.encode() in first
    assert last == b""


def test_a_stream_of_a_job_deleted_just_before_is_empty(workspace: Workspace, post: Post) -> None:
    job = post()
    end_and_delete(workspace, job)

    async def watched() -> list[bytes]:
        watcher = Watcher(workspace.database)
        events = [event async for event in event_stream(workspace.database, watcher, job, 0)]
        await watcher.stop()
        return events

    assert asyncio.run(watched()) == []


def end_and_delete(workspace: Workspace, job: str) -> None:
    """End and delete in one transaction: nobody sees the end."""
    with workspace.database.transaction() as session:
        record = session.get_one(JobRecord, job)
        queue.end(session, record, State.CANCELLED)
        session.flush()
        session.delete(record)


def test_a_worker_that_comes_late_to_a_deleted_job_does_nothing(workspace: Workspace, post: Post) -> None:
    job = post()
    end_and_delete(workspace, job)
    work_on(workspace, job, job)
    assert left_over(workspace) == [0, 0, 0, 0, 0]


def test_a_verification_and_a_deletion_that_race_exclude_each_other(workspace: Workspace, post: Post) -> None:
    other = Database(str(workspace.database.url))
    for _ in range(10):
        job = post(epochs=2)
        work_on(workspace, job, job)
        start, refused = Barrier(2), list[type[Exception]]()

        def race(act: Callable[[], object], start: Barrier = start, refused: list[type[Exception]] = refused) -> None:
            start.wait()
            try:
                act()
            except (Conflict, NotFound) as error:
                refused.append(type(error))

        def verify(job: str = job) -> None:
            with other.transaction() as session:
                verifications.enqueue(session, job)

        def delete(job: str = job) -> None:
            operations.delete(workspace.database, job)

        racers = [Thread(target=race, args=(act,)) for act in (verify, delete)]
        for each in racers:
            each.start()
        for each in racers:
            each.join()
        assert len(refused) == 1
        if refused == [Conflict]:
            assert shown(workspace, job).state == State.SUCCEEDED
    other.close()


@pytest.mark.parametrize("signature", [True, False], ids=["a signature without a loss", "no signature"])
def test_a_version_of_before_keeps_the_loss_of_its_job(workspace: Workspace, post: Post, signature: bool) -> None:
    job = post(epochs=3, loss="mae")
    work_on(workspace, job, job)
    with workspace.database.transaction() as session:
        (kept,) = session.execute(text("SELECT signature FROM versions WHERE job_id = :job"), {"job": job}).scalars()
        values = {"signature": json.dumps({**json.loads(kept), "loss": None}) if signature else None, "job": job}
        values["trained_with"] = json.dumps({"loss": "mae", "weights": None})
        session.execute(text("UPDATE versions SET signature = :signature, trained_with = :trained_with"), values)
    operations.delete(workspace.database, job)
    new = NewEvaluation.model_validate({"dataset": "line", "part": "train"})
    found = evaluations.evaluate(workspace.database, workspace.storage, Networks(), "straight", new)
    assert found.loss == pytest.approx(found.metrics["mae"])
