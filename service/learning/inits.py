"""How weights begin: arrays of outputs × inputs, drawn in float64 so that both precisions begin alike."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from service.learning.arrays import Array
from service.learning.vocabulary import Positive, Registry, Term


class Init(Term):
    """A distribution of first weights."""

    __slots__ = ()

    def draw(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        """An array of this shape, float64."""
        raise NotImplementedError


INITS: Registry[Init] = Registry("descent.inits")


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Inputs and outputs of a weight (outputs × inputs); a vector counts as one column, as in Flux."""
    return (1, shape[0]) if len(shape) == 1 else (shape[1], shape[0])


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


def zeros(generator: Generator, shape: tuple[int, ...]) -> Array:
    return np.zeros(shape)


def ones(generator: Generator, shape: tuple[int, ...]) -> Array:
    return np.ones(shape)
