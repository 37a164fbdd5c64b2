"""Training again from a receipt: the same bytes where nothing has changed, else the names of the changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from sqlalchemy import select, update

from service.engine.ledger import Ledger
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.errors import Conflict
from service.jobs import queue, receipts, records, verifications
from service.jobs.receipts import Outcome
from service.jobs.records import JobRecord
from service.jobs.reports import records as reports
from service.jobs.reports.records import ReportsRecord
from service.jobs.states import State, Verb
from service.jobs.steering import verbs
from service.learning.losses import MSE
from service.learning.optimisers import Adam
from service.learning.training.events import EpochReport
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from service.models import operations, parameter_bytes
from service.models import records as models
from service.models.left import records as left_parameters
from service.models.records import PointRecord, VersionRecord

Post = Callable[..., str]


@dataclass
class Bench:
    """A bench that runs jobs and their verifications, one after the other."""

    workspace: Workspace
    post: Post

    def run(self, job: str) -> JobRecord:
        work_on(self.workspace, job, job)
        return self.job(job)

    def job(self, job: str) -> JobRecord:
        with self.workspace.database.reading() as session:
            return records.find(session, job)

    def train(self, **recipe: Any) -> JobRecord:
        return self.run(self.post(**{"epochs": 5, **recipe}))

    def enqueue(self, job: str) -> str:
        with self.workspace.database.transaction() as session:
            return verifications.enqueue(session, job).id

    def verify(self, job: JobRecord) -> JobRecord:
        return self.run(self.enqueue(job.id))

    def falsify(self, job: JobRecord) -> None:
        """Replace the parameters that the job produced by others."""
        wrong = parameter_bytes.to_bytes(np.zeros(2, np.float32))
        with self.workspace.database.transaction() as session:
            session.execute(update(VersionRecord).where(VersionRecord.job_id == job.id).values(parameters=wrong))

    def versions(self) -> int:
        with self.workspace.database.reading() as session:
            return models.find(session, "straight").versions


@pytest.fixture
def bench(workspace: Workspace, post: Post) -> Bench:
    return Bench(workspace, post)


def elsewhere() -> str:
    """The processor of a machine that differs in it alone."""
    return "Zilog Z80"


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"batch_size": 4, "shuffle": True, "seed": 5, "optimiser": {"rule": "Adam"}},
        {"standardise": True, "keep": "best"},
        {"keep_every": 2},
    ],
    ids=str,
)
def test_training_again_gives_the_same_bytes_and_adds_no_version(bench: Bench, recipe: dict[str, Any]) -> None:
    job = bench.train(**recipe)
    again = bench.verify(job)

    assert (again.state, again.version, again.verifies) == (State.SUCCEEDED, None, job.id)
    assert again.verification == Outcome(True, [])
    assert again.receipt == job.receipt
    assert (again.initial_loss, again.final_loss, again.epochs_done) == (job.initial_loss, job.final_loss, 5)
    assert bench.versions() == 2
    assert (again.held_model_id, again.held_dataset_id) == (None, None)


def test_what_a_verification_passes_through_is_not_kept_again(bench: Bench) -> None:
    again = bench.verify(bench.train(keep_every=2))
    with bench.workspace.database.reading() as session:
        assert {point.job_id for point in session.scalars(select(PointRecord))} == {again.verifies}
        assert set(session.scalars(select(ReportsRecord.job_id))) == {again.verifies}


def test_a_verification_says_how_far_it_is_without_reports(bench: Bench) -> None:
    again = bench.job(bench.enqueue(bench.train().id))

    def write(message: str, epochs: range) -> JobRecord:
        with bench.workspace.database.transaction() as session:
            attempt = queue.claim(session, again.id, message)
        assert attempt is not None
        ledger = Ledger(bench.workspace.beats, bench.job(again.id), attempt, None)
        training = SimpleNamespace(
            recipe=Recipe(loss=MSE(), optimiser=Adam(), epochs=5), epochs_done=0, initial_loss=1.0, best=None, rows=1
        )
        ledger.watch(cast(Training, training))
        for epoch in epochs:
            ledger.note(EpochReport(epoch, 1.0, None, 0.1, None, 0.0))
        with bench.workspace.database.transaction() as session:
            assert ledger.flush(session)
        return bench.job(again.id)

    seen = write("first", range(4))
    assert (seen.epochs_done, seen.initial_loss, seen.progress) == (3, 1, 3 / 5)
    with bench.workspace.database.transaction() as session:
        queue.requeue_lost(session, all_running=True)
    assert write("second", range(2, 3)).epochs_done == 3
    with bench.workspace.database.reading() as session:
        assert reports.last_epoch(session, again.id) is None


def test_a_job_is_verified_from_the_version_that_it_began_from(bench: Bench) -> None:
    bench.train()
    second = bench.train(keep_every=2)
    bench.train()
    assert bench.verify(second).verification == Outcome(True, [])


def test_a_job_that_began_from_a_point_is_verified_from_it(bench: Bench) -> None:
    bench.train(keep_every=2)
    assert bench.verify(bench.train(from_epoch=4)).verification == Outcome(True, [])


def test_other_bytes_in_the_same_environment_differ_in_the_parameters(bench: Bench) -> None:
    job = bench.train()
    bench.falsify(job)
    assert bench.verify(job).verification == Outcome(False, ["parameters"])


def test_the_receipt_decides_where_the_version_was_deleted_meanwhile(bench: Bench) -> None:
    first = bench.train(from_version=0)
    bench.train(from_version=0)
    again = bench.enqueue(first.id)
    operations.delete_version(bench.workspace.database, "straight", 1)
    assert bench.run(again).verification == Outcome(True, [])
    with pytest.raises(Conflict, match=r"Version 1, which job .* added, was deleted"):
        bench.enqueue(first.id)


def test_what_the_environment_has_changed_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.train()
    monkeypatch.setattr(receipts, "cpu", elsewhere)
    assert bench.verify(job).verification == Outcome(True, ["cpu"])
    bench.falsify(job)
    assert bench.verify(job).verification == Outcome(False, ["cpu"])


def test_a_training_that_diverges_elsewhere_is_not_identical(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.train(epochs=40)
    monkeypatch.setattr(receipts, "cpu", elsewhere)
    with bench.workspace.database.transaction() as session:
        again = verifications.enqueue(session, job.id)
        again.recipe = replace(again.recipe, optimiser={"rule": "Descent", "eta": 1e6})
    ended = bench.run(again.id)

    assert (ended.state, ended.verification) == (State.FAILED, Outcome(False, ["cpu"]))
    assert verifications.outcome_of(ended).identical is False
    with bench.workspace.database.reading() as session:
        assert left_parameters.find(session, again.id) is None


def test_a_verification_survives_the_loss_of_its_worker(bench: Bench) -> None:
    again = bench.enqueue(bench.train().id)
    with bench.workspace.database.transaction() as session:
        queue.claim(session, again, "lost")
    with bench.workspace.database.transaction() as session:
        queue.requeue_lost(session, all_running=True)
    ended = bench.run(again)
    assert (ended.attempt, ended.losses_of_worker) == (2, 1)
    assert ended.verification == Outcome(True, [])


def test_a_verification_that_was_cancelled_has_no_answer(bench: Bench) -> None:
    again = bench.enqueue(bench.train().id)
    with bench.workspace.database.transaction() as session:
        verbs.ask(session, again, Verb.CANCEL)
    with pytest.raises(Conflict) as refused:
        verifications.outcome_of(bench.job(again))
    assert refused.value.code == "verification_cancelled"


def test_a_dataset_whose_files_are_gone_cannot_be_trained_on_again(bench: Bench) -> None:
    job = bench.train()
    bench.workspace.storage.delete(job.dataset_id)
    with pytest.raises(Conflict) as refused:
        verifications.outcome_of(bench.verify(job))
    assert refused.value.code == "dataset_gone"


def test_a_job_from_before_there_were_receipts_is_compared_by_its_bytes(bench: Bench) -> None:
    job = bench.train()
    with bench.workspace.database.transaction() as session:
        session.execute(update(JobRecord).where(JobRecord.id == job.id).values(receipt=None))
    assert bench.verify(job).verification == Outcome(True, [])
    bench.falsify(job)
    assert bench.verify(job).verification == Outcome(False, ["parameters"])
