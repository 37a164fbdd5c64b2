"""The value of a JSON text that is short, or has few values."""

import json
from typing import Any

import orjson

from service.errors import Invalid, TooLarge, invalid
from service.http.long_json.structure import count_values

LARGEST_RECIPE = 1 << 20
"""Bytes of a body without lists of values: a recipe, an architecture, a name."""
MOST_VALUES = 20_000
"""Values of such a body, the names of members included."""
ESCAPED_SURROGATE = rb"\ud"


def parse(text: bytes, start: int = 0) -> Any:
    """The value of a text that begins at byte `start` of the body. NaN and overflowing numbers come through, so that
    validation can name their places.

    Raises:
        Invalid: malformed, or nested too deeply.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads(text)
            if ESCAPED_SURROGATE in text.lower():
                json.dumps(value, ensure_ascii=False).encode()  # refuses lone ones, which no database stores
        except (ValueError, RecursionError):
            raise malformed(f"{error.msg}: byte {start + error.pos}" if start else str(error)) from None
        return value


def malformed(what: str) -> Invalid:
    """Return the error that a body is not JSON, with the reason."""
    return invalid("#", f"The body is not JSON: {what}.", "malformed")


def parse_recipe(body: bytes) -> Any:
    """Return the value of a JSON text without long lists of values.

    Raises:
        Invalid: malformed, or more values than any recipe has.
        TooLarge: too long.
    """
    if len(body) > LARGEST_RECIPE:
        raise too_long_a_recipe()
    if len(body) > MOST_VALUES and (values := count_values(body)) > MOST_VALUES:
        detail = f"The body has about {values:,} names and values; at most {MOST_VALUES:,} are read here."
        raise invalid("#", detail, "too_long")
    return parse(body)


def too_long_a_recipe() -> TooLarge:
    return TooLarge(
        f"This body may have {LARGEST_RECIPE:,} bytes: it holds no data. Tables are sent to /api/datasets, rows to "
        "/api/models/{model}/predictions."
    )
