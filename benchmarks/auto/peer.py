"""scikit-learn's networks on a table: its defaults, and the best of 20 random settings."""

import warnings
from dataclasses import dataclass
from time import process_time
from typing import Any

import numpy as np
from scipy.stats import loguniform
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.auto.tables import Table

SETTINGS = 20
FOLDS = 3
CHOICES = {
    "hidden_layer_sizes": [(10,), (30,), (100,), (200,), (30, 30), (100, 100)],
    "activation": ["relu", "tanh"],
    "alpha": loguniform(1e-6, 1e1),
    "learning_rate_init": loguniform(3e-4, 3e-2),
    "batch_size": [16, 32, 64, 128, "auto"],
    "early_stopping": [False, True],
    "max_iter": [100, 200, 500],
}
"""Settings that people search, each drawn by itself."""


@dataclass(frozen=True)
class Outcome:
    """The score of the test rows as scikit-learn has it (the share of right classes, or R²), and seconds of CPU."""

    score: float
    seconds: float


def model_of(table: Table, seed: int) -> tuple[Any, str]:
    """Return a network of default settings that sees scaled inputs and targets, and the prefix of its settings."""
    numbers = [place for place, column in enumerate(table.features.values()) if column.dtype.kind in "fiu"]
    texts = [place for place in range(len(table.features)) if place not in numbers]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("numbers", StandardScaler(), numbers), ("texts", encoder, texts)])
    kind = MLPClassifier if table.has_classes else MLPRegressor
    pipeline = Pipeline([("columns", columns), ("network", kind(random_state=seed))])
    if table.has_classes:
        return pipeline, "network__"
    return TransformedTargetRegressor(pipeline, transformer=StandardScaler()), "regressor__network__"


def measured(table: Table, seed: int, *, search: bool) -> Outcome:
    """Return the outcome on one split, of the defaults or of a search."""
    train, test = table.split(seed)
    inputs = np.array(list(zip(*table.features.values(), strict=True)), dtype=object)
    began = process_time()
    model, prefix = model_of(table, seed)
    if search:
        choices = {f"{prefix}{name}": values for name, values in CHOICES.items()}
        model = RandomizedSearchCV(model, choices, n_iter=SETTINGS, cv=FOLDS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)  # batches longer than a fold
        model.fit(inputs[train], table.target[train])
    seconds = process_time() - began
    return Outcome(float(model.score(inputs[test], table.target[test])), seconds)
