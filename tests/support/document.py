"""The OpenAPI document, made once for all processes of tests: it takes longer than most tests."""

import fcntl
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from service.app import create_app
from service.settings import Settings
from tests.support.forked_services import PLACE


def document() -> dict[str, Any]:
    """Return the document as JSON has it; the caller may change it."""
    copy: dict[str, Any] = json.loads(_text())
    return copy


@cache
def _text() -> str:
    if PLACE not in os.environ:
        return _made()
    file = Path(os.environ[PLACE]).with_name("openapi.json")
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first process makes it, others read it
        if not file.exists():
            file.write_text(_made(), encoding="utf-8")
        return file.read_text(encoding="utf-8")


def _made() -> str:
    return json.dumps(create_app(Settings()).openapi())
