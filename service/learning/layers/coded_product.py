"""The product of rows with a matrix of weights, and its pull-back, where wide categories travel as codes."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy import add, multiply

from service.learning.arrays import Array, Indices
from service.learning.layers.tape import Action
from service.learning.rows.coded import NAMED_AT_ONCE, CodedBlock


def forward_of(x: CodedBlock, weight: Array, z: Array) -> Action:
    """Return a call that writes z = x W: the product of the numbers, and the row of W that each code names."""
    numbers, written, spans = x.numbers, _Written(x, weight), x.coding.spans
    terms = np.empty((_stretch(z), z.shape[1]), z.dtype)
    pieces = [(places[rows], terms[: len(z[rows])], z[rows]) for places in x.places for rows in _stretches(z)]

    def forward() -> None:
        numbers.dot(written.read(), z)
        for places, named, sums in pieces:
            weight.take(places, 0, named, "clip")
            if x.factor is not None:
                multiply(named, x.factor.take(places)[:, None], named)
            add(sums, named, sums)
        if x.offset is not None:
            for span in spans:
                add(z, x.offset[span].dot(weight[span]), z)

    return forward


def backward_of(x: CodedBlock, dy: Array, d_weight: Array) -> Action:
    """Return a call that writes ∂L/∂W = xᵀ dy: each row of dy is added to the row of W that its code names.

    Rows are added one after the other: in every process, and by every processor, the sums are the same.
    """
    numbers_transposed, written = x.numbers.T, _Written(x, d_weight)
    spans, ones = x.coding.spans, np.ones(len(x), dy.dtype)
    elements, flat_gradient = np.arange(dy.shape[1]), d_weight.reshape(-1)
    indices = np.empty((_stretch(dy), dy.shape[1]), np.intp)
    pieces = [(places[rows], indices[: len(dy[rows])], dy[rows]) for places in x.places for rows in _stretches(dy)]
    flat = [(places, named, named.reshape(-1), slopes.reshape(-1)) for places, named, slopes in pieces]

    def backward() -> None:
        written.write(lambda out: numbers_transposed.dot(dy, out))
        for span in spans:
            d_weight[span].fill(0)
        for places, named, indices, slopes in flat:
            add((places * len(elements))[:, None], elements, named)
            np.add.at(flat_gradient, indices, slopes)
        if x.factor is not None and x.offset is not None:
            total = ones.dot(dy)
            for span in spans:
                d_weight[span] *= x.factor[span, None]
                d_weight[span] += x.offset[span, None] * total

    return backward


def _stretch(values: Array) -> int:
    """Return how many rows of values (rows × width) are taken at once."""
    rows, width = values.shape
    return max(1, min(int(rows), NAMED_AT_ONCE // max(1, int(width))))


def _stretches(values: Array) -> Iterator[slice]:
    size = _stretch(values)
    yield from (slice(start, start + size) for start in range(0, len(values), size))


class _Written:
    """The rows of a matrix (inputs × outputs) for the inputs that are written out: a view where they lie together."""

    def __init__(self, x: CodedBlock, matrix: Array) -> None:
        self._matrix, self._inputs = matrix, x.coding.written_inputs
        self._is_view = isinstance(self._inputs, slice)
        self._rows = matrix[self._inputs]

    def read(self) -> Array:
        """Return the present rows."""
        if not self._is_view:
            self._matrix.take(_indices(self._inputs), 0, self._rows, "clip")
        return self._rows

    def write(self, writer: Callable[[Array], object]) -> None:
        """Have new rows written."""
        writer(self._rows)
        if not self._is_view:
            self._matrix[self._inputs] = self._rows


def _indices(inputs: slice | Indices) -> Indices:
    assert isinstance(inputs, np.ndarray)
    return inputs
