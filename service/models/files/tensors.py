"""A network's parameters as named tensors, as files hold them.

A layer's arrays are `layers.0.weight` (outputs × inputs), `layers.0.bias`, ...; layers count from 0, and those inside
another one are `layers.1.layers.0.weight`: the path in the JSON form of the same parameters, with dots.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from service.errors import Invalid, invalid
from service.http.json_numbers import Array
from service.learning.layers import Node, ParameterSlot
from service.learning.network import Network
from service.learning.parameters import ParameterError, read_slot
from service.models.signature import from_file
from service.models.signature.signature import Signature

FLOATS = ("float16", "bfloat16", "float32", "float64")
"""The types of numbers that are read; the two halves become float32."""


@dataclass(frozen=True)
class Tensor:
    """A tensor in a file: its description there, and the function that reads its numbers."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Array]


@dataclass(frozen=True)
class TensorFile:
    """The content of a file of tensors; no tensor is read before it is known to fit."""

    tensors: Mapping[str, Tensor]
    architecture: str | None = None
    written_signature: str | None = None
    """The signature as JSON, not checked yet."""

    @property
    def dtype(self) -> str:
        """float64 where a tensor is, else float32."""
        return "float64" if any(tensor.dtype == "float64" for tensor in self.tensors.values()) else "float32"

    def vector(self, network: Network) -> Array:
        """The network's flat vector of these parameters.

        Raises:
            Invalid: a tensor is missing, is unknown, or does not fit; with its name and what would fit.
        """
        slots = dict(named_slots(network))
        for name in self.tensors:
            if name not in slots:
                known = ", ".join(list(slots)[:10]) + ", …" * (len(slots) > 10)
                raise _fault(name, f"The network has no such tensor; it has {known}.", "unknown_tensor")
        for name, slot in slots.items():
            self._check(name, slot)
        vector = np.empty(network.vector_length, network.dtype)
        for name, slot in slots.items():
            try:
                read_slot(slot, self.tensors[name].read(), vector, f"#/{name}")
            except ParameterError as error:
                raise invalid(error.pointer, f"{error.pointer} {error.message}.", "bad_parameters") from None
        return vector

    def signature(self, network: Network) -> Signature | None:
        """The signature of the data the parameters were trained on, where the file has one.

        Raises:
            Invalid: it is broken, or does not fit the network.
        """
        return None if self.written_signature is None else from_file.read(self.written_signature, network)

    def _check(self, name: str, slot: ParameterSlot) -> None:
        tensor = self.tensors.get(name)
        if tensor is None:
            raise _fault(name, f"This tensor, of shape {slot.shape}, is missing.")
        if tensor.dtype not in FLOATS:
            raise _fault(name, f"This tensor must be {', '.join(FLOATS[:-1])} or {FLOATS[-1]}, not {tensor.dtype}.")
        if tensor.shape != slot.shape:
            raise _fault(name, f"This tensor must have the shape {slot.shape}, not {tensor.shape}.")


def _fault(name: str, detail: str, code: str = "bad_parameters") -> Invalid:
    shown = name[:100]  # what a client sent is not sent back whole
    return invalid(f"#/{shown}", f"{shown}: {detail}", code)


def named_slots(network: Network) -> Iterator[tuple[str, ParameterSlot]]:
    """Every parameter and statistic of a network by its name, in order."""
    yield from _slots(network.outer_layers, "")


def _slots(nodes: Sequence[Node], prefix: str) -> Iterator[tuple[str, ParameterSlot]]:
    for index, node in enumerate(nodes):
        path = f"{prefix}layers.{index}."
        yield from ((path + slot.name, slot) for slot in node.slots)
        yield from _slots(node.children, path)


def named_tensors(network: Network, vector: Array) -> dict[str, Array]:
    """The parameters by name, as views of the vector."""
    return {name: slot.as_written(vector) for name, slot in named_slots(network)}
