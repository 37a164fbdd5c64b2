"""A network: an architecture whose widths fit, one flat vector of parameters, and its outputs for rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from service.learning.arrays import Array
from service.learning.layers import NOTHING, ArchitectureError, Chain, Layer, Node, Placement, Signal, Tape, nodes
from service.learning.losses import Loss, Total
from service.learning.parameters import ParameterError, read_parameters
from service.learning.rows import memory_maps
from service.learning.rows.coded import Buffer, CodedBlock, Coding
from service.learning.rows.later import LaterRows, made
from service.learning.rows.one_hot import OneHotRows, Rows, stored, write_rows

__all__ = ["ArchitectureError", "Network", "ParameterError"]

Prepare = Callable[[Buffer], None]
LayerValues = dict[str, Any]
"""The parameters of a layer, arrays by name; those of the layers inside it are a list under `layers`."""

CACHE_BYTES = 1 << 20
MOST_BYTES = 1 << 26
USEFUL_ROWS = 1024
PLACE_BYTES = np.dtype(np.intp).itemsize


class Network:
    """Layers, the dtype they compute in, and the place of each parameter in the flat vector. Allocates nothing.

    `parameter_count` counts the trained ones; `vector_length` is the vector's length: running statistics lie behind.

    Raises:
        ArchitectureError: widths do not fit, or no layer fixes one.
    """

    def __init__(self, layer: Layer, dtype: str = "float32") -> None:
        if layer.inputs is None:
            raise ArchitectureError("", "no layer fixes the number of inputs: one Dense(inputs => outputs) does")
        placement = Placement()
        self.layer = layer
        self.dtype = dtype
        self.root = placement.finish(placement.place(layer, layer.inputs))
        self.inputs = self.root.inputs
        self.outputs = self.root.outputs
        self.parameter_count = placement.trainable
        self.vector_length = placement.trainable + placement.statistics

    @property
    def outer_layers(self) -> tuple[Node, ...]:
        """The layers in order, as the outside counts them: those of the outermost Chain, or the one layer."""
        return self.root.children if isinstance(self.layer, Chain) else (self.root,)

    @property
    def layers_by_path(self) -> dict[str, Node]:
        """All layers in order, each under its path in the lists of parameters, such as layers.1.layers.0."""
        return dict(_paths(self.outer_layers, "layers."))

    def arrays_of(self, paths: Iterable[str]) -> frozenset[int]:
        """Return where the arrays of these layers, and of those inside them, begin in the flat vector."""
        layers = self.layers_by_path
        return frozenset(slot.start for path in paths for node in nodes(layers[path]) for slot in node.slots)

    @property
    def hidden_weights(self) -> dict[int, tuple[int, int]]:
        """The inputs and outputs of each weight between others, by the place where it begins in the flat vector."""
        return dict(_between_weights(self.root, before=False, after=False))

    @property
    def block_rows(self) -> int:
        """Rows in a block, few enough to keep all values between layers within a processor's cache.

        Wide networks take more: each block adds to the gradient of every parameter, and reads every parameter.
        """
        return self._rows_within_cache(self.inputs * np.dtype(self.dtype).itemsize)

    def block_rows_of(self, coding: Coding | None) -> int:
        """Return the same for rows that travel as codes: narrow ones, however many categories there are."""
        return self.block_rows if coding is None else self._rows_within_cache(self.coded_row(coding))

    def coded_row(self, coding: Coding) -> int:
        """Return the bytes of a row of codes: its numbers, and the places of its 1s."""
        return coding.width * np.dtype(self.dtype).itemsize + len(coding.spans) * PLACE_BYTES

    def _rows_within_cache(self, inputs: int) -> int:
        width = sum(node.outputs for node in nodes(self.root) if not node.children)
        row = width * np.dtype(self.dtype).itemsize + inputs
        return max(CACHE_BYTES // row, min(USEFUL_ROWS, MOST_BYTES // row), 1)

    def coding_of(self, inputs: Rows) -> Coding | None:
        """Return how these rows travel to the first layer; None where all inputs of a block are written out."""
        return self.taken(inputs.coding) if isinstance(inputs, OneHotRows | LaterRows) else None

    def taken(self, coding: Coding | None) -> Coding | None:
        """Return this coding where the first layer takes codes."""
        return coding if self.layer.takes_codes else None

    def weights_apart(self, coding: Coding | None) -> dict[int, int]:
        """Return how many weights of each first layer have nothing to do with a given row that travels as codes, by the
        place where they begin in the flat vector.
        """
        if coding is None:
            return {}
        weights = (node.slots[0] for node in _first_nodes(self.root))
        return {slot.start: slot.shape[0] * (self.inputs - coding.width) for slot in weights}

    def initial(self, seed: int) -> Array:
        """First parameters: the same bytes for the same seed."""
        generator = np.random.default_rng(seed)
        vector = np.empty(self.vector_length, self.dtype)
        for node in nodes(self.root):
            for slot in node.slots:
                slot.as_written(vector)[...] = slot.initial(generator, slot.shape)
        return vector

    def unflatten(self, vector: Array) -> list[LayerValues]:
        """The parameters layer by layer, as views: {} for layers without any, {"layers": [...]} for containers."""
        return [self._as_written(node, vector) for node in self.outer_layers]

    def _as_written(self, node: Node, vector: Array) -> LayerValues:
        if node.children:
            return {"layers": [self._as_written(child, vector) for child in node.children]}
        return {slot.name: slot.as_written(vector) for slot in node.slots}

    def flatten(self, layers: Sequence[Any]) -> Array:
        """The vector for parameters given layer by layer, as nested lists or arrays.

        Raises:
            ParameterError: shapes or names are wrong, or a value is no number, not finite, or overflows the dtype.
        """
        vector = np.empty(self.vector_length, self.dtype)
        read_parameters(self.outer_layers, layers, vector)
        return vector

    def tape(
        self,
        vector: Array,
        rows: int,
        gradient: Array | None = None,
        frozen: frozenset[int] = NOTHING,
        by_row: Array | None = None,
    ) -> tuple[Tape, Array, Signal]:
        """Return a tape for batches of `rows` rows, the buffer for their inputs, and the buffers of the outputs."""
        tape = Tape(rows, vector, gradient, frozen, by_row)
        inputs = np.empty((rows, self.inputs), self.dtype)
        return tape, inputs, self.root.record(Signal(inputs, None), tape)

    def tape_of(
        self,
        coding: Coding | None,
        vector: Array,
        rows: int,
        gradient: Array | None = None,
        frozen: frozenset[int] = NOTHING,
    ) -> tuple[Tape, Buffer, Signal]:
        """Return the same for rows that travel as codes, or as `coding_of` has them."""
        if coding is None:
            return self.tape(vector, rows, gradient, frozen)
        tape, inputs = Tape(rows, vector, gradient, frozen), CodedBlock.empty(coding, rows, self.dtype)
        return tape, inputs, self.root.record(Signal(inputs.numbers, None, inputs), tape)

    def slopes_tape(self, vector: Array, rows: int) -> tuple[Tape, Signal, Signal]:
        """Return a tape in test mode whose pull-back goes to the inputs, and the buffers of inputs and outputs."""
        tape = Tape(rows, vector, frozen=self.arrays_of(self.layers_by_path), to_inputs=True)
        inputs = Signal(np.empty((rows, self.inputs), self.dtype), np.zeros((rows, self.inputs), self.dtype))
        return tape, inputs, self.root.record(inputs, tape)

    def predict(self, vector: Array, inputs: Rows, block: int | None = None) -> Array:
        """Outputs (rows × outputs) in test mode, `block` rows at a time; safe to call from many threads."""
        outputs = np.empty((len(inputs), self.outputs), self.dtype)
        for rows, computed in self.blocks(vector, inputs, block):
            outputs[rows] = computed
        return outputs

    def loss(self, vector: Array, inputs: Rows, targets: Rows, loss: Loss, weights: Array | None = None) -> float:
        """The loss over these rows in test mode, summed in float64; inf or nan where the outputs are."""
        total = loss.total()
        for _ in self.measure(vector, inputs, targets, total, weights):
            pass
        return total.value

    def measure(
        self,
        vector: Array,
        inputs: Rows,
        targets: Rows,
        total: Total,
        weights: Array | None = None,
        prepare: Prepare | None = None,
    ) -> Iterator[tuple[slice, Array]]:
        """Add these rows to a loss in test mode; yields each block as `blocks` does.

        `prepare` changes a block's inputs first.
        """
        column = None if weights is None else total.comparable(weights).reshape(-1, 1)
        for rows, computed in self.blocks(vector, inputs, None, prepare):
            with np.errstate(all="ignore"):
                total.add(computed, targets[rows], None if column is None else column[rows])
            yield rows, computed
            memory_maps.drop_behind(stored(targets), rows.start, rows.stop)

    def blocks(
        self, vector: Array, inputs: Rows, block: int | None = None, prepare: Prepare | None = None
    ) -> Iterator[tuple[slice, Array]]:
        """Yield slices of `block` rows and their outputs in test mode, in a buffer that the next block overwrites."""
        inputs, coding = made(inputs), self.coding_of(inputs)
        size = max(1, min(block or self.block_rows_of(coding), len(inputs)))
        tape, buffer, outputs = self.tape_of(coding, vector, size)
        for start in range(0, len(inputs), size):
            rows = slice(start, min(start + size, len(inputs)))
            if rows.stop - rows.start < size:
                tape, buffer, outputs = self.tape_of(coding, vector, rows.stop - rows.start)
            with np.errstate(all="ignore"):
                write_rows(inputs, rows, buffer)
                if prepare is not None:
                    prepare(buffer)
                tape.run()
            yield rows, outputs.value
            memory_maps.drop_behind(stored(inputs), rows.start, rows.stop)


def _between_weights(node: Node, *, before: bool, after: bool) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the weights in a layer that has others `before` and `after` it or that are there inside; branches lie side
    by side.
    """
    if before and after:
        yield from ((slot.start, (slot.shape[1], slot.shape[0])) for slot in node.slots if slot.is_matrix)
    follows = isinstance(node.layer, Chain)
    weighs = [any(slot.is_matrix for each in nodes(child) for slot in each.slots) for child in node.children]
    for place, child in enumerate(node.children):
        earlier, later = (any(weighs[:place]), any(weighs[place + 1 :])) if follows else (False, False)
        yield from _between_weights(child, before=before or earlier, after=after or later)


def _first_nodes(node: Node) -> Iterator[Node]:
    """Yield the layers inside that take the inputs."""
    children = node.children[:1] if isinstance(node.layer, Chain) else node.children
    for child in children:
        yield from _first_nodes(child)
    if not children:
        yield node


def _paths(layers: Sequence[Node], prefix: str) -> Iterator[tuple[str, Node]]:
    for index, node in enumerate(layers):
        yield f"{prefix}{index}", node
        yield from _paths(node.children, f"{prefix}{index}.layers.")
