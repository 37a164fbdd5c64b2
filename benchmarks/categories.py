"""Categories that travel as codes: the memory and processor time of 10,000 of them beside those of 10.

    .venv/bin/python -m benchmarks.categories                     memory and time; about a minute
    .venv/bin/python -m benchmarks.categories --service           a job over HTTP: the peak of its worker; half a minute
    .venv/bin/python -m benchmarks.categories --beside CHECKOUT   networks without categories, beside another commit

Memory is the peak of what Python and NumPy allocate while a network with one column of numbers and one of categories is
trained, judged or asked. What stays however few rows there are, its parameters, gradients and the optimiser's numbers,
is measured with a few rows and taken off. Time is that of the processor, beside the same network that has all
categories expanded batch by batch; both take turns.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from service.learning.arrays import Array
from service.learning.evaluation.evaluation import Numbers, evaluate
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import LBFGS, Adam
from service.learning.rows.one_hot import OneHotRows, Rows
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training

ROWS, FEW = 100_000, 8
LEAST, MOST = 10, 10_000
ROWS_OF_TIMES = 10_000
COUNTS = (10, 64, 65, 256, 1000, MOST)
WIDTH = 16
AIM = 1.2
ROUNDS = 5
SIZES = ((1, 1), (8, 64, 64, 1), (64, 128, 10))
"""Networks without categories: the straight line, and two of `benchmarks.networks`."""

if TYPE_CHECKING:
    from service.learning.rows.coded import Coding  # which an older checkout has not

Work = Callable[[Network, Array, Part], object]


class Expanded(Network):
    """A network that has all categories expanded, batch by batch."""

    def coding_of(self, inputs: Rows) -> Coding | None:
        return None


def trained(**options: Any) -> Work:
    def work(network: Network, vector: Array, part: Part) -> None:
        recipe = Recipe(**{"loss": MSE(), "optimiser": Adam(), "epochs": 2, **options})
        list(Training(Problem(network, part, part, recipe), vector).run())

    return work


def predicted(network: Network, vector: Array, part: Part) -> None:
    network.predict(vector, part.inputs)


def evaluated(network: Network, vector: Array, part: Part) -> None:
    evaluate(network, vector, part, MSE(), [Numbers()], worst=10)


WORKS: dict[str, Work] = {
    "batches of 256, shuffled": trained(batch_size=256, shuffle=True),
    "the same, standardised": trained(batch_size=256, shuffle=True, standardise=True),
    "all rows a step": trained(),
    "LBFGS": trained(optimiser=LBFGS()),
    "an evaluation": evaluated,
    "predictions": predicted,
}


def problem(rows: int, categories: int, kind: type[Network] = Network) -> tuple[Network, Array, Part]:
    generator = np.random.default_rng(0)
    columns = generator.random(rows), generator.integers(0, categories, rows)
    inputs = OneHotRows(np.column_stack(columns).astype(np.float32), [None, categories], "float32")
    network = kind(read(f"Chain(Dense({categories + 1} => {WIDTH}, tanh), Dense({WIDTH} => 1))"))
    return network, network.initial(0), Part(inputs, generator.random((rows, 1), np.float32))


def peak(work: Work, rows: int, categories: int, kind: type[Network] = Network) -> int:
    made = problem(rows, categories, kind)
    tracemalloc.start()
    try:
        work(*made)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def seconds(work: Work, network: Network, vector: Array, part: Part) -> float:
    began = process_time()
    work(network, vector, part)
    return process_time() - began


def memory() -> None:
    print(
        f"Megabytes without what {FEW} rows take: {LEAST} and {MOST:,} categories in {ROWS:,} rows (aim: {AIM} times),"
    )
    print(f"and {MOST:,} expanded batch by batch, in {ROWS_OF_TIMES:,} rows")
    for name, work in WORKS.items():
        least, most = (peak(work, ROWS, each) - peak(work, FEW, each) for each in (LEAST, MOST))
        expanded = peak(work, ROWS_OF_TIMES, MOST, Expanded) - peak(work, FEW, MOST)
        sizes = "".join(f"{size / 1e6:8.2f}" for size in (least, most, expanded))
        print(f"  {name:26}{sizes}   {most / least:4.2f} times", flush=True)


def times() -> None:
    print(
        f"Processor time of {ROWS_OF_TIMES:,} rows as codes, of that with all categories expanded, median of {ROUNDS}"
    )
    print(" " * 28 + "".join(f"{count:>8,}" for count in COUNTS))
    for name, work in WORKS.items():
        shares = []
        for count in COUNTS:
            sides = [problem(ROWS_OF_TIMES, count, kind) for kind in (Network, Expanded)]
            rounds = [[seconds(work, *side) for side in sides] for _ in range(ROUNDS if count < MOST else 1)]
            shares.append(median(coded / expanded for coded, expanded in rounds))
        print(f"  {name:26}" + "".join(f"{share:8.2f}" for share in shares), flush=True)


def service() -> None:
    from tests.support.serving import running_service  # here: an older checkout may have none

    for categories in (LEAST, MOST):
        generator = np.random.default_rng(0)
        numbers, codes = generator.random((ROWS, 2)).tolist(), generator.integers(0, categories, ROWS).tolist()
        lines = [f"{x:.4f},t{code},{y:.4f}\n" for (x, y), code in zip(numbers, codes, strict=True)]
        with tempfile.TemporaryDirectory() as folder, running_service(Path(folder), "--workers", "1") as running:
            http = running.client().http
            query, csv = "targets=y&types=town:categorical", {"Content-Type": "text/csv"}
            sent = http.post(f"/api/datasets?{query}", content="x,town,y\n" + "".join(lines), headers=csv)
            dataset = sent.raise_for_status().json()["id"]
            network = {"architecture": f"Chain(Dense(_ => {WIDTH}, tanh), Dense({WIDTH} => 1))", "dataset": dataset}
            model = http.post("/api/models", json=network).raise_for_status().json()["id"]
            recipe = {"optimiser": {"rule": "Adam", "eta": 0.003}, "batch_size": 256, "shuffle": True, "epochs": 5}
            body = {"model": model, "dataset": dataset, "standardise": True, **recipe}
            idle = peaks_of(running.process.pid)
            job = http.post("/api/jobs", json=body, headers={"Prefer": "wait=60"}, timeout=90).raise_for_status().json()
            worker = max(peaks_of(running.process.pid).items(), key=lambda each: each[1] - idle.get(each[0], 0))[0]
            peak, planned = peaks_of(running.process.pid)[worker], job["plan"]["memory"]
        print(f"  {categories:6,} categories: {peak / 1e6:.0f} MB, {idle[worker] / 1e6:.0f} before the job;", end=" ")
        print(f"planned {planned / 1e6:.0f} MB at most; the job {job['state']}", flush=True)


def peaks_of(pid: int) -> dict[int, int]:
    """Return the largest resident size so far of each process below one, in bytes."""
    found = {}
    for process in psutil.Process(pid).children(recursive=True):
        status = Path(f"/proc/{process.pid}/status").read_text()
        found[process.pid] = 1024 * int(status.partition("VmHWM:")[2].split()[0])
    return found


def without_categories() -> None:
    """Print the processor time of networks without categories, for the process that compares checkouts."""
    for sizes in SIZES:
        generator = np.random.default_rng(0)
        layers = ", ".join(f"Dense({a} => {b}, tanh)" for a, b in pairwise(sizes))
        network = Network(read(f"Chain({layers})"))
        rows = 4 if len(sizes) == 2 else 6400
        inputs, targets = (generator.random((rows, width), np.float32) for width in (sizes[0], sizes[-1]))
        batch, epochs = (None, 5000) if len(sizes) == 2 else (64, 10)
        recipe = Recipe(loss=MSE(), optimiser=Adam(), epochs=epochs, batch_size=batch, shuffle=True, path="batches")
        began = process_time()
        list(Training(Problem(network, Part(inputs, targets), None, recipe), network.initial(0)).run())
        print(process_time() - began)


def beside(checkout: Path) -> None:
    here = Path(__file__).parent.parent
    found: dict[Path, list[list[float]]] = {here: [], checkout: []}
    for _ in range(4 * ROUNDS):
        for tree, runs in found.items():
            command = [sys.executable, "-P", __file__, "--without-categories"]
            environment = {**os.environ, "PYTHONPATH": str(tree), "OPENBLAS_NUM_THREADS": "1"}
            printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            runs.append(list(map(float, printed.split())))
    print("Processor time of networks without categories, of that of the other checkout")
    for place, sizes in enumerate(SIZES):
        least, other = (min(run[place] for run in found[tree]) for tree in (here, checkout))
        shares = [mine[place] / theirs[place] for mine, theirs in zip(*found.values(), strict=True)]
        name = "-".join(map(str, sizes))
        print(f"  {name:12} median {median(shares):.3f}, least of all {least / other:.3f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT")
    parser.add_argument("--service", action="store_true")
    parser.add_argument("--without-categories", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.without_categories:
        without_categories()
    elif chosen.service:
        service()
    elif chosen.beside:
        beside(chosen.beside.resolve())
    else:
        memory()
        times()
