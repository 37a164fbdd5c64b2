"""A dataset as a version sees it when it predicts its rows, is evaluated on them, or learns more from them."""

from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from service.datasets import records as datasets
from service.datasets.arrangement import Arrangement
from service.datasets.columns import Rename
from service.datasets.records import DatasetRecord
from service.datasets.view import DatasetView
from service.errors import NotFound, invalid
from service.http.json_numbers import Array
from service.jobs.checks.class_weights import class_weights
from service.jobs.log import records as log
from service.jobs.log.records import Happening
from service.jobs.recipe import JobRecipe
from service.jobs.records import JobRecord
from service.models import parameter_bytes
from service.models import records as models
from service.models.signature.by_name import arranged, check_rename, stored_name
from service.models.signature.signature import Signature
from service.models.trained_network import TrainedNetwork
from service.pointers import reference_at
from service.storage.storage import Storage

MOST_DRAWN = 256_000_000
"""Bytes of rows of which some are drawn for validation."""


def view_of(
    session: Session,
    storage: Storage,
    trained: TrainedNetwork,
    reference: str,
    rename: Rename | None = None,
    *,
    inputs_alone: bool = False,
) -> DatasetView:
    """Return the dataset for this network; a column of weights that it was trained with is no input. Names decide, and
    widths only where the version knows no names.

    Raises:
        NotFound: there is no such dataset.
        Conflict: it is loading.
        Invalid: it lacks columns or has categories that the version does not know, or does not fit it; or names that
            `rename` has are unknown.
    """
    with reference_at("#/dataset"):
        dataset = datasets.find_ready(session, reference)
    check_rename(trained.signature, dataset, rename or {})
    weights = stored_name(dataset, loss_and_weights(session, trained).weights, rename or {})
    columns = arranged(dataset, trained.signature, weights, rename, inputs_alone=inputs_alone)
    view = DatasetView(storage, columns, trained.network.dtype)
    if trained.signature is None:
        view.check(trained.network, "#/dataset")
    return view


def columns_of_job(dataset: DatasetRecord, recipe: JobRecipe, start: Signature | None) -> Arrangement:
    """Return the columns that a job's network takes, by its recipe and the signature that it begins from.

    Raises:
        Invalid: they differ from those that the signature names.
    """
    if recipe.rename is None:
        return Arrangement.as_stored(dataset, recipe.sample_weights)
    weights = stored_name(dataset, recipe.sample_weights, recipe.rename)
    return arranged(dataset, start, weights, recipe.rename)


def view_of_job(storage: Storage, columns: Arrangement, dtype: str, recipe: JobRecipe) -> DatasetView:
    """Return the dataset as a job trains on it.

    Raises:
        Invalid: its classes cannot be weighed as the recipe says, or no rows can be drawn for validation.
    """
    weights = class_weights(columns, recipe.class_weight)
    view = DatasetView(storage, columns, dtype, weights, recipe.validation)
    if recipe.validation is not None:
        _check_drawn(view)
    return view


def has_learnt_all(session: Session, job: JobRecord) -> bool:
    """Whether all rows were learnt at the end of a job (`refit`), those too that `validation` draws."""
    return job.recipe.refit and not log.count(session, job.id, Happening.REFIT_DROPPED)


def chosen_parameters(session: Session, job: JobRecord) -> Array | None:
    """Return the parameters that validation rows chose, which the version of a job with `refit` learnt after that; None
    where they are gone.
    """
    if not job.recipe.refit or job.best_epoch is None:
        return None
    try:
        point = models.point(session, job.model_id, job.id, job.best_epoch)
    except NotFound:
        return None
    return parameter_bytes.from_bytes(point.parameters)


def _check_drawn(view: DatasetView) -> None:
    dataset = view.dataset
    if dataset.validation_rows:
        detail = f"Dataset {dataset.name!r} has a validation part of its own: leave `validation` out."
    elif not (view.count("validation") and view.count("train")):
        detail = f"Of {dataset.train_rows} rows this share leaves none for one of the parts: draw another."
    elif view.bytes_drawn > MOST_DRAWN:
        detail = f"Rows that are drawn are held in memory, up to {MOST_DRAWN // 10**6} MB of them: upload with a split."
    else:
        return
    raise invalid("#/validation", detail, "impossible_validation")


class LossAndWeights(NamedTuple):
    """The loss, as its recipe has it, and the column of weights of a training; of none, None."""

    loss: Any = None
    weights: str | None = None


def loss_and_weights(session: Session, trained: TrainedNetwork) -> LossAndWeights:
    """Return those of the training that a version, or its original, came from."""
    signature = trained.signature
    if signature is not None and signature.loss is not None:
        return LossAndWeights(signature.loss, signature.weights)
    kept = models.trained_with(session, trained.model, trained.version)
    return LossAndWeights() if kept is None else LossAndWeights(**kept)
