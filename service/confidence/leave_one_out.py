"""The leave-one-out residuals of versions that are at their least-squares optimum, from the rows that they learnt."""

import math
from typing import NamedTuple

import numpy as np

from service.confidence.source import most_rows, training_of
from service.database.database import Database
from service.errors import Invalid, invalid
from service.http.json_numbers import Array
from service.jobs.training_data import view_of_job
from service.learning.confidence.leave_one_out import Fit, fit_of
from service.learning.layers import Dense
from service.learning.rows.gram import Gram
from service.learning.rows.part import Part
from service.learning.training.quadratic.path import MOST_COLUMNS, single_dense
from service.models.trained_network import TrainedNetwork
from service.storage.storage import Storage

MOST_NUMBERS_UNASKED = 30_000_000
"""Numbers of training rows that are summed where nobody asks for leave-one-out residuals by name."""
MOST_ROWS_OF_JACKKNIFE = 2000
"""Training rows each of which is left out for each row of a request."""


class LeftOut(NamedTuple):
    """A version as a fit, and the rows that it is the fit of."""

    fit: Fit
    part: Part

    def residuals(self, most: int) -> Array:
        """Return the residuals (rows × outputs) of at most so many rows, evenly spread."""
        rows = len(self.part)
        places = np.linspace(0, rows - 1, min(rows, most)).astype(np.intp)
        return self.fit.residuals(self.part.inputs[places], self.part.targets[places])

    def bounds(self, inputs: Array, level: float) -> tuple[Array, Array]:
        """Return the bounds of the jackknife+ for rows (rows × inputs)."""
        seen = self.part.inputs[:]
        return self.fit.jackknife_plus(inputs, seen, self.residuals(len(self.part)), level)


def left_out(database: Database, storage: Storage, trained: TrainedNetwork, most: float = math.inf) -> LeftOut | None:
    """Return a version as the fit of its training rows; None where it is none, or these are gone, or their sums are not
    known and they have more than `most` numbers.
    """
    dense = single_dense(trained.network.layer)
    if not _may_fit(trained, dense):
        return None
    with database.reading() as session:
        training = training_of(session, trained)
        if training is None:
            return None
        job, columns = training
        if not job.recipe.to_learning().loss.quadratic:
            return None
        view = view_of_job(storage, columns, trained.network.dtype, job.recipe)
    if view.is_weighted:
        return None
    part = view.part("train")
    if part.gram is None and part.inputs.size > most:
        return None
    fit = fit_of(trained.network, trained.vector, part.gram or Gram.of(part.inputs, part.targets))
    return None if fit is None else LeftOut(fit, part)


def _may_fit(trained: TrainedNetwork, dense: Dense | None) -> bool:
    network, signature = trained.network, trained.signature
    return (
        dense is not None
        and dense.activation.name == "identity"
        and network.inputs + network.outputs <= MOST_COLUMNS
        and signature is not None
        and all(each.kind == "numeric" for each in signature.targets)
    )


def no_optimum(trained: TrainedNetwork) -> Invalid:
    """Return the refusal of leave-one-out residuals."""
    detail = (
        f"Version {trained.version} is not the least-squares fit of its training rows, whose residuals can be told "
        'without fitting anew: train one Dense by "mse" with "LevenbergMarquardt", and without weights'
    )
    return invalid("#/method", f"{detail}.", "not_at_optimum")


def check_rows_of_jackknife(found: LeftOut) -> None:
    """Raise Invalid where there are too many training rows."""
    if len(found.part) > MOST_ROWS_OF_JACKKNIFE:
        detail = (
            f"The jackknife+ takes at most {MOST_ROWS_OF_JACKKNIFE:,} training rows, and there are {len(found.part):,}"
        )
        raise invalid("#/method", f'{detail}: ask for "leave_one_out".', "too_many_rows")


def residuals_of(trained: TrainedNetwork, found: LeftOut) -> Array:
    """Return the sizes of leave-one-out residuals (rows × outputs); nan where a row decides its own prediction."""
    columns = len(trained.signature.targets) if trained.signature else 1
    return np.abs(found.residuals(most_rows(trained, columns)))
