"""The curl lines of the documentation, sent as they stand: a machine that runs the tests need not have curl."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import httpx

from tests.support.serving import PATIENCE

BODIES = ("-d", "--data-binary")
OUTPUT = "-o"


def commands(block: str) -> Iterator[str]:
    """The commands of a block of shell; one ends with its line, or where a quotation that goes over lines has ended."""
    pending = ""
    for line in block.splitlines():
        pending += line
        if pending.count("'") % 2 == 0:
            yield pending
            pending = ""
        else:
            pending += "\n"


def send(command: str, url: str, files: dict[str, bytes] | None = None) -> Any:
    """Return the answer of the service at `url` to `curl -s ADDRESS` with options -H, -d, --data-binary and -o.

    JSON is returned as its value, anything else as bytes. `files` stands for the disk, by path.
    """
    files = {} if files is None else files
    curl, silent, address, *options = shlex.split(command)
    assert (curl, silent) == ("curl", "-s")
    assert address.startswith("127.0.0.1:8000/")
    given = list(zip(options[::2], options[1::2], strict=True))
    assert {option for option, _ in given} <= {"-H", OUTPUT, *BODIES}
    headers = dict(re.split(": ?", value, maxsplit=1) for option, value in given if option == "-H")
    body = next((value for option, value in given if option in BODIES), None)
    if headers.get("content-type") == "application/json" and body is not None:
        json.loads(body)
    content = None if body is None else files[body[1:]] if body.startswith("@") else body.encode()
    answer = httpx.request(
        "GET" if body is None else "POST",
        address.replace("127.0.0.1:8000", url),
        content=content,
        headers=headers,
        timeout=PATIENCE,
    )
    answer.raise_for_status()
    files |= {value: answer.content for option, value in given if option == OUTPUT}
    return answer.json() if "json" in answer.headers["content-type"] else answer.content
