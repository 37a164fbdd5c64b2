"""The loss of any network over the training part, with gradient and curvature summed in float64, block by block."""

import math

import numpy as np

from service.learning.arrays import Indices, Matrix, Saved, State
from service.learning.layers import NOTHING, nodes
from service.learning.losses import Loss
from service.learning.network import Network
from service.learning.rows.batches import Batches
from service.learning.rows.coded import Coding
from service.learning.training.batches.backpropagation import with_mean_weight_one
from service.learning.training.coordinates import Coordinates
from service.learning.training.events import Heartbeat
from service.learning.training.problem import Problem
from service.learning.training.second_order.row_block import RowBlock
from service.learning.training.second_order.surface import Survey, Surveying, decayed, length
from service.learning.training.second_order.together import taken_together

JACOBIAN_BYTES = 1 << 25  # of a block's Jacobian in float64


def rows_of_block(network: Network, loss: Loss, train_rows: int, coding: Coding | None, *, curved: bool) -> int:
    """Return the rows that are taken together; a Jacobian is as wide as there are parameters."""
    if not loss.separable:
        return train_rows
    most = JACOBIAN_BYTES // (8 * max(network.parameter_count, 1)) if curved else train_rows
    return max(1, min(network.block_rows_of(coding), train_rows, most))


class RowSurface:
    """The loss over the rows of the training part, `curved` with the curvature that a rule needs.

    Rows are taken in their order, in blocks of one size, so that sums are the same whenever they are made.
    """

    def __init__(self, problem: Problem, scaling: Coordinates | None, *, curved: bool, decay: float) -> None:
        recipe, part = problem.recipe, with_mean_weight_one(problem.train, problem.recipe)
        self.passes = 0
        self._network, self._loss = problem.network, recipe.loss
        if curved:
            self._network, self._loss = taken_together(problem.network, recipe.loss)
        self._curved, self._decay, self._scaling = curved, decay, scaling
        self._weighted = part.weights is not None
        self._batches = Batches(part, None)
        self._rows = len(part)
        # A Jacobian is written out, for every input: its rows are as wide as all weights.
        self._coding = None if curved else self._network.coding_of(part.inputs)
        self._size = rows_of_block(self._network, self._loss, self._rows, self._coding, curved=curved)
        self._vector = np.empty(self._network.vector_length, self._network.dtype)
        self._position, self._sum, self._raw_sum, self._cells = 0, 0.0, 0.0, 1
        self._gradient = np.zeros(self._network.parameter_count)
        self._curvature = np.zeros((self._network.parameter_count,) * 2) if curved else np.empty((0, 0))
        self._heartbeat = Heartbeat()
        self.freeze(NOTHING)

    def freeze(self, arrays: frozenset[int]) -> None:
        """Leave the arrays that begin at these places as they are from now on."""
        self._frozen = arrays
        self._blocks: dict[int, RowBlock] = {}
        slots = [slot for node in nodes(self._network.root) for slot in node.slots if slot.trainable]
        trained = [np.arange(slot.start, slot.start + slot.size) for slot in slots if slot.start not in arrays]
        self._trained: Indices = np.concatenate(trained)
        self._all = len(self._trained) == len(self._gradient)

    def columns(self, flat: Matrix) -> Matrix:
        return flat[self._trained, None]

    def flat(self, columns: Matrix) -> Matrix:
        flat = np.zeros_like(self._gradient)
        flat[self._trained] = columns[:, 0]
        return flat

    def rounded(self, theta: Matrix) -> Matrix:
        with np.errstate(over="ignore"):
            return theta.astype(self._network.dtype).astype(np.float64)

    def evaluate(self, theta: Matrix, below: float) -> Surveying:
        """Return what is known at a place; None as soon as the sum so far is not below a bound, or not finite."""
        self._heartbeat.reset()
        with np.errstate(all="ignore"):
            self._vector[...] = theta
        trained = theta if self._all else self.flat(self.columns(theta))
        most = below - self._decay / 2 * float(trained @ trained)
        if self._position == 0:
            self.passes += 1
            self._sum = self._raw_sum = 0.0
            self._gradient.fill(0)
            self._curvature.fill(0)
        complete = True
        while self._position < self._rows:
            stop = min(self._position + self._size, self._rows)
            if not self._add(self._position, stop, most):
                complete = False  # what is known then must not be judged again: rounding may turn the verdict
                break
            self._position = stop
            if stop < self._rows and self._heartbeat.due():
                yield stop / self._rows
                self._heartbeat.reset()
        self._position = 0
        evaluation = self._evaluation(trained)
        known = complete and math.isfinite(evaluation.norm) and evaluation.target < below
        return evaluation if known else None

    def _evaluation(self, trained: Matrix) -> Survey:
        gradient = self._gradient * self._scale
        curvature = None
        if self._curved:
            curvature = self._curvature if self._all else self._curvature[np.ix_(self._trained, self._trained)]
            curvature = curvature * self._scale
        found = Survey(self._raw_sum * self._scale, self._sum * self._scale, gradient, length(gradient), curvature)
        return decayed(found, trained, self._decay)

    @property
    def _scale(self) -> float:
        return 1.0 if self._loss.agg == "sum" else 1 / (self._rows * self._cells)

    def _add(self, start: int, stop: int, most: float) -> bool:
        """Add a block of rows; False, and nothing but its loss, where the sum is then too large: no term is below 0."""
        block = self._blocks.get(stop - start)
        if block is None:
            block = self._blocks[stop - start] = self._block(stop - start)
        with np.errstate(all="ignore"):
            self._batches.read(start, stop, block.buffers)
            if self._scaling is not None:
                self._scaling.apply(block.buffers[0])
            total, raw, self._cells = block.run()
            self._sum += total
            self._raw_sum += raw
            if not self._curved:
                block.add_gradient(self._gradient)
            elif self._sum * self._scale < most:
                block.add_curvature(self._gradient, self._curvature)
            else:
                return False
        return True

    def _block(self, rows: int) -> RowBlock:
        targets = None if self._scaling is None else self._scaling.targets
        arrays = self._network, self._loss, self._vector, rows, self._frozen, self._coding
        return RowBlock(*arrays, weighted=self._weighted, by_row=self._curved, targets=targets)

    def state(self) -> State:
        """Copies of a pass's sums so far; nothing between passes."""
        if not self._position:
            return {}
        sums = np.array([self._position, self._sum, self._raw_sum, self._cells])
        return {"sums": sums, "gradient": self._gradient.copy(), "curvature": self._curvature.copy()}

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        if arrays:
            position, self._sum, self._raw_sum, cells = arrays["sums"].tolist()
            self._position, self._cells = int(position), int(cells)
            np.copyto(self._gradient, arrays["gradient"])
            np.copyto(self._curvature, arrays["curvature"])
