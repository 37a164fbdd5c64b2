"""The curl lines of the documentation, sent as they stand: a machine that runs the tests need not have curl."""

import json
import shlex
from typing import Any

import httpx


def send(line: str, url: str) -> Any:
    """What the service at `url` answers to `curl -s ADDRESS [-H HEADER] --json BODY`."""
    command, silent, address, *options = shlex.split(line)
    assert (command, silent) == ("curl", "-s")
    assert address.startswith("127.0.0.1:8000/")
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in given if option == "-H")
    bodies = [value for option, value in given if option == "--json"]
    assert len(bodies) + len(headers) == len(given)
    answer = httpx.post(address.replace("127.0.0.1:8000", url), json=json.loads(bodies[0]), headers=headers, timeout=60)
    answer.raise_for_status()
    return answer.json()
