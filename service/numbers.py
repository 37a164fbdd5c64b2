"""From JSON lists to arrays: only finite numbers that the dtype can hold, and a pointer to what is not one."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import Invalid, invalid

Array = NDArray[Any]

_NUMBERS = {int, float}


def column(values: Any, dtype: str, pointer: str) -> Array:
    """A JSON list of numbers as an array of `dtype`.

    Raises:
        Invalid: with the pointer of the first that is no number, not finite, or overflows `dtype`.
    """
    if not isinstance(values, list):
        raise invalid(pointer, "This is not a list of numbers.")
    if not set(map(type, values)) <= _NUMBERS:
        index = next(i for i, value in enumerate(values) if type(value) not in _NUMBERS)
        raise _not_a_number(f"{pointer}/{index}", values[index])
    array = _cast(values, dtype)
    if not np.isfinite(array).all():
        index = int(np.flatnonzero(~np.isfinite(array))[0])
        raise _not_held(f"{pointer}/{index}", values[index], dtype)
    return array


def matrix(rows: Any, width: int, dtype: str, pointer: str) -> Array:
    """A JSON list of rows, each a list of `width` numbers, as an array (rows × width) of `dtype`.

    Raises:
        Invalid: with the pointer of the first row or number that does not fit.
    """
    if not isinstance(rows, list) or not rows:
        raise invalid(pointer, "Give at least one row, as a list of lists of numbers.")
    for index, row in enumerate(rows):
        if not isinstance(row, list):
            raise invalid(f"{pointer}/{index}", "This row is not a list of numbers.")
        if len(row) != width:
            raise invalid(f"{pointer}/{index}", f"This row has {len(row)} numbers, but {width} are expected.")
    flat = list(chain.from_iterable(rows))
    try:
        return column(flat, dtype, "").reshape(len(rows), width)
    except Invalid as error:
        row, place = divmod(int(error.errors[0].pointer[1:]), width)
        raise invalid(f"{pointer}/{row}/{place}", error.detail) from None


def finite(value: Any) -> float | None:
    """`value` where it is finite: no other number can be written as JSON."""
    return float(value) if math.isfinite(value) else None


def all_finite(array: Array) -> bool:
    return bool(np.count_nonzero(np.isfinite(array)) == array.size)  # of few numbers, half as long as `all()`


def first_overflow(outputs: Array) -> int | None:
    """The first row with a number that is not finite, if there is one."""
    if all_finite(outputs):
        return None
    return int(np.flatnonzero(~np.isfinite(outputs).all(axis=1))[0])


def _cast(values: Sequence[Any], dtype: str) -> Array:
    with np.errstate(over="ignore"):
        try:
            return np.array(values, np.float64).astype(dtype)
        except OverflowError:  # an integer beyond float64
            return np.array([float("inf") if abs(value) > 1e308 else value for value in values], dtype)


def _not_a_number(pointer: str, value: Any) -> Invalid:
    what = {bool: "a boolean", str: "a text", type(None): "missing", list: "a list", dict: "an object"}
    return invalid(pointer, f"This is {what.get(type(value), 'something else')}, but a number is expected.")


def _not_held(pointer: str, value: Any, dtype: str) -> Invalid:
    if isinstance(value, int) or math.isfinite(value):
        return invalid(pointer, f"This number is too large for {dtype}.")
    return invalid(pointer, "This is not a finite number.")
