"""Loss and gradient of a batch by back-propagation, some rows at a time."""

from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array
from service.learning.layers import NOTHING, Action, Tape
from service.learning.losses import Evaluate, relative
from service.learning.optimisers import square
from service.learning.rows.batches import Batches
from service.learning.rows.coded import Buffer
from service.learning.rows.part import Part
from service.learning.training.coordinates import Coordinates
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe, RecipeError

DRAWS_PER_ROW = 1 << 40  # how far apart the random numbers of successive rows are


@dataclass(frozen=True, slots=True, eq=False)
class BatchTape:
    """All calls and buffers for blocks of one number of rows."""

    tape: Tape
    buffers: list[Buffer]
    forward: list[Action]
    evaluate: Evaluate
    backward: list[Action]


class BackPropagation:
    """Back-propagation that writes ∂loss/∂θ of the batches of the training part to `gradient`; θ is `vector`.

    A batch of `size` rows is taken `block_rows` at a time, so that the values between the layers stay small. Weights
    are scaled to a mean of 1 where the loss is a mean. Random numbers depend on (seed, epoch, row in the order) alone.
    """

    def __init__(self, problem: Problem, vector: Array, gradient: Array, scaling: Coordinates | None = None) -> None:
        network, part, recipe = problem.network, problem.train, problem.recipe
        layers = [node.layer for node in problem.nodes]
        gathers = any(not slot.trainable for node in problem.nodes for slot in node.slots)
        self._network = network
        self._vector = vector
        self._loss = recipe.loss if scaling is None else scaling.loss(recipe.loss)
        self._scaling = scaling
        self._seed = recipe.seed
        self._draws = any(layer.draws for layer in layers)
        self._weighted = part.weights is not None
        self._batches = Batches(
            with_mean_weight_one(part, recipe),
            recipe.batch_size,
            partial=recipe.partial,
            shuffle=recipe.shuffle,
            seed=recipe.seed,
        )
        self.rows = self._batches.rows
        self.size = self._batches.size
        divisible = recipe.loss.separable and not gathers and not any(layer.couples_rows for layer in layers)
        self._coding = network.coding_of(part.inputs)
        self.block_rows = min(self.size, network.block_rows_of(self._coding)) if divisible else self.size
        self._total = gradient
        self._gradient = np.zeros_like(gradient) if self.block_rows < self.size else gradient
        self._frozen: frozenset[int] = NOTHING
        self._tapes: dict[int, BatchTape] = {}

    def freeze(self, arrays: frozenset[int]) -> None:
        """Leave out the gradients of the arrays that begin at these places of θ: they are 0 from now on."""
        self._frozen = arrays
        self._tapes.clear()
        self._total.fill(0)
        self._gradient.fill(0)

    def begin_epoch(self, epoch: int) -> None:
        """Go to the beginning of this epoch, counted from 1."""
        self._batches.begin_epoch(epoch)
        if self._draws:
            self._generator = np.random.default_rng((self._seed, epoch))
            self._beginning = self._generator.bit_generator.state

    def block(self, start: int, stop: int) -> float:
        """The loss of the rows at these positions; its gradient stays where the block's goes."""
        batch_tape = self._tapes.get(stop - start)
        if batch_tape is None:
            batch_tape = self._tapes[stop - start] = self._batch_tape(stop - start)
        self._batches.read(start, stop, batch_tape.buffers)
        if self._scaling is not None:
            self._scaling.apply(batch_tape.buffers[0])
        if self._draws:
            self._seek(batch_tape.tape, start)
        for call in batch_tape.forward:
            call()
        loss = batch_tape.evaluate()
        for call in batch_tape.backward:
            call()
        return loss

    def add_block(self, start: int, stop: int, batch_rows: int, first: bool) -> float:
        """Add the rows at these positions to the gradient of a batch; return their share of its loss."""
        share = 1.0 if self._loss.agg == "sum" else (stop - start) / batch_rows
        loss = self.block(start, stop) * share
        if first:
            np.multiply(self._gradient, share, self._total)
        else:
            np.multiply(self._gradient, share, self._gradient)
            np.add(self._total, self._gradient, self._total)
        return loss

    def first_square(self) -> float:
        """Σ g² of the first batch, or of its first block."""
        self.begin_epoch(1)
        self.block(0, self.block_rows)
        return square(self._gradient)

    def commit(self, rows: int) -> None:
        """Take over the statistics that a batch of `rows` rows gathered, once it is accepted."""
        self._tapes[rows].tape.commit()

    def _seek(self, tape: Tape, start: int) -> None:
        bits = self._generator.bit_generator
        bits.state = self._beginning
        bits.advance(start * DRAWS_PER_ROW)  # type: ignore[attr-defined]  # the stubs know its base class alone
        tape.generator = self._generator

    def _batch_tape(self, rows: int) -> BatchTape:
        network = self._network
        tape, inputs, outputs = network.tape_of(self._coding, self._vector, rows, self._gradient, self._frozen)
        targets = np.empty((rows, network.outputs), network.dtype)
        weights = np.empty((rows, 1), network.dtype) if self._weighted else None
        if outputs.gradient is None:
            raise ValueError("a tape for training has gradients")
        evaluate = self._loss.bind(outputs.value, targets, outputs.gradient, weights)
        buffers = [inputs, targets] if weights is None else [inputs, targets, weights]
        return BatchTape(tape, buffers, tape.forward, evaluate, tape.backward)


def with_mean_weight_one(part: Part, recipe: Recipe) -> Part:
    """The part with weights in the dtype of its inputs; of mean 1 where the loss is a mean, then Σ w l / Σ w."""
    if part.weights is None:
        return part
    weights = part.weights
    if recipe.loss.agg == "mean":
        weights = relative(weights)
        if not weights.any():
            raise RecipeError("sample_weights", "are all 0")
        weights /= weights.mean()
    with np.errstate(over="ignore"):
        return Part(part.inputs, part.targets, weights.astype(part.inputs.dtype))
