"""The machine, as far as this service may use it: processors, memory, and what each worker gets of them."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.settings import Settings

MEMORY_OF_WORKER = 256 << 20
"""Bytes that a machine has for each worker at least, unless it has one worker alone."""
SHARE = 0.8
"""The share of the memory that workers may use together; the rest is for the service and the system."""
CGROUPS = Path("/sys/fs/cgroup")
LIMITS = "memory.max", "memory/memory.limit_in_bytes"
"""Files with the bytes that a container may have, of the second and the first version of cgroups."""


@cache
def memory(cgroups: Path = CGROUPS) -> int:
    """Return the bytes of memory of this machine, or of the container."""
    limits = (_number_in(cgroups / name) for name in LIMITS)
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *filter(None, limits)])


@cache
def processors(cgroups: Path = CGROUPS) -> int:
    """Return the processors that this process may use: a quota of the container counts as whole ones."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _quota(cgroups)
    return allowed if quota is None or not period else max(1, min(allowed, -(-quota // period)))


def _quota(cgroups: Path) -> tuple[int | None, int | None]:
    """Return the microseconds of processors in each period of so many."""
    try:
        quota, _, period = (cgroups / "cpu.max").read_text().strip().partition(" ")
        return (int(quota), int(period)) if quota != "max" else (None, None)
    except (OSError, ValueError):
        return tuple(_number_in(cgroups / "cpu" / f"cpu.cfs_{name}_us") for name in ("quota", "period"))  # type: ignore[return-value]  # it has two


def _number_in(file: Path) -> int | None:
    """Return a positive number that a file holds; None where it holds none, such as `max` or -1."""
    try:
        number = int(file.read_text())
    except (OSError, ValueError):
        return None
    return number if number > 0 else None


def worker_count(settings: "Settings") -> int:
    """Return the number of embedded workers."""
    return settings.workers or max(1, min(processors(), memory() // MEMORY_OF_WORKER))


def worker_memory(settings: "Settings") -> int | None:
    """Return the bytes that a worker may use; None where it is elsewhere, and nobody has set them."""
    if settings.worker_memory is not None or settings.scheduler is not None:
        return settings.worker_memory
    return int(SHARE * max(memory() // worker_count(settings), MEMORY_OF_WORKER))
