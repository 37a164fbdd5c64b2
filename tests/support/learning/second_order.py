"""Small trainings by rules of second order."""

from typing import Any

import numpy as np

from service.learning.arrays import Array
from service.learning.losses import MSE
from service.learning.optimisers import LevenbergMarquardt, Rule
from service.learning.rows.part import Part
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from tests.support.learning.networks import network


def training(architecture: str, x: Array, y: Array, rule: Rule | None = None, **fields: Any) -> Training:
    """A training in float64, or in the `dtype` that is given, from the `start` or from the network's own."""
    dtype, start, weights = fields.pop("dtype", "float64"), fields.pop("start", None), fields.pop("weights", None)
    validation, fresh = fields.pop("validation", None), fields.pop("fresh", False)
    net = network(architecture, dtype)
    part = Part(x.astype(dtype), y.astype(dtype), weights)
    recipe = Recipe(**{"loss": MSE(), "optimiser": rule or LevenbergMarquardt(), "epochs": 20, **fields})
    start = net.initial(0) if start is None else np.asarray(start)
    return Training(Problem(net, part, validation, recipe), start, fresh=fresh)


def reports_of(training: Training) -> list[EpochReport]:
    return [event for event in training.run() if isinstance(event, EpochReport)]


def sine(rows: int = 40) -> tuple[Array, Array]:
    x = np.linspace(-3, 3, rows).reshape(-1, 1)
    return x, np.sin(x)
