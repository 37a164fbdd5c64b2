"""Drafts of jobs: checked, planned and frozen before a row is written."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import asdict, dataclass, field

from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.owners import is_own
from service.database.record import reader
from service.datasets import records as datasets
from service.datasets.arrangement import Arrangement
from service.datasets.records import DatasetRecord
from service.datasets.view import MOST_NAMED, DatasetView, check_weights
from service.errors import Invalid, invalid
from service.jobs import growth
from service.jobs.checks import automatic, known, loss_fits_targets
from service.jobs.checks.allowed import Allowed
from service.jobs.checks.case import Case
from service.jobs.checks.checks import advice_on_data
from service.jobs.checks.known import Planned, Question
from service.jobs.checks.learnt_rows import learnt_rows
from service.jobs.checks.memory import Need
from service.jobs.recent import Recent
from service.jobs.recipe import JobRecipe, Plan
from service.jobs.recipe_schemas import NewJob
from service.jobs.training_data import columns_of_job, view_of_job
from service.learning.planning import plan as planning
from service.learning.planning.advice import Advice, advice
from service.learning.planning.folded_epochs import MOST_SECONDS
from service.learning.synonyms import listed
from service.learning.training.recipe import Recipe, RecipeError
from service.models import records as models
from service.models.networks import Networks
from service.models.records import Serve
from service.models.signature.by_name import check_rename, stored_name
from service.models.signature.from_data import no_probabilities
from service.models.trained_network import TrainedNetwork
from service.pointers import reference_at
from service.storage.storage import Storage
from service.vocabulary.formulas import check_formulas

EXACT_PLAN_INPUTS = 500
"""Inputs for which a plan is exact; with more, the eigenvalues would delay the request, and a sample estimates."""


@dataclass(frozen=True)
class Limits:
    """The place of a job in the queue, and what it may use of workers."""

    priority: int
    submitter: str
    max_seconds: float | None
    max_attempts: int


@dataclass(frozen=True)
class Draft:
    """A job that could be created: everything found, checked and frozen."""

    model: str
    is_own: bool
    """Whether the model is the caller's: another owner may have shared it, to be read alone."""
    dataset: str
    recipe: JobRecipe
    plan: Plan
    advice: list[Advice]
    limits: Limits
    serve: Serve = "always"
    labels: dict[str, str] = field(default_factory=dict)


def draft(
    database: Database,
    storage: Storage,
    networks: Networks,
    new: NewJob,
    allowed: Allowed,
    submitter: str = "",
    *,
    start: TrainedNetwork | None = None,
    fold_seconds: float = MOST_SECONDS,
) -> Draft:
    """Check that model, dataset and recipe fit and stay within what is allowed, and plan the training.

    It begins from `start` in place of the model that the request names, where that is given. A recipe that the service
    chooses may train folds for `fold_seconds`.

    Raises:
        NotFound: model, version, kept epoch or dataset; with its pointer.
        Conflict: the dataset is loading.
        Invalid: there is nothing to train; widths, batches, weights or path do not fit; or the rate is unstable, and
            the request refuses such.
    """
    asked = known.question(database, new, allowed) if start is None else None
    planned = None if asked is None else _KNOWN.find(asked)
    if asked is not None and planned is not None:
        ground = asked[1]
        return _drafted(new, planned, ground.model, ground.dataset, allowed, submitter, is_own=ground.is_own)
    with database.reading() as session:
        with reference_at("#/dataset"):
            dataset = datasets.find_ready(session, new.dataset, whole=True)
        seeded, owned, start = (True, True, start) if start is not None else _start(session, networks, new)
    if not start.network.parameter_count:
        raise invalid("#/model", "This model has no parameters: there is nothing to train.", "nothing_to_train")
    remedy = "With from_version 0 the training begins anew" if seeded else "A new model can begin anew"
    reasons: list[Advice] = []
    if new.recipe == "auto":
        new, reason = automatic.decided(
            new, start, dataset, lambda chosen: _viewed(storage, dataset, chosen, start, remedy)[1], fold_seconds
        )
        reasons = [reason]
    written, view = _viewed(storage, dataset, new, start, remedy)
    recipe, columns = written.to_learning(), view.columns
    check_formulas(recipe.loss, allowed.formula, "#/loss/expression")
    loss_fits_targets.check_loss(columns, start.network, recipe.loss)
    if not new.partial and new.batch_size is not None and new.batch_size > view.count("train"):
        rows = f"the training part has only {view.count('train')} rows"
        detail = f"batch_size is {new.batch_size} and `partial` is false, but {rows}."
        raise invalid("#/batch_size", detail, "no_full_batch")
    plan, given = _plan(view, start, recipe, refused={"unstable_rate"} if new.reject_unstable else set())
    need = _need(view, start, recipe, plan)
    if allowed.memory is not None:
        need.check(allowed.memory)
    grows = growth.growth_of(recipe, start.vector.nbytes, need.checkpoint, view.count("validation"), new.keep_every)
    growth.check(grows, allowed.bytes)
    large, learnt = growth.advice(grows), learnt_rows(database, start, dataset.id, written, remedy)
    noted = (*reasons, *given, *learnt, *(() if large is None else (large,)))
    planned = Planned(written, _PLAN({**asdict(plan), "bytes": grows.total, "memory": need.bytes}), noted)
    if asked is not None and asked[1] == (dataset.id, dataset.name, start.model, start.version, owned):
        _KNOWN.keep(asked, planned)  # else a version was added, or the dataset was renamed, since it was asked
    return _drafted(new, planned, start.model, dataset.id, allowed, submitter, is_own=owned)


