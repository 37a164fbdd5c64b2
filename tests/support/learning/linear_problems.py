"""Linear regressions that are hard on floating point, and their losses in extended precision."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class LinearProblem:
    inputs: Array
    targets: Array
    weight: Array
    bias: Array

    @property
    def outputs(self) -> int:
        return int(self.targets.shape[1])

    def theta(self, *, bias: bool) -> NDArray[np.float64]:
        """Parameters near the optimum: those that made the targets."""
        parts = [self.weight.ravel(), self.bias] if bias else [self.weight.ravel()]
        return np.concatenate(parts).astype(np.float64)


def linear_problem(
    rows: int = 2000,
    columns: int = 5,
    outputs: int = 1,
    offset: float = 0.0,
    collinear: float | None = None,
    noise: float = 0.1,
    dtype: type[np.floating[Any]] = np.float64,
    seed: int = 0,
) -> LinearProblem:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, columns)) + offset
    if collinear is not None:
        inputs[:, 1] = inputs[:, 0] + collinear * rng.normal(size=rows)
    inputs = inputs.astype(dtype)
    weight, bias = rng.normal(size=(outputs, columns)), rng.normal(size=outputs)
    exact = inputs.astype(np.longdouble) @ weight.T.astype(np.longdouble) + bias
    targets = (exact + noise * rng.normal(size=(rows, outputs))).astype(dtype)
    return LinearProblem(inputs, targets, weight, bias)


PROBLEMS: dict[str, Callable[..., LinearProblem]] = {
    "plain": linear_problem,
    "several outputs": partial(linear_problem, outputs=3),
    "float32": partial(linear_problem, dtype=np.float32),
    "offset of 1e6": partial(linear_problem, offset=1e6),
    "offset of 1e6 in float32": partial(linear_problem, offset=1e6, dtype=np.float32),
    "nearly collinear": partial(linear_problem, collinear=1e-6),
    "offset and nearly collinear": partial(linear_problem, offset=1e6, collinear=1e-6, rows=5000),
    "small loss": partial(linear_problem, noise=1e-6),
    "small loss, offset of 1e3": partial(linear_problem, offset=1e3, noise=1e-6),
    "small loss, nearly collinear": partial(linear_problem, collinear=1e-6, noise=1e-6),
    "small loss, offset of 1e6": partial(linear_problem, offset=1e6, noise=1e-6),
    "small loss, offset and nearly collinear": partial(linear_problem, offset=1e6, collinear=1e-6, noise=1e-6),
    "several outputs, offset of 1e6": partial(linear_problem, outputs=3, offset=1e6),
    "few rows, offset and nearly collinear": partial(linear_problem, rows=20, offset=1e6, collinear=1e-6),
    "many rows": partial(linear_problem, rows=50_000, columns=8, offset=100.0),
}

# Their condition number, of centred columns [inputs, targets] of length 1, bounds what float64 can promise: ε times it.
ILL_CONDITIONED: dict[str, tuple[Callable[..., LinearProblem], float]] = {
    "loss of 1e-18": (partial(linear_problem, noise=1e-9), 5e9),
    "collinear to 1e-9, small loss": (partial(linear_problem, collinear=1e-9, noise=1e-6), 2e9),
}


def split_theta(
    problem: LinearProblem, theta: Array, bias: bool
) -> tuple[NDArray[np.longdouble], NDArray[np.longdouble]]:
    outputs, columns = problem.targets.shape[1], problem.inputs.shape[1]
    weight = theta[: outputs * columns].reshape(outputs, columns).astype(np.longdouble)
    return weight, theta[outputs * columns :].astype(np.longdouble) if bias else np.zeros(outputs, np.longdouble)


def exact_errors(problem: LinearProblem, theta: Array, bias: bool) -> NDArray[np.longdouble]:
    weight, level = split_theta(problem, theta, bias)
    errors: NDArray[np.longdouble] = (
        problem.inputs.astype(np.longdouble) @ weight.T + level - problem.targets.astype(np.longdouble)
    )
    return errors


def exact_loss(problem: LinearProblem, theta: Array, bias: bool) -> float:
    return float(np.square(exact_errors(problem, theta, bias)).mean())


def exact_gradient(problem: LinearProblem, theta: Array, bias: bool) -> NDArray[np.float64]:
    errors = exact_errors(problem, theta, bias)
    by_weight = errors.T @ problem.inputs.astype(np.longdouble)
    parts = [by_weight.ravel(), errors.sum(axis=0)] if bias else [by_weight.ravel()]
    return (2 * np.concatenate(parts) / errors.size).astype(np.float64)
