"""A network made ready for batches of one size: every buffer exists, and what remains is a flat list of calls."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.random import Generator

from service.learning.arrays import Array
from service.learning.rows.coded import CodedBlock

if TYPE_CHECKING:
    from service.learning.layers.layer import Node

Action = Callable[[], object]
NOTHING: frozenset[int] = frozenset()


class Signal(NamedTuple):
    """The buffers between two layers, rows × width: values, and the loss's gradient (None where nobody needs it).

    A layer that takes codes may get rows of which `value` has the numbers alone; `coded` has all of them.
    """

    value: Array
    gradient: Array | None
    coded: CodedBlock | None = None


class Tape:
    """The calls of a forward pass and their pull-backs, recorded once by the layers and then run for every batch.

    `vector` holds the parameters, `gradient` (as long as its trainable part) takes their gradients: with it the tape is
    in train mode, without it in test mode. Statistics that a training pass gathers wait until `commit`. The arrays of
    frozen layers begin at the places `frozen` in the vector. With `by_row` (rows × trainable part) each row's gradient
    goes there, and their sums nowhere. With `to_inputs` a tape in test mode has pull-backs, for gradients with
    respect to its inputs.
    """

    def __init__(
        self,
        rows: int,
        vector: Array,
        gradient: Array | None = None,
        frozen: frozenset[int] = NOTHING,
        by_row: Array | None = None,
        *,
        to_inputs: bool = False,
    ) -> None:
        self.rows = rows
        self.vector = vector
        self.gradient = gradient
        self.by_row = by_row
        self.training = gradient is not None or by_row is not None
        self.has_gradients = self.training or to_inputs
        self.frozen = frozen
        self.generator: Generator  # set by the training of layers that draw
        self.forward: list[Action] = []
        self.backward: list[Action] = []
        self._commit: list[Action] = []

    def signal(self, width: int) -> Signal:
        """Fresh buffers of rows × width, with one for the gradient where there are any."""
        shape = (self.rows, width)
        dtype = self.vector.dtype
        return Signal(np.empty(shape, dtype), np.empty(shape, dtype) if self.has_gradients else None)

    def record(self, forward: Action | None, backward: Action | None = None, commit: Action | None = None) -> None:
        """Add a call and its pull-back; the latter may overwrite the gradient of the layer's own output."""
        if forward is not None:
            self.forward.append(forward)
        if backward is not None and self.has_gradients:
            self.backward.insert(0, backward)
        if commit is not None:
            self._commit.append(commit)

    def values(self, node: "Node") -> dict[str, Array]:
        """The node's parameters as they are stored, views into `vector`."""
        return {slot.name: slot.as_stored(self.vector) for slot in node.slots}

    def is_frozen(self, node: "Node") -> bool:
        """Whether the node has parameters, and they are to stay: nobody needs their gradients."""
        return any(slot.start in self.frozen for slot in node.slots)

    def gradients(self, node: "Node") -> dict[str, Array]:
        """Return the buffers for gradients of the node's trainable parameters, as views into `gradient`.

        Those of a frozen node are views of nothing, so that `gradient` stays 0 there whatever a layer writes.
        """
        if self.gradient is None:
            return {}
        gradient = np.empty_like(self.gradient) if self.is_frozen(node) else self.gradient
        return {slot.name: slot.as_stored(gradient) for slot in node.slots if slot.trainable}

    def gradients_by_row(self, node: "Node") -> dict[str, Array]:
        """Return the buffers for each row's gradients of the node's parameters; none of a frozen one."""
        if self.by_row is None or self.is_frozen(node):
            return {}
        found = {}
        for slot in node.slots:
            shape = slot.shape[::-1] if slot.transposed else slot.shape
            found[slot.name] = self.by_row[:, slot.start : slot.start + slot.size].reshape(self.rows, *shape)
        return found

    def run(self) -> None:
        for call in self.forward:
            call()

    def pull_back(self) -> None:
        for call in self.backward:
            call()

    def commit(self) -> None:
        for call in self._commit:
            call()
