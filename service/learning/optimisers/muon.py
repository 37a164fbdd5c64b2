"""Muon, which makes the steps of hidden weights orthogonal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array
from service.learning.optimisers.adam import AdamW
from service.learning.optimisers.modifiers import norm
from service.learning.optimisers.rule import OPTIMISERS, Apply, Block, Rule
from service.learning.terms import Fraction, NonNegative, Positive, TermError

NEWTON_SCHULZ = 5
COEFFICIENTS = 3.4445, -4.7750, 2.0315
SMALL = 1e-7
OF_FALLBACK = "opt_"
"""Before the names of what the fallback remembers."""

FALLBACK = AdamW(3e-4, (0.9, 0.95), lambda_=0.01)


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class Muon(Rule):
    """m = μ m + (1 - μ) dx; dx = η (√max(1, r/c) NS((1 - μ) dx + μ m) + λ x) for r × c weights between other weights

    K. Jordan, "Muon: An optimizer for hidden layers in neural networks", 2024. NS makes all singular values about 1, by
    five iterations of Newton and Schulz. The rule `opt` takes the weights that see the inputs or make the outputs,
    biases, and what normalisations learn; its rate keeps its ratio to η where that is changed.
    """

    name = "Muon"
    scope = "array"
    normalises = True
    opt: Rule = FALLBACK
    eta: Positive = 0.02
    mu: Fraction = 0.95
    lambda_: NonNegative = 0.01

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        opt = self.opt
        if opt.rules != (opt,) or opt.second_order or opt.pauses or opt.scope == "vector" or isinstance(opt, Muon):
            raise TermError(self.name, "opt", f"must make steps of each array by itself, such as AdamW; not {opt.name}")

    def states(self) -> dict[str, float]:
        return {"m": 0.0} | {f"{OF_FALLBACK}{name}": first for name, first in self.opt.states().items()}

    def products(self, rows: int, columns: int) -> int:
        short, long = sorted((rows, columns))
        return NEWTON_SCHULZ * 2 * short * short * (2 * long + short)

    def bind(self, block: Block) -> Apply:
        if block.matrix is None or block.matrix[0] == 1:
            return self._bind_fallback(block)
        x, dx, m, scratch = block.x, block.dx, block.state["m"], block.scratch
        inputs, outputs = block.matrix
        orthogonal = bind_orthogonal(scratch.reshape(inputs, outputs))
        size = math.sqrt(max(1.0, outputs / inputs))

        def apply(eta: float, t: int) -> None:
            np.multiply(dx, 1 - self.mu, dx)
            np.multiply(m, self.mu, m)
            np.add(m, dx, m)
            np.multiply(m, self.mu, scratch)
            np.add(scratch, dx, scratch)
            np.multiply(orthogonal(), eta * size, dx.reshape(inputs, outputs))
            np.multiply(x, eta * self.lambda_, scratch)
            np.add(dx, scratch, dx)

        return apply

    def _bind_fallback(self, block: Block) -> Apply:
        state = {name: block.state[f"{OF_FALLBACK}{name}"] for name in self.opt.states()}
        apply = self.opt.bind(block._replace(state=state))
        ratio = (self.opt.rate or 0.0) / self.eta
        return lambda eta, t: apply(eta * ratio, t)


def bind_orthogonal(u: Array) -> Callable[[], Array]:
    """Return a function that overwrites u, and returns a matrix of its singular vectors with values of about 1."""
    rows, columns = u.shape
    wide = u if rows <= columns else u.T
    x, product = (np.empty(wide.shape, u.dtype) for _ in range(2))
    square, fourth = (np.empty((len(x), len(x)), u.dtype) for _ in range(2))
    a, b, c = COEFFICIENTS

    def orthogonal() -> Array:
        np.divide(wide, norm(u.reshape(-1), 2) + SMALL, x)
        for _ in range(NEWTON_SCHULZ):
            np.matmul(x, x.T, square)
            np.matmul(square, square, fourth)
            np.multiply(square, b, square)
            np.multiply(fourth, c, fourth)
            np.add(square, fourth, square)
            np.matmul(square, x, product)
            np.multiply(x, a, x)
            np.add(x, product, x)
        return x if wide is u else x.T

    return orthogonal
