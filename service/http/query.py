"""Checks of query strings: nothing that a route does not declare, nothing twice, and nothing beside a JSON body."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel
from starlette.datastructures import QueryParams

from service.errors import Fault, Invalid, invalid, invalid_in
from service.pointers import LONGEST_NAME, MOST_FAULTS, unknown


def check_query(given: QueryParams, declared: Mapping[str, bool]) -> None:
    """Refuse parameters that would be ignored in silence: undeclared names, and all but the last of several values.

    `declared` has the names, and whether each may be repeated.

    Raises:
        Invalid: with a pointer for each of them.
    """
    strangers = [name for name in given if name not in declared]
    if strangers:
        raise _undeclared(strangers[:MOST_FAULTS], list(declared))
    repeated = [name for name in given if not declared[name] and len(given.getlist(name)) > 1]
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
        raise invalid(f"query/{next(iter(said))}", "Query parameters are for files: a JSON body has a field for this.")
