"""The errors of a version that are exceeded seldom, from rows that it was not trained on."""

import math
from collections.abc import Sequence

import numpy as np

from service.confidence.leave_one_out import MOST_NUMBERS_UNASKED, left_out, no_optimum, residuals_of
from service.confidence.source import NoSource, Source, has_been_used, is_there, most_rows, outputs_and_truth, source_of
from service.database.database import Database
from service.errors import Invalid, NotFound, invalid
from service.http.json_numbers import Array
from service.learning.confidence import conformal, temperature
from service.learning.confidence.conformal import LEAVE_ONE_OUT, Quantiles, rank, rows_needed
from service.learning.evaluation.evaluation import Classes
from service.models.signature.scored import scored
from service.models.trained_network import TrainedNetwork
from service.storage.storage import Storage

MOST_LEVELS = 16
"""Levels whose quantiles are kept with a version."""
MOST_ROWS_OF_TEMPERATURE = 10_000
FEWEST_ROWS_OF_TEMPERATURE = 30
"""Validation rows from which on a temperature is more than chance."""


def quantiles_of(
    database: Database, storage: Storage, trained: TrainedNetwork, level: float, pointer: str, method: str | None = None
) -> Quantiles:
    """Return the quantiles of a version's scores; kept with it in memory, as long as its job and dataset are there.

    Without a `method`, they are those of split conformal prediction where there are rows for it, and else those of
    leave-one-out residuals where the version has any.

    Raises:
        Invalid: there are no rows to learn them from, or too few.
    """
    kept = trained.quantiles.get(level)
    if kept is not None and method in (None, kept.method) and is_there(database, trained):
        return kept
    with database.reading() as session:
        source = source_of(session, storage, trained)
        reused = not isinstance(source, NoSource) and has_been_used(session, source)
    if method == LEAVE_ONE_OUT or (method is None and isinstance(source, NoSource)):
        numbers = math.inf if method == LEAVE_ONE_OUT else MOST_NUMBERS_UNASKED
        found = left_out(database, storage, trained, numbers)
        if found is not None:
            return _of_residuals(
                trained, residuals_of(trained, found), level, pointer, keep=isinstance(source, NoSource)
            )
        if method == LEAVE_ONE_OUT:
            raise no_optimum(trained)
    if isinstance(source, NoSource):
        raise _no_calibration(trained, source, pointer)
    most = most_rows(trained, source.targets)
    taken = min(source.rows, most)
    if rank(taken, level) > taken:
        raise too_few(source.rows, taken, level, pointer, source.part if rows_needed(level) <= most else None)
    return _learnt(trained, source, [level], reused=reused)[level]


def _of_residuals(trained: TrainedNetwork, sizes: Array, level: float, pointer: str, *, keep: bool) -> Quantiles:
    """Return the quantiles of leave-one-out residuals (rows × outputs); they stay where there are no others."""
    if rank(len(sizes), level) > len(sizes):
        raise too_few(len(sizes), len(sizes), level, pointer, "training")
    values = conformal.quantiles(sizes, level)
    found = Quantiles(values, len(sizes), reused=False, temperatures=(1.0,), method=LEAVE_ONE_OUT)
    if keep:
        _keep(trained, {level: found})
    return found


def levels_of(
    database: Database, storage: Storage, trained: TrainedNetwork, levels: Sequence[float]
) -> dict[float, Quantiles]:
    """Return the quantiles at those levels that a version has enough rows for: none, where it has no rows."""
    kept = {level: found for level in levels if (found := trained.quantiles.get(level)) is not None}
    if len(kept) == len(levels) and is_there(database, trained):
        return kept
    with database.reading() as session:
        source = source_of(session, storage, trained)
        reused = not isinstance(source, NoSource) and has_been_used(session, source)
    try:
        if isinstance(source, NoSource):
            return _levels_of_residuals(database, storage, trained, levels)
        taken = min(source.rows, most_rows(trained, source.targets))
        reached = [level for level in levels if rank(taken, level) <= taken]
        return _learnt(trained, source, reached, reused=reused) if reached else {}
    except NotFound:  # the files of the dataset are gone
        return {}


