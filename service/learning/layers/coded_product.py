"""The product of rows with a matrix of weights, and its pull-back, where wide categories travel as codes."""

from collections.abc import Callable

import numpy as np
from numpy import add, multiply

from service.learning.arrays import Array, Indices
from service.learning.layers.tape import Action
from service.learning.rows.coded import CodedBlock


def forward_of(x: CodedBlock, weight: Array, z: Array) -> Action:
    """Return a call that writes z = x W: the product of the numbers, and the row of W that each code names."""
    numbers, written = x.numbers, _Written(x, weight)
    terms = np.empty_like(z)
    spans = x.coding.spans

    def forward() -> None:
        numbers.dot(written.read(), z)
        for places in x.places:
            weight.take(places, 0, terms, "clip")
            if x.factor is not None:
                multiply(terms, x.factor.take(places)[:, None], terms)
            add(z, terms, z)
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
    elements, indices = np.arange(dy.shape[1]), np.empty(dy.shape, np.intp)
    flat_gradient, flat_indices, slopes = d_weight.reshape(-1), indices.reshape(-1), dy.reshape(-1)

    def backward() -> None:
        written.write(lambda out: numbers_transposed.dot(dy, out))
        for places, span in zip(x.places, spans, strict=True):
            d_weight[span].fill(0)
            add((places * len(elements))[:, None], elements, indices)
            np.add.at(flat_gradient, flat_indices, slopes)
        if x.factor is not None and x.offset is not None:
            total = ones.dot(dy)
            for span in spans:
                d_weight[span] *= x.factor[span, None]
                d_weight[span] += x.offset[span, None] * total

    return backward


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
