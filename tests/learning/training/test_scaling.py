"""Standardised inputs: learnt from, and folded back into the first layer."""

from dataclasses import replace

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.losses import LOSSES, MAE, MSE, HuberLoss, Loss
from service.learning.optimisers import Descent
from service.learning.rows.part import Part
from service.learning.training.coordinates import Standardise
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe, RecipeError, check
from service.learning.training.scaling import Scaling, measure
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem, reports


def scaling_of(part: Part) -> Scaling:
    measuring = measure(part.inputs)
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


LOSSES_OF_NUMBERS = [MSE(), MAE(), HuberLoss(delta=30.0), MSE(agg="sum"), HuberLoss(delta=1e-3, agg="sum")]


@pytest.mark.parametrize("loss", LOSSES_OF_NUMBERS, ids=repr)
@pytest.mark.parametrize("standardise", ["targets", "both"])
def test_scaled_targets_are_learnt_as_if_they_had_been_uploaded_scaled(loss: Loss, standardise: Standardise) -> None:
    """One output, so that all losses of scaled targets are the raw one but for a factor."""
    net, part = network("Chain(Dense(3 => 4, tanh), Dense(4 => 1))"), problem(30)
    y = part.targets[:][:, :1] * 250 + 40_000
    m, s = y.mean(), y.std()
    recipe = Recipe(loss=loss, optimiser=Descent(0.01), epochs=5, standardise=standardise, path="batches")
    training = Training(Problem(net, Part(part.inputs, y), None, recipe), net.initial(0), fresh=True)
    losses = [report.train_loss for report in reports(training)]
    scaled_loss = replace(loss, delta=loss.delta / s) if isinstance(loss, HuberLoss) else loss
    scaled = replace(recipe, loss=scaled_loss, standardise=recipe.scales_inputs)
    direct = Training(Problem(net, Part(part.inputs, (y - m) / s), None, scaled), net.initial(0), fresh=True)
    factor = s if isinstance(loss, MAE) else s * s
    assert losses == pytest.approx([report.train_loss * factor for report in reports(direct)])
    assert training.final_loss() == pytest.approx(losses[-1])
    assert np.allclose(net.predict(training.result(), part.inputs), net.predict(direct.result(), part.inputs) * s + m)


def test_outputs_of_all_units_count_alike_and_classes_stay_as_they_are() -> None:
    net, part = network("Dense(3 => 2)"), problem(30)
    codes = np.arange(30) % 2 * 1.0

    def trained(unit: float) -> Array:
        y: Array = np.column_stack([part.targets[:][:, 0] * unit, codes])
        recipe = Recipe(loss=MSE(), optimiser=Descent(0.05), epochs=20, standardise="targets")
        numbered = Part(part.inputs, y, numbers=(True, False))
        training = Training(Problem(net, numbered, None, recipe), net.initial(0), fresh=True)
        reports(training)
        return net.predict(training.result(), part.inputs)

    small, large = trained(1), trained(1e6)
    assert np.allclose(small * [1e6, 1], large)


def test_a_training_goes_on_from_raw_parameters_in_scaled_coordinates() -> None:
    net, part = network("Dense(3 => 2)", "float32"), problem(30, dtype="float32")
    start = net.initial(0)
    recipe = Recipe(loss=MSE(), optimiser=Descent(1e-9), epochs=1, standardise="both")
    training = Training(Problem(net, part, None, recipe), start)
    reports(training)
    assert np.allclose(training.result(), start, atol=1e-5)


REFUSED = [
    ("Dense(3 => 2)", LOSSES["poisson_loss"](), "another loss"),
    ("Dense(3 => 2)", LOSSES["msle"](), "mse, mae"),
    ("Dense(3 => 2)", LOSSES["expression"](expression="mean((ŷ - y)^2)"), "another loss"),  # type: ignore[call-arg]  # terms are dataclasses
    ("Dense(3 => 2; bias=false)", MSE(), "Dense layer with bias"),
    ("Chain(Dense(3 => 2), softplus)", MSE(), "without a function"),
    ("Dense(3 => 2, tanh)", MSE(), '"inputs"'),
]


@pytest.mark.parametrize(("notation", "loss", "reason"), REFUSED)
def test_targets_that_cannot_be_scaled_are_refused(notation: str, loss: Loss, reason: str) -> None:
    net = network(notation)
    recipe = Recipe(loss=loss, optimiser=Descent(0.1), epochs=1, standardise="both")
    with pytest.raises(RecipeError, match=reason):
        check(recipe, net, 10, 0)
    check(recipe if "bias" not in notation else replace(recipe, standardise="targets"), net, 10, 0, numbers=False)
