"""Small networks and problems that the tests of the learning core share."""

import numpy as np

from service.learning.arrays import Array
from service.learning.layers.activations import ACTIVATIONS, Activation
from service.learning.losses import LOSSES, Loss
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import OPTIMISERS, Rule
from service.learning.rows.part import Part
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training

LAYERS = {
    "Dense": "Chain(Dense(3 => 4), {}, Dense(4 => 2))",
    "Dense without bias": "Chain(Dense(3 => 4; bias=false), {}, Dense(4 => 2; bias=false))",
    "first": "Chain({}, Dense(3 => 2))",
    "Chain in Chain": "Chain(Chain(Dense(3 => 4), {}), Chain(Dense(4 => 2)))",
    "Dropout": "Chain(Dense(3 => 4), {}, Dropout(0.3), Dense(4 => 2))",
    "LayerNorm": "Chain(Dense(3 => 4), LayerNorm(4), {}, LayerNorm(4; affine=false), Dense(4 => 2))",
    "BatchNorm": "Chain(Dense(3 => 4), BatchNorm(4), {}, Dense(4 => 2), BatchNorm(2; affine=false))",
    "SkipConnection": "Chain(SkipConnection(Chain(Dense(3 => 3), {}), +), Dense(3 => 2))",
    "SkipConnection, vcat": "Chain(Dense(3 => 4), SkipConnection(Chain(Dense(4 => 3), {}), vcat), Dense(7 => 2))",
    "Parallel": "Chain(Dense(3 => 4), Parallel(+, Chain(Dense(4 => 2), {}), Dense(4 => 2)))",
    "Parallel, vcat": "Chain(Dense(3 => 4), Parallel(vcat, Chain(Dense(4 => 2), {}), Dense(4 => 3)), Dense(5 => 2))",
}
"""Architectures with a place for an activation, by the layer that they are about."""


def all_activations() -> list[Activation]:
    """One activation of each name; a written one for `expression`."""
    return [
        ACTIVATIONS[name](expression="x * sigmoid(x)") if name == "expression" else ACTIVATIONS[name]()  # type: ignore[call-arg]  # fields of its class
        for name in ACTIVATIONS
    ]


def all_losses() -> list[Loss]:
    """One loss of each name, with mean and, where there is a choice, sum."""
    losses: list[Loss] = []
    for name in LOSSES:
        if name == "expression":
            losses.append(LOSSES[name](expression="mean(abs2(ŷ - y)) + 0.1sum(abs(ŷ))"))  # type: ignore[call-arg]  # fields of its class
            continue
        losses.append(LOSSES[name]())
        if "agg" in LOSSES[name].__dataclass_fields__:  # type: ignore[attr-defined]  # a dataclass
            losses.append(LOSSES[name](agg="sum"))  # type: ignore[call-arg]  # fields of its class
    return losses


def all_rules() -> list[Rule]:
    """One rule of each name that makes steps of gradients; a chain of two for OptimiserChain."""
    given: dict[str, dict[str, object]] = {
        "AccumGrad": {"n": 3},
        "OptimiserChain": {"rules": (OPTIMISERS["AccumGrad"](n=2), OPTIMISERS["Adam"](eta=0.05))},  # type: ignore[call-arg]  # fields of its class
    }
    return [OPTIMISERS[name](**given.get(name, {})) for name in OPTIMISERS if not OPTIMISERS[name].second_order]


def problem(rows: int, inputs: int = 3, outputs: int = 2, dtype: str = "float64", seed: int = 0) -> Part:
    """Inputs about 0, and targets in the rows of a simplex, which suit every loss."""
    generator = np.random.default_rng(seed)
    targets = generator.dirichlet(np.ones(outputs), rows)
    return Part(generator.standard_normal((rows, inputs)).astype(dtype), targets.astype(dtype))


def network(notation: str, dtype: str = "float64") -> Network:
    return Network(read(notation), dtype)


def reports(training: Training) -> list[EpochReport]:
    """Run to the end; return the reports of all epochs."""
    return [event for event in training.run() if isinstance(event, EpochReport)]


def trained(network: Network, part: Part, recipe: Recipe) -> Array:
    """The result of a training from the parameters of seed 0."""
    training = Training(Problem(network, part, None, recipe), network.initial(0))
    reports(training)
    return training.result()
