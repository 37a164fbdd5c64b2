"""Every reported loss is that of the parameters that are kept, on columns of any scales."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.layers import Dense
from service.learning.network import Network
from service.learning.rows.gram import Gram
from service.learning.training.batches.path import BatchPath
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.quadratic.form import QuadraticLoss
from service.learning.training.quadratic.path import QuadraticPath
from service.learning.training.recipe import EarlyStopping
from service.learning.training.training import Training
from tests.support.learning.exact_losses import ExactLoss, ExactSums
from tests.support.learning.hard_tables import TABLES
from tests.support.learning.linear_problems import LinearProblem
from tests.support.learning.quadratic_training import MAKE, part_of, recipe

EPOCHS = 40
SEEDS = range(2)
RULES = [("Descent", 0.9), ("Descent", 1e-6), ("Momentum", 0.5), ("Adam", 1e-3)]


def kept(path: QuadraticPath | BatchPath) -> list[tuple[float, NDArray[Any]]]:
    """Each reported loss with the parameters after it."""
    return [(event.train_loss, path.vector.copy()) for event in path.run(EPOCHS) if isinstance(event, EpochReport)]


def in_dtype(problem: LinearProblem, dtype: str) -> LinearProblem:
    return replace(problem, inputs=problem.inputs.astype(dtype), targets=problem.targets.astype(dtype))


def largest_eigenvalue(problem: LinearProblem) -> float:
    inputs = problem.inputs.astype(np.float64)
    longest = np.linalg.svd(np.hstack([inputs, np.ones((len(inputs), 1))]), compute_uv=False)[0]
    return float(2 * longest**2 / len(inputs))


def rounding(problem: LinearProblem, *vectors: NDArray[Any]) -> float:
    """The rounding of a residual in the dtype: ε times the terms that predictions are sums of."""
    inputs = np.hstack([problem.inputs.astype(np.float64), np.ones((len(problem.inputs), 1))])
    sizes = np.abs(problem.targets[:, 0].astype(np.float64))
    for vector in vectors:
        sizes = sizes + np.abs(inputs[:, : len(vector)]) @ np.abs(vector.astype(np.float64))
    return float(np.finfo(problem.inputs.dtype).eps * np.sqrt(np.square(sizes).mean()))


def apart(loss: float, expected: float) -> float:
    """The distance of residuals beyond the 1e-8 of a loss that is allowed in any case."""
    return float(abs(np.sqrt(loss) - np.sqrt(expected)) - 5e-9 * np.sqrt(expected))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("rule", "rate"), RULES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", TABLES)
def test_reports_are_losses_of_kept_parameters(name: str, dtype: str, rule: str, rate: float, bias: bool) -> None:
    for seed in SEEDS:
        problem = in_dtype(TABLES[name](np.random.default_rng(seed)), dtype)
        eta = rate if rule == "Adam" else rate / largest_eigenvalue(problem)
        network = Network(Dense(problem.inputs.shape[1], 1, bias=bias), dtype)
        start = network.initial(seed) if seed % 2 else np.zeros(network.parameter_count, dtype)
        if dtype == "float32" and (np.abs(problem.inputs).max() > 1e16 or eta > 1e30):
            continue  # losses, or steps, beyond float32
        plan, part = recipe(MAKE[rule](eta=eta), EPOCHS), part_of(problem)
        exact = ExactLoss(ExactSums(problem), bias=bias)
        by_batches = kept(BatchPath(Problem(network, part, None, plan), start))
        reports = kept(QuadraticPath(Problem(network, part, None, plan), start))
        for (loss, vector), (other, _) in zip(reports, by_batches, strict=True):
            unit = rounding(problem, start, vector)
            assert apart(loss, exact.loss(vector)) <= 4 * unit
            if (rule, dtype) != ("Adam", "float32"):  # whose step is as long for a gradient that is mere rounding
                assert apart(loss, other) <= EPOCHS * unit  # a rounding for every step


def money_and_rates() -> LinearProblem:
    return TABLES["money and rates"](np.random.default_rng(0))


def trained(path: Literal["quadratic", "batches"], **fields: Any) -> tuple[Training, list[float]]:
    """Sums of 10¹² take a rate of 10⁻²⁶, at which no step moves the weight of the rates."""
    network = Network(Dense(2, 1), "float64")
    plan = recipe(MAKE["Descent"](eta=1e-26), 50, path=path, **fields)
    training = Training(Problem(network, part_of(money_and_rates()), None, plan), np.zeros(3))
    return training, [event.train_loss for event in training.run() if isinstance(event, EpochReport)]


def test_a_direction_that_no_step_moves_keeps_its_share_of_the_loss() -> None:
    (quadratic, losses), (batches, others) = trained("quadratic"), trained("batches")
    assert losses == pytest.approx(others, rel=1e-12)
    assert losses[0] > 1.0
    assert losses[-1] == pytest.approx(quadratic.final_loss(), rel=1e-12)
    assert quadratic.final_loss() == pytest.approx(batches.final_loss(), rel=1e-12)


def test_best_epoch_and_early_stopping_go_by_losses_that_exist() -> None:
    stopping = EarlyStopping(monitor="train_loss", patience=3, min_change=1e-3)
    quadratic, losses = trained("quadratic", early_stopping=stopping)
    batches, others = trained("batches", early_stopping=stopping)
    assert quadratic.ended_by == "early_stopping"
    assert len(losses) == len(others) < 51
    assert quadratic.best is not None
    assert batches.best is not None
    assert quadratic.best == pytest.approx(batches.best, rel=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", TABLES)
def test_the_least_loss_is_that_of_least_squares_however_far_away(name: str, bias: bool) -> None:
    for seed in SEEDS:
        problem = TABLES[name](np.random.default_rng(seed))
        sums = ExactSums(problem)
        best = sums.least_squares(bias=bias)
        form, least = QuadraticLoss(Gram.of(problem.inputs, problem.targets), bias=bias), ExactLoss(sums, bias=bias)
        allowed = 4 * len(best) * rounding(problem, best)  # for every column
        assert apart(form.optimum_loss, least.loss(best)) <= allowed
