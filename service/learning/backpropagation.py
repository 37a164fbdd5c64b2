"""Loss and gradient of a batch by back-propagation, some rows at a time."""

from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array
from service.learning.batches import Batches
from service.learning.loss import Evaluate, Loss
from service.learning.network import Network
from service.learning.tape import Call, Tape


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """All calls and buffers for blocks of one number of rows."""

    tape: Tape
    buffers: list[Array]
    forward: list[Call]
    evaluate: Evaluate
    backward: list[Call]


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
        self._total = gradient
        self._programs: dict[int, Program] = {}
        self.block_rows = min(batches.size, network.block_rows)
        self._gradient = np.empty_like(gradient) if self.block_rows < batches.size else gradient

    def block(self, start: int, stop: int) -> float:
        """The loss of the rows at these positions; its gradient stays where the block's goes."""
        program = self._programs.get(stop - start)
        if program is None:
            program = self._programs[stop - start] = self._program(stop - start)
        self._batches.read(start, stop, program.buffers)
        for call in program.forward:
            call()
        loss = program.evaluate()
        for call in program.backward:
            call()
        return loss

    def add_block(self, start: int, stop: int, batch_rows: int, first: bool) -> float:
        """Add the rows at these positions to the gradient of a batch; gives their share of its loss."""
        share = 1.0 if self._loss.agg == "sum" else (stop - start) / batch_rows
        loss = self.block(start, stop) * share
        if first:
            np.multiply(self._gradient, share, self._total)
        else:
            np.multiply(self._gradient, share, self._gradient)
            np.add(self._total, self._gradient, self._total)
        return loss

    def commit(self, rows: int) -> None:
        """The batch whose last block had so many rows was accepted: take over the statistics it gathered."""
        self._programs[rows].tape.commit()

    def _program(self, rows: int) -> Program:
        network = self._network
        tape, inputs, outputs = network.tape(self._vector, rows, self._gradient)
        targets = np.empty((rows, network.outputs), network.dtype)
        weights = np.empty((rows, 1), network.dtype) if self._weighted else None
        if outputs.gradient is None:
            raise ValueError("a tape for training has gradients")
        evaluate = self._loss.bind(outputs.value, targets, outputs.gradient, weights)
        buffers = [inputs, targets] if weights is None else [inputs, targets, weights]
        return Program(tape, buffers, tape.forward, evaluate, tape.backward)
