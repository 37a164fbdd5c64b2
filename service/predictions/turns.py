"""Where a request's work is done: small work at once, in the event loop; large work in a thread, so others go on."""

from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

Result = TypeVar("Result")

SMALL = 1 << 16
"""Bytes that are worked on sooner than a thread is woken for them."""


async def run(size: int, work: Callable[[], Result]) -> Result:
    """What `work` gives, for a body of `size` bytes."""
    return work() if size < SMALL else await run_in_threadpool(work)
