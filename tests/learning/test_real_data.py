"""On four well-known data sets our test metrics reach those of scikit-learn's models, within stated margins."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import OPTIMISERS, Rule
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from tests.support.learning.answers import REFERENCES, answers

Array = NDArray[Any]


def rule(name: str, **fields: Any) -> Rule:
    return OPTIMISERS[name](**fields)


def ridge(rows: int, eta: float) -> Rule:
    """scikit-learn's C=1: half the squared weights, over the rows. Ours holds the biases down as well."""
    return rule("OptimiserChain", rules=(rule("WeightDecay", lambda_=1 / rows), rule("Adam", eta=eta)))


def data(name: str) -> dict[str, Array]:
    with np.load(REFERENCES / f"{name}.npz", allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def scores_of(dataset: str, model: str) -> dict[str, float]:
    return next(s for s in answers("sklearn_scores")["scores"] if (s["dataset"], s["model"]) == (dataset, model))


def outputs(notation: str, parts: dict[str, Array], targets: Array, loss: str, **recipe: Any) -> Array:
    """The outputs of a network for the test part after training on the training part, in float32."""
    network = Network(read(notation))
    part = Part(parts["train_inputs"].astype(np.float32), targets.astype(np.float32))
    learns = Recipe(loss=LOSSES[loss](), standardise=True, **recipe)
    training = Training(Problem(network, part, None, learns), network.initial(0), fresh=True)
    for _ in training.run():
        pass
    return network.predict(training.result(), parts["test_inputs"].astype(np.float32)).astype(np.float64)


def regress(notation: str, **recipe: Any) -> dict[str, float]:
    parts = data("diabetes")
    predicted = outputs(notation, parts, parts["train_targets"].reshape(-1, 1), "mse", **recipe).ravel()
    truth = parts["test_targets"].astype(np.float64)
    errors = predicted - truth
    mse = float(np.mean(errors**2))
    return {"mse": mse, "mae": float(np.mean(np.abs(errors))), "r2": 1 - mse / float(np.var(truth))}


def classify(dataset: str, notation: str, **recipe: Any) -> dict[str, float]:
    parts = data(dataset)
    one_hot = np.eye(int(parts["train_targets"].max()) + 1)[parts["train_targets"]]
    logits = outputs(notation, parts, one_hot, "logitcrossentropy", **recipe)
    logits -= logits.max(axis=1, keepdims=True)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    truth = parts["test_targets"].astype(int)
    return {
        "accuracy": float(np.mean(logits.argmax(axis=1) == truth)),
        "log_loss": float(-np.mean(log_probabilities[np.arange(len(truth)), truth])),
    }


def test_linear_regression_on_diabetes_agrees_with_scikit_learn() -> None:
    ours = regress("Dense(10 => 1)", optimiser=rule("Descent", eta=0.2), epochs=20_000)
    theirs = scores_of("diabetes", "LinearRegression")
    assert ours["r2"] == pytest.approx(theirs["r2"], abs=1e-3)
    assert ours["mae"] == pytest.approx(theirs["mae"], rel=1e-3)


def test_a_network_explains_diabetes_as_well_as_mlpregressor() -> None:
    recipe = {"optimiser": rule("Adam", eta=0.005), "epochs": 200, "batch_size": 32, "shuffle": True}
    ours = regress("Chain(Dense(10 => 16, relu), Dense(16 => 1))", **recipe)
    assert ours["r2"] > scores_of("diabetes", "MLPRegressor")["r2"] - 0.03


@pytest.mark.parametrize(
    ("dataset", "notation"),
    [("wine", "Dense(13 => 3)"), ("breast_cancer", "Dense(30 => 2)"), ("digits", "Dense(64 => 10)")],
)
def test_logistic_regression_reaches_that_of_scikit_learn(dataset: str, notation: str) -> None:
    rows = len(data(dataset)["train_targets"])
    ours = classify(dataset, notation, optimiser=ridge(rows, 0.05), epochs=300)
    theirs = scores_of(dataset, "LogisticRegression")
    assert ours["accuracy"] > theirs["accuracy"] - 0.01
    assert ours["log_loss"] < theirs["log_loss"] + 0.01


@pytest.mark.parametrize(
    ("dataset", "notation", "epochs"),
    [
        ("breast_cancer", "Chain(Dense(30 => 16, relu), Dense(16 => 2))", 40),
        ("digits", "Chain(Dense(64 => 64, relu), Dense(64 => 10))", 30),
    ],
)
def test_a_network_classifies_as_well_as_mlpclassifier(dataset: str, notation: str, epochs: int) -> None:
    recipe = {"optimiser": rule("Adam", eta=0.005), "epochs": epochs, "batch_size": 32, "shuffle": True}
    ours = classify(dataset, notation, **recipe)
    theirs = scores_of(dataset, "MLPClassifier")
    assert ours["accuracy"] > theirs["accuracy"] - 0.015
    assert ours["log_loss"] < theirs["log_loss"] + 0.05
