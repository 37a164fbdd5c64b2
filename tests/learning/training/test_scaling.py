"""Standardised inputs: learnt from, and folded back into the first layer."""

from dataclasses import replace

import numpy as np
import pytest

from service.learning.losses import MSE
from service.learning.optimisers import Descent
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.scaling import Scaling, measure
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem, reports


def scaling_of(part: Part) -> Scaling:
    measuring = measure(part)
    while True:
        try:
            next(measuring)
        except StopIteration as end:
            scaling: Scaling = end.value
            return scaling


@pytest.mark.parametrize("rows", [1, 2, 3000, 100_000])
def test_means_and_deviations_are_those_of_all_rows(rows: int) -> None:
    x = np.random.default_rng(0).normal([0, 1e6, -3], [1, 2, 1e-3], (rows, 3))
    scaling = scaling_of(Part(x, x))
    assert np.allclose(scaling.mean, x.mean(axis=0), rtol=1e-13)
    expected = x.std(axis=0) if rows > 1 else 1
    assert np.allclose(scaling.deviation, expected, rtol=1e-9)


def test_a_column_that_does_not_vary_counts_as_one_of_deviation_1() -> None:
    x = np.full((1000, 1), 0.1)
    assert scaling_of(Part(x, x)).deviation == [1]


def test_constant_columns_and_offsets_are_standardised_away() -> None:
    generator = np.random.default_rng(0)
    x = np.column_stack([generator.normal(1000, 50, 200), np.full(200, 0.1), generator.normal(0, 1e-3, 200)])
    y = x @ [[0.02], [5.0], [300.0]] - 7
    net = network("Dense(3 => 1)")
    recipe = Recipe(loss=MSE(), optimiser=Descent(0.3), epochs=200, standardise=True, path="batches")
    training = Training(Problem(net, Part(x, y), None, recipe), net.initial(0), fresh=True)
    last = reports(training)[-1]
    assert last.train_loss < 1e-20
    assert np.allclose(net.predict(training.result(), x), y, rtol=1e-9)
    assert training.final_loss() == pytest.approx(last.train_loss, abs=1e-15)


@pytest.mark.parametrize("notation", ["Dense(3 => 2)", "Chain(Chain(Dense(3 => 4, tanh)), Dense(4 => 2))"])
def test_standardising_trained_parameters_keeps_their_function(notation: str) -> None:
    net, part = network(notation), problem(30)
    part = Part(part.inputs[:] * [3, 1e-3, 7] + [40, 0, -2], part.targets)
    recipe = Recipe(loss=MSE(), optimiser=Descent(1e-9), epochs=1, standardise=True, path="batches")
    training = Training(Problem(net, part, None, recipe), net.initial(0))
    first, _ = reports(training)
    expected = net.loss(net.initial(0), part.inputs, part.targets, MSE())
    assert first.train_loss == pytest.approx(expected)
    assert np.allclose(training.parameters, net.initial(0), atol=1e-6)


def test_fresh_parameters_are_read_as_standardised_ones() -> None:
    net, part = network("Dense(3 => 2)"), problem(30)
    inputs = part.inputs[:] * 3 + 40
    shifted = Part(inputs, part.targets)
    recipe = Recipe(loss=MSE(), optimiser=Descent(0.1), epochs=3, standardise=True, path="batches")
    scaled = (inputs - inputs.mean(0)) / inputs.std(0)
    training = Training(Problem(net, shifted, shifted, recipe), net.initial(0), fresh=True)
    all_reports = reports(training)
    direct = Training(
        Problem(net, Part(scaled, part.targets), None, replace(recipe, standardise=False)), net.initial(0)
    )
    expected = [report.train_loss for report in reports(direct)]
    assert np.allclose([report.train_loss for report in all_reports], expected)
    assert np.allclose([report.validation_loss or 0.0 for report in all_reports], expected)
