"""Optimiser rules, named as in Optimisers.jl: each turns the gradient dx in place into the step of x -= dx."""

from dataclasses import dataclass

import numpy as np

from service.learning.rule import OPTIMISERS, Apply, Block, Rule
from service.learning.vocabulary import Fraction, Positive

__all__ = ["OPTIMISERS", "Rule"]


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Descent(Rule):
    """dx = η dx"""

    name = "Descent"
    eta: Positive = 0.1

    def bind(self, block: Block) -> Apply:
        dx = block.dx

        def apply(eta: float, t: int) -> None:
            np.multiply(dx, eta, out=dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Momentum(Rule):
    """v = ρ v + η dx; dx = v"""

    name = "Momentum"
    eta: Positive = 0.01
    rho: Fraction = 0.9

    def states(self) -> dict[str, float]:
        return {"v": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, v, rho = block.dx, block.state["v"], self.rho

        def apply(eta: float, t: int) -> None:
            np.multiply(v, rho, out=v)
            np.multiply(dx, eta, out=dx)
            np.add(v, dx, out=v)
            np.copyto(dx, v)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Adam(Rule):
    """m = β₁ m + (1 - β₁) dx; v = β₂ v + (1 - β₂) dx²; dx = η m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε)

    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015. The states kept are m / (1 - β₁) and
    v / (1 - β₂), which takes two operations less.
    """

    name = "Adam"
    eta: Positive = 0.001
    beta: tuple[Fraction, Fraction] = (0.9, 0.999)
    epsilon: Positive = 1e-8

    def states(self) -> dict[str, float]:
        return {"m": 0.0, "v": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, m, v = block.dx, block.state["m"], block.state["v"]
        b1, b2 = self.beta

        def apply(eta: float, t: int) -> None:
            root = ((1 - b2) / (1 - b2**t)) ** 0.5
            np.multiply(m, b1, out=m)
            np.add(m, dx, out=m)
            np.multiply(dx, dx, out=dx)
            np.multiply(v, b2, out=v)
            np.add(v, dx, out=v)
            np.sqrt(v, out=dx)
            np.add(dx, self.epsilon / root, out=dx)
            np.divide(m, dx, out=dx)
            np.multiply(dx, eta * (1 - b1) / (1 - b1**t) / root, out=dx)

        return apply
