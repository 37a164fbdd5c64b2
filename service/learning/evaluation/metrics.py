"""Metrics of predictions, in float64 and in scikit-learn's definitions, from rows that are added block by block."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array, Indices
from service.learning.evaluation.class_scores import labels
from service.learning.evaluation.roc import Ranking
from service.learning.rows.moments import ColumnMoments

Metric = float | None
"""The value of a metric; None where it is not defined for these rows, or not finite."""

Metrics = dict[str, Any]
"""The metrics of one target by name: numbers, and of classes also lists and objects."""


class Regression:
    """mse, rmse, mae, r2, max_error and explained_variance of predictions against targets.

    r2 and explained_variance are means over outputs, all others are over all elements. With the error e = ŷ - y

        R² = 1 - Σ e² / Σ (y - ȳ)²        explained variance = 1 - Σ (e - ē)² / Σ (y - ȳ)²

    and where that is 0 / 0 they are 1, for any other constant target 0. R² of a single row is not defined.
    """

    def __init__(self) -> None:
        self._origin: Array | None = None
        self._absolute = 0.0
        self._largest = 0.0

    def add(self, predictions: Array, targets: Array) -> None:
        """Add at least one row (rows × outputs)."""
        with np.errstate(all="ignore"):
            y = targets.astype(np.float64)
            error = predictions - y
            if self._origin is None:
                # Differences from any row keep the spread, and are exactly 0 where nothing varies.
                self._origin, self._error_origin = y[0].copy(), error[0].copy()
                self._targets, self._errors = ColumnMoments(y.shape[1]), ColumnMoments(y.shape[1])
            absolute = np.abs(error)
            self._absolute += float(absolute.sum())
            self._largest = float(np.maximum(self._largest, absolute.max()))
            y -= self._origin
            error -= self._error_origin
            self._targets.add(y)
            self._errors.add(error)

    def result(self) -> dict[str, Metric]:
        with np.errstate(all="ignore"):
            rows, about_mean = self._errors.rows, self._errors.squares
            squares = about_mean + rows * np.square(self._error_origin + self._errors.mean)
        return metrics_of_sums(rows, squares, about_mean, self._targets.squares, self._absolute, self._largest)


def metrics_of_sums(
    rows: int,
    squares: Array,
    about_mean: Array,
    spread: Array,
    absolute: float = math.nan,
    largest: float = math.nan,
) -> dict[str, Metric]:
    """Return the metrics of `Regression` from sums over rows: Σ e², Σ (e - ē)² and Σ (y - ȳ)² of each output, Σ |e|
    over all of them, and the largest |e|.
    """
    elements = rows * len(squares)

    def explained(unexplained: Array) -> float:
        """1 - unexplained / spread, as a mean over outputs."""
        constant = np.where(unexplained == 0, 1.0, 0.0)
        return float(np.where(spread == 0, constant, 1 - unexplained / spread).mean())

    with np.errstate(all="ignore"):
        mse = float(squares.sum()) / elements
        found = {
            "mse": mse,
            "rmse": math.sqrt(mse),
            "mae": absolute / elements,
            "r2": explained(squares) if rows > 1 else math.nan,
            "max_error": largest,
            "explained_variance": explained(about_mean),
        }
    return {name: _known(value) for name, value in found.items()}


class Classification:
    """Metrics of scores (rows × classes) against the true classes of `rows` rows; the highest score is the prediction.

    * accuracy, and the confusion matrix: rows are true classes, columns predicted ones, both in the order of `classes`.
    * For each class precision, recall, their harmonic mean f1, and support (how often it is true); 0 where nothing
      could be counted. The macro averages are means over the classes that are true or predicted somewhere.
    * log_loss = mean(-log p), p the probability of the true class, no nearer to 0 or 1 than its dtype's precision. None
      where scores are no `probabilities`.
    * roc_auc, as `Ranking` defines it.
    """

    def __init__(self, classes: Sequence[str | bool], rows: int, *, probabilities: bool = True) -> None:
        self._classes = classes
        self._confusion = np.zeros(len(classes) ** 2, np.int64)
        self._probabilities = probabilities
        self._log_loss = 0.0
        self._ranking = Ranking(len(classes), rows)

    def add(self, scores: Array, codes: Array | Indices) -> None:
        """Add rows: their scores, and the codes (rows) of their true classes, in any dtype."""
        true = codes.astype(np.intp)
        pairs = true * len(self._classes) + labels(scores)
        self._confusion += np.bincount(pairs, minlength=len(self._confusion))
        self._ranking.add(scores, true)
        if self._probabilities:
            precision = np.finfo(scores.dtype).eps
            chances = scores[np.arange(len(true)), true].clip(precision, 1 - precision)
            self._log_loss -= float(np.log(chances, dtype=np.float64).sum())

    def result(self) -> Metrics:
        count = len(self._classes)
        confusion = self._confusion.reshape(count, count)
        rows, hits = int(confusion.sum()), np.diagonal(confusion)
        support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
        by_class = {
            "precision": _ratio(hits, predicted),
            "recall": _ratio(hits, support),
            "f1": _ratio(2 * hits, support + predicted),
        }
        occurs = support + predicted > 0
        return {
            "accuracy": float(hits.sum() / rows),
            "log_loss": _known(self._log_loss / rows) if self._probabilities else None,
            "roc_auc": self._ranking.roc_auc(),
            "macro": {name: float(values[occurs].mean()) for name, values in by_class.items()},
            "per_class": [
                {
                    "class": label,
                    **{name: float(values[code]) for name, values in by_class.items()},
                    "support": int(support[code]),
                }
                for code, label in enumerate(self._classes)
            ],
            "confusion_matrix": confusion.tolist(),
        }


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return part / np.maximum(whole, 1)


def _known(value: float) -> Metric:
    return value if math.isfinite(value) else None
