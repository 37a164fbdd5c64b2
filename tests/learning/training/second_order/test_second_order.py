"""What both rules of second order share: exact resume, and clear refusals."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.learning.losses import LOSSES, LogitCrossEntropy
from service.learning.network import Network
from service.learning.optimisers import (
    LBFGS,
    Adam,
    LevenbergMarquardt,
    OptimiserChain,
    Rule,
    WeightDecay,
)
from service.learning.schedules import Exp
from service.learning.training.changes import Change, Place
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe, RecipeError
from service.learning.training.training import Training
from tests.learning.training.test_resume import check_every_stop
from tests.support.learning.networks import network, problem
from tests.support.learning.second_order import reports_of, sine, training

TANH = "Chain(Dense(3 => 4, tanh), Dense(4 => 2))"
RULES: list[Rule] = [LevenbergMarquardt(), LBFGS(memory=3)]
DECAYING = OptimiserChain(rules=(WeightDecay(), LBFGS(memory=2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        (LevenbergMarquardt(), {}),
        (LevenbergMarquardt(damping=1e-6), {"loss": LogitCrossEntropy(), "frozen": ("layers.0",)}),
        (LevenbergMarquardt(), {"standardise": "both", "keep": "best"}),
        (LBFGS(memory=3), {}),
        (DECAYING, {"loss": LogitCrossEntropy(), "frozen": ("layers.1",)}),
    ],
)
def test_a_training_continues_to_the_same_bytes(
    rule: Rule, fields: dict[str, Any], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.learning.training.events.HEARTBEAT_SECONDS", -1.0)
    monkeypatch.setattr(Network, "block_rows", 3)
    recipe = Recipe(**{"loss": LOSSES["mse"](), "optimiser": rule, "epochs": 6, **fields})
    check_every_stop(network(TANH, dtype), recipe)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_quadratic_path_continues_to_the_same_bytes(rule: Rule) -> None:
    def new(net: Network, recipe: Recipe) -> Training:
        return Training(Problem(net, problem(14), problem(5, seed=1), recipe), net.initial(0))

    check_every_stop(network("Dense(3 => 2)"), Recipe(loss=LOSSES["mse"](), optimiser=rule, epochs=5), new)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_layers_frozen_on_the_way_rest_from_there(rule: Rule) -> None:
    def new(net: Network, recipe: Recipe) -> Training:
        part, change = problem(14), Change(Place(2), frozen=("layers.0",))
        return Training(Problem(net, part, None, recipe), net.initial(0), changes=[change])

    recipe = Recipe(loss=LOSSES["mse"](), optimiser=rule, epochs=5)
    check_every_stop(network(TANH), recipe, new)
    before, after = (new(network(TANH), replace(recipe, epochs=epochs)) for epochs in (2, 5))
    reports_of(before)
    reports_of(after)
    assert (before.result()[:16] == after.result()[:16]).all()
    assert (before.result()[16:] != after.result()[16:]).any()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_where_nothing_is_lower_a_training_stays(rule: Rule) -> None:
    x = np.arange(6.0).reshape(-1, 1)
    found = training("Dense(1 => 1)", x, 4 * x + 2, rule, path="second_order", epochs=60, dtype="float32")
    reports = reports_of(found)
    assert np.allclose(found.result(), [4, 2], rtol=0, atol=1e-6)
    assert reports[-1].train_loss == reports[-2].train_loss
    assert reports[-1].rate is None


@pytest.mark.parametrize(
    ("architecture", "rule", "fields", "field", "remedy"),
    [
        ("Dense(1 => 1)", LevenbergMarquardt(), {"batch_size": 7}, "batch_size", '"batch_size": null'),
        ("Dense(1 => 1)", LBFGS(), {"batch_size": 7}, "batch_size", '"batch_size": null'),
        ("Dense(1 => 1)", LBFGS(), {"schedule": Exp(0.1, 0.5)}, "schedule", "Leave it out"),
        ("Dense(1 => 1)", LBFGS(), {"path": "batches"}, "path", '"path": null'),
        ("Dense(1 => 1)", Adam(), {"path": "second_order"}, "path", "LBFGS"),
        ("Chain(Dense(1 => 2), Dropout(0.1), Dense(2 => 1))", LBFGS(), {}, "optimiser", "WeightDecay"),
        ("Chain(Dense(1 => 2), BatchNorm(2), Dense(2 => 1))", LevenbergMarquardt(), {}, "optimiser", "LayerNorm"),
        ("Dense(1 => 1)", LevenbergMarquardt(), {"loss": "huber_loss"}, "optimiser", "LBFGS"),
        ("Dense(1 => 1)", LevenbergMarquardt(), {"loss": "binarycrossentropy"}, "loss", "logitbinarycrossentropy"),
        ("Dense(1 => 1)", LBFGS(), {"loss": "mae"}, "loss", "huber_loss"),
        ("Dense(1 => 1)", OptimiserChain(rules=(LBFGS(), WeightDecay())), {}, "optimiser/rules/0", "last"),
        ("Dense(1 => 1)", OptimiserChain(rules=(Adam(), LBFGS())), {}, "optimiser/rules/0", "WeightDecay"),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_remedy(
    architecture: str, rule: Rule, fields: dict[str, Any], field: str, remedy: str
) -> None:
    if "loss" in fields:
        fields = {**fields, "loss": LOSSES[fields["loss"]]()}
    with pytest.raises(RecipeError) as refused:
        training(architecture, *sine(), rule, **fields)
    assert refused.value.field == field
    assert remedy in refused.value.message


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_scaled_targets_of_any_units_count_alike(rule: Rule) -> None:
    """Where no network fits both outputs, a change of units of one changes nothing but its units."""
    x, y = sine()
    wavy = np.hstack([y, np.cos(5 * x)])
    architecture, scaled = "Chain(Dense(1 => 2, tanh), Dense(2 => 2))", {"standardise": "both", "fresh": True}
    units = np.ones(2), np.array([1, 1024.0])
    found, large = (training(architecture, x, wavy * each, rule, **scaled) for each in units)
    reports, of_large = reports_of(found), reports_of(large)
    assert reports[-1].train_loss == pytest.approx(found.final_loss(), rel=1e-6)
    assert of_large[-1].train_loss == pytest.approx(large.final_loss(), rel=1e-6)
    assert np.allclose(large.result()[:4], found.result()[:4], rtol=1e-4, atol=1e-6)


def test_losses_of_logits_and_of_probabilities_take_the_same_steps() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 2)), np.eye(3)[rng.integers(0, 3, 30)]
    rule = OptimiserChain(rules=(WeightDecay(lambda_=0.01), LevenbergMarquardt()))
    logits = training("Dense(2 => 3)", x, y, rule, loss=LogitCrossEntropy(), epochs=5)
    chances = training("Chain(Dense(2 => 3), softmax)", x, y, rule, loss=LOSSES["crossentropy"](), epochs=5)
    reports_of(logits)
    reports_of(chances)
    assert np.array_equal(logits.result(), chances.result())
