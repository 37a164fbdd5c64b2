"""Coordinates in which a network learns: scaled inputs, scaled targets, or both."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from service.learning.arrays import Array, Saved, State
from service.learning.layers import Chain, Dense, Node
from service.learning.losses import Agg, Evaluate, Loss
from service.learning.network import Network
from service.learning.rows.coded import Buffer
from service.learning.rows.part import Part
from service.learning.training.scaling import SEEN, Scaling, measure, scaling_of

Standardise = Literal[False, True, "inputs", "targets", "both"]


def scales_inputs(standardise: Standardise) -> bool:
    return standardise in (True, "inputs", "both")


def scales_targets(standardise: Standardise) -> bool:
    return standardise in ("targets", "both")


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The scalings of inputs and targets; None where these stay as they are.

    In scaled coordinates the network learns (y - m) / s. Its parameters for raw targets have diag(s) W and s b + m in
    the last Dense layer.
    """

    inputs: Scaling | None = None
    targets: Scaling | None = None

    def apply(self, inputs: Buffer) -> None:
        """Scale these rows in place."""
        if self.inputs is not None:
            self.inputs.apply(inputs)

    def loss(self, loss: Loss) -> Loss:
        """Return the loss of outputs in these coordinates and raw targets."""
        return loss if self.targets is None else LossInRawUnits(loss, self.targets)

    def to_raw(self, network: Network, vector: Array) -> Array:
        """Return the parameters for raw rows that do as `vector` in these coordinates."""
        wide: Array = vector.astype(np.float64)
        if self.inputs is not None:
            wide = self.inputs.to_raw(network, wide)
        if self.targets is not None:
            _fold(network, wide, self.targets.deviation, self.targets.mean)
        return wide.astype(vector.dtype)

    def to_standardised(self, network: Network, vector: Array) -> Array:
        """Return the parameters in these coordinates that do as `vector` for raw rows."""
        wide: Array = vector.astype(np.float64)
        if self.inputs is not None:
            wide = self.inputs.to_standardised(network, wide)
        if self.targets is not None:
            _fold(network, wide, 1 / self.targets.deviation, -self.targets.mean / self.targets.deviation)
        return wide.astype(vector.dtype)

    def is_lossy(self, network: Network, vector: Array) -> bool:
        """Whether the dtype may have too few digits for parameters for raw rows, which cancel each other."""
        if self.targets is not None:
            lost = np.finfo(vector.dtype).eps * np.abs(self.targets.mean)
            if (lost > SEEN * self.targets.deviation).any():
                return True
        return self.inputs is not None and self.inputs.is_lossy(network, vector)

    def state(self) -> State:
        inputs = {} if self.inputs is None else self.inputs.state()
        targets = {} if self.targets is None else self.targets.state()
        return inputs | {f"target_{name}": array for name, array in targets.items()}

    @classmethod
    def from_state(cls, arrays: Saved) -> "Coordinates":
        targets = {name.removeprefix("target_"): each for name, each in arrays.items() if name.startswith("target_")}
        return cls(
            Scaling.from_state(arrays) if "mean" in arrays else None, Scaling.from_state(targets) if targets else None
        )


class LossInRawUnits(Loss):
    """A loss of raw targets, of outputs in scaled coordinates.

    Its value is the raw one. Its gradient is that of terms divided by sᵖ, p the loss's `unit_power`: with one such
    factor for each output all of them count alike, whatever their units.
    """

    name = "loss_in_raw_units"

    def __init__(self, loss: Loss, targets: Scaling) -> None:
        assert loss.unit_power is not None, "the recipe was checked"
        self._loss = loss
        self._mean, self._deviation = targets.mean, targets.deviation
        self._factor = targets.deviation ** (1 - loss.unit_power)

    @property
    def agg(self) -> Agg:
        return self._loss.agg

    def terms(self, ŷ: Array, y: Array) -> Array:
        """Return the terms of the loss, which depend on differences alone: the mean goes where it is exact."""
        return self._loss.terms(ŷ * self._deviation.astype(ŷ.dtype), y - self._mean.astype(y.dtype))

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        raw, shifted = np.empty_like(ŷ), np.empty_like(y)
        mean, deviation, factor = (each.astype(ŷ.dtype) for each in (self._mean, self._deviation, self._factor))
        inner = self._loss.bind(raw, shifted, gradient, weights)

        def evaluate() -> float:
            np.multiply(ŷ, deviation, raw)
            np.subtract(y, mean, shifted)
            loss = inner()
            np.multiply(gradient, factor, gradient)
            return loss

        return evaluate


def last_dense(node: Node) -> Node | None:
    """The Dense layer with bias and identity that a network ends in; None where it ends otherwise."""
    while isinstance(node.layer, Chain):
        node = node.children[-1]
    if not isinstance(node.layer, Dense) or node.layer.bias is False or node.layer.activation.name != "identity":
        return None
    return node


def _fold(network: Network, vector: Array, factor: Array, shift: Array) -> None:
    """Multiply the last layer's outputs, and add to them, by its parameters alone."""
    dense = last_dense(network.root)
    if dense is None:
        raise ValueError("only a network that ends in a Dense layer with bias and identity learns scaled targets")
    weight, bias = (slot.as_written(vector) for slot in dense.slots)
    weight *= factor[:, None]
    bias[...] = bias * factor + shift


def measured(part: Part, standardise: Standardise, dtype: str) -> Generator[float, None, Coordinates]:
    """The coordinates that a training part gives, in passes over its rows; yields now and then.

    Outputs that are classes keep 0 and 1.
    """
    inputs = targets = None
    if scales_inputs(standardise):
        inputs = scaling_of(part.gram, dtype) if part.gram is not None else (yield from measure(part.inputs))
    if scales_targets(standardise) and part.has_numbers:
        found = yield from measure(part.targets)
        numbers = True if part.numbers is None else np.array(part.numbers)
        targets = Scaling(np.where(numbers, found.mean, 0.0), np.where(numbers, found.deviation, 1.0))
    return Coordinates(inputs, targets)
