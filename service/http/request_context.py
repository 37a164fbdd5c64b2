"""The request that code runs for: its id and its owner, as log lines name them."""

import itertools
import re
import secrets
from contextvars import ContextVar

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
OWNER: ContextVar[str | None] = ContextVar("owner", default=None)
"""The owner of the request, once it is known who sends it."""

HEADER = b"x-request-id"
_SANE = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")
_PROCESS = secrets.token_hex(6)
_serial = itertools.count(1)


def new_request_id() -> bytes:
    """Return an id that no other request has."""
    return b"%s-%x" % (_PROCESS.encode(), next(_serial))


def request_id_of(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the sender's id, where it is sane (at most 128 letters, digits and `._~:/+=@-`), or a new one.

    Of several the first counts.
    """
    for name, value in headers:
        if name == HEADER:
            return value if _SANE.fullmatch(value) is not None else new_request_id()
    return new_request_id()
