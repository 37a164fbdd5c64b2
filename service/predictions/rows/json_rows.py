"""Rows of numbers from a JSON body: a fast way for {"inputs": [[1, 2], ...]}, and levels beside it."""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import simdjson

from service.http import json_numbers
from service.http.json_numbers import Array
from service.http.long_json.lists import NO_RECTANGLE, rectangle

_spare: list[simdjson.Parser] = []
"""Parsers with their buffers, whose pages take longer to get than to fill. No parser can be used by two at once."""
MOST_SPARE = 4
LARGEST = 1 << 20
"""Bytes of a body: its parser holds several times as much, and blocks all other threads meanwhile."""


class PlainRows(NamedTuple):
    """Rows of numbers, and levels that the body has beside them."""

    inputs: Array
    levels: dict[str, float]


def read(body: bytes, field: str, width: int, dtype: str, levels: Collection[str] = ()) -> PlainRows | None:
    """The rows (rows × width) of a body that is an object with this one field, a list of lists of `width` numbers, and
    with any of `levels`, numbers between 0 and 1.

    None where it is anything else or long, also where it is wrong: its next reader then finds the fault.
    """
    if len(body) > LARGEST:
        return None
    try:
        parser = _spare.pop()
    except IndexError:
        parser = simdjson.Parser()
    found = _parse(parser, body, field, width, levels)
    if len(_spare) < MOST_SPARE:
        _spare.append(parser)
    if found is None:
        return None
    rows = found.inputs
    if dtype != "float64":
        with np.errstate(over="ignore"):
            rows = rows.astype(dtype)
    return PlainRows(rows, found.levels) if json_numbers.all_finite(rows) else None


def _parse(parser: simdjson.Parser, body: bytes, field: str, width: int, levels: Collection[str]) -> PlainRows | None:
    """Return the rows in float64. They keep nothing of the parser, which can be used again."""
    try:
        document: Any = parser.parse(body)
        rows, lists = rectangle(document[field])
        beside = {} if len(document) == 1 else {name: document[name] for name in document if name != field}
        plain = len(document) == 1 + len(beside) and rows.shape[1:] == (width,)
    except NO_RECTANGLE:
        return None
    if not all(name in levels and type(value) is float and 0 < value < 1 for name, value in beside.items()):
        return None
    return PlainRows(rows, beside) if plain and _brackets(body) == lists else None


def _brackets(body: bytes) -> int:
    """Lists that begin in a body whose only texts are the names of its fields."""
    if len(body) < _MANY:
        return body.count(b"[")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("[")))


_MANY = 1 << 12
"""Bytes above which comparing all at once is faster than going from hit to hit."""
