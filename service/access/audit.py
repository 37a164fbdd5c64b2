"""The audit log: who changed, or was not let, what and when; a line for each change with a key, and each refusal."""

import logging

from starlette.types import Scope

from service.database.caller import Caller

AUDIT = "service.audit"
"""The name of the logger, whose lines are never left out."""
CLOSED = 499
"""The status of a request whose client was gone before its answer began."""

log = logging.getLogger(AUDIT)


def write(scope: Scope, caller: Caller, client: str, status: int) -> None:
    """Write a line about a request of a client's address that is over: its key and owner, its method and path as they
    were sent.
    """
    path = scope.get("raw_path", b"").partition(b"?")[0].decode("ascii", "backslashreplace")
    who = {"key": caller.key, "owner": caller.owner, "client": client}
    fields = {**who, "method": scope["method"], "path": path, "status": status or CLOSED}
    told = "%s of %s from %s: %s %s %d"
    log.info(told, caller.key, caller.owner, client, scope["method"], path, status or CLOSED, extra={"fields": fields})
