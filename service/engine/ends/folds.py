"""The judgement on a fold of a cross-validation: its network, on the rows that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.cross_validations.folds import fold_of, part_of
from service.cross_validations.records import fold_of_job
from service.cross_validations.sums import can_be_kept, sums_of, tell_enough
from service.datasets.columns import Column
from service.engine.assignment import Assignment, check_weights
from service.engine.workspace import Workspace
from service.http import json_numbers
from service.http.json_numbers import Array, JsonObject
from service.jobs.records import JobRecord
from service.learning.evaluation import evaluation
from service.learning.evaluation.of_sums import evaluated_by_sums
from service.models.signature.scored import metrics_by_name, scored


@dataclass(frozen=True)
class Score:
    """Loss and metrics on the rows of a fold."""

    metrics: JsonObject
    rows: int


def judged(workspace: Workspace, record: JobRecord, assignment: Assignment, vector: Array) -> Score | None:
    """Judge a result on the rows of its fold; None where the job is none of a cross-validation."""
    if record.cross_validation is None:
        return None
    with workspace.database.reading() as session:
        fold, whole = fold_of_job(session, record.id)
    view, recipe = assignment.view, assignment.training.recipe
    columns = view.columns.target_columns
    if recipe.path == "quadratic" and can_be_kept(view, whole.folds):
        sums = sums_of(view, whole.id, whole.folds, whole.seed)
        if tell_enough(view, sums):
            of_fold = sums.sums[fold.number]
            found = evaluated_by_sums(assignment.network, vector, of_fold, recipe.loss)
            return _score(columns, found, of_fold.rows)
        places = sums.held(fold.number)
    else:
        places = fold_of(view, fold.number, whole.folds, whole.seed, watches=False).held
    held = part_of(view, places)
    check_weights(held, "are held out")
    given = assignment.network, vector, held, recipe.loss, scored(columns)
    return _score(columns, evaluation.evaluate(*given, link=assignment.signature.link), len(held))


def _score(columns: Sequence[Column], found: evaluation.Evaluation, rows: int) -> Score:
    return Score({"loss": json_numbers.finite(found.loss), **metrics_by_name(columns, found)}, rows)
