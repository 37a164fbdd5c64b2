"""Evaluations over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.database.owners import is_own
from service.evaluations import effects, operations, records
from service.evaluations.records import EvaluationRecord
from service.evaluations.schemas import Effect, EffectOf, Evaluation, Metrics, NewEvaluation
from service.http.key_scopes import READ, TRAIN, needs
from service.http.pages import After, Limit, Page, after_of
from service.http.problems import problems
from service.http.responses import numbers_response
from service.http.routes import JSONRoute
from service.idempotency.creation import CreationOf
from service.models import records as models
from service.resources import DatabaseOf, NetworksOf, SettingsOf, StorageOf, StoredOf
from service.vocabulary.formulas import check_formulas
from service.wire import PartName, VersionNumber

router = APIRouter(prefix="/api/models/{model}", tags=["predictions"], route_class=JSONRoute)


@router.post(
    "/evaluations",
    status_code=201,
    response_model=Evaluation,
    summary="Evaluate on a part of a dataset",
    responses=problems(404, 409, 413, 415, 422),
)
@needs(TRAIN)
def evaluate(
    model: str,
    new: NewEvaluation,
    creation: CreationOf,
    database: DatabaseOf,
    storage: StorageOf,
    networks: NetworksOf,
    settings: SettingsOf,
    stored: StoredOf,
) -> Response:
    """Compute loss and metrics of a version on data, by default on the test part, and keep them."""
    stored.left()
    if new.loss is not None:
        check_formulas(new.loss.to_learning(), settings.max_expression, "#/loss/expression")
    record = operations.evaluate(database, storage, networks, model, new)
    with database.transaction() as session:
        operations.keep(session, record)
        return creation.answer(session, _evaluation(record), f"/api/models/{record.model_id}/evaluations/{record.id}")


@router.get("/evaluations", summary="List evaluations", responses=problems(404, 422))
@needs(READ)
def list_evaluations(model: str, database: DatabaseOf, limit: Limit = 50, after: After = None) -> Page[Evaluation]:
    """A model's evaluations, newest first."""
    with database.reading() as session:
        found = models.find(session, model)
        items, following = records.page(session, found.id, limit, after)
    return Page(items=[_evaluation(record, rows=is_own(found)) for record in items], next=following)


@router.get("/evaluations/{evaluation}", summary="Show an evaluation", responses=problems(404, 422))
@needs(READ)
def show_evaluation(model: str, evaluation: str, database: DatabaseOf) -> Evaluation:
    """One evaluation, by its id."""
    with database.reading() as session:
        found = models.find(session, model)
        return _evaluation(records.find(session, found.id, evaluation), rows=is_own(found))


AfterTraining = Annotated[str | None, after_of("next_trainings")]
AfterEvaluation = Annotated[str | None, after_of("next_evaluations")]


@router.get(
    "/metrics",
    response_model=Metrics,
    summary="Show how a model was trained and how good it is",
    responses=problems(404, 422),
)
@needs(READ)
def show_metrics(
    model: str,
    database: DatabaseOf,
    limit: Limit = 20,
    after_training: AfterTraining = None,
    after_evaluation: AfterEvaluation = None,
) -> Response:
    """The trainings of a model, newest version first, each with its curve and receipt; and its evaluations, newest
    first: at most `limit` of both.

    `next_trainings` goes into `?after_training=`, `next_evaluations` into `?after_evaluation=`; null is the end of that
    list.
    """
    with database.reading() as session:
        record = models.find(session, model)
        trainings, next_trainings = operations.trainings(session, record, limit, after_training, "after_training")
        checks, next_evaluations = records.page(session, record.id, limit, after_evaluation, "after_evaluation")
    answer = {
        "model": record.id,
        "trainings": trainings,
        "next_trainings": next_trainings,
        "evaluations": [_evaluation(each, rows=is_own(record)).model_dump(mode="json") for each in checks],
        "next_evaluations": next_evaluations,
    }
    return numbers_response(answer)


@router.get("/effect", summary="Show the effect of columns", responses=problems(404, 409, 422))
@needs(READ)
def show_effect(
    model: str,
    database: DatabaseOf,
    storage: StorageOf,
    networks: NetworksOf,
    dataset: Annotated[str, Query(min_length=1, max_length=1000, description="rows to average over: an id or a name")],
    feature: Annotated[list[str], Query(min_length=1, max_length=2, description="a column, or two")],
    part: PartName = "train",
    version: Annotated[VersionNumber | None, Query(description="by default the served one")] = None,
) -> Effect:
    """Partial dependence: the mean outputs over rows of a part in which the columns are set to value after value.

    A number takes up to 20 values from its least to its greatest in the part, a category each of its own. At most 1,000
    rows are taken, evenly spread.
    """
    found = effects.effect(database, storage, networks, model, version, dataset, part, feature)
    varied = [EffectOf(column=each.column.column.name, values=each.values) for each in found.varied]
    return Effect(
        model=found.trained.model,
        version=found.trained.version,
        dataset=found.view.dataset.id,
        part=part,
        rows=found.rows,
        features=varied,
        outputs=found.outputs.tolist(),
    )


def _evaluation(record: EvaluationRecord, *, rows: bool = True) -> Evaluation:
    """Return an evaluation; without `rows` for those who may see the model, and perhaps not the data."""
    told = record.sureness or {"coverage": None, "calibration_error": None, "reliability": None}
    shown = Evaluation.model_validate(
        {
            **told,
            **{name: getattr(record, name) for name in Evaluation.model_fields if hasattr(record, name)},
            "model": record.model_id,
            "dataset": record.dataset_id,
        }
    )
    return shown if rows else shown.model_copy(update={"residuals": None})
