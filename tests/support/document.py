"""The OpenAPI document, made once for a test process: it takes longer than most tests."""

import json
from functools import cache
from typing import Any

from service.app import create_app
from service.settings import Settings


def document() -> dict[str, Any]:
    """Return the document as JSON has it; the caller may change it."""
    copy: dict[str, Any] = json.loads(_text())
    return copy


@cache
def _text() -> str:
    return json.dumps(create_app(Settings()).openapi())
