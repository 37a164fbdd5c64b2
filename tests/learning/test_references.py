"""Values, gradients and training paths are those of PyTorch and JAX: 1e-5 in float32, 1e-10 in float64."""

from typing import Any

import numpy as np
import pytest

from service.learning.layers.activations import ACTIVATIONS
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import OPTIMISERS, Optimiser
from service.learning.rows.part import Part
from service.learning.terms import Registry
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from tests.support.learning.answers import agree, answers, cases, term

# Neither framework has these in a form that agrees; finite differences alone speak for their gradients.
WITHOUT = {"expression", "dice_coeff_loss", "focal_loss", "siamese_contrastive_loss", "SignDecay"}
WITHOUT |= {"LevenbergMarquardt", "LBFGS", "Muon"}  # tests of their own


@pytest.mark.parametrize(
    ("registry", "kind"), [(ACTIVATIONS, "activations"), (LOSSES, "losses"), (OPTIMISERS, "optimisers")]
)
def test_every_word_has_a_reference_but_those_that_no_framework_knows(registry: Registry[Any], kind: str) -> None:
    asked = [case["term"] for framework in ("torch", "jax") for case in answers(f"{framework}_{kind}")["cases"]]
    asked += [rule for term in asked for rule in term.get("rules", [])]
    assert set(registry) - {term.get("name", term.get("rule")) for term in asked} <= WITHOUT


@pytest.mark.parametrize(("file", "case", "dtype"), cases("torch_activations", "jax_activations"))
def test_an_activation_and_its_pull_back_agree(file: str, case: Any, dtype: str) -> None:
    activation, inputs = term(ACTIVATIONS, case["term"]), answers(file)["inputs"]
    x, gradient = np.array(inputs["x"], dtype), np.array(inputs["cotangent"], dtype)
    y = x if activation.from_output else np.empty_like(x)
    activate, pull_back = activation.bind(x, y)
    activate()
    pull_back(gradient)
    assert agree(y, case[dtype]["value"], dtype)
    assert agree(gradient, case[dtype]["gradient"], dtype)


@pytest.mark.parametrize(("file", "case", "dtype"), cases("torch_losses", "jax_losses"))
def test_a_loss_and_its_gradient_agree(file: str, case: Any, dtype: str) -> None:
    loss, inputs = term(LOSSES, case["term"]), answers(file)["inputs"][case["inputs"]]
    prediction, target = np.array(inputs["prediction"], dtype), np.array(inputs["target"], dtype)
    gradient = np.empty_like(prediction)
    value = loss.bind(prediction, target, gradient, None)()
    assert agree(value, case[dtype]["value"], dtype)
    assert agree(gradient, case[dtype]["gradient"], dtype)


@pytest.mark.parametrize(("file", "case", "dtype"), cases("torch_optimisers", "jax_optimisers"))
def test_an_optimiser_takes_the_same_steps_on_a_quadratic(file: str, case: Any, dtype: str) -> None:
    problem = answers(file)["inputs"]["quadratic"]
    matrix, linear, x = (np.array(problem[name], dtype) for name in ("matrix", "linear", "start"))
    gradient = np.empty_like(x)
    optimiser = Optimiser(term(OPTIMISERS, case["term"], "rule"), x, gradient, [slice(0, len(x))])
    path = [x.copy()]
    for _ in range(len(case[dtype]["quadratic"]) - 1):
        gradient[:] = matrix @ x - linear
        if optimiser.step():
            x -= gradient
        path.append(x.copy())
    assert agree(path, case[dtype]["quadratic"], dtype)


@pytest.mark.parametrize(("file", "case", "dtype"), cases("torch_optimisers", "jax_optimisers"))
def test_an_optimiser_trains_a_network_along_the_same_path(file: str, case: Any, dtype: str) -> None:
    problem = answers(file)["inputs"]["network"]
    network = Network(read(problem["notation"]), dtype)
    part = Part(np.array(problem["inputs"], dtype), np.array(problem["targets"], dtype))
    rule = term(OPTIMISERS, case["term"], "rule")
    recipe = Recipe(loss=LOSSES["mse"](), optimiser=rule, epochs=len(case[dtype]["losses"]) - 1)
    training = Training(Problem(network, part, None, recipe), network.flatten(problem["parameters"]))
    losses = [report.train_loss for report in training.run() if isinstance(report, EpochReport)]
    assert agree(losses, case[dtype]["losses"], dtype)
    layers = network.unflatten(training.parameters)
    for ours, theirs in zip(
        [layer[name] for layer in layers for name in ("weight", "bias")], case[dtype]["parameters"], strict=True
    ):
        assert agree(ours, theirs, dtype)
