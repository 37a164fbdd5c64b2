"""How far predictions are from targets, all in float64."""

import numpy as np

from service.learning.arrays import Array


def regression(predictions: Array, targets: Array) -> dict[str, float]:
    """mse, rmse, mae, r2 and max_error of predictions against targets (rows × outputs, at least one row).

    All but r2 are over all elements; r2 is the mean over outputs, NaN for fewer than two rows.

    R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)²; of a constant target it is 1 where the prediction is exact and 0 elsewhere, as in
    scikit-learn.
    """
    y = np.asarray(targets, np.float64)
    error = np.asarray(predictions, np.float64) - y
    absolute = np.abs(error)
    mse = float(np.mean(error * error))
    return {
        "mse": mse,
        "rmse": float(np.sqrt(mse)),
        "mae": float(absolute.mean()),
        "r2": r2(error, y),
        "max_error": float(absolute.max()),
    }


def r2(error: Array, y: Array) -> float:
    if len(y) < 2:
        return float("nan")
    residual = np.square(error).sum(axis=0)
    spread = np.square(y - y.mean(axis=0)).sum(axis=0)
    constant = spread == 0
    explained = 1 - residual / np.where(constant, 1, spread)
    return float(np.where(constant, (residual == 0).astype(np.float64), explained).mean())
