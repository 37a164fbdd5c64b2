"""The worst error of a loss, for each problem of the tests and each kernel of OpenBLAS that this processor runs.

    .venv/bin/python -m benchmarks.kernels --seeds 40

Relative to exact losses, over parameters near and far, with and without bias, raw and standardised. Ends with 1 where
one is above 1e-8. Each kernel has a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

from tests.kernels import Kernel, answers, environment, sorted_out

PROMISED = 1e-8


def errors(kernel: Kernel, seeds: int) -> dict[str, float]:
    """The worst error of each problem."""
    command = [sys.executable, "-m", "tests.support.learning.loss_errors", str(seeds)]
    one_thread = environment(kernel.asked) | {"OPENBLAS_NUM_THREADS": "1"}
    result = subprocess.run(command, env=one_thread, stdout=subprocess.PIPE, text=True, check=True)
    table: dict[str, float] = json.loads(result.stdout)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=40)
    arguments = parser.parse_args()
    kernels, repeated = sorted_out(answers())
    for kernel in repeated:
        print(f"{kernel.asked}: skipped, OpenBLAS takes {kernel.taken or 'its only kernel'}, as before")
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        columns = list(threads.map(errors, kernels, repeat(arguments.seeds)))
    print("| problem |", " | ".join(kernel.asked or kernel.taken for kernel in kernels), "|")
    print("| --- " * (len(kernels) + 1) + "|")
    for problem in columns[0]:
        print(f"| {problem} |", " | ".join(f"{column[problem]:.1e}" for column in columns), "|")
    sys.exit(0 if all(error <= PROMISED for column in columns for error in column.values()) else 1)


if __name__ == "__main__":
    main()
