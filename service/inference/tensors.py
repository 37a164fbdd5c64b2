"""Tensors: from JSON and from bytes, and back. Bytes are little-endian and row-major, and are not copied."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from service.errors import Invalid, invalid
from service.http import json_numbers
from service.http.json_numbers import Array, JsonObject
from service.http.long_json.lists import LongList
from service.inference.schemas import Datatype

DTYPES = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""NumPy's dtypes of the datatypes that it has: all but BF16, a float32's upper half, and BYTES."""

DATATYPE_OF: dict[str, Datatype] = {"float32": "FP32", "float64": "FP64"}
DATATYPES_OF_NUMBERS = DTYPES.keys() - {"BOOL"}
MOST_TEXTS = 10_000
"""Different texts in a tensor of a long body: a real column has a few hundred at most."""
LENGTH = struct.Struct("<I")
"""The length that precedes each element of BYTES."""


@dataclass(frozen=True)
class Tensor:
    """Values with a name; those of BYTES are texts. `pointer` is their place in the request."""

    name: str
    datatype: str
    values: Array
    pointer: str = ""


def from_json(name: str, datatype: str, shape: Sequence[int], data: Any, pointer: str) -> Tensor:
    """Return the tensor whose elements are a JSON list, flat or nested by its shape, or an array of its numbers.

    Raises:
        Invalid: the elements are too many, too few, nested otherwise, or beyond the datatype.
    """
    where = f"{pointer}/data"
    if isinstance(data, LongList):
        return Tensor(name, datatype, _from_long(data, datatype, tuple(shape), where), pointer)
    flat, nested = _flat(data, shape, where)
    try:
        values = _elements(flat, datatype)
    except Invalid as error:
        index = int(error.errors[0].pointer.lstrip("/"))
        place = np.unravel_index(index, tuple(shape)) if nested else (index,)
        raise invalid("/".join([where, *map(str, place)]), error.detail) from None
    return Tensor(name, datatype, values.reshape(shape), pointer)


def _from_long(data: LongList, datatype: str, shape: tuple[int, ...], pointer: str) -> Array:
    """Return the values of a long list, in the shape; a few at a time."""
    nested = isinstance(data.first, list | LongList)
    if nested and len(shape) < 2:
        raise _not_so_nested(shape, pointer)
    if len(data) != (shape[0] if nested else math.prod(shape)) or 2 * math.prod(shape) > data.size + 2:
        raise _not_so_nested(shape, pointer) if nested else _other_count(shape, len(data), pointer)
    inner = shape[1:] if nested else ()
    values: Array = np.empty(math.prod(shape), object if datatype == "BYTES" else bool if datatype == "BOOL" else float)
    texts: dict[str, str] = {}
    for start, flat in _flat_pieces(data, inner, datatype, pointer):
        try:
            found = _elements(flat, datatype)
        except Invalid as error:
            index = start + int(error.errors[0].pointer.lstrip("/"))
            place = np.unravel_index(index, shape) if nested else (index,)
            raise invalid("/".join([pointer, *map(str, place)]), error.detail) from None
        if datatype == "BYTES":
            found[:] = [texts.setdefault(text, text) for text in found]  # equal ones are kept once
            if len(texts) > MOST_TEXTS:
                detail = f"There are more than {MOST_TEXTS:,} different texts, but these are categories."
                raise invalid(pointer, detail, "unknown_category")
        values[start : start + len(found)] = found
    return values.reshape(shape)


def _flat_pieces(
    data: LongList, inner: tuple[int, ...], datatype: str, pointer: str
) -> Iterator[tuple[int, list[Any] | Array]]:
    """The elements in a long list of lists of shape `inner`, a few at a time, behind the place of the first of them."""
    each = math.prod(inner)
    for piece in data.pieces():
        start = piece.first * each
        plain = piece.numbers() if datatype in DATATYPES_OF_NUMBERS else None
        if plain is not None and plain.shape[1:] == inner:
            yield start, plain.ravel()
            continue
        elements = piece.elements()
        if inner and isinstance(elements[0], LongList) and len(elements[0]) == inner[0]:
            for place, flat in _flat_pieces(elements[0], inner[1:], datatype, pointer):
                yield start + place, flat
            continue
        found = _unnested(elements, (len(elements), *inner))
        if found is None:
            raise invalid(
                pointer, f"These lists are not nested as the shape [-1, {', '.join(map(str, inner))}] requires."
            )
        yield start, found


def _elements(flat: list[Any] | Array, datatype: str) -> Array:
    """Return the elements as an array of their kind; a fault's pointer is `/<index>`."""
    match datatype:
        case "BYTES":
            return np.array(_all_of(str, flat, "a text"), object)
        case "BOOL":
            return np.array(_all_of(bool, flat, "true or false"), bool)
        case "BF16":
            raise invalid("/0", "JSON has no numbers of 16 bits: send BF16 as bytes.")
        case _:
            return _held(flat if isinstance(flat, np.ndarray) else json_numbers.column(flat, "float64", ""), datatype)


