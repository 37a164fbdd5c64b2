"""The rate: schedules, and changes on the way."""

from dataclasses import replace

import pytest

from service.learning.losses import MSE
from service.learning.optimisers import OPTIMISERS, Descent
from service.learning.schedules import Exp, Plateau, Step, WarmUp
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe, RecipeError
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem, reports

SMALL = Recipe(loss=MSE(), optimiser=Descent(0.05), epochs=5, batch_size=4, shuffle=True)
TANH = "Chain(Dense(3 => 5, tanh), Dense(5 => 2))"


def test_a_schedule_sets_the_rate_of_each_epoch() -> None:
    recipe = replace(SMALL, schedule=Step(0.1, 0.5, 2))
    net = network(TANH)
    rates = [report.rate for report in reports(Training(Problem(net, problem(10), None, recipe), net.initial(0)))]
    assert rates == [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]


def test_a_schedule_per_step_counts_updates() -> None:
    """Three batches an epoch: report e tells the rate of step 3 e + 1."""
    recipe = replace(SMALL, schedule=Exp(1.0, 0.5, per="step"), epochs=2)
    net = network(TANH)
    rates = [report.rate for report in reports(Training(Problem(net, problem(10), None, recipe), net.initial(0)))]
    assert rates == [1.0, 0.5**3, 0.5**6]


def test_warm_up_leads_to_the_schedule_behind_it() -> None:
    recipe = replace(SMALL, schedule=WarmUp(2, Exp(0.1, 1.0)), epochs=3)
    net = network(TANH)
    rates = [report.rate for report in reports(Training(Problem(net, problem(10), None, recipe), net.initial(0)))]
    assert rates == pytest.approx([0.0, 0.05, 0.1, 0.1])


def test_a_plateau_lowers_the_rate() -> None:
    """Nothing improves by a million: the rate falls each second epoch."""
    recipe = replace(SMALL, schedule=Plateau(0.1, decay=0.1, patience=2, min_change=1e6), epochs=4)
    net = network(TANH)
    rates = [report.rate for report in reports(Training(Problem(net, problem(10), None, recipe), net.initial(0)))]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])


def test_a_changed_rate_counts_from_the_next_step_on_and_ends_a_schedule() -> None:
    net = network(TANH)
    training = Training(Problem(net, problem(10), None, replace(SMALL, schedule=Exp(0.1, 0.5))), net.initial(0))
    rates = []
    for event in training.run():
        assert isinstance(event, EpochReport)
        if event.epoch == 2:
            training.change(rate=0.03)
        rates.append(event.rate)
    assert rates == [0.1, 0.05, 0.025, 0.03, 0.03, 0.03]


def test_a_rule_without_a_rate_has_none_to_change() -> None:
    net = network(TANH)
    training = Training(
        Problem(net, problem(10), None, replace(SMALL, optimiser=OPTIMISERS["AdaDelta"]())), net.initial(0)
    )
    with pytest.raises(RecipeError):
        training.change(rate=0.1)
    assert [report.rate for report in reports(training)] == [None] * 6
