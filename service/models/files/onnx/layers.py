"""Each layer as ONNX nodes, in test mode; constants have the names that the parameters have in other files."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

from service.errors import Invalid, invalid
from service.http.json_numbers import Array
from service.learning.layers import (
    BatchNorm,
    Chain,
    Connection,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Node,
    Parallel,
    SkipConnection,
)
from service.learning.layers.activations import Activation
from service.models.files.onnx.activations import FORMULAS
from service.models.files.onnx.functions import mean_of_rows
from service.models.files.onnx.graph import Graph, Value


class Layers:
    """A builder that adds layers with these parameters to a graph."""

    def __init__(self, graph: Graph, vector: Array) -> None:
        self._graph = graph
        self._vector = vector

    def sequence(self, nodes: Sequence[Node], x: Value, prefix: str = "") -> Value:
        """The value of layers one after another.

        Raises:
            Invalid: one of them has no form in ONNX.
        """
        for index, node in enumerate(nodes):
            x = self._layer(node, x, f"{prefix}layers.{index}")
        return x

    def _layer(self, node: Node, x: Value, path: str) -> Value:
        self._graph.path = path
        if isinstance(node.layer, Activation):
            return activated(node.layer, x)
        form = FORMS.get(type(node.layer))
        if form is None:
            raise untranslatable(node.layer)
        return form(self, node, x, path)

    def _parameters(self, node: Node, path: str) -> dict[str, Value]:
        return {
            slot.name: self._graph.constant(f"{path}.{slot.name}", slot.as_written(self._vector)) for slot in node.slots
        }

    def dense(self, node: Node, x: Value, path: str) -> Value:
        parameters = self._parameters(node, path)
        layer = node.layer
        assert isinstance(layer, Dense)
        return activated(layer.activation, x.apply("Gemm", *parameters.values(), transB=1))

    def dropout(self, node: Node, x: Value, path: str) -> Value:
        return x

    def layer_norm(self, node: Node, x: Value, path: str) -> Value:
        """Avoid the operator of this name: onnxruntime's loses digits where the mean is large beside the deviation."""
        layer = node.layer
        assert isinstance(layer, LayerNorm)
        centred = x - mean_of_rows(x)
        variance = mean_of_rows(centred * centred)
        return self._finish(layer, centred / (variance + layer.eps).apply("Sqrt"), self._parameters(node, path))

    def batch_norm(self, node: Node, x: Value, path: str) -> Value:
        """Avoid the operator of this name, for the same reason: its substitute for the mean may be large."""
        layer = node.layer
        assert isinstance(layer, BatchNorm)
        parameters = self._parameters(node, path)
        deviation = (parameters["variance"] + layer.eps).apply("Sqrt")
        return self._finish(layer, (x - parameters["mean"]) / deviation, parameters)

    def _finish(self, layer: BatchNorm | LayerNorm, normalised: Value, parameters: dict[str, Value]) -> Value:
        if layer.affine:
            normalised = normalised * parameters["scale"] + parameters["bias"]
        return activated(layer.activation, normalised)

    def chain(self, node: Node, x: Value, path: str) -> Value:
        return self.sequence(node.children, x, f"{path}.")

    def skip_connection(self, node: Node, x: Value, path: str) -> Value:
        layer = node.layer
        assert isinstance(layer, SkipConnection)
        return self._join(layer.connection, [self.sequence(node.children, x, f"{path}."), x], path)

    def parallel(self, node: Node, x: Value, path: str) -> Value:
        layer = node.layer
        assert isinstance(layer, Parallel)
        branches = [self._layer(child, x, f"{path}.layers.{index}") for index, child in enumerate(node.children)]
        return self._join(layer.connection, branches, path)

    def _join(self, connection: Connection, branches: list[Value], path: str) -> Value:
        self._graph.path = path
        return self._graph.add("Concat", *branches, axis=1) if connection == "vcat" else reduce(add, branches)


FORMS: dict[type[Layer], Callable[[Layers, Node, Value, str], Value]] = {
    Dense: Layers.dense,
    Dropout: Layers.dropout,
    LayerNorm: Layers.layer_norm,
    BatchNorm: Layers.batch_norm,
    Chain: Layers.chain,
    SkipConnection: Layers.skip_connection,
    Parallel: Layers.parallel,
}


def activated(activation: Activation, x: Value) -> Value:
    formula = FORMULAS.get(type(activation))
    if formula is None:
        raise untranslatable(activation)
    return formula(activation, x)


def untranslatable(term: Layer) -> Invalid:
    return invalid("query/format", f"{term.name} has no form in ONNX.", "no_such_form")
