import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.rows.gram import Gram
from service.learning.training.quadratic.form import QuadraticLoss
from service.learning.training.quadratic.trajectory import DescentTrajectory, Position
from tests.support.learning.linear_problems import LinearProblem, exact_gradient, exact_loss, linear_problem

Vector = NDArray[np.float64]


def trajectory_of(problem: LinearProblem, start: Vector, bias: bool = True) -> DescentTrajectory:
    return DescentTrajectory(QuadraticLoss(Gram.of(problem.inputs, problem.targets), bias=bias), start)


def stepped(problem: LinearProblem, start: Vector, rates: Vector, bias: bool = True) -> NDArray[np.longdouble]:
    """θ after each epoch, one step at a time, in extended precision."""
    x = problem.inputs.astype(np.longdouble)
    x = np.hstack([x, np.ones((len(x), 1), np.longdouble)]) if bias else x
    y = problem.targets.astype(np.longdouble)
    columns, outputs = problem.inputs.shape[1], problem.outputs
    theta = start[: columns * outputs].reshape(outputs, columns).astype(np.longdouble)
    theta = np.hstack([theta, start[columns * outputs :].reshape(-1, 1)]) if bias else theta
    out = []
    for rate in rates:
        theta = theta - rate * 2 * (x @ theta.T - y).T @ x / y.size
        out.append(np.concatenate([theta[:, :columns].ravel(), theta[:, columns:].ravel()]))
    return np.array(out)


def tutorial() -> LinearProblem:
    x = np.arange(6.0)[:, None]
    return LinearProblem(x, 4 * x + 2, np.array([[4.0]]), np.array([2.0]))


def test_the_straight_line_tutorial_comes_out_as_published() -> None:
    trajectory = trajectory_of(tutorial(), np.array([0.9066542, 0.0]))
    stretch = trajectory.stretch(trajectory.beginning, np.full(201, 0.1))
    assert trajectory.form.loss(np.array([0.9066542, 0.0])) == pytest.approx(122.64735, rel=1e-7)
    assert stretch.losses[0] == pytest.approx(116.38741, rel=1e-7)
    assert stretch.losses[200] == pytest.approx(0.00339568, rel=1e-5)
    np.testing.assert_allclose(stretch.theta(200), [4.01785, 2.00503], rtol=3e-6)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("outputs", [1, 3])
def test_losses_norms_and_parameters_are_those_of_one_step_after_another(bias: bool, outputs: int) -> None:
    problem = linear_problem(rows=200, columns=4, outputs=outputs, offset=1.0)
    start = np.random.default_rng(5).normal(size=outputs * (4 + bias))
    rates = np.concatenate([np.full(50, 0.05), np.full(31, 0.11), 0.1 / np.arange(1, 60)])
    trajectory = trajectory_of(problem, start, bias)
    stretch = trajectory.stretch(trajectory.beginning, rates)
    for epoch, theta in enumerate(stepped(problem, start, rates, bias)):
        assert stretch.losses[epoch] == pytest.approx(exact_loss(problem, theta, bias), rel=1e-9)
        norm = np.linalg.norm(exact_gradient(problem, theta, bias))
        assert stretch.gradient_norms[epoch] == pytest.approx(norm, rel=1e-8, abs=1e-12)
        np.testing.assert_allclose(stretch.theta(epoch), theta.astype(float), rtol=1e-10, atol=1e-12)


def test_losses_down_to_1e_12_agree_with_extended_precision() -> None:
    problem = linear_problem(rows=100, columns=3, noise=0.0)
    start = np.zeros(4)
    trajectory = trajectory_of(problem, start)
    rates = np.full(400, 0.3)
    losses = trajectory.stretch(trajectory.beginning, rates).losses
    thetas = stepped(problem, start, rates)
    checked = [e for e in range(400) if losses[e] > 1e-13]
    assert losses[checked[-1]] < 1e-12
    assert np.all(losses >= 0)
    for epoch in checked:
        errors = problem.inputs.astype(np.longdouble) @ thetas[epoch][:3] + thetas[epoch][3] - problem.targets[:, 0]
        assert losses[epoch] == pytest.approx(float(np.square(errors).mean()), rel=1e-6, abs=0)


@pytest.mark.parametrize("rate", [0.2, 0.02])
def test_validation_losses_are_those_of_the_parameters(rate: float) -> None:
    train, validation = linear_problem(rows=300, outputs=2, seed=1), linear_problem(rows=90, outputs=2, seed=2)
    other = QuadraticLoss(Gram.of(validation.inputs, validation.targets))
    trajectory = trajectory_of(train, np.random.default_rng(0).normal(size=12))
    stretch = trajectory.stretch(trajectory.beginning, np.full(300, rate))
    for epoch, loss in enumerate(stretch.losses_on(other)):
        assert loss == pytest.approx(exact_loss(validation, stretch.theta(epoch), True), rel=1e-9)


