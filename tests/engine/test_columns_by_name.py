"""Jobs from a trained version take columns by name: the bytes are those of the table in the version's order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.datasets import operations as datasets
from service.datasets.formats.json_columns import json_table
from service.datasets.schemas import Last, Split
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.jobs import drafts, records, verifications
from service.jobs import operations as jobs
from service.jobs.checks.allowed import Allowed
from service.jobs.receipts import Outcome
from service.jobs.recipe_schemas import NewJob
from service.jobs.records import JobRecord
from service.jobs.states import State
from service.models import blueprints
from service.models import operations as models
from service.models import records as model_records
from service.models.networks import Networks
from service.models.schemas import NewModel

ROWS = 30
RANDOM = np.random.default_rng(7)
NUMBERS = {name: RANDOM.normal(size=ROWS).tolist() for name in ("a", "b", "y", "extra")}
KINDS = list("uvwuvwuvwv" * 3)
TABLE: dict[str, Any] = {"a": NUMBERS["a"], "k": KINDS, "b": NUMBERS["b"], "y": NUMBERS["y"]}
CHANGED: dict[str, dict[str, Any]] = {
    "another order": {name: TABLE[name] for name in ("y", "b", "k", "a")},
    "one more column": {"extra": NUMBERS["extra"], **{name: TABLE[name] for name in ("k", "y", "a", "b")}},
    "other names": {"b": TABLE["a"], "kind": KINDS, "a": TABLE["b"], "target": TABLE["y"]},
}
RENAME = {"other names": {"b": "a", "a": "b", "kind": "k", "target": "y"}}

Train = Callable[..., JobRecord]


@pytest.fixture
def train(workspace: Workspace) -> Train:
    """Keep a table, and train one of the models on it: a line, or a deep network."""
    for name, text in (("line", "Dense(5 => 1)"), ("deep", "Chain(Dense(5 => 3, tanh), Dense(3 => 1))")):
        blueprint = blueprints.blueprint(NewModel.model_validate({"architecture": text}), blueprints.Largest(100))
        with workspace.database.transaction() as session:
            models.create(session, name, blueprint)

    def run(table: dict[str, Any], model: str, target: str = "y", **recipe: Any) -> JobRecord:
        split = Split(validation=Last(last=8))
        options = datasets.Options(None, [target], split, "float32")
        record = datasets.store(workspace.storage, json_table(table, {}, "float32"), options)
        with datasets.adding(workspace.database, workspace.storage, record):
            pass
        new = NewJob.model_validate({"model": model, "dataset": record.id, "epochs": 7, **recipe})
        draft = drafts.draft(workspace.database, workspace.storage, Networks(), new, Allowed(4 << 30))
        with workspace.database.transaction() as session:
            job = jobs.enqueue(session, draft).id
        work_on(workspace, job, job)
        with workspace.database.reading() as session:
            ended = records.find(session, job)
        assert ended.state == State.SUCCEEDED, ended.error
        return ended

    return run


def version_of(workspace: Workspace, job: JobRecord) -> Any:
    with workspace.database.reading() as session:
        assert job.version is not None
        return model_records.version(session, job.model_id, job.version)


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize(
    ("model", "recipe"),
    [
        ("line", {"path": "quadratic"}),
        ("line", {"path": "quadratic", "standardise": True, "optimiser": {"rule": "Adam", "eta": 0.1}}),
        ("line", {}),
        ("line", {"path": "batches", "standardise": True}),
        ("deep", {"batch_size": 4, "shuffle": True, "keep": "best", "keep_every": 2}),
        ("deep", {"standardise": True}),
    ],
    ids=str,
)
def test_a_job_has_the_bytes_of_the_table_in_the_versions_order(
    workspace: Workspace, train: Train, model: str, recipe: dict[str, Any], change: str
) -> None:
    train(TABLE, model)
    rename = RENAME.get(change, {})
    expected = train(TABLE, model, from_version=1, **recipe)
    target = "target" if rename else "y"
    found = train(CHANGED[change], model, target, from_version=1, rename=rename, **recipe)
    assert version_of(workspace, found).parameters == version_of(workspace, expected).parameters
    assert found.plan == expected.plan
    assert (found.initial_loss, found.final_loss) == (expected.initial_loss, expected.final_loss)
    kept, known = version_of(workspace, found).signature, version_of(workspace, expected).signature
    assert (kept.features, kept.targets) == (known.features, known.targets)
    assert kept.left_out == (("extra",) if change == "one more column" else ())


def test_such_a_job_is_verified_to_the_same_bytes(workspace: Workspace, train: Train) -> None:
    train(TABLE, "line")
    whole = train(CHANGED["one more column"], "line", from_version=1, standardise=True)
    with workspace.database.transaction() as session:
        again = verifications.enqueue(session, whole.id).id
    work_on(workspace, again, again)
    with workspace.database.reading() as session:
        assert records.find(session, again).verification == Outcome(identical=True, differs=[])


def test_a_third_job_goes_on_with_the_columns_of_the_first(workspace: Workspace, train: Train) -> None:
    train(TABLE, "line")
    train({**CHANGED["one more column"], "k": ["u", "v"] * 15}, "line")
    third = train(CHANGED["another order"], "line")
    known = version_of(workspace, third).signature
    assert [each.name for each in known.features] == ["a", "k", "b"]
    assert known.features[1].categories == ("u", "v", "w")
    assert known.left_out == ("extra",)


def test_a_job_from_before_columns_went_by_name_takes_them_in_their_order(workspace: Workspace, train: Train) -> None:
    train(TABLE, "line")
    ended = train(TABLE, "line")
    with workspace.database.transaction() as session:
        record = records.find(session, ended.id)
        record.recipe = replace(record.recipe, rename=None)
        again = verifications.enqueue(session, ended.id).id
    work_on(workspace, again, again)
    with workspace.database.reading() as session:
        assert records.find(session, again).verification == Outcome(identical=True, differs=[])
