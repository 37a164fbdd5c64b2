"""Modifiers of gradients on their way to a rule, named as in Optimisers.jl, and the chain that composes them."""

import math
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from annotated_types import Len

from service.learning.arrays import Array
from service.learning.optimisers.rule import OPTIMISERS, Apply, Block, Recurrence, Rule
from service.learning.terms import Count, NonNegative, Positive, TermError


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class WeightDecay(Rule):
    """dx = dx + λ x

    The gradient of λ/2 Σ x², known as L2 regularisation.
    """

    name = "WeightDecay"
    lambda_: NonNegative = 5e-4

    def bind(self, block: Block) -> Apply:
        x, dx, scratch = block.x, block.dx, block.scratch

        def apply(eta: float, t: int) -> None:
            np.multiply(x, self.lambda_, scratch)
            np.add(dx, scratch, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class SignDecay(Rule):
    """dx = dx + λ sign(x)

    The gradient of λ Σ |x|, known as L1 regularisation.
    """

    name = "SignDecay"
    lambda_: NonNegative = 1e-3

    def bind(self, block: Block) -> Apply:
        x, dx, scratch = block.x, block.dx, block.scratch

        def apply(eta: float, t: int) -> None:
            np.sign(x, scratch)
            np.multiply(scratch, self.lambda_, scratch)
            np.add(dx, scratch, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class ClipGrad(Rule):
    """dx = min(max(dx, -δ), δ)"""

    name = "ClipGrad"
    delta: Positive = 10.0

    def bind(self, block: Block) -> Apply:
        dx = block.dx

        def apply(eta: float, t: int) -> None:
            np.clip(dx, -self.delta, self.delta, out=dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class ClipNorm(Rule):
    """dx = dx min(1, ω / ‖dx‖ₚ), for each weight and each bias alone"""

    name = "ClipNorm"
    scope = "array"
    omega: Positive = 10.0
    p: Positive = 2.0

    def bind(self, block: Block) -> Apply:
        dx = block.dx

        def apply(eta: float, t: int) -> None:
            clip(dx, norm(dx, self.p), self.omega)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class ClipGlobalNorm(Rule):
    """dx = dx min(1, ω / ‖dx‖), the norm being that of all gradients together

    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", 2013.
    """

    name = "ClipGlobalNorm"
    scope = "vector"
    omega: Positive = 10.0

    def bind(self, block: Block) -> Apply:
        dx = block.dx

        def apply(eta: float, t: int) -> None:
            clip(dx, norm(dx, 2), self.omega)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class AccumGrad(Rule):
    """dx = the mean of n gradients; between, nothing is updated"""

    name = "AccumGrad"
    pauses = True
    n: Count

    def states(self) -> dict[str, float]:
        return {"sum": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, total = block.dx, block.state["sum"]

        def apply(eta: float, t: int) -> bool:
            np.multiply(dx, 1 / self.n, dx)
            np.add(total, dx, total)
            if t % self.n:
                return False
            np.copyto(dx, total)
            total.fill(0)
            return True

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class OptimiserChain(Rule):
    """dx goes through one rule after the other"""

    name = "OptimiserChain"
    rules: Annotated[tuple[Rule, ...], Len(1)] = field()  # else the property of all rules would be its default

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        if any(isinstance(rule, OptimiserChain) for rule in self.rules):
            raise TermError(self.name, "rules", "cannot hold another OptimiserChain: put its rules in its place")

    @property
    def recurrence(self) -> Recurrence | None:
        return self.rules[0].recurrence if len(self.rules) == 1 else None

    @property
    def rate(self) -> float | None:
        return next((rule.rate for rule in self.rules if rule.rate is not None), None)


def norm(x: Array, p: float) -> float:
    """(Σ |x|ᵖ)^(1/p), in float64 where the sum would overflow."""
    if p == 2 and math.isfinite(square := float(x.dot(x))):
        return math.sqrt(square)
    return float((np.abs(x, dtype=np.float64) ** p).sum() ** (1 / p))


def clip(dx: Array, size: float, limit: float) -> None:
    """Make dx shorter where its size is beyond the limit; a size that is not finite makes it NaN."""
    if not size <= limit:
        np.multiply(dx, limit / size if math.isfinite(size) else math.nan, dx)
