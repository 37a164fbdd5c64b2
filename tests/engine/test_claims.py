"""Claims of workers on a job, and the fate of the job when a worker is lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from service.database.record import now
from service.datasets.records import DatasetRecord
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.errors import Conflict, NotFound
from service.evaluations import operations as evaluations
from service.evaluations.schemas import NewEvaluation
from service.jobs import drafts, operations, queue, records
from service.jobs.checks.allowed import Allowed
from service.jobs.log import records as log
from service.jobs.queue import claims, order
from service.jobs.recipe_schemas import NewJob
from service.jobs.records import JobRecord
from service.jobs.states import MAX_LOSSES_OF_WORKER, State, Verb
from service.jobs.steering import verbs
from service.learning.training.training import Training
from service.models import records as models
from service.models.networks import Networks
from service.models.signature.signature import Feature, Signature, Target
from service.telemetry import records as totals

Post = Callable[..., str]


def job_of(workspace: Workspace, job: str) -> JobRecord:
    with workspace.database.reading() as session:
        return records.find(session, job)


def claim(workspace: Workspace, job: str, message: str) -> int | None:
    with workspace.database.transaction() as session:
        return queue.claim(session, job, message)


def order_of_claims(workspace: Workspace) -> list[str]:
    """Claim all that waits, one after the other."""
    claimed = []
    with workspace.database.transaction() as session:
        while (job := order.best(session)) is not None:
            queue.claim(session, job, f"of {job}")
            claimed.append(job)
    return claimed


def lose_worker(workspace: Workspace, job: str) -> list[str]:
    """Let the job's worker stop beating, and the dispatcher notice."""
    long_ago = now() - timedelta(hours=1)
    with workspace.database.transaction() as session:
        session.execute(update(JobRecord).where(JobRecord.id == job).values(beat=long_ago))
    with workspace.database.transaction() as session:
        return list(queue.requeue_lost(session))


def test_a_queued_job_is_claimed_once(workspace: Workspace, post: Post) -> None:
    job = post()
    assert claim(workspace, job, "a") == 1
    assert claim(workspace, job, "b") is None


def test_the_same_message_takes_a_running_job_over_and_counts_a_loss(workspace: Workspace, post: Post) -> None:
    job = post()
    claim(workspace, job, "a")
    assert claim(workspace, job, "a") == 2
    assert job_of(workspace, job).losses_of_worker == 1


def test_jobs_wait_by_priority_and_then_by_age(workspace: Workspace, post: Post) -> None:
    jobs = [post(priority=priority) for priority in (0, 5, 1, -1, 5)]
    with workspace.database.transaction() as session:
        records.find(session, jobs[2]).priority = 9
    assert order_of_claims(workspace) == [jobs[each] for each in (2, 1, 4, 0, 3)]


def test_a_repeated_message_finds_nothing_to_do_once_the_job_has_ended(workspace: Workspace, post: Post) -> None:
    job = post(epochs=1)
    work_on(workspace, job, "a")
    work_on(workspace, job, "a")
    ended = job_of(workspace, job)
    assert (ended.state, ended.attempt, ended.version) == (State.SUCCEEDED, 1, 1)


def test_a_worker_that_lost_its_claim_can_write_nothing(workspace: Workspace, post: Post) -> None:
    job = post()
    claim(workspace, job, "a")
    assert lose_worker(workspace, job) == [job]
    claim(workspace, job, "b")
    with workspace.database.transaction() as session:
        assert not claims.write(session, job, 1, epochs_done=7)
    assert job_of(workspace, job).epochs_done == 0


def test_a_beating_job_is_not_called_back(workspace: Workspace, post: Post) -> None:
    claim(workspace, post(), "a")
    with workspace.database.transaction() as session:
        assert not queue.any_lost(session)
        assert queue.requeue_lost(session) == {}


def test_a_cancel_survives_the_loss_of_the_worker(workspace: Workspace, post: Post) -> None:
    job = post()
    claim(workspace, job, "a")
    with workspace.database.transaction() as session:
        verbs.ask(session, job, Verb.CANCEL)
    lose_worker(workspace, job)
    assert job_of(workspace, job).state == State.CANCELLED


def test_a_worker_that_takes_over_a_cancelled_job_ends_it(workspace: Workspace, post: Post) -> None:
    job = post()
    claim(workspace, job, "a")
    with workspace.database.transaction() as session:
        verbs.ask(session, job, Verb.CANCEL)
    work_on(workspace, job, "a")
    ended = job_of(workspace, job)
    assert (ended.state, ended.version) == (State.CANCELLED, None)


