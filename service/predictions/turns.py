"""Where a request's work is done: small work at once, in the event loop; large work in a thread, so others go on."""

from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

Result = TypeVar("Result")

SMALL = 1 << 18
"""Bytes that are worked on in about the time that it takes to wake a thread for them."""


async def run(size: int, work: Callable[[], Result]) -> Result:
    """What `work` gives, which goes over `size` bytes, those of a body and of a network's parameters."""
    return work() if size < SMALL else await run_in_threadpool(work)
