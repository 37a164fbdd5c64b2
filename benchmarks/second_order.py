"""Rules of second order beside full-batch Adam, and beside SciPy from the same starts.

    python -m benchmarks.second_order             five problems, five seeds, twenty starts; about five minutes
    python -m benchmarks.second_order --seeds 1 --starts 2
    python -m benchmarks.second_order --seeds 0 --first 20 --starts 50    other starts, without Adam

A pass is one evaluation of loss or Jacobian over all rows; trials that are taken back and line searches count. Each
training learns a function without noise, and ends at a ten-thousandth of the variance of its targets; of classes, at a
loss of 0.02. Of Adam at four rates, the one that takes the fewest passes is compared; seconds are those of CPU.

Problems, target losses and aims are no forecast: they were chosen after two earlier versions of this benchmark had
shown their results.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import median
from time import process_time
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares, minimize
from threadpoolctl import threadpool_limits

from service.learning.arrays import Array
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import LBFGS, Adam, LevenbergMarquardt, Rule
from service.learning.rows.part import Part
from service.learning.training.batches.path import BatchPath
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.second_order.path import SecondOrderPath

RATES = (0.003, 0.01, 0.03, 0.1)
EPOCHS = 10_000
MOST_STEPS = 1000
MOST_PASSES = 1.3
"""Passes of ours for each of SciPy's: from many starts both rules still go on after all their steps."""
AIMS = {"LevenbergMarquardt": (15.0, 2.0), "LBFGS": (2.0, 0.0)}
"""Least ratios of Adam's passes and seconds to those of a rule; 0 asks for nothing."""


@dataclass(frozen=True)
class Case:
    """A named problem: a network, its loss, and rows drawn by a seed; and the loss to come to."""

    name: str
    notation: str
    loss: str
    target: float
    draw: Callable[[np.random.Generator], tuple[Array, Array]]

    def problem(self, seed: int, rule: Rule, epochs: int) -> tuple[Problem, Array]:
        network = Network(read(self.notation), "float64")
        part = Part(*self.draw(np.random.default_rng(seed)))
        recipe = Recipe(loss=LOSSES[self.loss](), optimiser=rule, epochs=epochs)
        return Problem(network, part, None, recipe), network.initial(seed)


def standardised(y: Array) -> Array:
    scaled: Array = (y - y.mean(axis=0)) / y.std(axis=0)
    return scaled


def sine(random: np.random.Generator) -> tuple[Array, Array]:
    x = np.linspace(-3, 3, 100)[:, None]
    return x, standardised(np.sin(2 * x))


