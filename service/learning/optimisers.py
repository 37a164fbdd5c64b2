"""Optimiser rules, named as in Optimisers.jl: each turns the gradient dx in place into the step of x -= dx.

The plain ones and those that keep squares are here, the family of Adam in adam.py, what changes gradients before a rule
in modifiers.py.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt

from service.learning.adam import Adam
from service.learning.modifiers import OptimiserChain
from service.learning.rule import OPTIMISERS, Apply, Block, Optimiser, Rule, average
from service.learning.vocabulary import Fraction, Positive, TermError

__all__ = [
    "OPTIMISERS",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "Descent",
    "Lion",
    "Momentum",
    "Nesterov",
    "Optimiser",
    "OptimiserChain",
    "RMSProp",
    "Rprop",
    "Rule",
]


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Descent(Rule):
    """dx = η dx"""

    name = "Descent"
    eta: Positive = 0.1

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


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Rprop(Rule):
    """dx = η sign(dx); η grows by ℓ₂ where dx keeps its sign, shrinks by ℓ₁ where not, within γ₁ and γ₂

    M. Riedmiller, H. Braun, 1993. Every parameter has its own η; where the sign changed, the next step counts as a
    first one. For full batches.
    """

    name = "Rprop"
    eta: Positive = 0.001
    ell: tuple[Annotated[float, Gt(0), Lt(1)], Annotated[float, Gt(1)]] = (0.5, 1.2)
    gamma: tuple[Positive, Positive] = (1e-6, 50.0)

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        if self.gamma[0] > self.gamma[1]:
            raise TermError(self.name, "gamma", "must be the least and then the largest step")

    @property
    def rate(self) -> None:
        """Every parameter has its own."""

    def states(self) -> dict[str, float]:
        return {"g": 0.0, "eta": self.eta}

    def bind(self, block: Block) -> Apply:
        dx, g, eta, product = block.dx, block.state["g"], block.state["eta"], block.scratch
        (shrink, grow), (least, most) = self.ell, self.gamma

        def apply(_: float, t: int) -> None:
            np.multiply(g, dx, product)
            eta[...] = np.where(product > 0, np.minimum(eta * grow, most), eta)
            eta[...] = np.where(product < 0, np.maximum(eta * shrink, least), eta)
            g[...] = np.where(product < 0, 0, dx)
            np.sign(g, dx)
            np.multiply(dx, eta, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class RMSProp(Rule):
    """q = ρ q + (1 - ρ) dx²; dx = η dx / (√q + ε); centred: l = ρ l + (1 - ρ) dx, and q - l² in the place of q

    T. Tieleman, G. Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012.
    """

    name = "RMSProp"
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


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Lion(Rule):
    """dx = η sign(β₁ m + (1 - β₁) dx); m = β₂ m + (1 - β₂) dx with the dx before

    X. Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023. Optimisers.jl swaps the weights of the second
    equation; this follows the paper.
    """

    name = "Lion"
    eta: Positive = 0.001
    beta: tuple[Fraction, Fraction] = (0.9, 0.999)

    def states(self) -> dict[str, float]:
        return {"m": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, m, scratch = block.dx, block.state["m"], block.scratch
        b1, b2 = self.beta

        def apply(eta: float, t: int) -> None:
            np.copyto(scratch, dx)
            np.subtract(dx, m, dx)
            np.multiply(dx, 1 - b1, dx)
            np.add(dx, m, dx)
            average(m, scratch, b2)
            np.sign(dx, dx)
            np.multiply(dx, eta, dx)

        return apply
