import numpy as np
import pytest

from service.learning.rows.gram import Gram
from service.learning.training.quadratic.form import QuadraticLoss, operations
from tests.support.learning.linear_problems import (
    LinearProblem,
    exact_gradient,
    exact_loss,
    linear_problem,
    split_theta,
)

EXTENDED = np.finfo(np.longdouble).eps < np.finfo(np.float64).eps
needs_extended = pytest.mark.skipif(not EXTENDED, reason="this machine's longdouble is a double")


@needs_extended
@pytest.mark.parametrize("level", [0.0, 2.0**21])
def test_a_loss_of_1e_12_over_offset_columns_keeps_six_digits(level: float) -> None:
    problem = linear_problem(rows=20_000, columns=6, offset=1e6, noise=1e-6)
    # Targets about zero want a bias of some millions: a double cannot tell it to the digits that the loss has.
    problem = LinearProblem(problem.inputs, problem.targets - level, problem.weight, problem.bias - level)
    form = QuadraticLoss(Gram.of(problem.inputs, problem.targets))
    for shift in (0.0, 1e-6, -1e-6):
        theta = problem.theta(bias=True) + shift * np.eye(7)[6]
        exact = exact_loss(problem, theta, True)
        assert 1e-13 < exact < 1e-11
        assert form.loss(theta) == pytest.approx(exact, rel=1e-6, abs=0)


def test_an_exact_fit_has_no_negative_loss() -> None:
    for seed in range(20):
        problem = linear_problem(rows=50, columns=3, noise=0.0, seed=seed)
        form = QuadraticLoss(Gram.of(problem.inputs, problem.targets))
        assert 0 <= form.loss(problem.theta(bias=True)) < 1e-25
        assert 0 <= form.optimum_loss < 1e-25


def test_the_optimum_is_that_of_least_squares() -> None:
    problem = linear_problem(rows=500, columns=4, outputs=3, noise=0.5)
    for bias in (True, False):
        form = QuadraticLoss(Gram.of(problem.inputs, problem.targets), bias=bias)
        features = np.hstack([problem.inputs, np.ones((500, 1))]) if bias else problem.inputs
        residual = problem.targets - features @ np.linalg.lstsq(features, problem.targets, rcond=None)[0]
        assert form.optimum_loss == pytest.approx(np.square(residual).mean(), rel=1e-12)


def test_fewer_rows_than_columns_still_have_a_loss_and_an_optimum_of_zero() -> None:
    problem = linear_problem(rows=5, columns=9, noise=1.0)
    form = QuadraticLoss(Gram.of(problem.inputs, problem.targets))
    theta = np.random.default_rng(0).normal(size=10)
    assert form.loss(theta) == pytest.approx(exact_loss(problem, theta, True), rel=1e-12)
    assert form.optimum_loss < 1e-25


def test_constant_and_repeated_columns_are_no_difficulty() -> None:
    problem = linear_problem(rows=300, columns=3, noise=0.1)
    inputs = np.hstack([problem.inputs, problem.inputs[:, :1], np.full((300, 1), 7.1)])
    repeated = LinearProblem(inputs, problem.targets, np.hstack([problem.weight, np.zeros((1, 2))]), problem.bias)
    form = QuadraticLoss(Gram.of(inputs, problem.targets))
    theta = np.random.default_rng(0).normal(size=6)
    assert form.loss(theta) == pytest.approx(exact_loss(repeated, theta, True), rel=1e-9)


def test_standardised_parameters_mean_the_layer_over_scaled_inputs() -> None:
    problem = linear_problem(rows=400, columns=3, outputs=2, offset=50.0, noise=0.1)
    mean, deviation = problem.inputs.mean(axis=0), problem.inputs.std(axis=0)
    form = QuadraticLoss(Gram.of(problem.inputs, problem.targets), standardised=(mean, deviation))
    scaled = LinearProblem((problem.inputs - mean) / deviation, problem.targets, problem.weight, problem.bias)
    theta = np.random.default_rng(0).normal(size=8)
    gradient = np.empty(8)
    assert form.gradient_and_loss(theta, gradient) == pytest.approx(exact_loss(scaled, theta, True), rel=1e-9)
    np.testing.assert_allclose(gradient, exact_gradient(scaled, theta, True), rtol=1e-9)


def test_float32_parameters_are_read_and_gradients_written_in_their_dtype() -> None:
    problem = linear_problem(rows=100, columns=2, outputs=2)
    form = QuadraticLoss(Gram.of(problem.inputs.astype(np.float32), problem.targets.astype(np.float32)))
    theta = np.ones(6, np.float32)
    single, double = np.empty(6, np.float32), np.empty(6)
    form.gradient(theta, single)
    form.gradient(theta.astype(np.float64), double)
    np.testing.assert_array_equal(single, double.astype(np.float32))


def test_the_pass_dominates_many_rows_and_calls_dominate_few() -> None:
    few = operations(6, 1, 1, 201, closed_form=True, gram_is_known=False)
    many = operations(1_000_000, 32, 1, 200, closed_form=True, gram_is_known=False)
    assert few < 10_000_000
    assert many < 1.1 * operations(1_000_000, 32, 1, 1, closed_form=True, gram_is_known=False)
    assert operations(1_000_000, 32, 1, 200, closed_form=True, gram_is_known=True) < many / 100
    assert operations(100, 3, 1, 50, closed_form=False, gram_is_known=True) > operations(
        100, 3, 1, 50, closed_form=True, gram_is_known=True
    )


def test_theta_is_weight_by_rows_and_then_bias() -> None:
    problem = linear_problem(rows=10, columns=2, outputs=2)
    theta = np.arange(6.0)
    weight, bias = split_theta(problem, theta, True)
    np.testing.assert_array_equal(weight, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(bias, [4, 5])
    predicted = problem.inputs @ weight.T.astype(float) + bias.astype(float)
    form = QuadraticLoss(Gram.of(problem.inputs, problem.targets))
    assert form.loss(theta) == pytest.approx(np.square(predicted - problem.targets).mean(), rel=1e-12)
