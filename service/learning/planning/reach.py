"""The numbers that a network's outputs can be, whatever its parameters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from service.learning.arrays import Array
from service.learning.layers import Chain, Dense, Dropout, Layer
from service.learning.layers.activations import ACTIVATIONS, Activation
from service.learning.losses import Link
from service.learning.network import Network

COLUMNS_TRIED = 256
"""Columns at which functions of whole rows are tried."""
STEPS = np.concatenate([np.linspace(-20, 20, 401), [-1e30, -100, 100, 1e30]])
"""The inputs at which a function is tried: close together where functions bend, and far out."""
ENDLESS = 1e20
"""A size of values that only functions without a bound come to."""


class Reach(NamedTuple):
    """The least and the greatest number that an output can be, or come near to."""

    least: float
    greatest: float

    def lacks(self, least: float, greatest: float, tolerance: float = 1e-6) -> bool:
        """Whether numbers from `least` to `greatest` lie outside in part."""
        margin = tolerance * max(1.0, abs(least), abs(greatest))
        return least < self.least - margin or greatest > self.greatest + margin


def last_functions(network: Network) -> list[Activation]:
    """Return the functions that outputs have gone through since the last sum, in their order.

    Empty where they are sums of a layer, or come from branches or a normalisation.
    """
    found: list[Activation] = []
    for layer in reversed(_in_a_row(network.layer)):
        if isinstance(layer, Dense):
            found.append(layer.activation)
            break
        if isinstance(layer, Activation):
            found.append(layer)
        elif not isinstance(layer, Dropout):
            break
    return [function for function in reversed(found) if function.name != "identity"]


def _in_a_row(layer: Layer) -> list[Layer]:
    return [each for inner in layer.layers for each in _in_a_row(inner)] if isinstance(layer, Chain) else [layer]


def reach(network: Network, link: Link | None = None) -> Reach | None:
    """Return the numbers that outputs can be, behind the function `link` where one is named; None for any number."""
    functions = last_functions(network)
    if not functions:
        return None
    if link in ("softmax", "sigmoid"):
        functions = [*functions, ACTIVATIONS[link]()]
    values = _probe(network.outputs)
    with np.errstate(all="ignore"):
        for function in functions:
            values = function.value(values)
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    least, greatest = float(known.min()), float(known.max())
    return Reach(least if least > -ENDLESS else -np.inf, greatest if greatest < ENDLESS else np.inf)


def _probe(outputs: int) -> Array:
    """Return rows of one number and, in all other columns, its opposite or 0: functions of a row are at their ends."""
    opposite = np.repeat(-STEPS[:, None], min(outputs, COLUMNS_TRIED), axis=1)
    rows = np.concatenate([opposite, np.zeros_like(opposite)])
    rows[:, 0] = np.concatenate([STEPS, STEPS])
    return rows
