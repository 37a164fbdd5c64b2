"""Layers made of layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Annotated, Literal

import numpy as np
from annotated_types import Len

from service.learning.arrays import Array
from service.learning.layers.layer import LAYERS, Layer, Node, Placement, Shape
from service.learning.layers.tape import Signal, Tape
from service.learning.terms import TermError

DEEPEST = 100
Layers = Annotated[tuple[Layer, ...], Len(1)]
Connection = Literal["+", "vcat"]


class Container(Layer):
    """A layer with other layers inside."""

    __slots__ = ()

    def __post_init__(self) -> None:
        Layer.__post_init__(self)
        if self.depth > DEEPEST:
            raise TermError(self.name, "layers", f"must nest at most {DEEPEST} deep")

    @property
    def inside(self) -> tuple[Layer, ...]:
        """The layers in order."""
        raise NotImplementedError

    @property
    def depth(self) -> int:
        return 1 + max(layer.depth for layer in self.inside)

    @property
    def inputs(self) -> int | None:
        widths = (layer.inputs for layer in self.inside)  # each asked once: twice at every level would take for ever
        return next((width for width in widths if width is not None), None)


@LAYERS.add
@dataclass(frozen=True, slots=True)
class Chain(Container):
    """f(x) = (fₙ ∘ … ∘ f₁)(x)"""

    name = "Chain"
    layers: Layers

    @property
    def inside(self) -> tuple[Layer, ...]:
        return self.layers

    @property
    def takes_codes(self) -> bool:
        return self.layers[0].takes_codes

    def arrange(self, inputs: int, placement: Placement) -> Shape:
        children = []
        for index, layer in enumerate(self.layers):
            children.append(placement.place(layer, inputs, index))
            inputs = children[-1].outputs
        return Shape(inputs, children=tuple(children))

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        return reduce(lambda signal, child: child.record(signal, tape), node.children, x)


@LAYERS.add
@dataclass(frozen=True, slots=True)
class SkipConnection(Container):
    """y = connection(f(x), x)

    The connection is +, or vcat, which puts f(x) and x side by side.
    """

    name = "SkipConnection"
    layer: Layer
    connection: Connection

    @property
    def inside(self) -> tuple[Layer, ...]:
        return (self.layer,)

    def arrange(self, inputs: int, placement: Placement) -> Shape:
        child = placement.place(self.layer, inputs, 0)
        widths = (child.outputs, inputs)
        return Shape(joined(self.connection, widths, placement), children=(child,))

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        branch, untouched = split(x, 2, tape)
        return join(self.connection, (node.children[0].record(branch, tape), untouched), node.outputs, tape)


@LAYERS.add
@dataclass(frozen=True, slots=True)
class Parallel(Container):
    """y = connection(f₁(x), …, fₙ(x))

    The connection is +, or vcat, which puts the branches' outputs side by side.
    """

    name = "Parallel"
    connection: Connection
    layers: Layers

    @property
    def inside(self) -> tuple[Layer, ...]:
        return self.layers

    @property
    def takes_codes(self) -> bool:
        return all(layer.takes_codes for layer in self.layers)

    def arrange(self, inputs: int, placement: Placement) -> Shape:
        children = tuple(placement.place(layer, inputs, index) for index, layer in enumerate(self.layers))
        widths = tuple(child.outputs for child in children)
        return Shape(joined(self.connection, widths, placement), children=children)

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        branches = split(x, len(node.children), tape)
        outputs = [child.record(branch, tape) for child, branch in zip(node.children, branches, strict=True)]
        return join(self.connection, outputs, node.outputs, tape)


def joined(connection: Connection, widths: Sequence[int], placement: Placement) -> int:
    """Return the width of branches of these widths together; ArchitectureError where they cannot be added."""
    if connection == "vcat":
        return sum(widths)
    if len(set(widths)) > 1:
        raise placement.error(f"+ needs branches of one width, but they have {', '.join(map(str, widths))} outputs")
    return widths[0]


def split(x: Signal, count: int, tape: Tape) -> list[Signal]:
    """Return the same values for several branches; each has its own gradient, and they add up."""
    dx = x.gradient
    if dx is None:
        return [x] * count
    gradients = [np.empty_like(dx) for _ in range(count)]

    def backward() -> None:
        np.copyto(dx, gradients[0])
        for gradient in gradients[1:]:
            np.add(dx, gradient, dx)

    tape.record(None, backward)
    return [Signal(x.value, gradient) for gradient in gradients]


def join(connection: Connection, branches: Sequence[Signal], width: int, tape: Tape) -> Signal:
    """Return the branches added up, or side by side."""
    y = tape.signal(width)
    edges = np.cumsum([branch.value.shape[1] for branch in branches])[:-1]

    def parts(array: Array) -> list[Array]:
        return np.split(array, edges, axis=1) if connection == "vcat" else [array] * len(branches)

    places = parts(y.value)

    def forward() -> None:
        np.copyto(places[0], branches[0].value)
        for place, branch in zip(places[1:], branches[1:], strict=True):
            if connection == "vcat":
                np.copyto(place, branch.value)
            else:
                np.add(place, branch.value, place)

    def backward() -> None:
        if y.gradient is not None:
            for part, branch in zip(parts(y.gradient), branches, strict=True):
                if branch.gradient is not None:
                    np.copyto(branch.gradient, part)

    tape.record(forward, backward)
    return y