def test_a_job_that_loses_too_many_workers_fails_and_lets_go(workspace: Workspace, post: Post) -> None:
    job = post()
    for loss in range(MAX_LOSSES_OF_WORKER):
        assert claim(workspace, job, f"message {loss}") is not None
        with workspace.database.transaction() as session:
            records.save_checkpoint(session, job, b"state")
        lose_worker(workspace, job)
    failed = job_of(workspace, job)
    assert (failed.state, failed.held_model_id, failed.held_dataset_id) == (State.FAILED, None, None)
    assert failed.error is not None
    assert failed.error.code == "worker_lost"
    with workspace.database.reading() as session:
        assert records.checkpoint(session, job) is None


def test_a_stop_gives_back_only_what_its_own_messages_claimed(workspace: Workspace, post: Post) -> None:
    mine, other = post(), post()
    claim(workspace, mine, "mine")
    claim(workspace, other, "another replica's")
    with workspace.database.transaction() as session:
        queue.release(session, ["mine", "never claimed"])
    assert job_of(workspace, mine).state == State.QUEUED
    with workspace.database.reading() as session:
        assert [each.event for each in log.page(session, mine, 0, 10)] == ["claimed", "released"]
    assert job_of(workspace, mine).losses_of_worker == 0
    assert job_of(workspace, other).state == State.RUNNING


def test_an_error_that_nobody_foresaw_fails_the_job_at_once(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("service.learning.training.training.Training.run", break_off)
    job = post()
    work_on(workspace, job, "a")
    failed = job_of(workspace, job)
    assert failed.state == State.FAILED
    assert failed.error is not None
    assert failed.error.code == "internal_error"
    assert "a bug" not in failed.error.detail


def test_a_dataset_whose_files_are_gone_fails_the_job(workspace: Workspace, post: Post) -> None:
    job = post()
    workspace.storage.delete(job_of(workspace, job).dataset_id)
    work_on(workspace, job, "a")
    failed = job_of(workspace, job)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == (State.FAILED, "dataset_gone")


def test_a_new_version_remembers_the_data_that_it_was_trained_on(workspace: Workspace, post: Post) -> None:
    job = post(epochs=1)
    work_on(workspace, job, "a")
    with workspace.database.reading() as session:
        model = models.find(session, "straight").id
        before, after = (models.version(session, model, number).signature for number in (0, 1))
    assert before is None
    assert after == Signature((Feature("x", "numeric", None, 0.0, 5.0),), (Target("y", "numeric"),), loss="mse")


def test_a_dataset_that_is_loading_cannot_be_used(workspace: Workspace, post: Post) -> None:
    with workspace.database.transaction() as session:
        session.execute(update(DatasetRecord).values(state="loading"))
    with pytest.raises(Conflict) as refused:
        post()
    assert refused.value.code == "dataset_loading"
    new = NewEvaluation(dataset="line", part="train")
    with pytest.raises(Conflict) as refused:
        evaluations.evaluate(workspace.database, workspace.storage, Networks(), "straight", new)
    assert refused.value.code == "dataset_loading"


def test_versions_are_numbered_without_gaps_whatever_they_began_from(workspace: Workspace, post: Post) -> None:
    jobs = [post(epochs=1, from_version=0) for _ in range(3)]
    for job in reversed(jobs):
        work_on(workspace, job, job)
    assert [job_of(workspace, job).version for job in reversed(jobs)] == [1, 2, 3]
    with workspace.database.reading() as session:
        assert models.find(session, "straight").versions == 4


def test_a_cancel_in_the_last_moment_still_counts(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job has computed its last epoch, and writes its end: the answer to the client still holds."""
    job = post(epochs=1)
    computed = Training.final_loss

    def cancel_meanwhile(training: Training) -> float:
        with workspace.database.transaction() as session:
            verbs.ask(session, job, Verb.CANCEL)
        return computed(training)

    monkeypatch.setattr(Training, "final_loss", cancel_meanwhile)
    work_on(workspace, job, "a")
    ended = job_of(workspace, job)
    assert (ended.state, ended.version) == (State.CANCELLED, None)
    assert operations.last_layers(workspace.database, job)


@pytest.mark.parametrize(
    ("gone", "pointer"), [("datasets", "#/dataset"), ("versions", "#/from_version"), ("models", "#/model")]
)
def test_what_is_deleted_after_a_draft_is_told_when_it_is_queued(
    workspace: Workspace, post: Post, gone: str, pointer: str
) -> None:
    post()  # so that there are all three
    new = NewJob.model_validate({"model": "straight", "dataset": "line"})
    draft = drafts.draft(workspace.database, workspace.storage, Networks(), new, Allowed(4 << 30))
    with workspace.database.transaction() as session:
        session.execute(delete(JobRecord))
        session.execute(delete(JobRecord.metadata.tables[gone]))
    with pytest.raises(NotFound) as raised, workspace.database.transaction() as session:
        operations.enqueue(session, draft)
    assert [fault.pointer for fault in raised.value.errors] == [pointer]
    with workspace.database.reading() as session:
        assert totals.totals(session)["created"] == 1
