"""An ONNX graph while it is built: its values are written as formulas, `x * 0.5 + 1`, and become nodes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto
from onnx.helper import make_node, np_dtype_to_tensor_dtype
from onnx.numpy_helper import from_array

from service.http.json_numbers import Array

OPSET = 17
"""The version of 2022: every reader of ONNX reads it."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor in a graph, rows × width."""

    graph: "Graph"
    name: str

    def apply(self, operator: str, *others: "Operand", **attributes: Any) -> "Value":
        """operator(self, *others)"""
        return self.graph.add(operator, self, *others, **attributes)

    def __add__(self, other: "Operand") -> "Value":
        return self.apply("Add", other)

    def __radd__(self, other: float) -> "Value":
        return self.graph.add("Add", other, self)

    def __sub__(self, other: "Operand") -> "Value":
        return self.apply("Sub", other)

    def __rsub__(self, other: float) -> "Value":
        return self.graph.add("Sub", other, self)

    def __mul__(self, other: "Operand") -> "Value":
        return self.apply("Mul", other)

    def __rmul__(self, other: float) -> "Value":
        return self.graph.add("Mul", other, self)

    def __truediv__(self, other: "Operand") -> "Value":
        return self.apply("Div", other)

    def __rtruediv__(self, other: float) -> "Value":
        return self.graph.add("Div", other, self)

    def __neg__(self) -> "Value":
        return self.apply("Neg")

    def __abs__(self) -> "Value":
        return self.apply("Abs")

    def __gt__(self, other: "Operand") -> "Value":
        return self.apply("Greater", other)


Operand = Value | float


class Graph:
    """Nodes and the constants they use, all of one dtype; `path` is the layer that is being added, for their names."""

    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.element_type: int = np_dtype_to_tensor_dtype(self.dtype)
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        self.path = ""
        self._names: dict[str, int] = {}

    def add(self, operator: str, *operands: Operand, **attributes: Any) -> Value:
        """Add a node, and return its value."""
        stem = f"{self.path}.{operator}" if self.path else operator
        self._names[stem] = count = self._names.get(stem, 0) + 1
        name = stem if count == 1 else f"{stem}.{count}"
        inputs = [each.name if isinstance(each, Value) else self.number(each).name for each in operands]
        self.nodes.append(make_node(operator, inputs, [name], name, **attributes))
        return Value(self, name)

    def number(self, number: float) -> Value:
        return self.constant(repr(float(number)), np.array(number, self.dtype))

    def constant(self, name: str, array: Array) -> Value:
        """Return the value of an array; one name stands for one array."""
        if name not in self.constants:
            self.constants[name] = from_array(np.ascontiguousarray(array) if array.ndim else array, name)
        return Value(self, name)
