"""A last softmax or sigmoid taken with its cross-entropy: both together are the loss of logits."""

from dataclasses import replace

import numpy as np

from service.learning.layers import Chain, Dense, Layer
from service.learning.layers.activations import IDENTITY
from service.learning.losses import LOSSES, Loss
from service.learning.network import Network

LOGITS = {"crossentropy": "softmax", "binarycrossentropy": "sigmoid"}
"""Losses of probabilities that have a curvature at the logits, each with the function that makes the former."""


def taken_together(network: Network, loss: Loss) -> tuple[Network, Loss]:
    """Return the network of logits and the loss of these; both as they are where the loss is none of probabilities."""
    function = LOGITS.get(loss.name)
    layer = None if function is None else without_last(network.layer, function)
    if layer is None or loss.twin is None:
        return network, loss
    return Network(layer, network.dtype), LOSSES[loss.twin](agg=loss.agg)  # type: ignore[call-arg]  # terms are dataclasses


def without_last(layer: Layer, function: str) -> Layer | None:
    """Return the layer without the function that it ends in; None where it does not end so, or is nothing else."""
    if isinstance(layer, Dense):
        return replace(layer, activation=IDENTITY) if layer.activation.name == function else None
    if not isinstance(layer, Chain):
        return None
    *before, last = layer.layers
    if last.name == function:
        return replace(layer, layers=tuple(before)) if before else None
    shorter = without_last(last, function)
    return None if shorter is None else replace(layer, layers=(*before, shorter))


def changes_logarithms(loss: Loss, dtype: str) -> bool:
    """Whether what the loss adds to probabilities changes it by more than rounding does."""
    eps = getattr(loss, "eps", None)
    return eps is not None and eps > np.finfo(dtype).eps
