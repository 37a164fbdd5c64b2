"""Scales of columns, and the parameters by which a network does the same with raw inputs."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array, Saved, State
from service.learning.layers import Chain, Dense, Node
from service.learning.network import Network
from service.learning.rows.coded import Buffer, CodedBlock, Coding
from service.learning.rows.gram import Gram
from service.learning.rows.group_sums import BLOCK_BYTES
from service.learning.rows.later import made
from service.learning.rows.memory_maps import drop_behind
from service.learning.rows.moments import ColumnMoments
from service.learning.rows.one_hot import OneHotRows, Rows, stored, write_rows

SEEN = 1e-4  # of the spread of a layer's sums: roundings that may be above are measured
ROUNDING = 1e-12  # of the column's size: a deviation below is rounding, and counts as none


@dataclass(frozen=True, eq=False)
class Scaling:
    """Mean and deviation of each column over the training part, float64; a deviation of 0 counts as 1.

    The mean is rounded to the network's dtype, so that subtracting it there loses nothing.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def apply(self, inputs: Buffer) -> None:
        """Standardise these rows in place."""
        if isinstance(inputs, CodedBlock):
            inputs.standardise(self.mean, self.deviation)
            return
        np.subtract(inputs, self.mean.astype(inputs.dtype), inputs)
        np.multiply(inputs, (1 / self.deviation).astype(inputs.dtype), inputs)

    def to_raw(self, network: Network, vector: Array) -> Array:
        """The parameters for raw inputs that do as `vector` for standardised ones: W / s and b - W m / s."""
        return self._folded(network, vector, 1 / self.deviation, -self.mean / self.deviation)

    def to_standardised(self, network: Network, vector: Array) -> Array:
        """The parameters for standardised inputs that do as `vector` for raw ones: W s and b + W m."""
        return self._folded(network, vector, self.deviation, self.mean)

    def is_lossy(self, network: Network, vector: Array) -> bool:
        """Whether the dtype may have too few digits for parameters for raw inputs, which cancel each other."""
        dense = first_dense(network.root)
        if dense is None:
            return False
        weight, bias = (np.abs(slot.as_written(vector), dtype=np.float64) for slot in dense.slots)
        raw = bias + weight @ np.abs(self.mean / self.deviation)
        return bool((np.finfo(vector.dtype).eps * raw > SEEN * weight.sum(axis=1)).any())

    def _folded(self, network: Network, vector: Array, factor: Array, shift: Array) -> Array:
        dense = first_dense(network.root)
        if dense is None:
            raise ValueError("only a network that begins with a Dense layer with bias learns from standardised inputs")
        vector = vector.copy()
        weight, bias = (slot.as_written(vector) for slot in dense.slots)
        exact = weight.astype(np.float64)
        bias[...] = bias + exact @ shift
        weight[...] = exact * factor
        return vector

    def state(self) -> State:
        return {"mean": self.mean.copy(), "deviation": self.deviation.copy()}

    @classmethod
    def from_state(cls, arrays: Saved) -> "Scaling":
        return cls(np.array(arrays["mean"]), np.array(arrays["deviation"]))


def first_dense(node: Node) -> Node | None:
    """The Dense layer with bias that a network begins with; None where it begins otherwise."""
    while isinstance(node.layer, Chain):
        node = node.children[0]
    return node if isinstance(node.layer, Dense) and node.layer.bias is not False else None


def measure(inputs: Rows) -> Generator[float, None, Scaling]:
    """One pass over rows; yields the fraction that is done."""
    inputs = made(inputs)
    coding = inputs.coding if isinstance(inputs, OneHotRows) else None
    mean, squares = yield from _moments_of_dense(inputs) if coding is None else _moments_of_coded(inputs, coding)
    deviation = np.sqrt(squares / len(inputs))
    deviation[deviation <= ROUNDING * abs(mean)] = 1
    return Scaling(mean.astype(inputs.dtype).astype(np.float64), deviation)


InputMoments = tuple[NDArray[np.float64], NDArray[np.float64]]
"""The mean of each input, and Σ (x − mean)²."""


def _moments_of_dense(inputs: Rows) -> Generator[float, None, InputMoments]:
    rows, columns = inputs.shape
    size = max(1, BLOCK_BYTES // (8 * columns))
    moments = ColumnMoments(columns)
    for start in range(0, rows, size):
        moments.add(inputs[start : start + size].astype(np.float64))
        drop_behind(stored(inputs), start, moments.rows)
        yield moments.rows / rows
    return moments.mean, moments.squares


def _moments_of_coded(inputs: Rows, coding: Coding) -> Generator[float, None, InputMoments]:
    """Count the rows of each category: of n in r rows the mean is n / r, and the sum of squares n (r − n) / r."""
    rows, size = len(inputs), max(1, BLOCK_BYTES // (8 * coding.width))
    moments, counts = ColumnMoments(coding.written.width), np.zeros(inputs.shape[1])
    block = CodedBlock.empty(coding, min(size, rows), np.float64)
    for start in range(0, rows, size):
        stop = min(start + size, rows)
        part = block[: stop - start]
        write_rows(inputs, slice(start, stop), part)
        moments.add(part.numbers.astype(np.float64, copy=False))
        counts += np.bincount(part.places.ravel(), minlength=len(counts))
        drop_behind(stored(inputs), start, stop)
        yield stop / rows
    mean, squares = counts / rows, counts * (rows - counts) / rows
    mean[coding.written_inputs], squares[coding.written_inputs] = moments.mean, moments.squares
    return mean, squares


def scaling_of(gram: Gram, dtype: str = "float64") -> Scaling:
    """Return the scaling that `measure` would find in the rows of `gram`, with inputs of this dtype, without a pass."""
    n, inverse = gram.inputs, gram.reference.inverse
    shift = gram.matrix[n, :n] / gram.rows
    covariance = gram.matrix[:n, :n] / gram.rows - np.outer(shift, shift)
    if inverse is None:
        variance = np.diagonal(covariance)
    else:
        shift, variance = shift @ inverse, np.einsum("ij,ik,kj->j", inverse, covariance, inverse)
    mean, deviation = gram.reference.mean + shift, np.sqrt(np.maximum(variance, 0))
    deviation[deviation <= ROUNDING * np.abs(mean)] = 1
    return Scaling(mean.astype(dtype).astype(np.float64), deviation)
