"""Arrays from JSON lists: only finite numbers that the dtype can hold, with a pointer to the first fault."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import Invalid, invalid
from service.http.long_json.lists import LongList

Array = NDArray[Any]
JsonObject = dict[str, Any]
"""An object that passes through as it is: JSON, or a part of the OpenAPI document."""

_NUMBERS = {int, float}
_KINDS = {
    bool: "a boolean",
    str: "a text",
    list: "a list",
    LongList: "a list",
    dict: "an object",
    type(None): "missing",
}


def column(values: Any, dtype: str, pointer: str) -> Array:
    """Convert a JSON list of numbers into an array of `dtype`.

    Raises:
        Invalid: with the pointer of the first that is no number, not finite, or overflows `dtype`.
    """
    if isinstance(values, LongList):
        return _long_column(values, dtype, pointer)
    if not isinstance(values, list):
        raise invalid(pointer, "This is not a list of numbers.")
    return elements(values, dtype, pointer, 0)


def elements(values: list[Any], dtype: str, pointer: str, first: int) -> Array:
    """Return the same for some elements of a list, which begin at the index `first`."""
    if not set(map(type, values)) <= _NUMBERS:
        index = next(i for i, value in enumerate(values) if type(value) not in _NUMBERS)
        raise _not_a_number(f"{pointer}/{first + index}", values[index])
    array = _cast(values, dtype)
    if not np.isfinite(array).all():
        index = int(np.flatnonzero(~np.isfinite(array))[0])
        raise _not_held(f"{pointer}/{first + index}", values[index], dtype)
    return array


def exact(values: list[Any], dtype: str, pointer: str, first: int) -> Array:
    """Return the same in float64, with all their digits, where `dtype` could hold each."""
    if set(map(type, values)) <= _NUMBERS:
        array = _cast(values, "float64")
        if held(array, dtype) is not None:
            return array
    return elements(values, dtype, pointer, first)


def _long_column(values: LongList, dtype: str, pointer: str) -> Array:
    array = np.empty(len(values), dtype)
    for piece in values.pieces():
        numbers = held(piece.numbers(), dtype)
        if numbers is None or numbers.ndim != 1:
            numbers = elements(piece.elements(), dtype, pointer, piece.first)
        array[piece.first : piece.first + len(numbers)] = numbers
    return array


def held(numbers: Array | None, dtype: str) -> Array | None:
    """Numbers in `dtype`; None where it cannot hold one of them."""
    if numbers is None:
        return None
    with np.errstate(over="ignore"):
        cast = numbers.astype(dtype, copy=False)
    return cast if all_finite(cast) else None


def matrix(rows: Any, width: int, dtype: str, pointer: str) -> Array:
    """Convert a JSON list of rows, each a list of `width` numbers, into an array (rows × width) of `dtype`.

    Raises:
        Invalid: with the pointer of the first row or number that does not fit.
    """
    if isinstance(rows, LongList):
        return _long_matrix(rows, width, dtype, pointer)
    if not isinstance(rows, list) or not rows:
        raise invalid(pointer, "Give at least one row, as a list of lists of numbers.")
    return block(rows, width, dtype, pointer, 0)


def block(rows: list[Any], width: int, dtype: str, pointer: str, first: int) -> Array:
    """Return the same for some rows of a list, which begin at the index `first`."""
    for index, row in enumerate(rows):
        if not isinstance(row, list | LongList):
            raise invalid(f"{pointer}/{first + index}", "This row is not a list of numbers.")
        if len(row) != width:
            raise invalid(f"{pointer}/{first + index}", f"This row has {len(row)} numbers, but {width} are expected.")
    if any(isinstance(row, LongList) for row in rows):
        return np.stack([column(row, dtype, f"{pointer}/{first + index}") for index, row in enumerate(rows)])
    try:
        return elements(list(chain.from_iterable(rows)), dtype, "", 0).reshape(len(rows), width)
    except Invalid as error:
        row, place = divmod(int(error.errors[0].pointer[1:]), width)
        raise invalid(f"{pointer}/{first + row}/{place}", error.detail) from None


def _long_matrix(rows: LongList, width: int, dtype: str, pointer: str) -> Array:
    if 2 * width * len(rows) > rows.size:  # a number and what is behind it take two bytes
        for piece in rows.pieces():
            block(piece.elements(), width, dtype, pointer, piece.first)
        raise invalid(pointer, f"These rows do not have {width} numbers each.")
    array = np.empty((len(rows), width), dtype)
    for piece in rows.pieces():
        numbers = held(piece.numbers(), dtype)
        if numbers is None or numbers.ndim != 2 or numbers.shape[1] != width:
            numbers = block(piece.elements(), width, dtype, pointer, piece.first)
        array[piece.first : piece.first + len(numbers)] = numbers
    return array


def kind_of(value: Any) -> str:
    """Return the name of a JSON value's kind in messages."""
    return _KINDS.get(type(value), "a number")


def finite(value: Any) -> float | None:
    """`value` where it is finite: no other number can be written as JSON."""
    return float(value) if math.isfinite(value) else None


def all_finite(array: Array) -> bool:
    return bool(np.count_nonzero(np.isfinite(array)) == array.size)  # of few numbers, half as long as `all()`


def first_overflow(outputs: Array) -> int | None:
    """Return the first row with a number that is not finite, if there is one."""
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
    return invalid(pointer, f"This is {kind_of(value)}, but a number is expected.")


def _not_held(pointer: str, value: Any, dtype: str) -> Invalid:
    if isinstance(value, int) or math.isfinite(value):
        return invalid(pointer, f"This number is too large for {dtype}.")
    return invalid(pointer, "This is not a finite number.")
