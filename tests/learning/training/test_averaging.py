"""The moving average of parameters as the result of a training."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.optimisers import LBFGS, AccumGrad, Adam, Descent, LevenbergMarquardt, OptimiserChain
from service.learning.training.changes import Change
from service.learning.training.events import BackedOff
from service.learning.training.problem import Problem
from service.learning.training.recipe import Average, Backoff, Recipe, RecipeError
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem, reports

PLAIN = network("Chain(Dense(3 => 4, tanh), Dense(4 => 2))")
WITH_STATISTICS = network("Chain(Dense(3 => 4, tanh), BatchNorm(4), Dense(4 => 2))")
PART, BEHIND = problem(12), problem(5, seed=1)
RECIPE = Recipe(loss=MSE(), optimiser=Adam(0.05), epochs=5, path="batches")
AVERAGED = replace(RECIPE, average=Average(decay=0.7))


def training(recipe: Recipe, net: Network = PLAIN, changes: Sequence[Change] = ()) -> Training:
    return Training(Problem(net, PART, BEHIND, recipe), net.initial(0), changes=changes)


def ended(recipe: Recipe, net: Network = PLAIN) -> Training:
    found = training(recipe, net)
    reports(found)
    return found


@pytest.mark.parametrize("batches", [1, 3])
@pytest.mark.parametrize("net", [PLAIN, WITH_STATISTICS], ids=["plain", "statistics"])
def test_each_step_counts_by_its_age_and_reports_judge_the_average(net: Network, batches: int) -> None:
    one_step_an_epoch = OptimiserChain((AccumGrad(batches), Adam(0.05)))
    recipe = replace(RECIPE, batch_size=12 // batches, optimiser=one_step_an_epoch)
    steps = [ended(replace(recipe, epochs=epochs), net).parameters for epochs in range(1, 6)]
    averaged = training(replace(recipe, average=Average(decay=0.7)), net)
    told = reports(averaged)
    assert np.allclose(averaged.result(), np.average(steps, axis=0, weights=0.7 ** np.arange(4, -1, -1)), rtol=1e-12)
    assert told[0].train_loss == pytest.approx(net.loss(net.initial(0), PART.inputs, PART.targets, MSE()))
    assert told[-1].train_loss == averaged.final_loss()
    assert told[-1].validation_loss == net.loss(averaged.result(), BEHIND.inputs, BEHIND.targets, MSE())


def test_the_best_parameters_are_those_of_the_best_average() -> None:
    whole = ended(replace(AVERAGED, keep="best", epochs=30))
    assert whole.best is not None
    assert whole.best[1] == PLAIN.loss(whole.result(), BEHIND.inputs, BEHIND.targets, MSE())
    assert np.array_equal(whole.result(), ended(replace(AVERAGED, epochs=whole.best[0])).result())


def test_a_frozen_layer_keeps_its_bytes() -> None:
    result, start = ended(replace(AVERAGED, frozen=("layers.0",))).result(), PLAIN.initial(0)
    first = PLAIN.layers_by_path["layers.0"].slots[0]
    assert np.array_equal(first.as_stored(result), first.as_stored(start))
    assert not np.array_equal(result, start)


def test_an_average_begins_anew_where_a_training_goes_back() -> None:
    recipe = replace(AVERAGED, optimiser=Descent(30.0), epochs=60, backoff=Backoff(factor=0.01))
    found = training(recipe, network("Chain(Dense(3 => 4), Dense(4 => 2))"))
    events = list(found.run())
    assert any(isinstance(event, BackedOff) for event in events)
    assert np.isfinite(found.final_loss())


def test_what_cannot_be_averaged_is_refused_and_a_line_takes_batches() -> None:
    for rule in (LBFGS(), LevenbergMarquardt()):
        with pytest.raises(RecipeError, match=f"average: cannot go with {rule.name}.*use AdamW"):
            training(replace(AVERAGED, optimiser=rule, path=None))
    line = network("Dense(3 => 2)")
    with pytest.raises(RecipeError, match="here the parameters are averaged"):
        training(replace(AVERAGED, path="quadratic"), line)
    with pytest.raises(RecipeError, match="average/decay: must be between 0 and 1"):
        training(replace(RECIPE, average=Average(decay=1.0)))
    assert ended(replace(AVERAGED, path=None), line).final_loss() > 0
