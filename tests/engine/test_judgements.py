"""The judgement at a job's end: is its version worse than before, and is it to be served?"""

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
import safetensors.numpy as safetensors

from service.database.database import Database
from service.engine.ends import judgement
from service.engine.ends.judgement import Judgement
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.errors import Conflict
from service.jobs import records
from service.jobs.records import JobRecord
from service.jobs.reports import records as reports
from service.jobs.states import State, Verb
from service.jobs.steering import verbs
from service.learning.training.events import Progress
from service.learning.training.training import Training
from service.models import operations as models
from service.models import records as model_records
from service.models.blueprints import LayerByLayer
from service.models.records import ModelRecord, VersionRecord
from service.models.schemas import ModelChange

Post = Callable[..., str]
BETTER: dict[str, Any] = {"epochs": 5, "optimiser": {"rule": "Descent", "eta": 0.02}}
WORSE: dict[str, Any] = {"epochs": 2, "optimiser": {"rule": "Descent", "eta": 0.2}}
SOLVED = [{"weight": [[4]], "bias": [2]}]


def ended(workspace: Workspace, job: str) -> JobRecord:
    work_on(workspace, job, job)
    with workspace.database.reading() as session:
        return records.find(session, job)


def codes(job: JobRecord) -> list[str]:
    return [each.code for each in job.advice if each.code in ("worse_than_before", "version_not_served")]


def model(workspace: Workspace) -> ModelRecord:
    with workspace.database.reading() as session:
        return model_records.find(session, "straight")


def version(workspace: Workspace, number: int) -> VersionRecord:
    with workspace.database.reading() as session:
        return model_records.version(session, model(workspace).id, number)


def pin(workspace: Workspace, serving: Any) -> None:
    with workspace.database.transaction() as session:
        models.change(session, "straight", ModelChange(serving=serving))


def put(workspace: Workspace, layers: Any) -> int:
    return models.put_parameters(workspace.database, "straight", LayerByLayer(layers, "#/layers"))[1]


def test_a_version_with_a_lower_loss_is_served_without_a_word(workspace: Workspace, post: Post) -> None:
    for serve in ("always", "if_better"):
        job = ended(workspace, post(**BETTER, serve=serve))
        assert (job.state, codes(job)) == (State.SUCCEEDED, [])
        assert model(workspace).served == job.version
        kept = version(workspace, job.version or 0)
        assert (kept.serve, kept.refused) == (serve, False)


def test_a_version_that_is_worse_is_served_with_advice(workspace: Workspace, post: Post) -> None:
    first = ended(workspace, post(**BETTER))
    job = ended(workspace, post(**WORSE))
    assert job.state == State.SUCCEEDED
    assert codes(job) == ["worse_than_before"]
    assert model(workspace).served == job.version == 2
    (advice,) = [each for each in job.advice if each.code == "worse_than_before"]
    assert f"{job.final_loss:.6g}" in advice.detail
    assert f"{first.final_loss:.6g}" in advice.detail
    assert "PATCH /api/models/mdl_" in advice.detail
    assert '"if_better" in a job keeps' in advice.detail
    assert '{"serving": 1}' in advice.detail


def test_a_version_that_is_not_better_is_not_served_if_it_must_be(workspace: Workspace, post: Post) -> None:
    ended(workspace, post(**BETTER))
    job = ended(workspace, post(**WORSE, serve="if_better"))
    assert codes(job) == ["worse_than_before", "version_not_served"]
    assert "if_better" not in job.advice[-2].detail
    assert (model(workspace).served, model(workspace).serving, model(workspace).version) == (1, "latest", 2)
    assert version(workspace, 2).refused
    assert '{"serving": 2}' in job.advice[-1].detail
    again = ended(workspace, post(**WORSE, from_version=0))
    assert codes(again) == ["worse_than_before"]


def test_the_served_version_is_what_counts_and_not_the_one_before(workspace: Workspace, post: Post) -> None:
    put(workspace, SOLVED)
    job = ended(workspace, post(**BETTER, from_version=0, serve="if_better"))
    assert codes(job) == ["version_not_served"]
    assert model(workspace).served == 1


def test_equal_parameters_are_neither_better_nor_worse(workspace: Workspace, post: Post) -> None:
    ended(workspace, post(**BETTER, from_version=0))
    job = ended(workspace, post(**BETTER, from_version=0, serve="if_better"))
    assert version(workspace, 2).parameters == version(workspace, 1).parameters
    assert codes(job) == ["version_not_served"]
    assert model(workspace).served == 1


def test_a_version_that_is_never_to_be_served_needs_no_advice(workspace: Workspace, post: Post) -> None:
    job = ended(workspace, post(**BETTER, serve="never"))
    assert (codes(job), model(workspace).served, model(workspace).version) == ([], 0, 1)
    assert (version(workspace, 1).serve, version(workspace, 1).refused) == ("never", True)
    job = ended(workspace, post(**BETTER))
    assert job.recipe.from_version == 1
    assert model(workspace).served == 2