_KNOWN: Recent[Question, Planned] = Recent(known.MOST_KEPT)


def _drafted(
    new: NewJob, planned: Planned, model: str, dataset: str, allowed: Allowed, submitter: str, *, is_own: bool
) -> Draft:
    limits = Limits(new.priority, submitter, allowed.seconds_of(new.max_seconds), new.max_attempts)
    plan = planned.recipe, planned.plan, list(planned.advice)
    return Draft(model, is_own, dataset, *plan, limits, new.serve, new.labels)


def _start(session: Session, networks: Networks, new: NewJob) -> tuple[bool, bool, TrainedNetwork]:
    """Return whether version 0 of the model was drawn by a seed, whether the model is the caller's, and what the
    training begins from.
    """
    with reference_at("#/model"):
        model = models.find(session, new.model)
    with reference_at("#/from_version"):
        start = networks.get(session, model.id, model.version if new.from_version is None else new.from_version)
    if new.from_epoch is not None:
        with reference_at("#/from_epoch"):
            start = networks.get(session, start.model, start.version, new.from_epoch)
    return model.seeded, is_own(model), start


def _viewed(
    storage: Storage, dataset: DatasetRecord, new: NewJob, start: TrainedNetwork, remedy: str
) -> tuple[JobRecipe, DatasetView]:
    """Return the recipe as it is kept, and the dataset as the job trains on it."""
    check_rename(start.signature, dataset, new.rename)
    if new.refit and new.validation is None:
        learns = "`refit` learns the rows too that `validation` draws"
        detail = (
            f'{learns}, and none are drawn: send "validation": {{"fraction": 0.2}}, "keep": "best", or leave it out.'
        )
        if dataset.validation_rows:
            detail = f"{learns}, and never the validation part that the dataset has: leave it out."
        raise invalid("#/refit", detail, "impossible_refit")
    if new.sample_weights is not None:
        name = stored_name(dataset, new.sample_weights, new.rename) or new.sample_weights
        check_weights(dataset, name, "#/sample_weights")
    written = _written(new, start)
    view = view_of_job(storage, _columns(dataset, written, start, remedy), start.network.dtype, written)
    view.check(start.network, "#/dataset")
    return written, view


_RECIPE, _PLAN = reader(JobRecipe), reader(Plan)


def _written(new: NewJob, start: TrainedNetwork) -> JobRecipe:
    written: JobRecipe = _RECIPE(
        {**new.model_dump(mode="json"), "from_version": start.version, "from_epoch": start.epoch}
    )
    return written


def _columns(dataset: DatasetRecord, written: JobRecipe, start: TrainedNetwork, remedy: str) -> Arrangement:
    """Return the columns by name; with other ones, the weights of a trained version would change their meaning."""
    try:
        return columns_of_job(dataset, written, start.signature)
    except Invalid as error:
        raise Invalid(f"{error.detail} {remedy}.", error.code, error.errors) from None


def _plan(
    view: DatasetView, start: TrainedNetwork, recipe: Recipe, *, refused: Container[str]
) -> tuple[planning.Plan, tuple[Advice, ...]]:
    """Return the plan and the advice; Invalid where the advice has one of the `refused` codes."""
    columns = view.columns
    gram = view.gram("train") if columns.inputs <= EXACT_PLAN_INPUTS else None
    try:
        plan = planning.plan(
            start.network,
            view.count("train"),
            view.count("validation"),
            recipe,
            gram=gram,
            validation_gram=view.gram("validation"),
            weighted=view.is_weighted,
            numbers=any(each.kind == "numeric" for each in columns.target_columns),
            fresh=start.fresh,
            parameters=start.vector,
            train=lambda: view.part("train"),
            coding=view.coding(start.network),
        )
    except RecipeError as error:
        field = "class_weight" if error.field == "sample_weights" and columns.weights is None else error.field
        raise invalid(f"#/{field}", f"{field} {error.message}.", f"impossible_{field.partition('/')[0]}") from None
    given = advice(plan, recipe, network=start.network, gram=gram, validation_rows=view.count("validation"))
    if not any(each.code == "loss_takes_probabilities" for each in given):  # its remedy makes probabilities as well
        lacking = no_probabilities(columns.target_columns, start.network, recipe.loss)
        given = given if lacking is None else (*given, lacking)
    given = (*given, *advice_on_data(Case(view, start, recipe, plan)), *_unused(columns))
    for each in given:
        if each.code in refused:
            raise invalid(each.pointer, each.detail, each.code)
    return plan, given


def _need(view: DatasetView, start: TrainedNetwork, recipe: Recipe, plan: planning.Plan) -> Need:
    columns, rows = view.columns, (view.count("train"), view.count("validation"))
    parts = ("train", "validation") if rows[1] else ("train",)
    known = columns.inputs <= EXACT_PLAN_INPUTS and all(view.gram(part) is not None for part in parts)
    coding = view.coding(start.network)
    return Need(start.network, *rows, recipe, plan.path, view.is_weighted, known, view.bytes_drawn, coding)


def _unused(columns: Arrangement) -> Iterator[Advice]:
    if columns.unused:
        names = listed(list(map(repr, columns.unused)), MOST_NAMED)
        detail = f"The version that this job begins from does not know {names}: the training leaves such columns out."
        yield Advice("columns_unused", detail, "#/dataset")
