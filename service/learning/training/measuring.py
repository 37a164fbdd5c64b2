"""The loss of parameters over a part, in test mode."""

from collections.abc import Generator

from service.learning.arrays import Array
from service.learning.rows.part import Part
from service.learning.training.coordinates import Coordinates
from service.learning.training.events import Heartbeat
from service.learning.training.problem import Problem


def measure_loss(
    problem: Problem, part: Part, vector: Array, scaling: Coordinates | None, heartbeat: Heartbeat
) -> Generator[float, None, float]:
    """Return the recipe's loss of parameters in these coordinates, which may not be finite; yields whenever an event is
    due.
    """
    coordinates = scaling or Coordinates()
    total = coordinates.loss(problem.recipe.loss).total()
    rows = part.inputs, part.targets
    for _ in problem.network.measure(vector, *rows, total, part.weights, coordinates.apply):
        if heartbeat.due():
            yield 0.0
            heartbeat.reset()
    return total.value