def from_bytes(name: str, datatype: str, shape: Sequence[int], data: memoryview, pointer: str) -> Tensor:
    """Return the tensor whose elements are these bytes; numbers are a view into them.

    Raises:
        Invalid: there are too many or too few, or they are not of the datatype.
    """
    count = math.prod(shape)
    if datatype == "BYTES":
        values: Array = np.array(_texts(data, count, pointer), object)
    else:
        dtype = DTYPES.get(datatype, DTYPES["UINT16"])
        if len(data) != count * dtype.itemsize:
            detail = (
                f"A tensor of {datatype} with shape {list(shape)} has {count * dtype.itemsize} bytes, not {len(data)}."
            )
            raise invalid(f"{pointer}/parameters/binary_data_size", detail)
        values = np.frombuffer(data, dtype)
        if datatype == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        elif datatype == "BOOL" and values.view(np.uint8).max() > 1:
            raise invalid(pointer, "A byte of BOOL is 0 or 1.")
    return Tensor(name, datatype, values.reshape(shape), pointer)


def to_json(tensor: Tensor) -> JsonObject:
    """Return the tensor as the protocol writes it; its data as a flat array, which orjson takes as it is."""
    values = tensor.values.ravel()
    data = values.tolist() if tensor.datatype == "BYTES" else values
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.values.shape, "data": data}


def to_bytes(tensor: Tensor) -> bytes | memoryview:
    """Return the tensor's elements as bytes."""
    if tensor.datatype != "BYTES":
        return np.ascontiguousarray(tensor.values, DTYPES[tensor.datatype]).data.cast("B")
    texts = [text.encode() for text in tensor.values.ravel().tolist()]
    return b"".join(chain.from_iterable((LENGTH.pack(len(text)), text) for text in texts))


def _flat(data: Any, shape: Sequence[int], pointer: str) -> tuple[list[Any] | Array, bool]:
    """Return the elements of a list that is flat, or nested by `shape`, and whether it is nested."""
    if not isinstance(data, list | np.ndarray):
        raise invalid(pointer, "Give the elements as a list, or as bytes behind the JSON with `binary_data_size`.")
    if len(data) and isinstance(data[0], list | np.ndarray):
        flat = _unnested(data, tuple(shape)) if len(shape) > 1 else None
        if flat is None:
            raise _not_so_nested(shape, pointer)
        return flat, True
    if len(data) != math.prod(shape):
        raise _other_count(shape, len(data), pointer)
    return data, False


def _not_so_nested(shape: Sequence[int], pointer: str) -> Invalid:
    return invalid(pointer, f"These lists are not nested as the shape {list(shape)} requires.")


def _other_count(shape: Sequence[int], count: int, pointer: str) -> Invalid:
    return invalid(pointer, f"A tensor of shape {list(shape)} has {math.prod(shape)} elements, but {count} are given.")


def _unnested(data: list[Any] | Array, shape: tuple[int, ...]) -> list[Any] | Array | None:
    if isinstance(data, np.ndarray):
        return data.ravel() if data.shape == shape else None
    level: list[Any] = [data]
    for size in shape:
        if not all(isinstance(part, list) and len(part) == size for part in level):
            return None
        level = list(chain.from_iterable(level))
    return level


def _all_of(kind: type, flat: list[Any] | Array, what: str) -> list[Any] | Array:
    for index, value in enumerate(flat):
        if type(value) is not kind:
            raise invalid(f"/{index}", f"Each element is {what}.")
    return flat


def _held(values: Array, datatype: str) -> Array:
    """Check that `datatype` can hold these float64 numbers, and return them."""
    dtype: np.dtype[Any] = DTYPES[datatype]
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            fits = np.isfinite(values.astype(dtype))
    else:
        bounds = np.iinfo(dtype)
        fits = (np.trunc(values) == values) & (values >= bounds.min) & (values < float(bounds.max) + 1)
    if not fits.all():
        raise invalid(f"/{int(np.argmin(fits))}", f"{datatype} cannot hold this number.")
    return values


def _texts(data: memoryview, count: int, pointer: str) -> list[str]:
    """Return the texts that lie one behind the other, each behind its length."""
    texts, place = [], 0
    while place < len(data):
        start = place + LENGTH.size
        if start > len(data) or (place := start + LENGTH.unpack_from(data, place)[0]) > len(data):
            raise _not_bytes(pointer, "An element of BYTES goes on after the end of its tensor.")
        try:
            texts.append(str(data[start:place], "utf-8"))
        except UnicodeDecodeError:
            raise _not_bytes(pointer, f"Element {len(texts)} is not a text in UTF-8.") from None
    if len(texts) != count:
        raise _not_bytes(pointer, f"The shape asks for {count} elements, but there are {len(texts)}.")
    return texts


def _not_bytes(pointer: str, detail: str) -> Invalid:
    return invalid(f"{pointer}/parameters/binary_data_size", detail)
