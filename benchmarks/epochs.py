"""Trainings on the quadratic path, beside those of another checkout of Descent: taking turns, in one run.

    .venv/bin/python -m benchmarks.epochs
    .venv/bin/python -m benchmarks.epochs --beside ../before --rounds 21

Each checkout trains in a process of its own, whose BLAS has one thread.
"""

import argparse
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parent.parent
TRAINER = Path(__file__).with_name("quadratic_epochs.py")


class Trainer:
    """A process that trains with the `service` of one checkout."""

    def __init__(self, checkout: Path, processes: ExitStack) -> None:
        limits = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
        environment = os.environ | limits | {"PYTHONPATH": str(checkout.resolve())}
        process = subprocess.Popen(
            [sys.executable, str(TRAINER)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._process = processes.enter_context(process)
        self.cases = self._answer().split(";")

    def seconds(self, case: str) -> float:
        assert self._process.stdin is not None
        print(case, file=self._process.stdin, flush=True)
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            sys.exit("the training process has ended")
        return line


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.epochs", description=__doc__.splitlines()[0])
    parser.add_argument("--beside", type=Path, help="another checkout, the older one")
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    with ExitStack() as processes:
        ours = Trainer(ROOT, processes)
        other = Trainer(arguments.beside, processes) if arguments.beside else None
        for case in ours.cases:
            ours.seconds(case)
            if other is None:
                print(f"{case}: {statistics.median(ours.seconds(case) for _ in range(arguments.rounds)) * 1e3:.3f} ms")
                continue
            pairs = [(other.seconds(case), ours.seconds(case)) for _ in range(arguments.rounds)]
            before, after = (statistics.median(side) * 1e3 for side in zip(*pairs, strict=True))
            ratio = statistics.median(after / before for before, after in pairs)
            print(f"{case}: {before:.3f} ms there, {after:.3f} ms here, median ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
