"""Retention takes what is old and needed by nothing, and nothing else; numbers are never given again."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text, update

from service.database.record import now
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.evaluations import operations as evaluations
from service.evaluations.schemas import NewEvaluation
from service.ids import first_id
from service.jobs.records import JobRecord
from service.jobs.reports import reading
from service.jobs.states import State
from service.metrics import records as metrics
from service.models import records as records_of_models
from service.models.networks import Networks
from service.retention import operations
from service.settings import Settings

Post = Callable[..., str]
MONTH = "30d"


def trained(workspace: Workspace, post: Post, *, days: int = 0, **recipe: Any) -> str:
    """A job that was sent, and has ended, so many days ago, with its version."""
    job = post(**{"epochs": 3, **recipe})
    work_on(workspace, job, f"of {job}")
    return aged(workspace, job, days) if days else job


def aged(workspace: Workspace, job: str, days: int) -> str:
    """Let a job and its version be so many days old, and return the job's id of that time."""
    then = now() - timedelta(days=days)
    old = first_id("job", int(then.timestamp() * 1e9) - int(job[-13:].encode().hex(), 16) % 10**9)
    with workspace.database.rebuilding() as connection:
        for table in ("versions", "points", "reports", "job_log", "last_parameters", "jobs"):
            column = "id" if table == "jobs" else "job_id"
            statement = f"UPDATE {table} SET {column} = :old WHERE {column} = :job"  # noqa: S608 - names from above
            connection.execute(text(statement), {"old": old, "job": job})
    moment = then.replace(tzinfo=None)
    with workspace.database.transaction() as session:
        session.execute(text("UPDATE jobs SET ended_at = :at WHERE id = :id"), {"at": moment, "id": old})
        session.execute(text("UPDATE versions SET created_at = :at WHERE job_id = :id"), {"at": moment, "id": old})
    return old


def apply(workspace: Workspace, **periods: str) -> dict[str, int]:
    """Apply retention, after a dry run that counts the same."""
    settings = Settings.model_validate(periods)
    planned = operations.plan(settings, workspace.database)
    assert operations.apply(settings, workspace.database) == planned
    assert not any(operations.plan(settings, workspace.database).values())
    return planned


def evaluate(workspace: Workspace, **values: int) -> None:
    new = NewEvaluation.model_validate({"dataset": "line", "part": "train", **values})
    record = evaluations.evaluate(workspace.database, workspace.storage, Networks(), "straight", new)
    with workspace.database.transaction() as session:
        evaluations.keep(session, record)


def jobs(workspace: Workspace) -> set[str]:
    with workspace.database.reading() as session:
        return set(session.scalars(text("SELECT id FROM jobs")))


def numbers(workspace: Workspace) -> list[int]:
    with workspace.database.reading() as session:
        return records_of_models.numbers(session, records_of_models.find(session, "straight").id)


def test_nothing_goes_where_no_period_is_set(workspace: Workspace, post: Post) -> None:
    trained(workspace, post, days=4000)
    assert apply(workspace) == {}
    assert len(jobs(workspace)) == 1


def test_jobs_that_ended_long_ago_go_and_counters_stay(workspace: Workspace, post: Post) -> None:
    trained(workspace, post, days=31)
    new, waits = trained(workspace, post, days=29), post()
    with workspace.database.transaction() as session:
        session.execute(update(JobRecord).where(JobRecord.id == waits).values(created_at=now() - timedelta(days=99)))
    assert apply(workspace, keep_jobs=MONTH) == {"ended jobs": 1}
    assert jobs(workspace) == {new, waits}
    with workspace.database.reading() as session:
        figures = metrics.figures(session)
    assert (figures.jobs["succeeded"], figures.totals["succeeded"]) == (1, 2)


def test_a_job_that_is_being_verified_stays_until_that_has_ended(workspace: Workspace, post: Post) -> None:
    old, again = trained(workspace, post, days=31), post()
    with workspace.database.transaction() as session:
        session.get_one(JobRecord, again).verifies = old
    assert apply(workspace, keep_jobs=MONTH) == {"ended jobs": 0}
    with workspace.database.transaction() as session:
        session.get_one(JobRecord, again).state = State.CANCELLED
    assert apply(workspace, keep_jobs=MONTH) == {"ended jobs": 1}


def test_versions_that_something_needs_stay(workspace: Workspace, post: Post) -> None:
    for _ in range(6):
        trained(workspace, post, days=40)
    evaluate(workspace, version=2)
    apply(workspace, keep_jobs=MONTH)
    waits = post(from_version=4)
    assert apply(workspace, keep_versions=MONTH) == {"versions": 3}
    assert numbers(workspace) == [0, 2, 4, 6]
    del waits
    trained(workspace, post)
    assert numbers(workspace)[-1] == 7


