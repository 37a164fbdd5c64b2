"""A dataset as a version sees it when it predicts its rows or is evaluated on them."""

from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from service.datasets import records as datasets
from service.datasets.view import DatasetView, has_feature
from service.jobs import records as jobs
from service.models.signature.from_data import check_columns
from service.models.trained_network import TrainedNetwork
from service.pointers import reference_at
from service.storage.storage import Storage


def view_of(
    session: Session, storage: Storage, trained: TrainedNetwork, reference: str, pointer: str = "#/dataset"
) -> DatasetView:
    """Return the dataset for this network; a column of weights that it was trained with is no input.

    Raises:
        NotFound: there is no such dataset.
        Conflict: it is loading.
        Invalid: its columns are others than those the network was trained on, or do not fit it.
    """
    with reference_at(pointer):
        dataset = datasets.find_ready(session, reference)
    weights = loss_and_weights(session, trained).weights
    weights = weights if weights is not None and has_feature(dataset, weights) else None
    view = DatasetView(storage, dataset, trained.network.dtype, weights)
    if trained.signature is not None:
        check_columns(trained.signature, dataset, weights, pointer)
    view.check(trained.network, pointer)
    return view


class LossAndWeights(NamedTuple):
    """The loss, as its recipe has it, and the column of weights of a training; of none, None."""

    loss: Any = None
    weights: str | None = None


def loss_and_weights(session: Session, trained: TrainedNetwork) -> LossAndWeights:
    """Return those of the training that a version, or its original, came from."""
    signature = trained.signature
    if signature is not None and signature.loss is not None:
        return LossAndWeights(signature.loss, signature.weights)
    if trained.job is None:
        return LossAndWeights()
    recipe = jobs.find(session, trained.job).recipe
    return LossAndWeights(recipe.loss, recipe.sample_weights)
