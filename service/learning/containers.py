"""Layers made of layers."""

from dataclasses import dataclass
from functools import reduce

from service.learning.architecture import LAYERS, Arrangement, Layer, Node, Placement
from service.learning.tape import Signal, Tape
from service.learning.vocabulary import TermError

DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Container(Layer):
    """Has other layers inside."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        Layer.__post_init__(self)
        if not self.layers:
            raise TermError(self.name, "layers", "must not be empty")
        if self.depth > DEEPEST:
            raise TermError(self.name, "layers", f"must nest at most {DEEPEST} deep")

    @property
    def depth(self) -> int:
        return 1 + max(layer.depth for layer in self.layers)


@LAYERS.add
@dataclass(frozen=True, slots=True)
class Chain(Container):
    """f(x) = (fₙ ∘ … ∘ f₁)(x)"""

    name = "Chain"

    @property
    def inputs(self) -> int | None:
        return next((layer.inputs for layer in self.layers if layer.inputs is not None), None)

    def arrange(self, inputs: int, placement: Placement) -> Arrangement:
        children = []
        for index, layer in enumerate(self.layers):
            children.append(placement.place(layer, inputs, index))
            inputs = children[-1].outputs
        return Arrangement(inputs, children=tuple(children))

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        return reduce(lambda signal, child: child.record(signal, tape), node.children, x)
