"""Recipes that cannot mean what is wanted, made of loss × target × function × dtype: none is taken in silence."""

from collections.abc import Callable
from itertools import product
from math import inf
from typing import Any, NamedTuple

import pytest

from service.client import Client

XS = [-2, -1.5, -1, -0.5, -0.25, 0.25, 0.5, 1, 1.5, 2]


class Target(NamedTuple):
    """A column, the numbers that a loss sees of it, and its outputs."""

    values: list[Any]
    least: float
    greatest: float
    outputs: int = 1


TARGETS = {
    "numbers": Target([3 * x + 1 for x in XS], -5, 7),
    "low": Target([x - 12.0 for x in XS], -14, -10),
    "counts": Target([0, 3, 1, 4, 1, 5, 9, 2, 6, 5], 0, 9),
    "prices": Target([214_000 + 50_000 * x for x in XS], 114_000, 314_000),
    "shares": Target([0.2 + k / 20 for k in range(10)], 0.2, 0.65),
    "zero or one": Target([int(x > 0) for x in XS], 0, 1),
    "one or two": Target([1 + int(x > 0) for x in XS], 1, 2),
    "signs": Target([1 if x > 0 else -1 for x in XS], -1, 1),
    "constant": Target([0.5] * 10, 0.5, 0.5),
    "truths": Target([x > 0 for x in XS], 0, 1),
    "classes": Target(["abc"[(x > 0) + (x > 1)] for x in XS], 0, 1, 3),
}
FUNCTIONS = {
    "identity": (-inf, inf),
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
    "relu": (0, inf),
    "softplus": (0, inf),
    "elu": (-1, inf),
    "softmax": (0, 1),
    "logsoftmax": (-inf, 0),
}
"""Functions at a network's end, with the range of their values."""
OF_NUMBERS = ("mse", "mae", "huber_loss")
OF_COUNTS = ("poisson_loss", "msle")
OF_MARGINS = ("hinge_loss", "squared_hinge_loss")
OF_PROBABILITIES = ("binarycrossentropy", "binary_focal_loss", "crossentropy", "kldivergence", "focal_loss")
OF_LOGITS = ("logitbinarycrossentropy", "logitcrossentropy")
OF_CLASSES = ("crossentropy", "kldivergence", "focal_loss", "logitcrossentropy")
"""Losses that compare the outputs of a row."""
OF_OVERLAP = ("dice_coeff_loss", "tversky_loss")
OF_DISTANCES = ("siamese_contrastive_loss",)
LOSSES = (*OF_NUMBERS, *OF_COUNTS, *OF_MARGINS, *OF_PROBABILITIES, *OF_LOGITS, *OF_OVERLAP, *OF_DISTANCES)


class Recipe(NamedTuple):
    loss: str
    kind: str
    function: str
    dtype: str = "float32"

    @property
    def target(self) -> Target:
        return TARGETS[self.kind]

    @property
    def range(self) -> tuple[float, float]:
        return FUNCTIONS[self.function]


FAULTS: dict[str, Callable[[Recipe], bool]] = {
    "there is nothing to learn": lambda it: it.kind == "constant",
    "targets of margins are -1 and 1": lambda it: it.loss in OF_MARGINS and it.kind != "signs",
    "a target has no logarithm": lambda it: it.loss in OF_COUNTS and it.target.least < 0,
    "an output has no logarithm": lambda it: it.loss in OF_COUNTS and it.range[0] < 0,
    "a logarithm is infinite": lambda it: it.loss == "poisson_loss" and it.function == "relu",
    "targets are no probabilities": lambda it: (
        it.loss in (*OF_PROBABILITIES, *OF_LOGITS, *OF_OVERLAP, *OF_DISTANCES)
        and not (it.target.least >= 0 and it.target.greatest <= 1)
    ),
    "one output is compared with itself": lambda it: it.loss in OF_CLASSES and it.target.outputs == 1,
    "outputs are no probabilities": lambda it: (
        it.loss in (*OF_PROBABILITIES, "tversky_loss") and not (it.range[0] >= 0 and it.range[1] <= 1)
    ),
    "logits lie on one side": lambda it: it.loss == "logitbinarycrossentropy" and it.range != (-inf, inf),
    "logits are bounded": lambda it: it.loss == "logitcrossentropy" and it.range[0] > -inf and it.range[1] < inf,
    "softmax of one output is always the same": lambda it: "softmax" in it.function and it.target.outputs == 1,
    "the function cannot give the targets": lambda it: (
        it.loss in (*OF_NUMBERS, *OF_COUNTS, *OF_MARGINS, *OF_OVERLAP)
        and (it.target.least < it.range[0] or it.target.greatest > it.range[1])
    ),
    "targets are far from where the network begins": lambda it: it.kind == "prices",
}
"""Reasons for which scikit-learn or Keras refuse a recipe, or warn, or should."""


def faults(recipe: Recipe) -> list[str]:
    return [reason for reason, holds in FAULTS.items() if holds(recipe)]


