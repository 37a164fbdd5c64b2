"""A block of rows on its way through a network: its loss, its gradient, and its rows' part of the curvature."""

import numpy as np

from service.learning.arrays import Array, Matrix
from service.learning.losses import AggregatedLoss, Evaluate, Loss
from service.learning.network import Network
from service.learning.rows.coded import Buffer, Coding
from service.learning.training.scaling import Scaling


class RowBlock:
    """All calls and buffers for blocks of one number of rows.

    With `by_row` the tape keeps each row's gradients apart, for the curvature. Of scaled `targets` the outputs are in
    scaled coordinates, and each output's terms are divided by sᵖ, p the loss's `unit_power`.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        vector: Array,
        rows: int,
        frozen: frozenset[int],
        coding: Coding | None,
        *,
        weighted: bool,
        by_row: bool,
        targets: Scaling | None = None,
    ) -> None:
        self._loss, self._rows = loss, rows
        sums = None if by_row else np.zeros(network.parameter_count, network.dtype)
        apart = np.zeros((rows, network.parameter_count), network.dtype) if by_row else None
        if apart is None:
            self._tape, inputs, self._outputs = network.tape_of(coding, vector, rows, sums, frozen)
        else:
            self._tape, inputs, self._outputs = network.tape(vector, rows, None, frozen, apart)
        self._targets = np.empty((rows, network.outputs), network.dtype)
        self._weights = np.empty((rows, 1), network.dtype) if weighted else None
        self._jacobian = None if apart is None else apart.astype(np.float64, copy=False)
        self.buffers: list[Buffer] = [inputs, self._targets]
        if self._weights is not None:
            self.buffers.append(self._weights)
        self._mean = self._deviation = None
        if targets is not None:
            self._mean, self._deviation = targets.mean.astype(network.dtype), targets.deviation.astype(network.dtype)
        self._raw_outputs = self._outputs.value
        self._slope = self._slope_buffer
        self._evaluate = None if isinstance(loss, AggregatedLoss) else self._bound()

    @property
    def _slope_buffer(self) -> Array:
        buffer = self._outputs.gradient
        if buffer is None:
            raise ValueError("a tape for training has gradients")
        return buffer

    def _bound(self) -> Evaluate:
        return self._loss.bind(self._outputs.value, self._targets, self._slope_buffer, self._weights)

    def run(self) -> tuple[float, float, int]:
        """Go forward; return the sum of the rows' terms, that in raw units, and the number of terms in a row."""
        self._tape.run()
        if self._evaluate is not None:
            total = self._evaluate() * self._share
            return total, total, 1
        assert isinstance(self._loss, AggregatedLoss)
        if self._mean is not None and self._deviation is not None:
            self._raw_outputs = self._outputs.value * self._deviation
            np.subtract(self._targets, self._mean, self._targets)
        terms, self._slope = self._loss.both(self._raw_outputs, self._targets)
        if self._weights is not None:
            terms, self._slope = terms * self._weights, self._slope * self._weights
        raw = float(terms.sum(dtype=np.float64))
        if self._deviation is None:
            return raw, raw, terms.shape[1]
        self._slope = self._slope * self._deviation * self._factor
        return float((terms * self._factor).sum(dtype=np.float64)), raw, terms.shape[1]

    @property
    def _factor(self) -> Array:
        """s⁻ᵖ of each output."""
        assert self._deviation is not None
        assert self._loss.unit_power is not None
        factor: Array = self._deviation ** np.array(-self._loss.unit_power, self._deviation.dtype)
        return factor

    @property
    def _share(self) -> float:
        """The terms that a loss of its own form counts as, where it is a mean."""
        return 1.0 if self._loss.agg == "sum" else float(self._rows)

    def add_gradient(self, gradient: Matrix) -> None:
        """Go back, and add ∂ Σ terms / ∂θ."""
        if self._evaluate is None:
            np.copyto(self._slope_buffer, self._slope)
        self._tape.pull_back()
        assert self._tape.gradient is not None
        share = 1.0 if self._evaluate is None else self._share
        gradient += share * self._tape.gradient.astype(np.float64)

    def add_curvature(self, gradient: Matrix, curvature: Matrix) -> None:
        """Go back once for each root S of the loss's curvature, and add (SᵀJ)ᵀ SᵀJ; and the gradient."""
        summed, size = False, None if self._weights is None else np.sqrt(self._weights)
        scale = None if self._deviation is None else self._deviation * np.sqrt(self._factor)
        for root, share in self._loss.roots(self._raw_outputs, self._targets):
            scaled = root if scale is None else root * scale
            jacobian = self._pulled_back(scaled if size is None else scaled * size)
            curvature += jacobian.T @ jacobian
            if share is not None and scale is None:
                gradient += (share if size is None else share * size[:, 0]).astype(np.float64) @ jacobian
                summed = True
        if not summed:
            gradient += self._pulled_back(self._slope).sum(axis=0)

    def _pulled_back(self, slope: Array) -> Matrix:
        """The rows' gradients of outputs with these slopes, in float64."""
        assert self._jacobian is not None
        assert self._tape.by_row is not None
        np.copyto(self._slope_buffer, slope)
        self._tape.pull_back()
        if self._jacobian is not self._tape.by_row:
            np.copyto(self._jacobian, self._tape.by_row)
        return self._jacobian
