"""The arrays of the mathematics, and sums over their rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALONE = 1 / 64
"""A sum of others below this is lost, wholly or in part, beside the 1 of the largest."""


Array = NDArray[np.floating[Any]]
Matrix = NDArray[np.float64]
AnyArray = NDArray[Any]
Indices = NDArray[np.intp]
State = dict[str, AnyArray]
Saved = Mapping[str, AnyArray]


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


def log_ratio(a: Array, b: Array, difference: Array) -> Array:
    """log(a / b) of numbers from 0, with difference = a - b."""
    size = abs(difference) / np.minimum(a, b)
    if np.isinf(size).any():  # the quotient is too large for the dtype, or one of them is 0
        return np.where(np.isinf(size), np.log(a) - np.log(b), np.copysign(np.log1p(size), difference))
    ratio: Array = np.copysign(np.log1p(size), difference)
    return ratio


def log_of_chance(p: Array, missing: Array) -> Array:
    """log p, with missing = 1 - p."""
    return np.where(missing < 0.5, np.log1p(-missing), np.log(p))


def exponentials(x: Array) -> tuple[Array, Array, Array]:
    """z = x - maxⱼ xⱼ of each row, exp(z), and Σ exp(z) - 1 (rows × 1): log1p of it is the logarithm of the sum."""
    ones = np.ones(x.shape[1], x.dtype)
    z = x - x.T.copy().max(axis=0)[:, None]  # of columns as rows the largest are found several times faster
    e = np.exp(z)
    rest = e @ ones - 1
    alone = rest < ALONE
    if alone.any():
        few = e[alone]
        few[few > 0.5] = 0
        rest[alone] = few @ ones
    return z, e, rest[:, None]


def packed(prefix: str, arrays: Saved) -> State:
    """Return the arrays with prefix and a dot before their names."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: Saved) -> State:
    """Return the arrays whose names begin with prefix and a dot, without these."""
    return {name.removeprefix(prefix + "."): a for name, a in arrays.items() if name.startswith(prefix + ".")}
