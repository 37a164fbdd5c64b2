"""The base of layers: the widths a layer takes and returns, its parameters, and its record on a tape."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from numpy.random import Generator

from service.learning.arrays import Array
from service.learning.layers.tape import Signal, Tape
from service.learning.terms import Registry, Term


class ArchitectureError(ValueError):
    """Layers that do not fit each other; `pointer` leads to the one at fault, such as /1 or /1/layers/0."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message


@dataclass(frozen=True, slots=True)
class ParameterSlot:
    """A named array of a layer: its shape as the outside sees it, and its place in the flat vector.

    A transposed one is stored the other way round. `initial` draws it from a generator; statistics are not trainable.
    """

    name: str
    shape: tuple[int, ...]
    initial: Callable[[Generator, tuple[int, ...]], Array]
    trainable: bool = True
    transposed: bool = False
    start: int = 0

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_matrix(self) -> bool:
        """Whether it is a weight, outputs × inputs, that is stored the other way round."""
        return self.transposed and len(self.shape) == 2

    def as_stored(self, vector: Array) -> Array:
        """A view of the array in `vector`, in the order of storage."""
        shape = self.shape[::-1] if self.transposed else self.shape
        return vector[self.start : self.start + self.size].reshape(shape)

    def as_written(self, vector: Array) -> Array:
        """A view of the array in `vector`, in the outside's shape."""
        stored = self.as_stored(vector)
        return stored.T if self.transposed else stored


@dataclass(frozen=True, slots=True)
class Node:
    """A layer in its place in a network."""

    layer: "Layer"
    inputs: int
    outputs: int
    slots: tuple[ParameterSlot, ...] = ()
    children: tuple["Node", ...] = ()

    def record(self, x: Signal, tape: Tape) -> Signal:
        """Record the layer; without its pull-back where all up to here is frozen."""
        if not tape.frozen or x.gradient is not None or self._trains(tape):
            return self.layer.record(self, x, tape)
        before = len(tape.backward)
        y = self.layer.record(self, x, tape)
        del tape.backward[: len(tape.backward) - before]
        return Signal(y.value, None)

    def _trains(self, tape: Tape) -> bool:
        slots = (slot for node in nodes(self) for slot in node.slots)
        return any(slot.trainable and slot.start not in tape.frozen for slot in slots)


class Shape(NamedTuple):
    """The form of a layer for a number of inputs."""

    outputs: int
    slots: tuple[ParameterSlot, ...] = ()
    children: tuple[Node, ...] = ()


class Layer(Term):
    """A function of rows × inputs with pull-back; one layer is one definition of `arrange` and `record`."""

    __slots__ = ()

    @property
    def inputs(self) -> int | None:
        """The number of inputs that the layer fixes; None where any will do."""
        return None

    @property
    def depth(self) -> int:
        """Depth of the layers nested in this one."""
        return 0

    @property
    def differs_in_training(self) -> bool:
        """Whether train and test mode give different values."""
        return False

    @property
    def couples_rows(self) -> bool:
        """Whether in train mode a row's values depend on the other rows of the batch."""
        return False

    @property
    def has_gradients_by_row(self) -> bool:
        """Whether the layer writes each row's gradients where a tape asks for them, or has no parameters."""
        return False

    @property
    def takes_codes(self) -> bool:
        """Whether a network that begins with the layer takes wide categories as codes; for others they are expanded."""
        return False

    @property
    def draws(self) -> bool:
        """Whether train mode draws random numbers, from the tape's generator."""
        return False

    def describe(self) -> str:
        """The layer in a few words, for messages."""
        return self.name

    def arrange(self, inputs: int, placement: "Placement") -> Shape:
        """Return the outputs, parameters and placed children for this number of inputs."""
        return Shape(inputs)

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        """Record the layer's calls for inputs `x` on the tape; return the buffers of its outputs."""
        raise NotImplementedError


class Placement:
    """The placing of layers: checks widths, and hands out the flat vector, trainable parameters first."""

    def __init__(self) -> None:
        self.trainable = 0
        self.statistics = 0
        self._path: list[int] = []

    def place(self, layer: Layer, inputs: int, index: int | None = None) -> Node:
        """The layer as a node; `index` counts it among the layers of the one that contains it.

        Raises:
            ArchitectureError: it expects another number of inputs.
        """
        if index is not None:
            self._path.append(index)
        if layer.inputs is not None and layer.inputs != inputs:
            raise self.error(
                f"layer {self._path[-1] + 1}, {layer.describe()}, expects {layer.inputs} inputs but gets {inputs}"
            )
        arranged = layer.arrange(inputs, self)
        slots = tuple(map(self._locate, arranged.slots))
        if index is not None:
            self._path.pop()
        return Node(layer, inputs, arranged.outputs, slots, arranged.children)

    def error(self, message: str) -> ArchitectureError:
        """An error about the layer that is being placed."""
        return ArchitectureError("/layers".join(f"/{index}" for index in self._path), message)

    def _locate(self, slot: ParameterSlot) -> ParameterSlot:
        """Statistics are counted on their own, and moved behind the parameters once these are all known."""
        if slot.trainable:
            slot = replace(slot, start=self.trainable)
            self.trainable += slot.size
        else:
            slot = replace(slot, start=self.statistics)
            self.statistics += slot.size
        return slot

    def finish(self, node: Node) -> Node:
        """The tree with its statistics moved behind all trainable parameters."""
        slots = tuple(s if s.trainable else replace(s, start=s.start + self.trainable) for s in node.slots)
        return replace(node, slots=slots, children=tuple(map(self.finish, node.children)))


def nodes(root: Node) -> Iterator[Node]:
    """A node and all nodes in it, in order."""
    yield root
    for child in root.children:
        yield from nodes(child)


LAYERS: Registry[Layer] = Registry("descent.layers", "service.learning.layers")
