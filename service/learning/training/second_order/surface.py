"""The surface that rules of second order walk on: a loss with its gradient and curvature, over all rows at once."""

from collections.abc import Generator
from typing import NamedTuple, Protocol

import numpy as np

from service.learning.arrays import Matrix, Saved, State


class Survey(NamedTuple):
    """The loss at a place, what a rule is to lower (that in scaled coordinates, with its decay), and the slope of this.

    `norm` is that of the gradient without the decay. `curvature` approximates the Hessian and is never negative, in the
    order of the surface's columns; None where it was not asked for.
    """

    loss: float
    target: float
    gradient: Matrix
    norm: float
    curvature: Matrix | None = None


Surveying = Generator[float, None, Survey | None]


class Surface(Protocol):
    """A loss as a function of a flat float64 vector."""

    passes: int
    """The evaluations so far, those that ended before the last row included."""

    def evaluate(self, theta: Matrix, below: float) -> Surveying:
        """Return what is known at a place; None where the target is not below a bound, or not finite.

        A long pass yields the fraction done five times a second; `state` then has what is summed, and after `restore`
        the next evaluation, which must be of the same place, goes on from there.
        """

    def columns(self, flat: Matrix) -> Matrix:
        """The elements that are trained, as columns × any number that have the same curvature."""

    def flat(self, columns: Matrix) -> Matrix:
        """The flat vector of these columns; 0 where nothing is trained."""

    def rounded(self, theta: Matrix) -> Matrix:
        """The vector as the network's dtype keeps it."""

    def state(self) -> State:
        """Copies of a pass's sums so far."""

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""


def decayed(evaluation: Survey, theta: Matrix, decay: float) -> Survey:
    """Add decay/2 Σ θ² and its derivatives, θ being the elements that are trained, and 0 elsewhere."""
    if not decay:
        return evaluation
    curvature = evaluation.curvature
    if curvature is not None:
        curvature = curvature.copy()
        curvature.flat[:: len(curvature) + 1] += decay
    return evaluation._replace(
        target=evaluation.target + decay / 2 * float(theta @ theta),
        gradient=evaluation.gradient + decay * theta,
        curvature=curvature,
    )


def length(x: Matrix) -> float:
    return float(np.sqrt(x.ravel() @ x.ravel()))
