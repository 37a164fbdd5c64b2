"""Requests in JSON: as `read_json` returns them, except that the numbers of a tensor may be an array."""

from typing import Any

import simdjson

from service.errors import Invalid, invalid
from service.http.json_bodies import read_json
from service.http.json_numbers import JsonObject
from service.http.long_json.lists import NO_RECTANGLE, LongList, rectangle

MOST_MEMBERS = 1000
"""Members of an object. The protocol has few, and passes over those that it does not know."""
FEW = 32
"""Members of an object that simdjson is asked for: it looks for each from the first one on."""
LONG = 1 << 12
"""Bytes from which on it is faster to look for arrays than to make a Python object of each number."""
LARGEST = 1 << 20
"""Bytes up to which that is done at once, which takes several times the memory and blocks all other threads."""


def read(body: bytes) -> Any:
    """Read a body. Where `data` is a list of numbers, or of lists of equally many numbers, it may be an array.

    Raises:
        Invalid: this is not JSON.
    """
    if not LONG <= len(body) <= LARGEST:
        return _with_whole_inputs(read_json(body))
    try:
        value = _with_arrays(simdjson.Parser(), body)
    except NO_RECTANGLE:
        value = None  # whatever it is: the way for all bodies names the fault
    return _with_whole_inputs(read_json(body)) if value is None else value


def _with_whole_inputs(value: Any) -> Any:
    """Return a request whose list of inputs is a plain list, though each of them may be long."""
    if isinstance(value, dict):
        if len(value) > MOST_MEMBERS:
            raise _too_many(value, "#")
        if isinstance(value.get("inputs"), LongList):
            value["inputs"] = value["inputs"].whole()
    return value


def _with_arrays(parser: simdjson.Parser, body: bytes) -> JsonObject | None:
    """Return a request whose tensors are all of numbers; None for anything else, also for a list among numbers."""
    document: Any = parser.parse(body)
    value, lists = _plain(document, "#", but="inputs")
    value["inputs"] = inputs = []
    lists += 1
    for index, each in enumerate(document["inputs"]):
        tensor, lists_of_it = _plain(each, f"#/inputs/{index}", but="data")
        tensor["data"], lists_in_it = rectangle(each["data"])
        inputs.append(tensor)
        lists += lists_of_it + lists_in_it
    # simdjson returns the numbers of nested lists one after the other: the brackets tell how they were nested
    return value if body.count(b"[") == lists else None


def _plain(shown: Any, pointer: str, but: str) -> tuple[JsonObject, int]:
    """Return the members of an object but for one, as Python has them, and the number of lists among them.

    Raises:
        Invalid: there are too many.
    """
    if len(shown) > MOST_MEMBERS:
        raise _too_many(shown, pointer)
    names = list(shown)
    if len(names) > FEW or len(set(names)) < len(names):  # of two with one name, simdjson finds the first
        raise LookupError(names)
    members = {name: shown[name] for name in names if name != but}  # items() has made lists of all lists
    lists = [name for name, member in members.items() if isinstance(member, simdjson.Array)]
    for name, member in members.items():
        if isinstance(member, simdjson.Array | simdjson.Object):
            if len(member.mini) > LONG:
                raise LookupError(name)
            members[name] = member.as_list() if isinstance(member, simdjson.Array) else member.as_dict()
    return members, len(lists)


def _too_many(members: Any, pointer: str) -> Invalid:
    return invalid(pointer, f"This object has {len(members):,} members; at most {MOST_MEMBERS:,} are read.")
