"""Layers, apart from their gradients."""

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.layers import Tape
from service.learning.losses import MSE
from service.learning.optimisers import Descent
from service.learning.rows.part import Part
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem, reports

ROWS = 400


def in_training(notation: str, x: Array) -> Array:
    """The outputs of a network of one layer for rows in train mode."""
    net = network(notation)
    tape, inputs, outputs = net.tape(net.initial(0), len(x), np.zeros(net.parameter_count))
    tape.generator = np.random.default_rng(0)
    inputs[:] = x
    tape.run()
    return outputs.value


def test_dropout_zeroes_a_share_of_the_values_and_keeps_the_mean() -> None:
    x = np.ones((ROWS, 100))
    y = in_training("Chain(Dense(100 => 100; init=identity_init), Dropout(0.3))", x)
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert np.unique(y).tolist() == [0, pytest.approx(1 / 0.7)]


def test_dropout_draws_anew_for_each_batch_and_each_epoch() -> None:
    """With a rate too small to move anything, the same rows have other losses."""
    net, part = network("Chain(Dense(3 => 20), Dropout(0.5), Dense(20 => 2))"), problem(8)
    twice = Part(np.tile(part.inputs[:], (2, 1)), np.tile(part.targets[:], (2, 1)))
    recipe = Recipe(loss=MSE(), optimiser=Descent(1e-30), epochs=3, batch_size=8)
    losses = [report.train_loss for report in reports(Training(Problem(net, part, None, recipe), net.initial(0)))]
    assert len(set(losses)) == 4
    of_two = [report.train_loss for report in reports(Training(Problem(net, twice, None, recipe), net.initial(0)))]
    assert len({*losses[1:], *of_two[1:]}) == 6


def test_a_full_batch_with_dropout_reports_the_loss_in_train_mode() -> None:
    """Report 0 is the untrained loss in test mode; the others are those of the passes."""
    net, part = network("Chain(Dense(3 => 20), Dropout(0.5), Dense(20 => 2))"), problem(8)
    recipe = Recipe(loss=MSE(), optimiser=Descent(1e-30), epochs=1)
    training = Training(Problem(net, part, None, recipe), net.initial(0))
    first, second = reports(training)
    assert first.train_loss == pytest.approx(net.loss(net.initial(0), part.inputs, part.targets, MSE()))
    assert first.gradient_norm
    assert second.train_loss != pytest.approx(first.train_loss)
    assert training.final_loss() == pytest.approx(first.train_loss)


def test_batch_norm_keeps_running_statistics_as_flux_does() -> None:
    net, part = network("Chain(Dense(3 => 3; init=identity_init), BatchNorm(3; momentum=0.2))"), problem(10, outputs=3)
    recipe = Recipe(loss=MSE(), optimiser=Descent(1e-30), epochs=2, batch_size=5)
    training = Training(Problem(net, part, None, recipe), net.initial(0))
    reports(training)
    mean, variance = np.zeros(3), np.ones(3)
    for rows in [slice(0, 5), slice(5, 10)] * 2:
        mean = 0.8 * mean + 0.2 * part.inputs[rows].mean(axis=0)
        variance = 0.8 * variance + 0.2 * part.inputs[rows].var(axis=0, ddof=1)
    norm = net.unflatten(training.parameters)[1]
    assert np.allclose(norm["mean"], mean)
    assert np.allclose(norm["variance"], variance)


def test_optimisers_do_not_touch_running_statistics() -> None:
    net, part = network("Chain(Dense(3 => 2), BatchNorm(2; momentum=0))"), problem(10)
    recipe = Recipe(loss=MSE(), optimiser=Descent(0.5), epochs=3)
    training = Training(Problem(net, part, None, recipe), net.initial(0))
    for event in training.run():
        assert isinstance(event, EpochReport)
        norm = net.unflatten(training.parameters)[1]
        assert norm["mean"].tolist() == [0, 0]
        assert norm["variance"].tolist() == [1, 1]
    assert not np.allclose(training.parameters, net.initial(0))


def test_layer_norm_gives_each_row_mean_0_and_variance_1() -> None:
    x = np.random.default_rng(0).normal(5, 3, (ROWS, 50))
    y = in_training("LayerNorm(50)", x)
    assert np.allclose(y.mean(axis=1), 0, atol=1e-12)
    assert np.allclose(y.var(axis=1), 1, rtol=1e-4)


def test_a_skip_connection_adds_its_input_or_puts_it_beside() -> None:
    x = np.arange(6.0).reshape(2, 3)
    doubled = "Dense(3 => 3; init=identity_init(gain=2))"
    assert np.allclose(in_training(f"SkipConnection({doubled}, +)", x), 3 * x)
    assert np.allclose(in_training(f"SkipConnection({doubled}, vcat)", x), np.hstack([2 * x, x]))


def test_parallel_branches_are_added_or_put_side_by_side() -> None:
    x = np.arange(6.0).reshape(2, 3)
    branches = "Dense(3 => 3; init=identity_init), Dense(3 => 3; init=identity_init(gain=-3))"
    assert np.allclose(in_training(f"Parallel(+, {branches})", x), -2 * x)
    assert np.allclose(in_training(f"Parallel(vcat, {branches})", x), np.hstack([x, -3 * x]))


def test_a_given_bias_is_what_it_begins_with() -> None:
    net = network("Dense(2 => 3; bias=[1, -2, 0.5])")
    assert net.unflatten(net.initial(0))[0]["bias"].tolist() == [1, -2, 0.5]


def test_test_mode_records_no_pull_backs() -> None:
    net = network("Chain(Dense(2 => 3, tanh), Dropout(0.5), BatchNorm(3), Dense(3 => 1))")
    tape, _, outputs = net.tape(net.initial(0), 4)
    assert isinstance(tape, Tape)
    assert tape.backward == []
    assert outputs.gradient is None
