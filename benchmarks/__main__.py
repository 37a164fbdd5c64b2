"""Measure the learning core beside its peers and write benchmarks/results/.

    python -m benchmarks                        every benchmark, with one thread and with two
    python -m benchmarks networks --threads 1   one of them

Each benchmark runs in a process of its own, in which BLAS, OpenMP and the processors are limited to the number of
threads.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks import chart, results

BENCHMARKS = ("straight_line", "linear_regression", "networks", "rows")
ROOT = results.RESULTS.parent.parent


def environment(threads: int) -> dict[str, str]:
    """Ours with the limits set, and without the settings that force an old OpenBLAS onto other kernels."""
    kept = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    limits = {f"{library}_NUM_THREADS": str(threads) for library in ("OPENBLAS", "OMP", "MKL")}
    return {**kept, **limits, "BENCHMARK_THREADS": str(threads), "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}


def run(module: str, threads: int) -> Iterator[str]:
    """The lines that a benchmark prints. It inherits the processors that this process allows itself meanwhile."""
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(processors)[:threads])
    try:
        command = [sys.executable, "-m", f"benchmarks.{module}"]
        with subprocess.Popen(command, env=environment(threads), cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            yield from child.stdout
        if child.returncode:
            sys.exit(f"benchmarks.{module} failed with {threads} threads")
    finally:
        os.sched_setaffinity(0, processors)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="benchmark", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    machine = json.loads("".join(run("machine", max(arguments.threads))))
    for name in arguments.names or BENCHMARKS:
        measurements: list[dict[str, Any]] = []
        for threads in arguments.threads:
            for line in run(name, threads):
                measurements.append(json.loads(line))
                print(results.sentence(measurements[-1]), flush=True)
        results.write(name, machine, measurements)
        if name == "rows":
            chart.draw(measurements)


if __name__ == "__main__":
    main()
