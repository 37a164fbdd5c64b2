"""Nannies of embedded workers, which tell how a worker process ended."""

import logging
import signal
import threading
from typing import Any

from distributed import Nanny
from distributed.core import Status

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds to wait for the exit code of a worker whose connection is already gone."""
UNREADABLE = 255
"""Dask's exit code for a process whose status another reader has taken."""


class Exits:
    """Exit codes of worker processes by their address, as their nannies learn them."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._told = threading.Condition()

    def tell(self, address: str, code: int) -> None:
        with self._told:
            self._codes[address] = code
            self._told.notify_all()

    def take(self, address: str) -> str | None:
        """Return in words how the worker at this address ended; None where that is unknown."""
        with self._told:
            self._told.wait_for(lambda: address in self._codes, PATIENCE)
            return in_words(self._codes.pop(address, UNREADABLE))


def in_words(code: int) -> str | None:
    if code == UNREADABLE:
        return None
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:  # a real-time signal
        return f"signal {-code}"


class TellingNanny(Nanny):
    """A nanny that records each exit code before it starts the next worker process."""

    def __init__(self, *arguments: Any, exits: Exits, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._exits = exits

    def _on_worker_exit_sync(self, exitcode: int) -> None:
        if self.worker_address is not None:
            self._exits.tell(self.worker_address, exitcode)
        if self.status == Status.running:
            log.warning("a worker process has ended (%s), another one starts", in_words(exitcode) or "nobody knows how")
        super()._on_worker_exit_sync(exitcode)
