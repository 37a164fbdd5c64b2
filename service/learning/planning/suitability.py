"""Whether a network's outputs suit a loss that needs probabilities, positive numbers or logits."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array
from service.learning.layers import Chain, Dense, Layer
from service.learning.layers.activations import Activation
from service.learning.losses import Loss
from service.learning.network import Network

PROBE = np.linspace(-20, 20, 400).reshape(100, 4)
"""The inputs at which a function is tried; rows, for functions of whole rows."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The values a loss takes, the function that returns such values, and the loss of that function's inputs."""

    of: Literal["probabilities", "positive numbers"]
    holds: Callable[[Array], NDArray[np.bool_]]
    outside: str
    function: str
    instead: str | None = None


def _probabilities(function: str, instead: str | None = None) -> Demand:
    outside = "outside 0 to 1 the loss means nothing or is not finite"
    return Demand("probabilities", lambda ŷ: (ŷ >= 0) & (ŷ <= 1), outside, function, instead)


DEMANDS: dict[str, Demand] = {
    "crossentropy": _probabilities("softmax", "logitcrossentropy"),
    "kldivergence": _probabilities("softmax", "logitcrossentropy"),
    "focal_loss": _probabilities("softmax"),
    "binarycrossentropy": _probabilities("sigmoid", "logitbinarycrossentropy"),
    "binary_focal_loss": _probabilities("sigmoid"),
    "poisson_loss": Demand("positive numbers", lambda ŷ: ŷ > 0, "at 0 and below the loss is not finite", "softplus"),
    "msle": Demand("positive numbers", lambda ŷ: ŷ >= 0, "below 0 the loss is not finite", "softplus"),
}
"""By the loss; those that are not here take any number."""

LOGITS: dict[str, tuple[str, str]] = {
    "logitcrossentropy": ("softmax", "crossentropy"),
    "logitbinarycrossentropy": ("sigmoid", "binarycrossentropy"),
}
"""For each loss of logits: the function that it applies to outputs, and the loss that leaves this to the network."""


def last_layer(network: Network) -> Layer:
    layer = network.layer
    while isinstance(layer, Chain):
        layer = layer.layers[-1]
    return layer


def last_function(network: Network) -> Activation | None:
    """The function that a network ends in; None where it ends otherwise, in branches or a normalisation."""
    layer = last_layer(network)
    if isinstance(layer, Dense):
        return layer.activation
    return layer if isinstance(layer, Activation) else None


def _always(holds: Callable[[Array], NDArray[np.bool_]], function: Activation) -> bool:
    """Whether a function's values are such, as far as the probe shows."""
    with np.errstate(all="ignore"):
        return bool(holds(function.value(PROBE.copy())).all())


def suits(loss: Loss, network: Network) -> bool | None:
    """Whether all outputs of the network are values that the loss takes; None where its last function is not known."""
    demand, function = DEMANDS.get(loss.name), last_function(network)
    if demand is None:
        return True
    return None if function is None else _always(demand.holds, function)


def mismatch(loss: Loss, network: Network) -> str:
    """Explain that the network's outputs do not suit the loss, with a remedy; for losses among `DEMANDS`."""
    demand = DEMANDS[loss.name]
    instead = "" if demand.instead is None else f"use {demand.instead}, which takes any numbers, or "
    remedy = f"{instead}let the network end in {demand.function}"
    return (
        f"{loss.name} takes {demand.of}, which this network need not give: {_ending(network)}, and {demand.outside}. "
        f"{remedy[0].upper()}{remedy[1:]}."
    )


def _ending(network: Network) -> str:
    function = last_function(network)
    if function is None:
        return f"it ends in {last_layer(network).name}"
    return "it has no function at its end" if function.name == "identity" else f"it ends in {_called(function)}"


def _called(function: Activation) -> str:
    written: Any = getattr(function, "expression", None)
    return f"the function {written}" if written is not None else function.name


def squeezed(loss: Loss, network: Network) -> str | None:
    """Explain the fault where a loss of logits gets probabilities; None where it does not."""
    function = last_function(network)
    if loss.name not in LOGITS or function is None or not _always(_probabilities("").holds, function):
        return None
    applied, other = LOGITS[loss.name]
    if applied == "softmax" and network.outputs == 1:
        return None  # it makes 1 of whatever the one output is
    if function.name == applied:
        said = f"the network ends in {applied}, and {loss.name} applies it once more"
        remedy = f"Use {other}, or leave the last {applied} out"
    else:
        said = f"the network ends in {_called(function)}, and {loss.name} applies {applied} to what that gives"
        remedy = f"Let the network end without {_called(function)}"
    return f"{said[0].upper()}{said[1:]}: {_reach(applied, network.outputs)}. {remedy}."


def _reach(applied: str, outputs: int) -> str:
    """Describe the range of the probabilities of numbers from 0 to 1."""
    if applied == "sigmoid":
        return f"the probabilities that come of it lie between 0.5 and {1 / (1 + math.exp(-1)):.3g}"
    return f"no probability that comes of it is above {math.e / (math.e + outputs - 1):.3g}"
