"""A dataset as a version sees it that predicts its rows, or is checked on them."""

from sqlalchemy.orm import Session

from service.datasets import records as datasets
from service.datasets.storage import Storage
from service.jobs import records as jobs
from service.jobs.operations import reference_at, weights_in
from service.jobs.parts import View
from service.jobs.records import JobRecord
from service.jobs.signatures import check_columns
from service.models.networks import TrainedNetwork


def view_of(
    session: Session, storage: Storage, trained: TrainedNetwork, reference: str, pointer: str = "#/dataset"
) -> View:
    """The dataset for this network; a column of weights that it was trained with is no input.

    Raises:
        NotFound: there is no such dataset.
        Conflict: it is loading.
        Invalid: its columns are others than those the network was trained on, or do not fit it.
    """
    with reference_at(pointer):
        dataset = datasets.find_ready(session, reference)
    job = job_of(session, trained)
    weights = None if job is None else weights_in(job.recipe, dataset)
    view = View(storage, dataset, trained.network.dtype, weights)
    if trained.signature is not None:
        check_columns(trained.signature, dataset, weights, pointer)
    view.check(trained.network, pointer)
    return view


def job_of(session: Session, trained: TrainedNetwork) -> JobRecord | None:
    """The job that made this version."""
    return None if trained.job is None else jobs.find(session, trained.job)
