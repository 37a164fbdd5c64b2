"""Whether a training goes on from parameters that have learnt the rows that it draws for validation."""

from collections.abc import Iterator

from service.database.database import Database
from service.jobs.recipe import JobRecipe
from service.jobs.records import JobRecord
from service.jobs.training_data import has_learnt_all
from service.learning.planning.advice import Advice
from service.models.trained_network import TrainedNetwork


def learnt_rows(
    database: Database, start: TrainedNetwork, dataset: str, recipe: JobRecipe, remedy: str
) -> Iterator[Advice]:
    """Advise where the version's own training on this dataset drew others, or learnt them in the end (`refit`)."""
    if recipe.validation is None or start.job is None:
        return
    with database.reading() as session:
        job = session.get(JobRecord, start.job)
        if job is None or job.dataset_id != dataset:
            return
        learnt = start.epoch is None and has_learnt_all(session, job)
    if job.recipe.validation == recipe.validation and not learnt:
        return
    detail = (
        f"Version {start.version}, which this job begins from, has learnt rows that `validation` draws: their losses "
        f"promise too much, and may choose too early an epoch. {remedy}."
    )
    yield Advice("validation_learnt", detail, "#/from_version")