def _levels_of_residuals(
    database: Database, storage: Storage, trained: TrainedNetwork, levels: Sequence[float]
) -> dict[float, Quantiles]:
    found = left_out(database, storage, trained, MOST_NUMBERS_UNASKED)
    if found is None:
        return {}
    sizes = residuals_of(trained, found)
    reached = [level for level in levels if rank(len(sizes), level) <= len(sizes)]
    return {level: _of_residuals(trained, sizes, level, "#", keep=True) for level in reached}


def _learnt(
    trained: TrainedNetwork, source: Source, levels: Sequence[float], *, reused: bool
) -> dict[float, Quantiles]:
    """Return the quantiles at these levels, which stay with the version."""
    temperatures = temperatures_of(trained, source)
    scores = scores_of(trained, source, temperatures)
    found = {
        level: Quantiles(conformal.quantiles(scores, level), len(scores), reused, temperatures) for level in levels
    }
    _keep(trained, found)
    return found


def _keep(trained: TrainedNetwork, found: dict[float, Quantiles]) -> None:
    if len(trained.quantiles) + len(found) > MOST_LEVELS:
        trained.quantiles.clear()
    trained.quantiles.update(found)


def scores_of(trained: TrainedNetwork, source: Source, temperatures: tuple[float, ...]) -> Array:
    """Return the scores (rows × quantiles) of rows of a source, evenly spread."""
    assert trained.signature is not None
    of, link = scored(source.view.columns.target_columns), trained.signature.link
    taken = min(source.rows, most_rows(trained, source.targets))
    judged = source.judged(trained, source.part)
    blocks = outputs_and_truth(judged, source.view, source.part, taken)
    return np.concatenate([conformal.scores(outputs, truth, of, link, temperatures) for outputs, truth in blocks])


def temperatures_of(trained: TrainedNetwork, source: Source) -> tuple[float, ...]:
    """Return the temperature of each target, fitted on the validation part where the scores are from another; else 1,
    as for numbers and outputs that are no probabilities.
    """
    assert trained.signature is not None
    view, link = source.view, trained.signature.link
    targets = scored(view.columns.target_columns)
    rows = view.count("validation")
    has_classes = any(isinstance(each, Classes) for each in targets)
    if link is None or not has_classes or source.part == "validation" or rows < FEWEST_ROWS_OF_TEMPERATURE:
        return (1.0,) * len(targets)
    taken = min(rows, MOST_ROWS_OF_TEMPERATURE, most_rows(trained, source.targets))
    blocks = list(outputs_and_truth(source.judged(trained, "validation"), view, "validation", taken))
    outputs, truth = (np.concatenate(each) for each in zip(*blocks, strict=True))
    found, output, column = list[float](), 0, 0
    for target in targets:
        own, codes = outputs[:, output : output + target.outputs], truth[:, column].astype(np.intp)
        is_class = isinstance(target, Classes)
        found.append(temperature.fitted(own, codes, link, boolean=target.outputs == 1) if is_class else 1.0)
        output, column = output + target.outputs, column + target.columns
    return tuple(found)


def _no_calibration(trained: TrainedNetwork, source: NoSource, pointer: str) -> Invalid:
    remedy = (
        'train on a dataset with a calibration part, {"split": {"calibration": {"fraction": 0.2}}}, or a validation '
        'part, or with "validation": {"fraction": 0.2} in the job'
    )
    return invalid(pointer, f"Version {trained.version} has {source.reason}: {remedy}.", "no_calibration")


def too_few(rows: int, taken: int, level: float, pointer: str, part: str | None) -> Invalid:
    """Return the refusal of a level that needs more rows than are taken; `part` is where more would help."""
    needed = rows_needed(level)
    of = f"{rows}" if taken == rows else f"{rows}, of which {taken} are taken"
    more = "" if part is None else f", or train with at least {needed} {part} rows"
    digits = 10 ** (1 + len(str(taken)))
    lower = math.floor(taken * digits / (taken + 1)) / digits
    detail = f"A level of {level} needs {needed} calibration rows, and this version has {of}"
    return invalid(pointer, f"{detail}: ask for a level of {lower}{more}.", "too_few_calibration_rows")
