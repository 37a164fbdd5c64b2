"""Where a request's work is done: small work at once, in the event loop; large work in a thread, so others go on."""

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
"""With floating-point numbers, that take as long as a byte."""
TEXT = 8
"""How many times as long a byte of text may take as one of numbers."""


def cost_of(body: int, trained: TrainedNetwork) -> int:
    """The work that a body of so many bytes makes, in bytes: its own, the parameters', and what stands for products.

    A row is taken to have four bytes for each input.
    """
    parameters, rows = trained.vector, body // (4 * trained.network.inputs)
    return body + parameters.nbytes + 2 * parameters.size * rows // OPERATIONS


async def run_here_or_in_a_thread(size: int, work: Callable[[], Result]) -> Result:
    """What `work` gives, which goes over `size` bytes."""
    if size < SMALL:
        with suppress(TooLongForTheLoop):
            return work()
    return await run_in_threadpool(work)
