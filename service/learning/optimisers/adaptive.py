"""Rules that divide by a mean of past squares: RMSProp, AdaGrad, AdaDelta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.learning.optimisers.rule import OPTIMISERS, Apply, Block, Rule, average
from service.learning.terms import Fraction, Positive


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class RMSProp(Rule):
    """q = ρ q + (1 - ρ) dx²; dx = η dx / (√q + ε); centred: l = ρ l + (1 - ρ) dx, and q - l² in the place of q

    T. Tieleman, G. Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012.
    """

    name = "RMSProp"
    normalises = True
    eta: Positive = 0.001
    rho: Fraction = 0.9
    epsilon: Positive = 1e-8
    centred: bool = False

    def states(self) -> dict[str, float]:
        return {"q": 0.0, "l": 0.0} if self.centred else {"q": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, q, centre, scratch = block.dx, block.state["q"], block.state.get("l"), block.scratch

        def apply(eta: float, t: int) -> None:
            np.multiply(dx, dx, scratch)
            average(q, scratch, self.rho)
            if centre is None:
                np.sqrt(q, scratch)
            else:
                np.copyto(scratch, dx)
                average(centre, scratch, self.rho)
                np.multiply(centre, centre, scratch)
                np.subtract(q, scratch, scratch)
                np.maximum(scratch, 0, out=scratch)  # rounding may leave a little less
                np.sqrt(scratch, scratch)
            np.add(scratch, self.epsilon, scratch)
            np.divide(dx, scratch, dx)
            np.multiply(dx, eta, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class AdaGrad(Rule):
    """a = a + dx²; dx = η dx / (√a + ε); a begins with ε

    J. Duchi, E. Hazan, Y. Singer, 2011.
    """

    name = "AdaGrad"
    normalises = True
    eta: Positive = 0.1
    epsilon: Positive = 1e-8

    def states(self) -> dict[str, float]:
        return {"a": self.epsilon}

    def bind(self, block: Block) -> Apply:
        dx, a, scratch = block.dx, block.state["a"], block.scratch

        def apply(eta: float, t: int) -> None:
            np.multiply(dx, dx, scratch)
            np.add(a, scratch, a)
            np.sqrt(a, scratch)
            np.add(scratch, self.epsilon, scratch)
            np.divide(dx, scratch, dx)
            np.multiply(dx, eta, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class AdaDelta(Rule):
    """a = ρ a + (1 - ρ) dx²; dx = dx √(Δ + ε) / √(a + ε); Δ = ρ Δ + (1 - ρ) dx²

    M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012. It has no rate.
    """

    name = "AdaDelta"
    normalises = True
    rho: Fraction = 0.9
    epsilon: Positive = 1e-8

    def states(self) -> dict[str, float]:
        return {"a": 0.0, "Δ": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, a, delta, scratch = block.dx, block.state["a"], block.state["Δ"], block.scratch

        def apply(_: float, t: int) -> None:
            np.multiply(dx, dx, scratch)
            average(a, scratch, self.rho)
            np.add(delta, self.epsilon, scratch)
            np.sqrt(scratch, scratch)
            np.multiply(dx, scratch, dx)
            np.add(a, self.epsilon, scratch)
            np.sqrt(scratch, scratch)
            np.divide(dx, scratch, dx)
            np.multiply(dx, dx, scratch)
            average(delta, scratch, self.rho)

        return apply
