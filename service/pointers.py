"""JSON pointers from pydantic's error locations, and its messages in our words."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from service.errors import DescentError, Fault, NotFound
from service.learning.synonyms import TERMS, suggestion
from service.learning.terms import TermError
from service.synonyms import FIELDS

MOST_FAULTS = 20
"""Faults that one answer lists."""
LONGEST_NAME = 100
"""Characters of a name that is unknown here; a client's text is not repeated whole."""

WITHOUT_CONTROLS = r"^[^\x00-\x1f\x7f]+$"
"""A text on one line."""
_SENTENCES = {
    "missing": "this field is required",
    "union_tag_not_found": "this field is required",
    "extra_forbidden": "this field is unknown",
    "finite_number": "this is not a finite number",
    "float_type": "this is not a number",
    "int_type": "this is not a whole number",
    "bool_type": "this is neither true nor false",
    "string_type": "this is not a text",
    "dict_type": "this is not an object",
    "model_attributes_type": "this is not an object",
    "model_type": "this is not an object",
    "list_type": "this is not a list",
    "json_invalid": "this is not JSON",
}


def faults_of(errors: Iterable[Any], body: Any, prefix: tuple[str, ...], kind_of_body: str = "") -> tuple[Fault, ...]:
    """The faults behind a validator's errors; `prefix` is what precedes the location of a field of the body, whose
    class is `kind_of_body` where that is known.
    """
    faults = []
    for error in errors:
        location, kind = tuple(error["loc"]), error["type"]
        within = location[: len(prefix)] == prefix
        context = error.get("ctx", {})
        if kind.startswith("union_tag"):
            location = *location, context["discriminator"].strip("'")
        elif isinstance(context.get("error"), TermError):
            location = *location, context["error"].field
        pointer = pointer_to(location[len(prefix) :], body, kind) if within else "/".join(map(str, location))
        sentence = _sentence(kind, error["msg"], context)
        if kind == "extra_forbidden" and within:
            sentence += _hint(location[len(prefix) :], body, kind_of_body)
        elif kind == "union_tag_not_found":
            sentence += _other_tag(error.get("input"), str(location[-1]))
        faults.append(Fault(pointer, sentence))
    return tuple(dict.fromkeys(faults))[:MOST_FAULTS]


OBJECTS: dict[str, frozenset[str]] = {}
"""The fields of each kind of object that bodies have, by the name of its class."""


def _hint(location: Sequence[str | int], body: Any, kind_of_body: str) -> str:
    """Return the field that may be meant by an unknown one, where the kind of its object is known, or nearly so."""
    parent = body
    for part in location[:-1]:
        if isinstance(parent, dict | list) and (part in parent or isinstance(part, int)):
            parent = parent[part]  # type: ignore[index]  # a name of an object, or a place in a list
    name = str(location[-1])
    if not isinstance(parent, dict) or len(name) >= LONGEST_NAME:
        return ""
    known = parent.keys() - {name}
    near = suggestion(name, _fields_beside(known, location[:-1] or (kind_of_body,)) - known, FIELDS)
    return f": did you mean {near!r}?" if near else ""


TAGS = ("name", "type", "kind", "class", "class_name", "rule")
"""Fields in which people name the kind of an object."""


def _other_tag(given: Any, tag: str) -> str:
    """Return that an object names its kind in another field than the one that does so here."""
    other = next((each for each in TAGS if isinstance(given, dict) and each in given), None)
    return f": {other!r} is called {tag!r} here" if other else ""


def _fields_beside(known: AbstractSet[str], location: Sequence[str | int]) -> frozenset[str]:
    """Return the fields that an object has for certain: of its class, which pydantic names where there are several, or
    of all classes that share most fields with it.
    """
    if location and location[-1] in OBJECTS:
        return OBJECTS[str(location[-1])]
    most = max((len(each & known) for each in OBJECTS.values()), default=0)
    alike = [each for each in OBJECTS.values() if len(each & known) == most]
    return frozenset.intersection(*alike) if most else frozenset()


def _sentence(kind: str, message: str, context: dict[str, Any]) -> str:
    if kind == "value_error":
        error = context["error"]
        if not isinstance(error, TermError):
            return str(error)
        # a formula's message is about a part of it, any other about the field as a whole
        return error.message if error.field == "expression" else f"{error.field} {error.message}"
    if kind == "string_too_short" and context["min_length"] == 1:
        return "this text is empty"
    if kind == "string_pattern_mismatch" and context["pattern"] == WITHOUT_CONTROLS:
        return "this holds control characters, such as line breaks"
    if kind == "union_tag_invalid":
        return unknown(context["tag"], re.findall(r"'([^']+)'", context["expected_tags"]))
    return _SENTENCES.get(kind, message[:1].lower() + message[1:])


def unknown(name: str, known: Sequence[str]) -> str:
    """Explain that a name is unknown, with the one that may be meant and all that are known."""
    near = suggestion(name, known, TERMS) if len(name) < LONGEST_NAME else None
    hint = f"did you mean {near!r}? " if near else ""
    return f"there is no {name[:50]!r}: {hint}there are {', '.join(known)}"


ABSENT = ("missing", "union_tag_not_found")
"""Kinds of errors about a field that is not there."""


def pointer_to(location: Sequence[str | int], body: Any, kind: str) -> str:
    """The JSON pointer (RFC 6901, as a fragment) to a location in `body`.

    pydantic names the members of tagged unions within its locations; whatever does not occur in the body is such a
    name and is left out, but for the last part of a missing field.
    """
    parts, value = [], body
    for index, part in enumerate(location):
        last = index == len(location) - 1
        inside = (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        )
        if inside:
            value = value[part]
        elif not (last and isinstance(value, dict | list) and kind in ABSENT):
            continue
        parts.append(escape(str(part)[:LONGEST_NAME]))
    return "#" + "".join(f"/{part}" for part in parts)


def escape(part: str) -> str:
    """One part of a JSON pointer, as RFC 6901 wants it."""
    return part.replace("~", "~0").replace("/", "~1")


@contextmanager
def reference_at(pointer: str, fields: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Add to a NotFound where in the body its reference stands; `fields` are the parts of one that has several, by the
    code of the error.
    """
    try:
        yield
    except NotFound as error:
        where = f"{pointer}/{fields[error.code]}" if error.code in fields else pointer
        raise NotFound(error.detail, error.code, (Fault(where, error.detail),)) from None


@contextmanager
def faults_at(place: Callable[[str], str]) -> Iterator[None]:
    """Move the pointers of faults to where this request has what they point to."""
    try:
        yield
    except DescentError as error:
        error.errors = tuple(Fault(place(each.pointer), each.detail) for each in error.errors)
        raise
