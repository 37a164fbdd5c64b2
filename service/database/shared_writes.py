"""Small writes of several threads that are committed together: a commit waits for the disk, and others for it."""

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

Answer = TypeVar("Answer")


class Shared(Generic[Answer]):
    """A write, made by the thread that leads, in the context of the one that wants it."""

    def __init__(self, write: Callable[[Session], Answer]) -> None:
        self._write = write
        self._context = copy_context()
        self._asked = time.monotonic()
        self._woken = threading.Event()
        self._leads = False
        self._answer: Answer | None = None
        self._error: BaseException | None = None

    def made_in(self, session: Session) -> Answer:
        return self._context.run(self._write, session)

    def waited(self) -> float:
        """Return the seconds since the write was asked for."""
        return time.monotonic() - self._asked

    def waits_to_lead(self) -> bool:
        """Wait for the end of this write, or for its thread to lead; return whether it does."""
        self._woken.wait()
        return self._leads

    def lead(self) -> None:
        self._leads = True
        self._woken.set()

    def tell(self, answer: Answer) -> None:
        """End the wait: the write is committed."""
        self._answer = answer
        self._woken.set()

    def fail(self, error: BaseException) -> None:
        """End the wait: nothing was written."""
        self._error = error
        self._woken.set()

    def answer(self) -> Answer:
        """Return what the write has returned, now that it is over; raise what it has raised."""
        if self._error is not None:
            raise self._error
        return self._answer  # type: ignore[return-value]  # told


class Waiting:
    """The writes that have not begun. One thread at a time leads: it makes all, and hands on to one that came since."""

    def __init__(self) -> None:
        self._writes: list[Shared[Any]] = []
        self._is_led = False
        self._lock = threading.Lock()

    def add(self, write: Shared[Any]) -> bool:
        """Add a write; return whether its thread leads."""
        with self._lock:
            self._writes.append(write)
            leads, self._is_led = not self._is_led, True
            return leads

    def take(self) -> list[Shared[Any]]:
        """Return all writes that wait, for the one that leads to make."""
        with self._lock:
            taken, self._writes = self._writes, []
            return taken

    def hand_on(self, leader: Shared[Any]) -> None:
        """Let the next one lead, where one waits; a leader that got no turn waits no longer, the others do."""
        with self._lock:
            if leader in self._writes:
                self._writes.remove(leader)
            self._is_led = bool(self._writes)
            if self._writes:
                self._writes[0].lead()
