"""The learning core as the benchmarks call it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import OPTIMISERS, Descent
from service.learning.rows.part import Part
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training

Array = NDArray[np.float32]
FOREVER = 10_000_000


def run(notation: str, parameters: Array, part: Part, rate: float, epochs: int) -> Callable[[], list[float]]:
    """Full-batch gradient descent on mse from the same parameters each time; returns every epoch's loss."""
    network = Network(read(notation))
    recipe = Recipe(loss=LOSSES["mse"](), optimiser=Descent(eta=rate), epochs=epochs)

    def losses() -> list[float]:
        reports = Training(Problem(network, part, None, recipe), parameters).run()
        return [report.train_loss for report in reports if isinstance(report, EpochReport)]

    return losses


def epoch(notation: str, loss: str, rule: str, rate: float, batch_size: int, part: Part) -> Callable[[], float]:
    """One more pass of shuffled mini-batches; returns its mean loss. The first call returns the untrained loss."""
    network = Network(read(notation))
    optimiser: Any = OPTIMISERS[rule]
    recipe = Recipe(
        loss=LOSSES[loss](), optimiser=optimiser(eta=rate), epochs=FOREVER, batch_size=batch_size, shuffle=True
    )
    reports = Training(Problem(network, part, None, recipe), network.initial(0)).run()
    return lambda: next(report.train_loss for report in reports if isinstance(report, EpochReport))
