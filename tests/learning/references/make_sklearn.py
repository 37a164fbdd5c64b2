"""Four of scikit-learn's data sets as small npz files, and the scores of its models on them: sklearn_scores.json.

Run in an environment of its own (README.md beside this file): `python -m tests.learning.references.make_sklearn`.
"""

import json
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
Array = NDArray[Any]
Parts = Mapping[str, Array]

# A quarter of the rows is for testing; class shares are kept.
DATASETS: Mapping[str, Callable[[], tuple[Array, Array]]] = {
    "diabetes": lambda: load_diabetes(return_X_y=True, scaled=False),
    "wine": lambda: load_wine(return_X_y=True),
    "breast_cancer": lambda: load_breast_cancer(return_X_y=True),
    "digits": lambda: load_digits(return_X_y=True),
}

MLP: dict[str, Any] = {
    "solver": "adam",
    "activation": "relu",
    "alpha": 0.0,
    "learning_rate_init": 0.005,
    "n_iter_no_change": 1000,
    "tol": 0.0,
    "random_state": 0,
}

MODELS: list[tuple[str, str, Any]] = [
    ("diabetes", "LinearRegression", LinearRegression()),
    ("diabetes", "MLPRegressor", MLPRegressor(hidden_layer_sizes=(16,), batch_size=32, max_iter=200, **MLP)),
    ("wine", "LogisticRegression", LogisticRegression(C=1.0, max_iter=1000, tol=1e-8)),
    ("breast_cancer", "LogisticRegression", LogisticRegression(C=1.0, max_iter=1000, tol=1e-8)),
    ("breast_cancer", "MLPClassifier", MLPClassifier(hidden_layer_sizes=(16,), batch_size=32, max_iter=40, **MLP)),
    ("digits", "LogisticRegression", LogisticRegression(C=1.0, max_iter=1000, tol=1e-8)),
    ("digits", "MLPClassifier", MLPClassifier(hidden_layer_sizes=(64,), batch_size=32, max_iter=30, **MLP)),
]


def smallest(array: Array) -> Array:
    """The narrowest type that holds every number of the array exactly."""
    for dtype in (np.uint8, np.float32):
        if np.array_equal(array.astype(dtype), array):
            return array.astype(dtype)
    return array


def split(name: str) -> dict[str, Array]:
    inputs, targets = DATASETS[name]()
    classes = targets if targets.dtype.kind == "i" else None
    train, test = train_test_split(np.arange(len(inputs)), test_size=0.25, random_state=0, stratify=classes)
    return {
        "train_inputs": smallest(inputs[train]),
        "train_targets": smallest(targets[train]),
        "test_inputs": smallest(inputs[test]),
        "test_targets": smallest(targets[test]),
    }


def scores(model: Any, parts: Parts) -> dict[str, float]:
    """Test metrics of the model behind a StandardScaler that knows the training part alone."""
    pipeline = make_pipeline(StandardScaler(), model).fit(parts["train_inputs"].astype(float), parts["train_targets"])
    inputs, truth = parts["test_inputs"].astype(float), parts["test_targets"]
    predicted = pipeline.predict(inputs)
    if not hasattr(model, "classes_"):
        return {
            "mse": mean_squared_error(truth, predicted),
            "mae": mean_absolute_error(truth, predicted),
            "r2": r2_score(truth, predicted),
        }
    return {"accuracy": accuracy_score(truth, predicted), "log_loss": log_loss(truth, pipeline.predict_proba(inputs))}


def main() -> None:
    datasets = {name: split(name) for name in DATASETS}
    for name, parts in datasets.items():
        np.savez_compressed(HERE / f"{name}.npz", allow_pickle=False, **parts)
    versions = {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__}
    rows = [{"dataset": name, "model": kind, **scores(model, datasets[name])} for name, kind, model in MODELS]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (HERE / "sklearn_scores.json").write_text(f'{{"versions": {json.dumps(versions)},\n"scores": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