@pytest.mark.parametrize("serve", ["always", "if_better", "never"])
def test_a_job_that_ends_under_a_pin_says_so(workspace: Workspace, post: Post, serve: str) -> None:
    pin(workspace, 0)
    job = ended(workspace, post(**BETTER, serve=serve))
    assert codes(job) == ["version_not_served"]
    assert (model(workspace).serving, model(workspace).served) == (0, 0)
    assert version(workspace, 1).refused == (serve == "never")
    pin(workspace, "latest")
    assert model(workspace).served == (0 if serve == "never" else 1)


def test_a_model_with_only_refused_versions_has_no_latest_to_serve(workspace: Workspace, post: Post) -> None:
    ended(workspace, post(**BETTER, serve="never"))
    pin(workspace, 1)
    models.delete_version(workspace.database, "straight", 0)
    with pytest.raises(Conflict, match="refused"):
        pin(workspace, "latest")
    assert model(workspace).serving == 1


def test_kept_epochs_to_begin_from_are_what_a_version_is_compared_with(workspace: Workspace, post: Post) -> None:
    ended(workspace, post(**BETTER, keep_every=1))
    job = ended(workspace, post(**WORSE, from_version=1, from_epoch=5))
    assert codes(job) == ["worse_than_before"]
    assert "version 1 at epoch 5" in job.advice[-1].detail


def test_a_training_in_standardised_inputs_is_judged_in_raw_ones(workspace: Workspace, post: Post) -> None:
    put(workspace, [{"weight": [[3]], "bias": [2]}])
    job = ended(workspace, post(epochs=3, optimiser={"rule": "Descent", "eta": 1.2}, standardise=True))
    assert codes(job) == ["worse_than_before"]
    assert "9.16667" in job.advice[-1].detail  # the mean of 0, 1, 4, 9, 16 and 25


def test_another_version_that_is_served_meanwhile_is_compared_too(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = Judgement.measure

    def late(self: Judgement, database: Database) -> Iterator[Progress]:
        yield from measure(self, database)
        if model(workspace).version == 0:
            put(workspace, SOLVED)

    monkeypatch.setattr(judgement.Judgement, "measure", late)
    job = ended(workspace, post(**BETTER, serve="if_better"))
    assert (job.state, job.version, codes(job)) == (State.SUCCEEDED, 2, ["version_not_served"])
    assert (model(workspace).served, model(workspace).next_version) == (1, 3)
    with workspace.database.reading() as session:
        assert len(reports.read(session, job.id, 0, 100)) == 6


def test_a_job_that_is_cancelled_while_it_is_judged_adds_no_version(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = post(**BETTER, serve="if_better")

    def cancelled(_: Training) -> Generator[Progress, None, float]:
        with workspace.database.transaction() as session:
            verbs.ask(session, job, Verb.CANCEL)
        yield Progress(5, 0.0)
        return 1.0

    monkeypatch.setattr(Training, "judge_start", cancelled)
    found = ended(workspace, job)
    assert (found.state, found.version, codes(found)) == (State.CANCELLED, None, [])
    assert (model(workspace).served, model(workspace).version) == (0, 0)


def test_a_worker_that_is_lost_while_it_judges_changes_nothing(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ended(workspace, post(**BETTER, from_version=0, serve="if_better"))
    job = post(**BETTER, from_version=0, serve="if_better")

    def lost(self: Training) -> Generator[Progress, None, float]:
        with workspace.database.transaction() as session:
            records.save_checkpoint(session, job, safetensors.save(self.state()))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Training, "judge_start", lost)
        with pytest.raises(KeyboardInterrupt):
            work_on(workspace, job, "a")
    work_on(workspace, job, "a")
    with workspace.database.reading() as session:
        found = records.find(session, job)
    assert (found.state, found.attempt, codes(found)) == (State.SUCCEEDED, 2, ["version_not_served"])
    assert found.final_loss == expected.final_loss
    assert version(workspace, 2).parameters == version(workspace, 1).parameters


def test_a_version_is_compared_as_it_was_before_it_learnt_the_rows(workspace: Workspace, post: Post) -> None:
    fields: dict[str, Any] = {"validation": {"fraction": 0.34}, "keep": "best", "refit": True, "serve": "if_better"}
    fields |= {"batch_size": 2, "optimiser": {"rule": "Adam", "eta": 0.1}}
    for epochs in (12, 13):  # all rows are learnt in more steps than those that chose one epoch the more
        job = ended(workspace, post(epochs=epochs, from_version=0, **fields))
        assert (codes(job), model(workspace).served) == ([], job.version)
    same = ended(workspace, post(epochs=1, **fields | {"optimiser": {"rule": "Descent", "eta": 1e-30}}))
    assert (codes(same), model(workspace).served) == (["version_not_served"], 2)
    assert ["validation_learnt" in {each.code for each in job.advice} for job in (job, same)] == [False, True]


def test_a_version_whose_refit_was_dropped_has_not_learnt_the_rows(workspace: Workspace, post: Post) -> None:
    put(workspace, SOLVED)
    fields: dict[str, Any] = {**WORSE, "validation": {"fraction": 0.34}, "keep": "best", "serve": "if_better"}
    dropped = ended(workspace, post(**fields, refit=True))
    assert codes(dropped) == ["version_not_served"]
    assert "on the validation part, 0.0," in dropped.advice[-1].detail
    follows = ended(workspace, post(**fields, from_version=dropped.version))
    assert "validation_learnt" not in {each.code for each in follows.advice}
