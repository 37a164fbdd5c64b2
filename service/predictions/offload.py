"""The place of a request's work: small work runs in the event loop, large work in a thread, so that others go on."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from service.http.json_bodies import TooLongForTheLoop
from service.models.trained_network import TrainedNetwork

Result = TypeVar("Result")

SMALL = 3 << 20
"""Bytes that are worked on in some 2 ms. A thread takes turns with the event loop only every 5 ms, and both wait at
every turn: less work than that is done sooner, for all, where it is done at once."""
OPERATIONS = 50
"""Floating-point operations that take as long as handling one byte."""
TEXT = 8
"""Factor by which a byte of text may take longer than one of numbers."""


def cost_of(body: int, trained: TrainedNetwork) -> int:
    """The work for a body of `body` bytes, in bytes: its own, the parameters', and an equivalent of the products.

    A row is taken to have four bytes for each input; or, where categories may travel as codes, for each column.
    """
    parameters, busy = trained.vector, trained.vector.size - trained.idle_weights
    rows = body // (4 * (trained.network.inputs if busy == parameters.size else trained.columns))
    return body + parameters.nbytes + 2 * busy * rows // OPERATIONS


async def run_here_or_in_a_thread(size: int, work: Callable[[], Result]) -> Result:
    """Return the result of `work`, which handles `size` bytes."""
    if size < SMALL:
        with suppress(TooLongForTheLoop):
            return work()
    return await run_in_threadpool(work)
