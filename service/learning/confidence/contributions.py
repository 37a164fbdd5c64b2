"""The contributions of columns to an output: integrated gradients on the straight way from a baseline to the row.

M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", 2017. Contributions add up to the output
less that of the baseline, as far as the steps on the way are many enough.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from service.learning.arrays import Array, Indices, Matrix
from service.learning.network import Network
from service.learning.rows.one_hot import Rows

CLOSE = 5e-4
"""Share of an output less the baseline's by which its contributions may miss it."""
ROUNDED_SHARE = 1e-12
FIRST_STEPS = 16
MOST_STEPS = 4096
BUFFER_BYTES = 1 << 22
"""Bytes of places on the way that are looked at together, unless those of 16 steps have more."""


class Contributions(NamedTuple):
    """The outputs (outputs) of the baseline, and what each column adds to them (rows × outputs × columns)."""

    baseline: Matrix
    values: Matrix


def integrated(network: Network, vector: Array, inputs: Rows, baseline: Matrix, widths: Sequence[int]) -> Contributions:
    """Return the contributions of columns, each of them so many inputs wide, to the outputs of a float64 network.

    Steps are doubled for the rows whose contributions do not add up; after `MOST_STEPS`, what is missing is spread over
    the columns in proportion to what they add.
    """
    starts = np.cumsum([0, *widths[:-1]])
    (outputs_at_baseline,) = network.predict(vector, baseline.reshape(1, -1))
    values = np.zeros((len(inputs), network.outputs, len(widths)))
    at_once = _places_at_once(network) // FIRST_STEPS
    for start in range(0, len(inputs), at_once):
        rows = np.asarray(inputs[start : start + at_once], np.float64)
        outputs = network.predict(vector, rows)
        wanted = outputs - outputs_at_baseline
        rounding = ROUNDED_SHARE * (np.abs(outputs) + np.abs(outputs_at_baseline))
        found, missed = values[start : start + len(rows)], np.arange(len(rows))
        steps = FIRST_STEPS
        while len(missed) and steps <= MOST_STEPS:
            found[missed] = _at(network, vector, rows[missed], baseline, starts, steps)
            gap = np.abs(found[missed].sum(axis=2) - wanted[missed])
            missed = missed[(gap > CLOSE * np.abs(wanted[missed]) + rounding[missed]).any(axis=1)]
            steps *= 2
        _spread(found, missed, wanted)
    return Contributions(outputs_at_baseline, values)


def _spread(found: Matrix, missed: Indices, wanted: Matrix) -> None:
    gap = wanted[missed] - found[missed].sum(axis=2)
    shares = np.abs(found[missed]) + np.finfo(np.float64).tiny
    found[missed] += gap[:, :, None] * shares / shares.sum(axis=2, keepdims=True)


def _at(network: Network, vector: Array, rows: Matrix, baseline: Matrix, starts: Indices, steps: int) -> Matrix:
    """Return the contributions (rows × outputs × columns) from gradients at so many places of the way."""
    places, weights = _quadrature(steps)
    at_once = min(steps, _places_at_once(network))
    together = min(len(rows), max(1, _places_at_once(network) // steps))
    tape, inputs, outputs = network.slopes_tape(vector, together * at_once)
    slopes, towards = inputs.gradient, outputs.gradient
    assert slopes is not None
    assert towards is not None
    found = np.empty((len(rows), network.outputs, len(starts)))
    for start in range(0, len(rows), together):
        chosen = np.minimum(np.arange(start, start + together), len(rows) - 1)  # the last one fills what is left
        way = rows[chosen] - baseline
        stop = min(start + together, len(rows))
        for output in range(network.outputs):
            means = np.zeros_like(way)
            for first in range(0, steps, at_once):
                stretch = slice(first, first + at_once)
                np.multiply(way[:, None, :], places[stretch, None], inputs.value.reshape(together, at_once, -1))
                np.add(inputs.value, baseline, inputs.value)
                tape.run()
                towards.fill(0)
                towards[:, output] = 1
                tape.pull_back()
                means += np.einsum("rsi,s->ri", slopes.reshape(together, at_once, -1), weights[stretch])
            found[start:stop, output] = np.add.reduceat(means * way, starts, axis=1)[: stop - start]
    return found


def _places_at_once(network: Network) -> int:
    """Return how many places on the way are looked at together: sixteen, doubled as often as there is room for them."""
    wide = BUFFER_BYTES // (np.dtype(np.float64).itemsize * network.inputs)
    return FIRST_STEPS << max(0, (min(network.block_rows, wide) // FIRST_STEPS).bit_length() - 1)


def _quadrature(steps: int) -> tuple[Matrix, Matrix]:
    """Return places between 0 and 1 and their weights: Gauss's 16 on each stretch of one length."""
    nodes, weights = np.polynomial.legendre.leggauss(FIRST_STEPS)
    stretches = steps // FIRST_STEPS
    begins = np.arange(stretches)[:, None]
    return ((begins + (nodes + 1) / 2) / stretches).ravel(), np.tile(weights / 2 / stretches, stretches)
