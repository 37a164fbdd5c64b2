"""Errors of the quadratic form's losses at many parameters, beside the exact ones, on the kernel at work.

    .venv/bin/python -m tests.support.learning.loss_errors 40

prints the worst relative error of each problem over this number of seeds, as JSON.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from service.learning.rows.gram import Gram
from service.learning.training.quadratic.form import QuadraticLoss
from tests.support.learning.exact_losses import ExactLoss, ExactSums
from tests.support.learning.linear_problems import PROBLEMS, LinearProblem

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Case:
    """A form and the exact one; `made` are the parameters that made the targets, `unit` the inputs' sizes."""

    form: QuadraticLoss
    exact: ExactLoss
    made: Vector
    unit: Vector

    def near_and_far(self, seed: int) -> Iterator[Vector]:
        """Yield parameters from those that made the targets to others far away."""
        random, size = np.random.default_rng(seed), self.form.size
        yield self.made
        yield self.made * (1 + 1e-9 * random.normal(size=size))
        yield self.made + 1e-3 * random.normal(size=size)
        yield random.normal(size=size)
        yield np.zeros(size)
        opposed = np.zeros(size)
        opposed[[0, 1]] = 1e6, -1e6  # nearly collinear columns leave little of it
        yield self.made + opposed


def cases(problem: LinearProblem) -> Iterator[Case]:
    """Cases with and without bias, for raw and for standardised inputs."""
    gram, sums = Gram.of(problem.inputs, problem.targets), ExactSums(problem)
    inputs = problem.inputs.astype(np.float64)
    size, mean, deviation = np.sqrt(np.square(inputs).mean(axis=0)), inputs.mean(axis=0), inputs.std(axis=0)
    for scaled, bias in product((False, True), (True, False)):
        scales = (mean, deviation) if scaled else None
        weight = problem.weight * deviation if scaled else problem.weight
        level = problem.bias + problem.weight @ mean if scaled else problem.bias
        made = np.concatenate([weight.ravel(), level if bias else []])
        unit = np.tile(np.ones_like(size) if scaled else size, problem.outputs)
        unit = np.concatenate([unit, np.ones(len(made) - len(unit))])
        form = QuadraticLoss(gram, bias=bias, standardised=scales)
        yield Case(form, ExactLoss(sums, bias=bias, standardised=scales), made, unit)


def worst_error(problem: LinearProblem, seed: int) -> float:
    """The worst error of a loss relative to the exact one."""
    errors = []
    for case in cases(problem):
        for theta in case.near_and_far(seed):
            loss = case.exact.loss(theta)
            errors.append(abs(case.form.loss(theta) - loss) / loss)
    return float(np.max(errors))


def worst_gradient_error(problem: LinearProblem, seed: int) -> float:
    """The worst error of an element of a gradient, relative to the largest it could be where the loss is the same."""
    errors = []
    for case in cases(problem):
        gradient = np.empty(case.form.size)
        for theta in case.near_and_far(seed):
            loss = case.form.gradient_and_loss(theta, gradient)
            assert loss == case.form.loss(theta)
            largest = 2 * np.sqrt(loss / problem.outputs) * case.unit
            errors.append(np.abs((gradient - case.exact.gradient(theta)) / largest).max())
    return float(np.max(errors))


def table(seeds: int, problems: dict[str, Callable[..., LinearProblem]] = PROBLEMS) -> dict[str, float]:
    return {name: max(worst_error(make(seed=seed), seed) for seed in range(seeds)) for name, make in problems.items()}


if __name__ == "__main__":
    json.dump(table(int(sys.argv[1])), sys.stdout)
