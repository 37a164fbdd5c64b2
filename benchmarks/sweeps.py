"""ASHA beside the full grid: the epochs that 100 trials take, and the loss that they end with.

    python -m benchmarks.sweeps                  ten problems, five seeds; about ten minutes
    python -m benchmarks.sweeps sine --seeds 1

The problems are those of `benchmarks.second_order`, and five tables of `benchmarks.auto`. Each setting of the grid is
trained to its end once, and ASHA is replayed on the curves by the service's own rules: one worker, which takes the
oldest trial that may go on; the best is that of the least last loss, wherever it rests. The rungs were chosen on other
problems. A trial's loss is that of the parameters it keeps: its best so far, as where the recipe names no `keep`, or
its last. Aims: at most a quarter of the grid's epochs, and a loss at most 1.01 times the grid's least one, in nine
problems of ten, median of the seeds.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.auto import ours
from benchmarks.auto.tables import TABLES
from benchmarks.second_order import CASES, Case
from service.learning.arrays import Array
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import AdamW
from service.learning.rows.drawn import DrawnValidation
from service.learning.rows.part import Part
from service.learning.training.events import Diverged, EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from service.sweeps.rungs import Climber, last_promoted, promoted, rungs_of

EPOCHS = 81
RATES = np.geomspace(1e-4, 1e-1, 10)
DECAYS = np.geomspace(1e-3, 1e1, 10)
MOST_EPOCHS, MOST_LOSS, ENOUGH = 0.25, 1.01, 0.9
OF_TABLES = ("wine", "star98", "cars", "diabetes", "breast_cancer")
NAMES = (*(case.name for case in CASES), *OF_TABLES)


def rows_of(name: str, seed: int) -> tuple[Array, Array, str, str]:
    """Return inputs, targets, the network and the loss of a problem."""
    case: Case | None = next((case for case in CASES if case.name == name), None)
    if case is not None:
        return *case.draw(np.random.default_rng(seed)), case.notation, case.loss
    table = TABLES[name]()
    inputs, targets = ours.encoded(table)
    notation = f"Chain(Dense({inputs.shape[1]} => 32, relu), Dense(32 => {targets.shape[1]}))"
    return inputs, targets, notation, "logitcrossentropy" if table.has_classes else "mse"


def curves(name: str, seed: int) -> list[Sequence[float]]:
    """The validation losses of each setting, epoch by epoch; infinite from where it diverged."""
    inputs, targets, notation, loss = rows_of(name, seed)
    drawn, network = DrawnValidation(0.25, seed), Network(read(notation), "float32")
    numbers = (loss == "mse",) * targets.shape[1]
    train, validation = (
        Part(inputs[places].astype("float32"), targets[places].astype("float32"), numbers=numbers)
        for places in (drawn.indices(len(inputs), part) for part in ("train", "validation"))
    )
    found = []
    recipe = Recipe(loss=LOSSES[loss](), optimiser=AdamW(), epochs=EPOCHS, batch_size=32, shuffle=True, seed=seed)
    recipe = replace(recipe, standardise="both" if loss == "mse" else "inputs")
    for rate in RATES:
        for decay in DECAYS:
            ruled = replace(recipe, optimiser=AdamW(float(rate), lambda_=float(decay)))
            training = Training(Problem(network, train, validation, ruled), network.initial(seed), fresh=True)
            found.append(curve(training))
    order = np.random.default_rng(seed).permutation(len(found))
    return [found[place] for place in order]


def curve(training: Training) -> Sequence[float]:
    losses: list[float] = []
    with suppress(Diverged):
        losses.extend(event.validation_loss or 0.0 for event in training.run() if isinstance(event, EpochReport))
    return losses + [math.inf] * (EPOCHS + 1 - len(losses))


def asha(found: Sequence[Sequence[float]]) -> tuple[int, float]:
    """Return the epochs that ASHA trains, and the loss of its best."""
    rungs = rungs_of(EPOCHS)
    climbers = [Climber(number, []) for number in range(len(found))]
    runnable, epochs = set(range(len(found))), 0
    while runnable:
        number = min(runnable)
        runnable.remove(number)
        at = len(climbers[number].losses)
        epochs += rungs[at] - (rungs[at - 1] if at else 0)
        losses = [*climbers[number].losses, found[number][rungs[at]]]
        climbers[number] = Climber(number, losses, ended=len(losses) == len(rungs) or not math.isfinite(losses[-1]))
        for each in runnable:
            climbers[each] = replace(climbers[each], waits=True)
        chosen = promoted(climbers, len(rungs))
        if not (chosen or runnable):
            last = last_promoted(climbers, len(rungs))
            chosen = [] if last is None else [last]
        for each in chosen:
            climbers[each] = replace(climbers[each], climbs=True)
        runnable |= set(chosen)
    return epochs, min(each.losses[-1] for each in climbers)


def compared(name: str, seeds: int) -> Mapping[str, float]:
    """Return the medians of ASHA's share of epochs and of its loss beside the grid's, of each `keep`."""
    shares: list[float] = []
    losses: dict[str, list[float]] = {"best": [], "last": []}
    for seed in range(seeds):
        found = curves(name, seed)
        for keep, kept in (("best", [list(accumulate(each, min)) for each in found]), ("last", found)):
            epochs, loss = asha(kept)
            shares.append(epochs / (len(found) * EPOCHS))
            losses[keep].append(loss / min(each[-1] for each in kept))
    return {"share": median(shares), **{keep: median(each) for keep, each in losses.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeps", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="problem", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    names = arguments.names or NAMES
    good = dict.fromkeys(("best", "last"), 0)
    with threadpool_limits(1):
        for name in names:
            found = compared(name, arguments.seeds)
            for keep in good:
                good[keep] += found["share"] <= MOST_EPOCHS and found[keep] <= MOST_LOSS
            told = f"{found['best']:.4f} times the loss with keep best, {found['last']:.4f} with keep last"
            print(f"{name}: {found['share']:.1%} of the epochs, {told}", flush=True)
    for keep, count in good.items():
        print(f"keep {keep}: {count} of {len(names)} hold{'' if count >= ENOUGH * len(names) else ' MISSED'}")


if __name__ == "__main__":
    main()
