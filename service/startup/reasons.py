"""The reason why the service does not start, in a sentence, where its operator can mend it."""

import sqlite3

from service.errors import DescentError


def reason_of(error: BaseException) -> str | None:
    """Return the sentence; None for an error of the program's own, whose traceback is wanted."""
    from sqlalchemy.exc import DBAPIError  # here: the service listens before it imports SQLAlchemy

    cause = getattr(error, "orig", error)
    match error:
        case DescentError():
            return error.detail
        case DBAPIError() | sqlite3.Error() if "locked" in str(cause):
            return "another program holds the database: end it, and start again."
        case DBAPIError() | sqlite3.Error():
            return f"the database cannot be used ({cause}): put a backup in its place; `descent doctor` has more."
        case OSError():
            return f"{error}: `descent doctor` looks for the cause."
    return None
