"""Scripts in processes of their own, and the most memory that a process has held."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def printed_by(script: str, *arguments: str) -> str:
    """Return what a Python script prints in a process of its own, with one thread for BLAS as in the service."""
    command = [sys.executable, "-c", script, *arguments]
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread).stdout


def print_from_a_fork(work: Callable[[], object]) -> None:
    """Print what `work` returns in a fork, which begins with the memory of this process and leaves nothing behind."""
    sys.stdout.flush()
    fork = os.fork()
    if fork == 0:
        try:
            sys.stdout.write(f"{work()}\n")
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 - whatever it is, the fork ends here
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    if os.waitpid(fork, 0)[1]:
        sys.exit("the fork failed")


def peak_memory() -> int:
    """Return the bytes of this process's largest resident set.

    Since the program or its fork began: what getrusage tells includes the parent's memory at the fork, so that whatever
    a program takes would go unseen below the size of the test process.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) << 10
