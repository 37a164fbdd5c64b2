"""The tree of errors, each with its status over HTTP.

DescentError
├── BadRequest          400   not HTTP, or meant for another host
├── Unauthorized        401   no key, or none that is known and alive
├── Forbidden           403   a web page elsewhere asks, or the key may not do this
├── NotFound            404   no such row
├── NotAcceptable       406   no representation satisfies the Accept header
├── RequestTimeout      408   the request arrives too slowly
├── Conflict            409   the state, a name or a use forbids it
├── TooLarge            413   a body over the limit
├── WrongFormat         415   a content type that is not read here
├── Invalid             422   malformed or impossible input; carries pointers
├── TooMany             429   more than an owner may have, or ask for at a time
├── HeadersTooLarge     431   too many headers, or too long ones
├── NotInstalled        501   an optional package is missing here
└── Unavailable         503   try again later
    └── CannotWrite     503   the disk is full, or can only be read
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """One fault, and its place: a JSON pointer such as `#/optimiser/eta`."""

    pointer: str
    detail: str


@dataclass(eq=False)
class DescentError(Exception):
    """An error that its reader can act on: `detail` names the fault and the remedy."""

    detail: str
    code: str = ""
    errors: tuple[Fault, ...] = field(default=())

    status = 500
    title = "Internal error"

    def __str__(self) -> str:
        return self.detail


class BadRequest(DescentError):
    status = 400
    title = "Bad request"


class Unauthorized(DescentError):
    status = 401
    title = "Unauthorized"


class Forbidden(DescentError):
    status = 403
    title = "Forbidden"


class NotFound(DescentError):
    status = 404
    title = "Not found"


class NotAcceptable(DescentError):
    status = 406
    title = "Not acceptable"


class RequestTimeout(DescentError):
    status = 408
    title = "Request timeout"


class Conflict(DescentError):
    status = 409
    title = "Conflict"


class TooLarge(DescentError):
    status = 413
    title = "Content too large"


class WrongFormat(DescentError):
    status = 415
    title = "Unsupported media type"


def unread(what: str, forms: Iterable[str], sent_as: str) -> WrongFormat:
    """Return the error about a body whose Content-Type is missing, or is none of `forms`."""
    found = f"not {sent_as[:100]!r}" if sent_as else "which this request lacks"
    return WrongFormat(f"{what} read by the header Content-Type, {found}: send {', '.join(forms)}.")


class Invalid(DescentError):
    status = 422
    title = "Invalid input"


class TooMany(DescentError):
    status = 429
    title = "Too many requests"
    retry_after = 1
    """Seconds after which a client may try again."""


class HeadersTooLarge(DescentError):
    status = 431
    title = "Request header fields too large"


class NotInstalled(DescentError):
    status = 501
    title = "Not implemented"


class Unavailable(DescentError):
    status = 503
    title = "Unavailable"
    retry_after = 1
    """Seconds after which a client may try again."""


class CannotWrite(Unavailable):
    retry_after = 10


def invalid(pointer: str, detail: str, code: str = "invalid") -> Invalid:
    """Return an `Invalid` with a single fault, whose detail is the detail of the whole."""
    return Invalid(detail, code, (Fault(pointer, detail),))


def invalid_in(faults: tuple[Fault, ...], code: str = "invalid") -> Invalid:
    """Return an `Invalid` with these faults; the detail of the whole has the first, and the number of others."""
    detail = f"{faults[0].pointer}: {faults[0].detail}"
    return Invalid(detail if len(faults) == 1 else f"{detail} (and {len(faults) - 1} more)", code, faults)
