"""Partial dependence: the mean output over rows in which one or two columns are set to value after value."""

from typing import Any, NamedTuple

import numpy as np

from service.database.database import Database
from service.datasets.arrangement import SeenColumn, rows_of
from service.datasets.view import DatasetView
from service.errors import invalid
from service.http.json_numbers import Array
from service.jobs.training_data import view_of
from service.learning.synonyms import listed
from service.models.networks import Networks
from service.models.trained_network import TrainedNetwork
from service.pointers import faults_at, reference_at
from service.storage.storage import Storage

MOST_ROWS = 1000
FEWEST_ROWS = 20
PLACES = 20
"""Values of a number, from its least to its greatest."""
MOST_CASES = 4096
"""Values, or pairs of values, of the columns."""
BUDGET = 2_000_000_000
"""Multiplications of an answer, roughly."""
MOST_NAMED = 20


class Varied(NamedTuple):
    """A column that is set, its values as a client knows them, and as they are stored."""

    column: SeenColumn
    values: list[Any]
    stored: Array


class Effect(NamedTuple):
    """The effect of columns on the outputs of a version."""

    trained: TrainedNetwork
    view: DatasetView
    rows: int
    varied: list[Varied]
    outputs: Array
    """Means (values of the first column × values of the second, where there is one, × outputs)."""


def effect(
    database: Database,
    storage: Storage,
    networks: Networks,
    reference: str,
    version: int | None,
    dataset: str,
    part: str,
    features: list[str],
) -> Effect:
    """Return the mean outputs of a version over rows of a part, evenly spread, with these columns set.

    Raises:
        NotFound: model, version or dataset.
        Conflict: the dataset is loading.
        Invalid: the dataset does not fit, the part is empty, or a column is unknown or named twice.
    """
    with database.reading() as session:
        with reference_at("query/version"):
            trained = networks.get(session, reference, version)
        with reference_at("query/dataset"), faults_at(_in_the_query):
            view = view_of(session, storage, trained, dataset, inputs_alone=True)
        session.refresh(view.dataset, ["statistics"])  # which is asked for when the session is closed
    if len(set(features)) < len(features):
        raise invalid("query/feature", "Name two different columns, or one.", "unknown_column")
    with faults_at(_in_the_query):
        stored, _ = view.first_rows(part, view.count(part))
    varied = [_varied(view, part, name, stored) for name in features]
    cases = int(np.prod([len(each.values) for each in varied]))
    if cases > MOST_CASES and len(features) == 1:
        detail = f"Column {features[0]!r} has {cases:,} values, more than {MOST_CASES:,}: name another column."
        raise invalid("query/feature", detail, "too_many_values")
    if cases > MOST_CASES:
        detail = f"These columns have {cases:,} pairs of values, more than {MOST_CASES:,}: name one column."
        raise invalid("query/feature", detail, "too_many_values")
    affordable = BUDGET // (cases * max(1, trained.network.parameter_count - trained.idle_weights))
    count = min(len(stored), MOST_ROWS, max(FEWEST_ROWS, affordable))
    sample = np.array(stored[np.linspace(0, len(stored) - 1, count).astype(np.intp)])
    means = np.empty((cases, trained.network.outputs))
    for case, place in enumerate(np.ndindex(*(len(each.values) for each in varied))):
        for each, index in zip(varied, place, strict=True):
            sample[:, each.column.place] = each.stored[index]
        inputs = rows_of(sample, view.columns.features, view.dtype)
        means[case] = trained.network.predict(trained.vector, inputs).mean(axis=0, dtype=np.float64)
    if not np.isfinite(means).all():
        raise invalid("query/version", "The outputs of this version are too large to average.", "not_finite")
    shape = [len(each.values) for each in varied]
    return Effect(trained, view, count, varied, means.reshape(*shape, -1))


def _in_the_query(pointer: str) -> str:
    """Return the parameter of the query that holds here what a body holds elsewhere."""
    return f"query/{pointer.removeprefix('#/')}"


def _varied(view: DatasetView, part: str, name: str, stored: Array) -> Varied:
    known = {each.column.name: each for each in view.columns.features}
    column = known.get(name)
    if column is None:
        names = listed(list(map(repr, known)), MOST_NAMED)
        raise invalid("query/feature", f"The version takes no column {name!r}; it takes {names}.", "unknown_column")
    labels = column.stored.labels
    if labels is not None:
        values: list[Any] = [False, True] if column.stored.kind == "boolean" else list(labels)
        return Varied(column, values, np.arange(len(labels), dtype=stored.dtype))
    seen = view.columns.summary(column)[part]
    places = np.unique(np.linspace(seen["min"], seen["max"], PLACES).astype(stored.dtype))
    return Varied(column, [float(str(each)) for each in places], places)
