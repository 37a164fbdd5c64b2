"""JSON bodies: read quickly, and what is wrong with them said with pointers."""

import json
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from service.errors import Invalid, invalid, invalid_in
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
    return invalid_in(faults_of(errors, body, prefix))
