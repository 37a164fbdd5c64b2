"""Distributions of first weights: arrays of outputs × inputs, drawn in float64 so that both precisions begin alike."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.random import Generator

from service.learning.arrays import Array
from service.learning.terms import Positive, Registry, Term, TermError


class Init(Term):
    """A distribution of first weights."""

    __slots__ = ()

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        """An array of this shape, float64."""
        raise NotImplementedError


INITS: Registry[Init] = Registry("descent.inits")


LEAST_CHANCE = 0.01
SQRT2 = math.sqrt(2)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Inputs and outputs of a weight (outputs × inputs)."""
    outputs, inputs = shape
    return inputs, outputs


@INITS.add
@dataclass(frozen=True, slots=True)
class GlorotUniform(Init):
    """U(-a, a), a = gain √(6 / (inputs + outputs))

    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """

    name = "glorot_uniform"
    gain: Positive = 1.0

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        limit = self.gain * math.sqrt(6 / sum(fans(shape)))
        return generator.uniform(-limit, limit, shape)


@INITS.add
@dataclass(frozen=True, slots=True)
class GlorotNormal(Init):
    """N(0, s²), s = gain √(2 / (inputs + outputs))"""

    name = "glorot_normal"
    gain: Positive = 1.0

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return generator.normal(0, self.gain * math.sqrt(2 / sum(fans(shape))), shape)


@INITS.add
@dataclass(frozen=True, slots=True)
class KaimingUniform(Init):
    """U(-a, a), a = gain √(3 / inputs)

    K. He et al., "Delving Deep into Rectifiers", 2015.
    """

    name = "kaiming_uniform"
    gain: Positive = SQRT2

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        limit = self.gain * math.sqrt(3 / fans(shape)[0])
        return generator.uniform(-limit, limit, shape)


@INITS.add
@dataclass(frozen=True, slots=True)
class KaimingNormal(Init):
    """N(0, s²), s = gain / √inputs"""

    name = "kaiming_normal"
    gain: Positive = SQRT2

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return generator.normal(0, self.gain / math.sqrt(fans(shape)[0]), shape)


@INITS.add
@dataclass(frozen=True, slots=True)
class TruncatedNormal(Init):
    """N(mean, std²) within lo and hi"""

    name = "truncated_normal"
    mean: float = 0.0
    std: Positive = 1.0
    lo: float = -2.0
    hi: float = 2.0

    def __post_init__(self) -> None:
        Init.__post_init__(self)
        normal = NormalDist(self.mean, self.std)
        if not normal.cdf(self.hi) - normal.cdf(self.lo) >= LEAST_CHANCE:
            raise TermError(self.name, "hi", f"must leave at least {LEAST_CHANCE:.0%} of the distribution above lo")

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return truncated(generator, shape, self.mean, self.std, self.lo, self.hi)


@INITS.add
@dataclass(frozen=True, slots=True)
class LecunNormal(Init):
    """N(0, s²) within ±2, s = 1 / √inputs

    Y. LeCun et al., "Efficient BackProp", 1998. The limits are ±2 itself, not ±2 s, as in Flux's code.
    """

    name = "lecun_normal"

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return truncated(generator, shape, 0.0, 1 / math.sqrt(fans(shape)[0]), -2.0, 2.0)


@INITS.add
@dataclass(frozen=True, slots=True)
class Orthogonal(Init):
    """gain Q, with orthonormal rows or columns, whichever are fewer

    A. M. Saxe, J. L. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning", 2013.
    """

    name = "orthogonal"
    gain: Positive = 1.0

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        inputs, outputs = fans(shape)
        q, r = np.linalg.qr(generator.standard_normal((max(inputs, outputs), min(inputs, outputs))))
        q = q * (self.gain * np.where(np.diagonal(r) < 0, -1, 1))  # else the distribution would not be uniform
        return (q if outputs >= inputs else q.T).reshape(shape)


@INITS.add
@dataclass(frozen=True, slots=True)
class SparseInit(Init):
    """N(0, std²), but ⌈sparsity outputs⌉ zeros for each input

    J. Martens, "Deep learning via Hessian-free optimization", 2010.
    """

    name = "sparse_init"
    sparsity: Annotated[float, Ge(0), Le(1)]
    std: Positive = 0.01

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        weights = generator.normal(0, self.std, shape)
        weights[: math.ceil(self.sparsity * shape[0])] = 0
        return generator.permuted(weights, axis=0)


@INITS.add
@dataclass(frozen=True, slots=True)
class IdentityInit(Init):
    """gain on the diagonal, moved `shift` rows down in a circle, else 0"""

    name = "identity_init"
    gain: float = 1.0
    shift: int = 0

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return np.roll(self.gain * np.eye(shape[0], shape[1]), self.shift, axis=0)


@INITS.add
@dataclass(frozen=True, slots=True)
class Zeros(Init):
    """0"""

    name = "zeros32"

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)


@INITS.add
@dataclass(frozen=True, slots=True)
class Ones(Init):
    """1"""

    name = "ones32"

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return np.ones(shape)


@INITS.add
@dataclass(frozen=True, slots=True)
class Rand(Init):
    """U(0, 1)"""

    name = "rand32"

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return generator.random(shape)


@INITS.add
@dataclass(frozen=True, slots=True)
class Randn(Init):
    """N(0, 1)"""

    name = "randn32"

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return generator.standard_normal(shape)


def truncated(generator: Generator, shape: tuple[int, ...], mean: float, std: float, lo: float, hi: float) -> Array:
    """Normal numbers, drawn again where they are outside lo and hi."""
    drawn = generator.normal(mean, std, shape)
    while (outside := (drawn < lo) | (drawn > hi)).any():
        drawn[outside] = generator.normal(mean, std, np.count_nonzero(outside))
    return drawn
