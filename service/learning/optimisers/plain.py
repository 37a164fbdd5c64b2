"""The plain rules, named as in Optimisers.jl: each turns the gradient dx in place into the step of x -= dx."""

from dataclasses import dataclass

import numpy as np

from service.learning.optimisers.rule import OPTIMISERS, Apply, Block, Recurrence, Rule
from service.learning.terms import Fraction, Positive


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Descent(Rule):
    """dx = η dx"""

    name = "Descent"
    eta: Positive = 0.1

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence()

    def bind(self, block: Block) -> Apply:
        dx = block.dx

        def apply(eta: float, t: int) -> None:
            np.multiply(dx, eta, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Momentum(Rule):
    """v = ρ v + η dx; dx = v"""

    name = "Momentum"
    eta: Positive = 0.01
    rho: Fraction = 0.9

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence(self.rho)

    def states(self) -> dict[str, float]:
        return {"v": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, v = block.dx, block.state["v"]

        def apply(eta: float, t: int) -> None:
            np.multiply(v, self.rho, v)
            np.multiply(dx, eta, dx)
            np.add(v, dx, v)
            np.copyto(dx, v)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Nesterov(Rule):
    """dx = (1 + ρ) η dx - ρ² v, and then v = ρ v - η dx with the dx before

    Y. Nesterov, 1983, as written by Y. Bengio, N. Boulanger-Lewandowski, R. Pascanu, "Advances in Optimizing Recurrent
    Networks", 2012.
    """

    name = "Nesterov"
    eta: Positive = 0.001
    rho: Fraction = 0.9

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence(self.rho, ahead=True)

    def states(self) -> dict[str, float]:
        return {"v": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, v, scratch, rho = block.dx, block.state["v"], block.scratch, self.rho

        def apply(eta: float, t: int) -> None:
            np.multiply(dx, eta, dx)
            np.multiply(v, rho, v)
            np.multiply(v, rho, scratch)
            np.subtract(v, dx, v)
            np.multiply(dx, 1 + rho, dx)
            np.subtract(dx, scratch, dx)

        return apply