RECIPES = [
    Recipe(loss, kind, function, ("float32", "float64")[(place + place // len(FUNCTIONS)) % 2])
    for place, (loss, kind, function) in enumerate(product(LOSSES, TARGETS, FUNCTIONS))
]
WRONG = [recipe for recipe in RECIPES if faults(recipe)]
RIGHT = [recipe for recipe in RECIPES if not faults(recipe)]


@pytest.fixture(scope="module")
def datasets(client: Client) -> dict[str, str]:
    return {kind: client.create_dataset({"x": XS, "y": each.values}, ["y"]).id for kind, each in TARGETS.items()}


@pytest.fixture(scope="module")
def models(client: Client) -> dict[tuple[int, str, str], str]:
    """Models by outputs, last function and dtype."""
    return {
        (outputs, function, dtype): client.create_model(
            f"Chain(Dense(1 => 4, tanh), Dense(4 => {outputs}), {function})", dtype=dtype
        ).id
        for outputs, function, dtype in product((1, 3), FUNCTIONS, ("float32", "float64"))
    }


@pytest.fixture(scope="module")
def planned(
    client: Client, datasets: dict[str, str], models: dict[tuple[int, str, str], str]
) -> Callable[[Recipe], set[str]]:
    """The code of the refusal of a recipe, or the codes of its advice."""

    def codes(recipe: Recipe) -> set[str]:
        model = models[recipe.target.outputs, recipe.function, recipe.dtype]
        body = {"model": model, "dataset": datasets[recipe.kind], "loss": recipe.loss, "epochs": 300}
        rule = {"rule": "Adam", "eta": 0.01}
        answer = client.http.post("/api/jobs?validate_only=true", json={**body, "optimiser": rule})
        assert answer.status_code in (200, 422)
        found = answer.json()
        return {each["code"] for each in found["advice"]} if answer.status_code == 200 else {found["code"]}

    return codes


def test_no_wrong_recipe_is_taken_in_silence(planned: Callable[[Recipe], set[str]]) -> None:
    chosen = WRONG[:: len(WRONG) // 200]
    assert len(chosen) >= 200
    silent = [(recipe, faults(recipe)) for recipe in chosen if not planned(recipe)]
    assert silent == []


def test_recipes_without_fault_get_no_advice_on_their_targets(planned: Callable[[Recipe], set[str]]) -> None:
    about_predictions = {"no_probabilities", "target_is_numeric"}
    loud = [(recipe, found) for recipe in RIGHT if (found := planned(recipe) - about_predictions)]
    assert loud == []


ADAM = {"rule": "Adam", "eta": 0.01}
OTHERWISE: list[tuple[str, str, dict[str, Any]]] = [
    *(
        (kind, "identity", {"loss": loss, "optimiser": {"rule": rule}})
        for rule in ("LevenbergMarquardt", "LBFGS", "Muon")
        for loss, kind in (
            ("mse", "constant"),
            ("mse", "prices"),
            ("msle", "low"),
            ("poisson_loss", "low"),
            ("hinge_loss", "numbers"),
            ("crossentropy", "zero or one"),
            ("logitcrossentropy", "truths"),
            ("logitbinarycrossentropy", "one or two"),
            ("focal_loss", "classes"),
            ("tversky_loss", "numbers"),
        )
    ),
    *(
        ("numbers", "identity", {"optimiser": {"rule": "LevenbergMarquardt"}, "loss": each})
        for each in ("mae", "huber_loss")
    ),
    ("numbers", "identity", {"optimiser": {"rule": "LBFGS"}, "loss": "mae"}),
    *(
        ("numbers", "identity", {"optimiser": {"rule": rule}, **more})
        for rule in ("LevenbergMarquardt", "LBFGS")
        for more in ({"batch_size": 2}, {"schedule": {"name": "Exp", "start": 0.1, "decay": 0.9}})
    ),
    *(("numbers", "identity", {"class_weight": each}) for each in ("balanced", {"true": 5})),
    *(("zero or one", "identity", {"class_weight": each}) for each in ("balanced", {"1": 5})),
    *(
        ("truths", "identity", {"class_weight": each, "loss": "logitbinarycrossentropy"})
        for each in ({"a": 2}, {"true": -1}, {"true": 0, "false": 0})
    ),
    ("classes", "identity", {"class_weight": {"d": 2}, "loss": "logitcrossentropy"}),
    *(("numbers", "identity", {"sample_weights": each}) for each in ("x", "y", "w")),
    *((kind, "softmax", {"recipe": "auto"}) for kind in ("numbers", "prices", "zero or one", "constant", "truths")),
    *((kind, "relu", {"recipe": "auto"}) for kind in ("numbers", "signs", "low")),
]
"""Recipes with other rules, weights or a choice of their own: the kind of target, the last function, and fields."""


def test_no_wrong_rule_nor_weight_is_taken_in_silence(
    client: Client, datasets: dict[str, str], models: dict[tuple[int, str, str], str]
) -> None:
    def found(kind: str, function: str, fields: dict[str, Any]) -> set[str]:
        body = {"model": models[TARGETS[kind].outputs, function, "float32"], "dataset": datasets[kind], "epochs": 300}
        chosen = {} if "recipe" in fields else {"optimiser": ADAM}
        answer = client.http.post("/api/jobs?validate_only=true", json={**body, **chosen, **fields})
        assert answer.status_code in (200, 422)
        codes = (
            {each["code"] for each in answer.json()["advice"]} if answer.status_code == 200 else {answer.json()["code"]}
        )
        return codes - {"recipe_chosen"}

    assert [each for each in OTHERWISE if not found(*each)] == []
