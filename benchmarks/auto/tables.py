"""Ten public tables that installed packages ship, named before the first run, and their random splits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Places = NDArray[np.intp]
EVERY = 4
"""Every fourth row is tested."""


@dataclass(frozen=True)
class Table:
    """Columns by name, numbers or texts; the target is a number, or a class."""

    name: str
    features: Mapping[str, Column]
    target: Column
    has_classes: bool

    @property
    def rows(self) -> int:
        return len(self.target)

    def split(self, seed: int) -> tuple[Places, Places]:
        """Return the rows to learn from and those of the test, drawn by a seed; of each class the same share."""
        order = np.random.default_rng(seed).permutation(self.rows)
        if self.has_classes:
            order = order[np.argsort(self.target[order], kind="stable")]
        tested = np.zeros(self.rows, bool)
        tested[order[::EVERY]] = True
        return np.flatnonzero(~tested), np.flatnonzero(tested)


def from_scikit_learn(name: str, *, classes: bool) -> Table:
    bunch = getattr(import_module("sklearn.datasets"), f"load_{name}")()
    features = {str(label): bunch.data[:, place] for place, label in enumerate(bunch.feature_names)}
    return Table(name, features, bunch.target.astype(np.int64 if classes else np.float64), classes)


def from_statsmodels(name: str, target: str, *, classes: bool) -> Table:
    frame = import_module(f"statsmodels.datasets.{name}").load_pandas().data
    columns = {column: frame[column].to_numpy(np.float64) for column in frame}
    found = columns.pop(target)
    return Table(name, columns, found.astype(np.int64) if classes else found, classes)


def star98() -> Table:
    """Shares of pupils above the national median, by county."""
    table = from_statsmodels("star98", "NABOVE", classes=False)
    features = dict(table.features)
    below = features.pop("NBELOW")
    return Table("star98", features, table.target / (table.target + below), has_classes=False)


def cars() -> Table:
    frame = import_module("vega_datasets").local_data.cars().dropna().drop(columns="Name")
    features = {name: frame[name].to_numpy() for name in frame if name not in ("Year", "Origin", "Miles_per_Gallon")}
    features["Year"] = frame["Year"].dt.year.to_numpy(np.float64)
    features["Origin"] = frame["Origin"].to_numpy(str)
    return Table("cars", features, frame["Miles_per_Gallon"].to_numpy(np.float64), has_classes=False)


TABLES: Mapping[str, Callable[[], Table]] = {
    "spector": lambda: from_statsmodels("spector", "GRADE", classes=True),
    "ccard": lambda: from_statsmodels("ccard", "AVGEXP", classes=False),
    "wine": lambda: from_scikit_learn("wine", classes=True),
    "star98": star98,
    "cars": cars,
    "diabetes": lambda: from_scikit_learn("diabetes", classes=False),
    "breast_cancer": lambda: from_scikit_learn("breast_cancer", classes=True),
    "anes96": lambda: from_statsmodels("anes96", "vote", classes=True),
    "digits": lambda: from_scikit_learn("digits", classes=True),
    "fair": lambda: from_statsmodels("fair", "affairs", classes=False),
}
