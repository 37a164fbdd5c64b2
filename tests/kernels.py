"""Tests under every kernel of OpenBLAS that takes hold on this processor, one process each.

    .venv/bin/python -m tests.kernels                      tests/learning
    .venv/bin/python -m tests.kernels --short              its numerics alone
    .venv/bin/python -m tests.kernels tests/learning -x    whatever pytest is to be told

OPENBLAS_CORETYPE asks for a kernel; the library takes another one where the processor lacks what that one needs, or
where it has the same code under two names. Ends with 1 where a test failed.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

NAMES = {
    "x86_64": ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "SandyBridge", "Nehalem", "Prescott"),
    "aarch64": ("ARMV8", "NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2", "A64FX", "CORTEXA57"),
}
LEARNING = "tests/learning"
# Without the service that conftest.py begins, and the slowest third.
FILES = (f"{LEARNING}/losses/test_loss_errors.py", f"{LEARNING}/training/quadratic/test_form.py")
NUMERICS = ("--noconftest", *FILES, "-k", "not gradients")
SHORT = "--short"
ASK = """
import numpy, threadpoolctl
blas = [library for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"]
print(*(library.get("architecture", "") for library in blas))
"""


@dataclass(frozen=True)
class Kernel:
    """A name to ask for, None for the processor's own, and the architecture that OpenBLAS then reports."""

    asked: str | None
    taken: str

    @property
    def title(self) -> str:
        return f"{self.taken}, the processor's own" if self.asked is None else self.asked


def environment(asked: str | None) -> dict[str, str]:
    """Ours, with this kernel asked for and no other."""
    ours = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    return ours if asked is None else ours | {"OPENBLAS_CORETYPE": asked}


def answers() -> Iterator[Kernel]:
    """Yield the kernel that NumPy's BLAS takes for each name, all asked at once."""
    names = (None, *NAMES.get(platform.machine(), ()))
    processes = [
        subprocess.Popen([sys.executable, "-c", ASK], env=environment(name), stdout=subprocess.PIPE, text=True)
        for name in names
    ]
    for name, process in zip(names, processes, strict=True):
        output, _ = process.communicate()
        if process.returncode:
            sys.exit(f"NumPy does not start with OPENBLAS_CORETYPE={name}")
        yield Kernel(name, output.strip())


def sorted_out(kernels: Iterable[Kernel]) -> tuple[list[Kernel], list[Kernel]]:
    """Those of an architecture that no earlier one has, and the rest."""
    first: dict[str, Kernel] = {}
    repeated = [kernel for kernel in kernels if first.setdefault(kernel.taken, kernel) is not kernel]
    return list(first.values()), repeated


def run(kernel: Kernel, arguments: Sequence[str]) -> bool:
    """Return whether all tests pass; show pytest's output where they do not."""
    began = time.monotonic()
    # Two at once would write the same cache.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    result = subprocess.run(command, env=environment(kernel.asked), capture_output=True, text=True, check=False)
    passed = result.returncode == 0
    if not passed:
        say(result.stdout + result.stderr)
    say(f"{kernel.title}: {'right' if passed else 'WRONG'} after {time.monotonic() - began:.0f} s")
    return passed


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    chosen = NUMERICS if list(arguments) == [SHORT] else arguments or [LEARNING]
    kernels, repeated = sorted_out(answers())
    for kernel in repeated:
        say(f"{kernel.asked}: skipped, OpenBLAS takes {kernel.taken or 'its only kernel'}, as before")
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        passed = list(threads.map(run, kernels, repeat(chosen)))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
