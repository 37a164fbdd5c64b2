"""Loss and gradient of a batch by back-propagation, some rows at a time."""

from typing import NamedTuple

import numpy as np

from service.learning.arrays import Array
from service.learning.batches import Batches
from service.learning.loss import Evaluate, Loss
from service.learning.network import Network
from service.learning.tape import Tape


class Program(NamedTuple):
    """All calls and buffers for blocks of one number of rows."""

    tape: Tape
    buffers: list[Array]
    evaluate: Evaluate


class BackPropagation:
    """Writes ∂loss/∂θ of a batch to `gradient`; θ is `vector`. Batches of more than `block_rows` rows go in blocks."""

    def __init__(
        self, network: Network, vector: Array, gradient: Array, loss: Loss, batches: Batches, weighted: bool
    ) -> None:
        self._network = network
        self._vector = vector
        self._loss = loss
        self._batches = batches
        self._weighted = weighted
        self._sum = gradient
        self._programs: dict[int, Program] = {}
        self.block_rows = min(batches.size, network.block_rows)
        self._blocks = batches.size > self.block_rows
        self._gradient = np.empty_like(gradient) if self._blocks else gradient

    def block(self, start: int, stop: int, batch_rows: int, first: bool) -> float:
        """Add the rows at positions start to stop to the gradient of a batch; gives their share of its loss."""
        program = self._programs.get(stop - start)
        if program is None:
            program = self._programs[stop - start] = self._program(stop - start)
        tape, buffers, evaluate = program
        self._batches.read(start, stop, buffers)
        tape.run()
        loss = evaluate()
        tape.pull_back()
        if not self._blocks:
            return loss
        share = 1.0 if self._loss.agg == "sum" else (stop - start) / batch_rows
        np.multiply(self._gradient, share, out=self._sum if first else self._gradient)
        if not first:
            np.add(self._sum, self._gradient, out=self._sum)
        return loss * share

    def commit(self, rows: int) -> None:
        """The batch whose last block had so many rows was accepted: take over the statistics it gathered."""
        self._programs[rows].tape.commit()

    def _program(self, rows: int) -> Program:
        network = self._network
        tape, inputs, outputs = network.tape(self._vector, rows, self._gradient)
        buffers = [inputs, np.empty((rows, network.outputs), network.dtype)]
        if self._weighted:
            buffers.append(np.empty((rows, 1), network.dtype))
        if outputs.gradient is None:
            raise ValueError("a tape for training has gradients")
        evaluate = self._loss.bind(outputs.value, buffers[1], outputs.gradient, buffers[2] if self._weighted else None)
        return Program(tape, buffers, evaluate)
