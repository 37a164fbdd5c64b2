"""Requests in JSON: as `read_json` gives them, but that the numbers of a tensor may come as an array."""

from typing import Any

import numpy as np
import simdjson

from service.errors import invalid
from service.json_bodies import read_json
from service.numbers import Array

MOST_MEMBERS = 1000
"""Of an object. The protocol has few, and passes over those that it does not know."""
LONG = 1 << 12
"""Bytes from which on it is faster to look for arrays than to make a Python object of each number."""


def read(body: bytes) -> Any:
    """The value of a body. Where `data` is a list of numbers, or of lists of so many numbers each, it may be an array.

    Raises:
        Invalid: this is not JSON.
    """
    if len(body) < LONG:
        return read_json(body)
    try:
        value = _with_arrays(simdjson.Parser(), body)
    except (ValueError, TypeError, AttributeError, LookupError, RuntimeError):
        value = None  # whatever it is: the way for all bodies says what is wrong with it
    return read_json(body) if value is None else value


def _with_arrays(parser: simdjson.Parser, body: bytes) -> dict[str, Any] | None:
    """A request whose tensors are all of numbers; None for what is anything else, or hides a list in one of numbers."""
    document: Any = parser.parse(body)
    value, lists = _plain(document, "#", but="inputs")
    value["inputs"] = inputs = []
    lists += 1
    for index, each in enumerate(document["inputs"]):
        tensor, lists_of_it = _plain(each, f"#/inputs/{index}", but="data")
        tensor["data"], lists_in_it = _array(each["data"])
        inputs.append(tensor)
        lists += lists_of_it + lists_in_it
    # simdjson gives the numbers of nested lists one after the other: what tells how they were nested is the brackets
    return value if body.count(b"[") == lists else None


def _plain(shown: Any, pointer: str, but: str) -> tuple[dict[str, Any], int]:
    """The members of an object but for one, as Python has them, and how many of them are lists.

    Raises:
        Invalid: there are too many.
    """
    if len(shown) > MOST_MEMBERS:
        raise invalid(pointer, f"This object has {len(shown):,} members; at most {MOST_MEMBERS:,} are read.")
    members = dict(shown.items())  # one pass: simdjson finds a member by its name from the first on
    del members[but]
    lists = [name for name, member in members.items() if isinstance(member, simdjson.Array)]
    for name, member in members.items():
        if isinstance(member, simdjson.Array):
            members[name] = member.as_list()
        elif isinstance(member, simdjson.Object):
            members[name] = member.as_dict()
    return members, len(lists)


def _array(data: Any) -> tuple[Array, int]:
    """The numbers of a list (elements) or of lists of one length (rows × elements), and how many lists that are."""
    numbers = np.frombuffer(data.as_buffer(of_type="d"))
    if not isinstance(data[0], simdjson.Array):
        return numbers.reshape(len(data)), 1
    rows, width = len(data), len(data[0])
    if set(map(len, data)) != {width}:
        raise ValueError("rows of several lengths")
    return numbers.reshape(rows, width), 1 + rows
