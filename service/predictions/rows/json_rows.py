"""Rows of numbers from a JSON body: a fast way for {"inputs": [[1, 2], ...]} and nothing else."""

from typing import Any

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


def read(body: bytes, field: str, width: int, dtype: str) -> Array | None:
    """The rows (rows × width) of a body that is an object with this one field, a list of lists of `width` numbers.

    None where it is anything else or long, also where it is wrong: its next reader then finds the fault.
    """
    if len(body) > LARGEST:
        return None
    try:
        parser = _spare.pop()
    except IndexError:
        parser = simdjson.Parser()
    rows = _parse(parser, body, field, width)
    if len(_spare) < MOST_SPARE:
        _spare.append(parser)
    if rows is None:
        return None
    if dtype != "float64":
        with np.errstate(over="ignore"):
            rows = rows.astype(dtype)
    return rows if json_numbers.all_finite(rows) else None


def _parse(parser: simdjson.Parser, body: bytes, field: str, width: int) -> Array | None:
    """Return the rows in float64. They keep nothing of the parser, which can be used again."""
    try:
        document: Any = parser.parse(body)
        rows, lists = rectangle(document[field])
        plain = len(document) == 1 and rows.shape[1:] == (width,)
    except NO_RECTANGLE:
        return None
    return rows if plain and _brackets(body) == lists else None


def _brackets(body: bytes) -> int:
    """Lists that begin in a body whose only text is the name of its field."""
    if len(body) < _MANY:
        return body.count(b"[")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("[")))


_MANY = 1 << 12
"""Bytes above which comparing all at once is faster than going from hit to hit."""