def test_validation_losses_of_a_diverging_run_are_right_from_epoch_1() -> None:
    train, validation = linear_problem(rows=300, seed=1), linear_problem(rows=90, seed=2)
    other = QuadraticLoss(Gram.of(validation.inputs, validation.targets))
    trajectory = trajectory_of(train, np.zeros(6))
    stretch = trajectory.stretch(trajectory.beginning, np.full(200, 1.2))
    for epoch, loss in enumerate(stretch.losses_on(other)):
        assert loss == pytest.approx(exact_loss(validation, stretch.theta(epoch), True), rel=1e-9)


def test_any_cut_into_stretches_gives_the_same_bytes() -> None:
    problem = linear_problem(rows=100)
    rates = np.concatenate([np.full(40, 0.1), np.full(7, 0.9), np.linspace(0.3, 0.01, 30)])
    trajectory = trajectory_of(problem, np.ones(6))
    whole = trajectory.stretch(trajectory.beginning, rates)
    for pieces in ([1] * 77, [39, 1, 1, 36], [40, 37], [45, 20, 12]):
        position, done = trajectory.beginning, 0
        for length in pieces:
            stretch = trajectory.stretch(position, rates[done : done + length])
            np.testing.assert_array_equal(stretch.losses, whole.losses[done : done + length])
            np.testing.assert_array_equal(stretch.theta(length - 1), whole.theta(done + length - 1))
            arrays = {name: array.copy() for name, array in stretch.position(length - 1).arrays().items()}
            position, done = Position.from_arrays(arrays), done + length
        assert position.epoch == 77


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_is_found_at_the_first_loss_that_the_dtype_cannot_hold(dtype: type[np.floating]) -> None:
    problem, start = tutorial(), np.array([0.9066542, 0.0])
    trajectory = trajectory_of(problem, start)
    stretch = trajectory.stretch(trajectory.beginning, np.full(1000, 0.2))
    finite = stretch.finite_epochs(dtype)
    thetas = stepped(problem, start, np.full(1000, 0.2))[: finite + 1]
    x = problem.inputs[:, 0].astype(np.longdouble)
    losses = [np.square(theta[0] * x + theta[1] - problem.targets[:, 0]).mean() for theta in thetas]
    assert losses[finite - 1] <= np.finfo(dtype).max < losses[finite]
    assert np.all(np.isfinite(stretch.theta(finite - 1).astype(dtype)))


def test_parameters_too_large_for_the_dtype_count_as_divergence() -> None:
    x = np.array([[1e-30], [2e-30], [4e-30]])
    problem = LinearProblem(x, 1e10 * np.ones((3, 1)), np.zeros((1, 1)), np.zeros(1))
    trajectory = trajectory_of(problem, np.zeros(1), bias=False)
    stretch = trajectory.stretch(trajectory.beginning, np.full(10, 4e57))
    finite = stretch.finite_epochs(np.float32)
    assert 0 < finite < 10
    assert np.abs(stretch.theta(finite - 1)).max() <= np.finfo(np.float32).max < np.abs(stretch.theta(finite)).max()
    assert np.all(stretch.losses <= np.finfo(np.float32).max)


def test_a_rate_of_one_over_the_eigenvalue_ends_its_direction_at_once() -> None:
    x = np.array([[1.0], [-1.0]])
    trajectory = trajectory_of(LinearProblem(x, 3 * x, np.zeros((1, 1)), np.zeros(1)), np.array([7.0]), bias=False)
    assert trajectory.form.spectrum.eigenvalues == pytest.approx([2.0])
    stretch = trajectory.stretch(trajectory.beginning, np.array([0.5, 0.5, 0.1]))
    np.testing.assert_allclose(stretch.losses, 0, atol=1e-25)
    np.testing.assert_allclose(stretch.theta(2), [3.0])


def test_starting_at_the_optimum_stays_there() -> None:
    trajectory = trajectory_of(tutorial(), np.array([4.0, 2.0]))
    stretch = trajectory.stretch(trajectory.beginning, np.full(5, 0.1))
    np.testing.assert_allclose(stretch.losses, 0, atol=1e-25)
    np.testing.assert_allclose(stretch.theta(4), [4, 2], rtol=1e-12)
