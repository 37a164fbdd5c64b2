"""Parameters from outside, layer by layer, checked on the way into the flat vector."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from service.learning.arrays import Array
from service.learning.layers import Node, ParameterSlot


class ParameterError(ValueError):
    """Parameters that do not fit the network; `pointer` leads to the place, such as /0/weight/1/0."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer}: {message}")
        self.pointer = pointer
        self.message = message


def read_parameters(nodes: Sequence[Node], layers: Any, vector: Array, pointer: str = "") -> None:
    """Write the parameters in `layers` for `nodes` into the vector; ParameterError where they do not fit."""
    if not isinstance(layers, Sequence) or isinstance(layers, str):
        raise ParameterError(pointer, "must be a list with one object per layer")
    if len(layers) != len(nodes):
        raise ParameterError(pointer, f"must have one object per layer, {len(nodes)}, not {len(layers)}")
    for index, (node, given) in enumerate(zip(nodes, layers, strict=True)):
        read_layer(node, given, vector, f"{pointer}/{index}")


def read_layer(node: Node, values: Any, vector: Array, pointer: str) -> None:
    names = ["layers"] if node.children else [slot.name for slot in node.slots]
    if not isinstance(values, Mapping):
        raise ParameterError(pointer, f"must be an object with {', '.join(names) or 'nothing in it'}")
    for name in values:
        if name not in names:
            raise ParameterError(f"{pointer}/{name}", f"is not a parameter of {node.layer.describe()}")
    for name in names:
        if name not in values:
            raise ParameterError(pointer, f"lacks {name}")
    if node.children:
        read_parameters(node.children, values["layers"], vector, f"{pointer}/layers")
    for slot in node.slots:
        read_slot(slot, values[slot.name], vector, f"{pointer}/{slot.name}")


def read_slot(slot: ParameterSlot, values: Any, vector: Array, pointer: str) -> None:
    if isinstance(values, np.ndarray):
        array = check_array(slot, values, pointer)
    else:
        check_lists(values, slot.shape, pointer)
        array = np.array(values, np.float64)
    with np.errstate(over="ignore"):
        seen = slot.as_written(vector)
        seen[...] = array
    if not np.isfinite(seen).all():
        where = np.argwhere(~np.isfinite(seen))[0]
        raise ParameterError("/".join([pointer, *map(str, where)]), f"is not a finite {vector.dtype} number")
    if slot.name == "variance" and (seen < 0).any():
        where = np.argwhere(seen < 0)[0]
        raise ParameterError("/".join([pointer, *map(str, where)]), "must not be negative")


def check_array(slot: ParameterSlot, values: Array, pointer: str) -> Array:
    if values.shape != slot.shape:
        raise ParameterError(pointer, f"must be {by(slot.shape)}, not {by(values.shape)}")
    if values.dtype.kind not in "fiu":
        raise ParameterError(pointer, "must be numbers")
    return values


def check_lists(values: Any, shape: tuple[int, ...], pointer: str) -> None:
    """Check that lists are nested as the shape asks, with nothing but numbers in them."""
    if not shape:
        if isinstance(values, bool) or not isinstance(values, int | float):
            raise ParameterError(pointer, "must be a number")
        if isinstance(values, int) and abs(values) > 1 << 1023:
            raise ParameterError(pointer, "is too large")
        return
    if not isinstance(values, list | tuple):
        raise ParameterError(pointer, f"must be a list of {shape[0]}")
    if len(values) != shape[0]:
        raise ParameterError(
            pointer,
            f"must have {shape[0]} {'row' if len(shape) > 1 else 'number'}{'s' * (shape[0] != 1)}, not {len(values)}",
        )
    if len(shape) == 1 and set(map(type, values)) == {float}:
        return
    for index, item in enumerate(values):
        check_lists(item, shape[1:], f"{pointer}/{index}")


def by(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "one number"
