"""Whether a network's outputs suit a loss that needs probabilities, positive numbers or logits."""

import math
from typing import Any

import numpy as np

from service.learning.layers import Chain, Dense, Layer
from service.learning.layers.activations import Activation
from service.learning.losses import PROBABILITIES, Domain, Loss
from service.learning.network import Network

PROBE = np.linspace(-20, 20, 400).reshape(100, 4)
"""The inputs at which a function is tried; rows, for functions of whole rows."""


def last_layer(network: Network) -> Layer:
    layer = network.layer
    while isinstance(layer, Chain):
        layer = layer.layers[-1]
    return layer


def last_function(network: Network) -> Activation | None:
    """Return the function that a network ends in; None where it ends otherwise, in branches or a normalisation."""
    layer = last_layer(network)
    if isinstance(layer, Dense):
        return layer.activation
    return layer if isinstance(layer, Activation) else None


def _always(domain: Domain, function: Activation) -> bool:
    """Whether all values of a function are in the domain, as far as the probe shows."""
    with np.errstate(all="ignore"):
        return bool(domain.holds(function.value(PROBE.copy())).all())


def suits(loss: Loss, network: Network) -> bool | None:
    """Whether all outputs of the network are values that the loss takes; None where its last function is not known."""
    function = last_function(network)
    if loss.accepts is None:
        return True
    return None if function is None else _always(loss.accepts, function)


def mismatch(loss: Loss, network: Network) -> str:
    """Explain that the network's outputs do not suit a loss that accepts some alone, with a remedy."""
    domain = loss.accepts
    assert domain is not None
    instead = "" if loss.twin is None else f"use {loss.twin}, which takes any numbers, or "
    remedy = f"{instead}let the network end in {loss.given_by or 'a function with such values'}"
    return (
        f"{loss.name} takes {domain.name}, which this network need not give: {_ending(network)}, and {domain.outside}. "
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
    applied, function = loss.link, last_function(network)
    if applied in (None, "identity") or function is None or not _always(PROBABILITIES, function):
        return None
    if applied == "softmax" and network.outputs == 1:
        return None  # it makes 1 of whatever the one output is
    if function.name == applied:
        said = f"the network ends in {applied}, and {loss.name} applies it once more"
        remedy = f"Use {loss.twin}, or leave the last {applied} out" if loss.twin else f"Leave the last {applied} out"
    else:
        said = f"the network ends in {_called(function)}, and {loss.name} applies {applied} to its outputs"
        remedy = f"Let the network end without {_called(function)}"
    return f"{said[0].upper()}{said[1:]}: {_reach(applied, network.outputs)}. {remedy}."


def _reach(applied: str, outputs: int) -> str:
    """Describe the range of the probabilities of numbers from 0 to 1."""
    if applied == "sigmoid":
        return f"the resulting probabilities lie between 0.5 and {1 / (1 + math.exp(-1)):.3g}"
    return f"no resulting probability is above {math.e / (math.e + outputs - 1):.3g}"
