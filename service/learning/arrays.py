"""The arrays of the mathematics, and sums over their rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Indices = NDArray[np.intp]
State = dict[str, NDArray[Any]]
Saved = Mapping[str, NDArray[Any]]


def sum_of_rows(x: Array) -> Array:
    """Σⱼ xᵢⱼ as rows × 1."""
    total: Array = x.sum(axis=1, keepdims=True)
    return total


def largest_of_rows(x: Array) -> Array:
    """maxⱼ xᵢⱼ as rows × 1."""
    largest: Array = x.max(axis=1, keepdims=True)
    return largest


def precision(eps: float | None, like: Array) -> float:
    """`eps`, or where it is None what the dtype of `like` can just tell from 0 beside 1."""
    return float(np.finfo(like.dtype).eps) if eps is None else eps