def test_a_pinned_version_and_the_latest_that_was_not_refused_stay(workspace: Workspace, post: Post) -> None:
    for wish in ("always", "always", "always", "never"):
        trained(workspace, post, days=40, serve=wish)
    with workspace.database.transaction() as session:
        record = records_of_models.find(session, "straight")
        record.served, record.pinned = 1, True
        session.execute(text("UPDATE jobs SET recipe = json_set(recipe, '$.from_version', 0)"))
    apply(workspace, keep_versions=MONTH)
    assert numbers(workspace) == [0, 1, 3, 4]


def test_reports_are_thinned_with_their_peaks(workspace: Workspace, post: Post) -> None:
    job = trained(workspace, post, days=40, epochs=5000, optimiser={"rule": "Descent", "eta": 0.02})
    whole = {report["epoch"]: report for page in reading.chunks(workspace.database, job, 0) for report in page}
    with workspace.database.reading() as session:
        best = session.scalar(text("SELECT best_epoch FROM jobs"))
    assert apply(workspace, keep_epochs=MONTH) == {"jobs' surplus of epoch reports": 1}
    kept = [report for page in reading.chunks(workspace.database, job, 0) for report in page]
    assert 500 < len(kept) <= 1003
    assert all(whole[report["epoch"]] == report for report in kept)
    epochs = [report["epoch"] for report in kept]
    assert epochs == sorted(epochs)
    assert {0, 5000, best} <= set(epochs)
    losses = [report["train_loss"] for report in whole.values()]
    assert {min(losses), max(losses)} <= {report["train_loss"] for report in kept}
    curve = reading.curve(workspace.database, job, 0, 50)
    assert 10 < len(curve) <= 60
    page, following = reading.page(workspace.database, job, 0, 10, None)
    assert (len(page), following) == (10, str(epochs[10]))


def test_kept_epochs_and_last_parameters_go_where_nothing_needs_them(workspace: Workspace, post: Post) -> None:
    job = trained(workspace, post, days=40, epochs=4, keep_every=1)
    drawn = {"validation": {"fraction": 0.25}, "keep": "best", "refit": True}
    refitted = trained(workspace, post, days=40, from_version=0, **drawn)
    failed = post(epochs=5, optimiser={"rule": "Descent", "eta": 1e30})
    work_on(workspace, failed, "of failed")
    aged(workspace, failed, 40)
    evaluate(workspace, version=1, epoch=2)
    post(from_version=1, from_epoch=3)
    gone = apply(workspace, keep_checkpoints=MONTH)
    assert gone == {"last parameters of jobs without a version": 1, "kept epochs": 2}
    with workspace.database.reading() as session:
        assert records_of_models.kept_epochs(session, [job])[job] == [2, 3]
        best = session.get_one(JobRecord, refitted).best_epoch
        assert records_of_models.kept_epochs(session, [refitted])[refitted] == [best]


def test_parameters_of_folds_stay_as_their_predictions_need_them(workspace: Workspace, post: Post) -> None:
    fold = post(epochs=5, optimiser={"rule": "Descent", "eta": 1e30})
    work_on(workspace, fold, "of fold")
    with workspace.database.transaction() as session:
        session.get_one(JobRecord, fold).cross_validation = "cv_of_it"
    aged(workspace, fold, 40)
    assert apply(workspace, keep_checkpoints=MONTH).get("last parameters of jobs without a version", 0) == 0


def test_answers_go_when_their_time_is_over(workspace: Workspace, post: Post) -> None:
    with workspace.database.transaction() as session:
        for key, hours in (("old", 5), ("new", 1)):
            moment = (now() - timedelta(hours=hours)).replace(tzinfo=None)
            statement = "INSERT INTO answers (owner, key, fingerprint, status, location, body, created_at) "
            values = {"key": key, "at": moment}
            session.execute(text(f"{statement} VALUES ('default', :key, '', 201, '', x'', :at)"), values)
    apply(workspace, keep_answers="3h")
    with workspace.database.reading() as session:
        assert session.scalars(text("SELECT key FROM answers")).all() == ["new"]


def test_pages_of_what_went_go_back_to_the_disk(workspace: Workspace, post: Post, tmp_path: Path) -> None:
    file = workspace.database.file
    assert file is not None
    with workspace.database.transaction() as session:
        statement = "INSERT INTO answers (owner, key, fingerprint, status, location, body, created_at) "
        session.execute(text(f"{statement} VALUES ('default', 'k', '', 201, '', zeroblob(4000000), '2020-01-01')"))
    workspace.database.close()
    before = file.stat().st_size
    apply(workspace, keep_answers="1h")
    workspace.database.close()
    workspace.beats.close()
    assert file.stat().st_size < before - 3_500_000


@pytest.mark.parametrize("given", ["90", "d", "0d", "-1d", "1.5h", "1w", "1 d", "9999999d"])
def test_a_period_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="is no period: give a whole number and s, m, h or d, such as 90d"):
        Settings.model_validate({"keep_jobs": given})
