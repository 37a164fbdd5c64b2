"""The caller: the owner for whom this request, or this thread, works, and whose things it may see."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

DEFAULT_OWNER = "default"
"""The owner of everything from before there were keys, and of what is made without one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An owner, and how far its rights go beyond its own things."""

    owner: str
    reaches_all: bool = False
    """Whether it reaches the things of other owners, by their ids."""
    key: str | None = None
    """The id of the key that speaks for it; None where none does."""


WITHOUT_KEYS = Caller(DEFAULT_OWNER, reaches_all=True)
"""The caller where nobody asks for keys; workers and commands, which go by ids, among them."""

_caller: ContextVar[Caller] = ContextVar("descent_caller", default=WITHOUT_KEYS)

caller = _caller.get
"""Return the caller for whom the present context works; threads that a request starts inherit its own."""


@contextmanager
def acting_for(other: Caller) -> Iterator[None]:
    """Work for another caller within the block."""
    before = _caller.set(other)
    try:
        yield
    finally:
        _caller.reset(before)
