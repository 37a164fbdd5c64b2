"""Rules that step by signs: Rprop and Lion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt

from service.learning.optimisers.rule import OPTIMISERS, Apply, Block, Rule, average
from service.learning.terms import Fraction, Positive, TermError


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
        """None: every parameter has its own rate."""

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
class Lion(Rule):
    """dx = η sign(β₁ m + (1 - β₁) dx); m = β₂ m + (1 - β₂) dx with the dx before

    X. Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023. Optimisers.jl swaps the weights of the second
    equation; this follows the paper.
    """

    name = "Lion"
    normalises = True
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
