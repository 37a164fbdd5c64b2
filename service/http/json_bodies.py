"""JSON bodies: read quickly, long parts piece by piece, with pointers to their faults."""

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from service.errors import Invalid, invalid_in
from service.http.long_json import lists
from service.http.long_json.text import parse
from service.pointers import faults_of

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Shape = TypeVar("Shape")


class TooLongForTheLoop(Exception):
    """An error in the event loop: the body is so long that it is to be read in a thread."""


def read_json(body: bytes) -> Any:
    """The value of a JSON text. NaN and overflowing numbers come through, so that validation can name their places.
    Of a long text, lists that are long are `LongList`s.

    Raises:
        Invalid: malformed, or nested too deeply.
        TooLongForTheLoop: call this in a thread.
    """
    if len(body) <= lists.LONG:
        return parse(body)
    if is_in_the_loop():
        raise TooLongForTheLoop
    return lists.read(body)


def is_in_the_loop() -> bool:
    """Whether an event loop runs in this thread, and would stand still meanwhile."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def validated(shape: TypeAdapter[Shape], value: Any) -> Shape:
    """Read `value` as `shape`; for endpoints that parse their bodies themselves.

    Raises:
        Invalid: with a pointer for each fault.
    """
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        raise invalid_body(error.errors(include_url=False), value, (), error.title) from None


def invalid_body(errors: "list[ErrorDetails]", body: Any, prefix: tuple[str, ...], kind: str = "") -> Invalid:
    return invalid_in(faults_of(errors, body, prefix, kind))
