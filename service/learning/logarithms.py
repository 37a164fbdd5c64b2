"""Logarithms of numbers about 1, of which no digit is lost."""

import numpy as np

from service.learning.arrays import Array


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


ALONE = 1 / 64
"""A sum of others below this is lost, wholly or in part, beside the 1 of the largest."""


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
