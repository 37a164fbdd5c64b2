"""JSON bodies: read quickly, and what is wrong with them said with pointers."""

import json
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from service.errors import Invalid, invalid
from service.pointers import faults_of

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Shape = TypeVar("Shape")
ESCAPED_SURROGATE = rb"\ud"


def read_json(body: bytes) -> Any:
    """The value of a JSON text. NaN and overflowing numbers come through, so that validation can say where they are.

    Raises:
        Invalid: malformed, or nested too deeply.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads(body)
            if ESCAPED_SURROGATE in body.lower():
                json.dumps(value, ensure_ascii=False).encode()  # refuses lone ones, which no database stores
        except (ValueError, RecursionError):
            raise invalid("#", f"The body is not JSON: {error}.", "malformed") from None
        return value


def validated(shape: TypeAdapter[Shape], value: Any) -> Shape:
    """`value` read as `shape`; for endpoints that parse their bodies themselves.

    Raises:
        Invalid: with a pointer for each fault.
    """
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        raise invalid_body(error.errors(include_url=False), value, prefix=()) from None


def invalid_body(errors: "list[ErrorDetails]", body: Any, prefix: tuple[str, ...]) -> Invalid:
    faults = faults_of(errors, body, prefix)
    detail = f"{faults[0].pointer}: {faults[0].detail}"
    return Invalid(detail if len(faults) == 1 else f"{detail} (and {len(faults) - 1} more)", "invalid", faults)
