"""The rest of an owner's limits, as a request comes to know it while it is answered; headers tell it."""

from contextvars import ContextVar, Token

_told: ContextVar[dict[str, int] | None] = ContextVar("descent_standing", default=None)


def begin() -> tuple[dict[str, int], Token[dict[str, int] | None]]:
    """Begin a request: return what is told while it is answered, also in the threads that it starts."""
    told: dict[str, int] = {}
    return told, _told.set(told)


def end(token: Token[dict[str, int] | None]) -> None:
    _told.reset(token)


def tell(limit: str, left: int) -> None:
    """Tell how much is left of a limit, such as Queued-Jobs."""
    told = _told.get()
    if told is not None:
        told[limit] = max(0, left)
