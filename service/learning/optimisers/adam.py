"""Adam and its family, named as in Optimisers.jl.

Where a formula averages, m = β m + (1 - β) dx, the rule keeps m / (1 - β): the update is then m = β m + dx, and the
factor goes into the rate. It saves two passes over the parameters.
"""

import math
from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array
from service.learning.optimisers.rule import OPTIMISERS, Apply, Block, Rule
from service.learning.terms import Fraction, NonNegative, Positive

Betas = tuple[Fraction, Fraction]
BETA = (0.9, 0.999)


@dataclass(frozen=True, slots=True)
class Moments(Rule):
    """A rule that keeps running averages m of dx and v of dx², here m / (1 - β₁) and v / (1 - β₂)."""

    normalises = True
    eta: Positive = 0.001
    beta: Betas = BETA
    epsilon: Positive = 1e-8

    def states(self) -> dict[str, float]:
        return {"m": 0.0, "v": 0.0}

    def accumulate(self, m: Array, v: Array, dx: Array) -> None:
        """Take dx into m and v; dx is overwritten."""
        b1, b2 = self.beta
        np.multiply(m, b1, m)
        np.add(m, dx, m)
        np.multiply(dx, dx, dx)
        np.multiply(v, b2, v)
        np.add(v, dx, v)

    def divide(self, m: Array, v: Array, rate: float, divisor: float, out: Array) -> None:
        """out = rate m / (√(v / divisor) + ε), with the averages that m and v are multiples of."""
        b1, b2 = self.beta
        root = math.sqrt((1 - b2) / divisor)
        np.sqrt(v, out)
        np.add(out, self.epsilon / root, out)
        np.divide(m, out, out)
        np.multiply(out, rate * (1 - b1) / root, out)


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Adam(Moments):
    """m = β₁ m + (1 - β₁) dx; v = β₂ v + (1 - β₂) dx²; dx = η m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε)

    D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", 2015.
    """

    name = "Adam"

    def bind(self, block: Block) -> Apply:
        dx, m, v = block.dx, block.state["m"], block.state["v"]
        b1, b2 = self.beta

        def apply(eta: float, t: int) -> None:
            self.accumulate(m, v, dx)
            self.divide(m, v, eta / (1 - b1**t), 1 - b2**t, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class RAdam(Moments):
    """Adam with its rate times √((ρ-4)(ρ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρ)) where ρ > 4, and dx = η m / (1 - β₁ᵗ) elsewhere

    ρ∞ = 2 / (1 - β₂) - 1 and ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ). L. Liu et al., "On the Variance of the Adaptive Learning
    Rate and Beyond", 2019.
    """

    name = "RAdam"

    def bind(self, block: Block) -> Apply:
        dx, m, v = block.dx, block.state["m"], block.state["v"]
        b1, b2 = self.beta
        longest = 2 / (1 - b2) - 1

        def apply(eta: float, t: int) -> None:
            self.accumulate(m, v, dx)
            rate = eta / (1 - b1**t)
            length = longest - 2 * t * b2**t / (1 - b2**t)
            if length > 4:
                r = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
                self.divide(m, v, rate * math.sqrt(r), 1 - b2**t, dx)
            else:
                np.multiply(m, rate * (1 - b1), dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class AdaMax(Moments):
    """m = β₁ m + (1 - β₁) dx; u = max(β₂ u, |dx|); dx = η m / (1 - β₁ᵗ) / (u + ε)

    D. P. Kingma, J. Ba, 2015.
    """

    name = "AdaMax"

    def bind(self, block: Block) -> Apply:
        dx, m, u = block.dx, block.state["m"], block.state["v"]
        b1, b2 = self.beta

        def apply(eta: float, t: int) -> None:
            np.multiply(m, b1, m)
            np.add(m, dx, m)
            np.abs(dx, dx)
            np.multiply(u, b2, u)
            np.maximum(u, dx, out=u)
            np.add(u, self.epsilon, dx)
            np.divide(m, dx, dx)
            np.multiply(dx, eta * (1 - b1) / (1 - b1**t), dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class OAdam(Moments):
    """dx = 2 s - s before, where s is the step of Adam

    C. Daskalakis et al., "Training GANs with Optimism", 2017.
    """

    name = "OAdam"
    beta: Betas = (0.5, 0.9)

    def states(self) -> dict[str, float]:
        return {"m": 0.0, "v": 0.0, "s": 0.0}

    def bind(self, block: Block) -> Apply:
        dx, m, v, s, scratch = block.dx, block.state["m"], block.state["v"], block.state["s"], block.scratch
        b1, b2 = self.beta

        def apply(eta: float, t: int) -> None:
            self.accumulate(m, v, dx)
            np.copyto(scratch, s)
            self.divide(m, v, eta / (1 - b1**t), 1 - b2**t, s)
            np.multiply(s, 2, dx)
            np.subtract(dx, scratch, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class AMSGrad(Moments):
    """m = β₁ m + (1 - β₁) dx; v = β₂ v + (1 - β₂) dx²; v̂ = max(v̂, v); dx = η m / (√v̂ + ε)

    S. J. Reddi, S. Kale, S. Kumar, "On the Convergence of Adam and Beyond", 2018. m, v and v̂ begin with ε.
    """

    name = "AMSGrad"

    def states(self) -> dict[str, float]:
        b1, b2 = self.beta
        return {"m": self.epsilon / (1 - b1), "v": self.epsilon / (1 - b2), "v̂": self.epsilon / (1 - b2)}

    def bind(self, block: Block) -> Apply:
        dx, m, v, largest = block.dx, block.state["m"], block.state["v"], block.state["v̂"]

        def apply(eta: float, t: int) -> None:
            self.accumulate(m, v, dx)
            np.maximum(largest, v, out=largest)
            self.divide(m, largest, eta, 1.0, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class NAdam(Moments):
    """dx = η (β₁ m / (1 - β₁ᵗ⁺¹) + (1 - β₁) dx / (1 - β₁ᵗ)) / (√(v β₂ / (1 - β₂ᵗ)) + ε), with m and v of Adam

    T. Dozat, "Incorporating Nesterov Momentum into Adam", 2016; the β₂ under the root is in Optimisers.jl's code.
    """

    name = "NAdam"

    def bind(self, block: Block) -> Apply:
        dx, m, v, scratch = block.dx, block.state["m"], block.state["v"], block.scratch
        b1, b2 = self.beta

        def apply(eta: float, t: int) -> None:
            np.multiply(dx, 1 / (1 - b1**t), scratch)
            self.accumulate(m, v, dx)
            np.multiply(m, b1 / (1 - b1 ** (t + 1)), dx)
            np.add(scratch, dx, scratch)
            self.divide(scratch, v, eta, (1 - b2**t) / b2, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class AdamW(Moments):
    """dx = s + η λ x where coupled, else s + λ x, where s is the step of Adam

    I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", 2017.
    """

    name = "AdamW"
    lambda_: NonNegative = 0.0
    couple: bool = True

    def bind(self, block: Block) -> Apply:
        x, dx, m, v, scratch = block.x, block.dx, block.state["m"], block.state["v"], block.scratch
        b1, b2 = self.beta

        def apply(eta: float, t: int) -> None:
            self.accumulate(m, v, dx)
            self.divide(m, v, eta / (1 - b1**t), 1 - b2**t, dx)
            np.multiply(x, eta * self.lambda_ if self.couple else self.lambda_, scratch)
            np.add(dx, scratch, dx)

        return apply


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class AdaBelief(Moments):
    """m = β₁ m + (1 - β₁) dx; s = β₂ s + (1 - β₂) (dx - m)² + ε; dx = η m / (1 - β₁ᵗ) / (√(s / (1 - β₂ᵗ)) + ε)

    J. Zhuang et al., "AdaBelief Optimizer", 2020.
    """

    name = "AdaBelief"
    epsilon: Positive = 1e-16

    def bind(self, block: Block) -> Apply:
        dx, m, s, scratch = block.dx, block.state["m"], block.state["v"], block.scratch
        b1, b2 = self.beta

        def apply(eta: float, t: int) -> None:
            np.multiply(m, b1, m)
            np.add(m, dx, m)
            np.multiply(m, 1 - b1, scratch)
            np.subtract(dx, scratch, dx)
            np.multiply(dx, dx, dx)
            np.add(dx, self.epsilon / (1 - b2), dx)
            np.multiply(s, b2, s)
            np.add(s, dx, s)
            self.divide(m, s, eta / (1 - b1**t), 1 - b2**t, dx)

        return apply
