"""The judgement on a trained version: whether it is worse than the one it began from, and is to be served."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.database.database import Database
from service.datasets.view import DatasetView
from service.errors import Invalid
from service.http.json_numbers import Array
from service.jobs.records import JobRecord
from service.jobs.training_data import chosen_parameters, columns_of_job, has_learnt_all, view_of_job
from service.learning.planning.advice import Advice
from service.learning.training.events import Progress
from service.learning.training.refit import RefitTraining
from service.learning.training.training import Training
from service.models import parameter_bytes
from service.models import records as models
from service.models.records import VersionRecord
from service.models.serving.records import served_of

DIGITS = (6, 9, 17)
"""Significant digits of two losses in a sentence: the fewest that tell them apart."""


class Overtaken(Exception):
    """Another version is served now than those that this one was compared with."""


@dataclass(frozen=True)
class Served:
    """The version that a model serves when a job ends, and whether a client pinned it."""

    number: int
    pinned: bool


class Judgement:
    """The losses of a training's result, of the version it began from, and where its job asks for it, of served ones.

    All are over the same part, under the job's loss; of a version that has learnt that part too (`refit`), it is the
    loss of the parameters that the part chose before.
    """

    def __init__(self, training: Training, record: JobRecord, view: DatasetView) -> None:
        self._training, self._job, self._view = training, record, view
        self._after = self._before = math.nan
        self._of_served: dict[int, float | None] = {}
        """By number; None where that version takes other columns, and cannot be compared."""

    def measure(self, database: Database) -> Iterator[Progress]:
        """Compute what is not known yet; called again after `Overtaken`."""
        if math.isnan(self._before):
            self._after = yield from self._training.judge_result()
            self._before = yield from self._training.judge_start()
        while self._job.serve == "if_better":
            with database.reading() as session:
                number, _ = served_of(session, self._job.model_id)
                served = models.version(session, self._job.model_id, number)
                vector = self._unlearnt(session, number)
            if number in self._of_served:
                return
            vector = parameter_bytes.from_bytes(served.parameters) if vector is None else vector
            self._of_served[number] = yield from self._loss_of(served, vector)

    def _unlearnt(self, session: Session, number: int) -> Array | None:
        """Return the parameters that a version had before it learnt the rows that judge (`refit`); None where it has
        not, or where the training went on from parameters that have learnt them, too.
        """
        recipe = self._job.recipe
        if recipe.validation is None:
            return None
        begun = None if recipe.from_epoch is not None else self._chosen(session, recipe.from_version)
        return None if begun is not None else self._chosen(session, number)

    def _chosen(self, session: Session, number: int) -> Array | None:
        """Return the parameters of a version that the rows which judge chose before it learnt them."""
        own = self._job
        version = models.version(session, own.model_id, number, parameters=False)
        job = None if version.job_id is None else session.get(JobRecord, version.job_id)
        if job is None or (job.dataset_id, job.recipe.validation) != (own.dataset_id, own.recipe.validation):
            return None
        return chosen_parameters(session, job) if has_learnt_all(session, job) else None

    def _loss_of(self, version: VersionRecord, vector: Array) -> Generator[Progress, None, float | None]:
        training, own = self._training, self._view.columns
        try:
            columns = columns_of_job(own.dataset, self._job.recipe, version.signature)
        except Invalid:
            return None
        if (columns.inputs, columns.outputs) != (own.inputs, own.outputs):
            return None
        part = None
        if (columns.features, columns.targets) != (own.features, own.targets):
            view = view_of_job(self._view.storage, columns, self._view.dtype, self._job.recipe)
            part = view.part(training.judged_part, sums=False)
        return (yield from training.judge(vector, part))

    def refuses(self, served: Served) -> bool:
        """Whether the job does not want its version to be served in place of this one.

        Raises:
            Overtaken: they have not been compared.
        """
        if self._job.serve != "if_better":
            return self._job.serve == "never"
        if served.number not in self._of_served:
            raise Overtaken
        loss = self._of_served[served.number]
        return loss is None or not _size(self._after) < _size(loss)

    def advice(self, number: int, served: Served) -> list[Advice]:
        """Return the advice of a job that ends with version `number` while another one is served."""
        found = (self._worse_than_before(number, served), self._not_served(number, served))
        return [each for each in found if each is not None]

    def _worse_than_before(self, number: int, served: Served) -> Advice | None:
        if not _size(self._after) > _size(self._before):
            return None
        version, epoch = self._job.recipe.from_version, self._job.recipe.from_epoch
        begun = f"version {version}" if epoch is None else f"version {version} at epoch {epoch}"
        remedy = ""
        if not served.pinned and not self.refuses(served):
            remedy = '; "serve": "if_better" in a job keeps a worse version from being served'
            remedy += "" if epoch is not None else f"; {self._patch(version)} serves the former one again"
        after, before = _told_apart(self._after, self._before)
        detail = (
            f"The loss of version {number} on the {self._judged}, {after}, is above that of {begun}, which it began "
            f"from, {before}. A lower rate, or early stopping on a validation part, may help{remedy}."
        )
        return Advice("worse_than_before", detail, "#/from_version")

    def _not_served(self, number: int, served: Served) -> Advice | None:
        if served.pinned:
            detail = (
                f"Version {served.number} is pinned and goes on to be served: {self._patch(number)} serves version "
                f"{number} in its place, {self._patch('latest')} the latest."
            )
        elif self._job.serve == "if_better" and self.refuses(served):
            detail = f"{self._comparison(number, served)}: {self._patch(number)} serves version {number} all the same."
        else:
            return None
        return Advice("version_not_served", detail, "#/serve")

    def _comparison(self, number: int, served: Served) -> str:
        loss = self._of_served[served.number]
        if loss is None:
            return f"Version {served.number}, which is served, takes other columns, so that losses cannot be compared"
        after, before = _told_apart(self._after, loss)
        return (
            f"The loss of version {number} on the {self._judged}, {after}, is not below that of version "
            f"{served.number}, which is served, {before}"
        )

    @property
    def _judged(self) -> str:
        """The part on which losses are compared, in words."""
        training = self._training
        learnt = isinstance(training, RefitTraining) and training.second is not None
        return f"{training.judged_part} part{', before its refit' if learnt else ''}"

    def _patch(self, serving: int | str) -> str:
        value = f'"{serving}"' if isinstance(serving, str) else serving
        return f'PATCH /api/models/{self._job.model_id} {{"serving": {value}}}'


def _size(loss: float) -> float:
    """A loss that is not a number is as bad as one that is not finite."""
    return math.inf if math.isnan(loss) else loss


def _told_apart(one: float, other: float) -> tuple[str, str]:
    for digits in DIGITS:
        first, second = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if first != second:
            return first, second
    return str(one), str(other)
