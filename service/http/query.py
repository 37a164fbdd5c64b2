"""Checks of query strings: nothing that a route does not declare, nothing twice, and nothing beside a JSON body; and
labels, in a query or a body.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError
from starlette.datastructures import QueryParams

from service.errors import Fault, Invalid, invalid, invalid_in
from service.pointers import LONGEST_NAME, MOST_FAULTS, unknown


def check_query(sent: QueryParams, declared: Mapping[str, bool]) -> None:
    """Refuse parameters that would be ignored in silence: undeclared names, and all but the last of several values.

    `declared` has the names, and whether each may be repeated.

    Raises:
        Invalid: with a pointer for each of them.
    """
    strangers = [name for name in sent if name not in declared]
    if strangers:
        raise _undeclared(strangers[:MOST_FAULTS], list(declared))
    repeated = [name for name in sent if not declared[name] and len(sent.getlist(name)) > 1]
    if repeated:
        detail = "This parameter takes one value, but was given several times."
        faults = tuple(Fault(f"query/{name}", detail) for name in repeated[:MOST_FAULTS])
        raise invalid_in(faults, "repeated_parameter")


def _undeclared(strangers: list[str], declared: Sequence[str]) -> Invalid:
    faults = (
        Fault(
            f"query/{name[:LONGEST_NAME]}",
            unknown(name, declared) if declared else "there are no query parameters here",
        )
        for name in strangers
    )
    return invalid_in(tuple(faults), "unknown_parameter")


def refuse_beside_json(options: BaseModel) -> None:
    """Refuse parameters that describe a file, where the body is JSON.

    Those that have their default values mean nothing, and forms such as that of /docs send them along.

    Raises:
        Invalid: with a pointer to the first one that has another value.
    """
    said = options.model_dump(exclude_defaults=True)
    if said:
        what = "Query parameters are for files, which have a Content-Type such as text/csv"
        detail = f"{what}: a JSON body has a field for this."
        raise invalid(f"query/{next(iter(said))}", detail)


MOST_LABELS = 16
LONGEST_LABEL = 64
"""Characters of a key, and of a value."""
Key = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_LABEL, pattern=r"^[^:\x00-\x1f\x7f]+$")
]
Value = Annotated[str, StringConstraints(strict=True, max_length=LONGEST_LABEL, pattern=r"^[^\x00-\x1f\x7f]*$")]
Labels = Annotated[
    dict[Key, Value],
    Field(
        max_length=MOST_LABELS,
        description=f"words by which lists find it again, at most {MOST_LABELS} pairs; they decide no result",
        examples=[{"team": "blue"}],
    ),
]
Label = Annotated[
    str,
    Field(
        json_schema_extra={
            "pattern": rf"^[^:\x00-\x1f\x7f]{{1,{LONGEST_LABEL}}}:[^\x00-\x1f\x7f]{{0,{LONGEST_LABEL}}}$"
        }
    ),
]
"""A label as a text; `labels_of` checks it."""
GivenLabels = Annotated[
    list[Label],
    Field(
        description="a label, `key:value`, by which lists find it again; repeat for several",
        default_factory=list,
        max_length=MOST_LABELS,
        examples=[["team:blue"]],
    ),
]
_LABEL: TypeAdapter[tuple[Key, Value]] = TypeAdapter(tuple[Key, Value])


def labels_of(texts: Sequence[str], parameter: str) -> dict[str, str]:
    """Return the labels that a repeated parameter gives as `key:value`; the key ends at the first colon.

    Raises:
        Invalid: one is no label, or a key has two values.
    """
    labels: dict[str, str] = {}
    for each in texts:
        key, colon, value = each.partition(":")
        try:
            _LABEL.validate_python((key, value))
        except ValidationError:
            colon = ""
        if not colon:
            form = f"key:value, such as team:blue, each of at most {LONGEST_LABEL} characters"
            raise invalid(f"query/{parameter}", f"{each[:LONGEST_NAME]!r} is not {form}.")
        if labels.setdefault(key, value) != value:
            raise invalid(f"query/{parameter}", f"The label {key!r} has two values: give it one.")
    return labels
