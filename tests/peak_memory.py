"""The most memory that a process has held, for programs that tests start."""

from pathlib import Path


def peak_memory() -> int:
    """Return the bytes of this process's largest resident set.

    Since the program began: what getrusage tells includes the parent's memory at the fork, so that whatever a program
    takes would go unseen below the size of the test process.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) << 10
