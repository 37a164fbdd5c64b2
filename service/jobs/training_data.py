"""A dataset as a version sees it when it predicts its rows or is evaluated on them."""

from typing import Any

from sqlalchemy.orm import Session

from service.datasets import records as datasets
from service.datasets.view import DatasetView
from service.jobs import records as jobs
from service.jobs.operations import weights_in
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
    recipe = recipe_behind(session, trained)
    weights = None if recipe is None else weights_in(recipe, dataset)
    view = DatasetView(storage, dataset, trained.network.dtype, weights)
    if trained.signature is not None:
        check_columns(trained.signature, dataset, weights, pointer)
    view.check(trained.network, pointer)
    return view


def recipe_behind(session: Session, trained: TrainedNetwork) -> dict[str, Any] | None:
    """Return the `loss` and the `sample_weights` of the training that a version, or its original, came from.

    None where it was never trained.
    """
    signature = trained.signature
    if signature is not None and signature.loss is not None:
        return {"loss": signature.loss, "sample_weights": signature.weights}
    return None if trained.job is None else jobs.find(session, trained.job).recipe