def friedman(random: np.random.Generator) -> tuple[Array, Array]:
    x = random.random((300, 5))
    y = 10 * np.sin(math.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return 2 * x - 1, standardised(y[:, None])


def product(random: np.random.Generator) -> tuple[Array, Array]:
    x = random.uniform(-1, 1, (600, 8))
    return x, standardised((np.tanh(x @ random.standard_normal(8)) * x[:, 0])[:, None])


def arm(random: np.random.Generator) -> tuple[Array, Array]:
    angles = random.uniform(0, math.pi / 2, (300, 2))
    ends = np.cumsum(angles, axis=1)
    hand = np.column_stack([np.cos(ends).sum(axis=1), np.sin(ends).sum(axis=1)])
    return angles - math.pi / 4, standardised(hand)


def rings(random: np.random.Generator) -> tuple[Array, Array]:
    x = random.standard_normal((300, 2))
    inside = np.hypot(*x.T) < 1.1
    return x, np.column_stack([inside, ~inside]).astype(np.float64)


CASES = (
    Case("sine", "Chain(Dense(1 => 8, tanh), Dense(8 => 1))", "mse", 1e-4, sine),
    Case("friedman", "Chain(Dense(5 => 16, tanh), Dense(16 => 1))", "mse", 1e-4, friedman),
    Case("product", "Chain(Dense(8 => 24, tanh), Dense(24 => 12, tanh), Dense(12 => 1))", "mse", 1e-4, product),
    Case("arm", "Chain(Dense(2 => 12, tanh), Dense(12 => 2))", "mse", 1e-4, arm),
    Case("rings", "Chain(Dense(2 => 10, tanh), Dense(10 => 2))", "logitcrossentropy", 0.02, rings),
)


def noisy(case: Case) -> Case:
    """The problem with noise, whose least loss is not 0."""

    def draw(random: np.random.Generator) -> tuple[Array, Array]:
        x, y = case.draw(random)
        return x, y + 0.1 * random.standard_normal(y.shape)

    return replace(case, draw=draw)


class Place(NamedTuple):
    passes: int
    seconds: float
    loss: float


def places(case: Case, seed: int, rule: Rule, epochs: int) -> Iterator[Place]:
    """The losses on the way of one training, with the passes and the seconds before each."""
    problem, start = case.problem(seed, rule, epochs)
    path = SecondOrderPath(problem, start) if rule.second_order else BatchPath(problem, start)
    began = process_time()
    for event in path.run(epochs):
        if isinstance(event, EpochReport):
            passes = path.surface.passes if isinstance(path, SecondOrderPath) else event.epoch + 1
            yield Place(passes, process_time() - began, event.train_loss)


def way_to_target(case: Case, seed: int, rule: Rule, epochs: int) -> Place | None:
    """Return the first place at the target; None where the training does not come there."""
    return next((place for place in places(case, seed, rule, epochs) if place.loss <= case.target), None)


def beside_adam(seeds: int) -> None:
    ratios: dict[str, list[tuple[float, float]]] = {name: [] for name in AIMS}
    for case in CASES:
        for seed in range(seeds):
            ways = [way_to_target(case, seed, Adam(rate), EPOCHS) for rate in RATES]
            best = min((way for way in ways if way is not None), default=None, key=lambda way: way.passes)
            for rule in (LevenbergMarquardt(), LBFGS()):
                ours = way_to_target(case, seed, rule, MOST_STEPS)
                print(f"{case.name}, seed {seed}, {rule.name}: {ours}; Adam: {best}", flush=True)
                if best is None:
                    ratio = (math.inf, math.inf) if ours is not None else (1.0, 1.0)
                else:
                    ratio = (best.passes / ours.passes, best.seconds / ours.seconds) if ours is not None else (0.0, 0.0)
                ratios[rule.name].append(ratio)
    for name, (passes, seconds) in AIMS.items():
        fewer, less = (median(column) for column in zip(*ratios[name], strict=True))
        told = f"{fewer:.1f} times fewer passes (aim {passes}), {less:.1f} times less CPU (aim {seconds})"
        print(f"{name}, median: {told}{'' if fewer >= passes and less >= seconds else ' MISSED'}")


def ended(case: Case, seed: int, rule: Rule, passes: int) -> Place:
    """The place where no step lowers the loss any more, or where so many passes are over."""
    last = Place(0, 0.0, math.inf)
    for place in places(case, seed, rule, passes):
        if place.passes == last.passes or place.passes > passes:
            break
        last = place
    return last


def residuals(case: Case, seed: int) -> tuple[Callable[[Array], Array], Callable[[Array], Array], Array]:
    """The residuals of a network of one hidden tanh layer, their Jacobian, and the parameters that it begins with."""
    problem, start = case.problem(seed, LevenbergMarquardt(), 1)
    network, x, y = problem.network, problem.train.inputs[:], problem.train.targets[:]
    inputs, hidden, outputs = network.inputs, network.outer_layers[0].outputs, network.outputs
    cuts = np.cumsum([inputs * hidden, hidden, hidden * outputs])

    def parts(theta: Array) -> tuple[Array, Array, Array]:
        w, b, v, c = np.split(theta, cuts)
        h = np.tanh(x @ w.reshape(inputs, hidden) + b)
        return h, v.reshape(hidden, outputs), (h @ v.reshape(hidden, outputs) + c - y)

    def value(theta: Array) -> Array:
        return parts(theta)[2].ravel()

    def jacobian(theta: Array) -> Array:
        h, v, _ = parts(theta)
        back = (1 - h**2)[:, None, :] * v.T[None]
        first = (x[:, None, :, None] * back[:, :, None, :]).reshape(len(x), outputs, -1)
        unit = np.eye(outputs)
        last = (h[:, None, :, None] * unit[None, :, None, :]).reshape(len(x), outputs, -1)
        ones = np.broadcast_to(unit, (len(x), outputs, outputs))
        return np.concatenate([first, back, last, ones], axis=2).reshape(len(x) * outputs, -1)

    return value, jacobian, start


def beside_scipy(starts: range) -> None:
    for case in (noisy(CASES[0]), noisy(CASES[3])):
        found: dict[str, list[tuple[float, float]]] = {"LevenbergMarquardt": [], "LBFGS": []}
        for seed in starts:
            value, jacobian, start = residuals(case, seed)
            theirs = least_squares(value, start, jacobian, method="lm", max_nfev=MOST_STEPS)
            passes, cells = theirs.nfev + theirs.njev, len(theirs.fun)
            ours = ended(case, seed, LevenbergMarquardt(), int(MOST_PASSES * passes))
            found["LevenbergMarquardt"].append((ours.loss / (2 * theirs.cost / cells), ours.passes / passes))

            def lowered(theta: Array, value=value, jacobian=jacobian, cells=cells) -> tuple[float, Array]:  # type: ignore[no-untyped-def]  # defaults of this turn
                r = value(theta)
                return float(r @ r) / cells, 2 * (r @ jacobian(theta)) / cells

            found["LBFGS"].append(_beside_lbfgs(case, seed, lowered, start))
        for name, pairs in found.items():
            loss, passes = (median(column) for column in zip(*pairs, strict=True))
            good = loss <= 1 + 1e-6 and passes <= MOST_PASSES
            print(
                f"{case.name}, {name} by SciPy's: loss × {loss:.8f}, passes × {passes:.2f}{'' if good else ' MISSED'}"
            )


def _beside_lbfgs(
    case: Case, seed: int, lowered: Callable[..., tuple[float, Array]], start: Array
) -> tuple[float, float]:
    options = {"maxiter": MOST_STEPS, "maxfun": 10 * MOST_STEPS, "ftol": 0.0, "gtol": 1e-12}
    theirs = minimize(lowered, start, jac=True, method="L-BFGS-B", options=options)
    ours = ended(case, seed, LBFGS(), int(MOST_PASSES * theirs.nfev))
    return ours.loss / theirs.fun, ours.passes / theirs.nfev


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_order", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first start")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        if arguments.seeds:
            beside_adam(arguments.seeds)
        beside_scipy(range(arguments.first, arguments.first + arguments.starts))


if __name__ == "__main__":
    main()
