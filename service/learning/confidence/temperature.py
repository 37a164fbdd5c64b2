"""The temperature of probabilities: one number that all logits are divided by, so that they are as likely as they say.

C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks", 2017.
"""

import math

import numpy as np

from service.learning.arrays import Array, Indices
from service.learning.evaluation.class_scores import class_scores
from service.learning.losses import Link

LARGEST = 20.0
"""Temperatures lie between this and its inverse: without a bound, classes told apart without an error would have 0."""
SEARCH_STEPS = 40
"""Steps that each leave 0.62 of where the best one may be: 1e-8 of it in the end."""
_GOLDEN = (math.sqrt(5) - 1) / 2
_TINY = 1e-300


def scores_at(outputs: Array, link: Link | None, temperature: float, *, boolean: bool) -> Array:
    """Return the probabilities of each class (rows × classes) at a temperature; at 1 the same as `class_scores`."""
    if temperature == 1 or link is None:
        return class_scores(outputs, link, boolean=boolean)
    logits, made = _logits(outputs, link, boolean=boolean)
    return class_scores(logits / temperature, made, boolean=boolean)


def fitted(outputs: Array, codes: Indices, link: Link, *, boolean: bool) -> float:
    """Return the temperature of the least cross-entropy, of outputs (rows × width) and the codes of true classes."""
    logits, made = _logits(outputs, link, boolean=boolean)
    low, high = -math.log(LARGEST), math.log(LARGEST)

    def loss(place: float) -> float:
        return _cross_entropy(logits / math.exp(place), codes, made, boolean=boolean)

    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(SEARCH_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    return math.exp((low + high) / 2)


def _logits(outputs: Array, link: Link, *, boolean: bool) -> tuple[Array, Link]:
    """Return the logits in float64, and the link that makes probabilities of them."""
    exact = outputs.astype(np.float64)
    if link != "identity":
        return exact, link
    logs = np.log(np.maximum(exact, _TINY))
    return (logs - np.log(np.maximum(1 - exact, _TINY)), "sigmoid") if boolean else (logs, "softmax")


def _cross_entropy(logits: Array, codes: Indices, link: Link, *, boolean: bool) -> float:
    if link == "softmax":
        logits = logits - logits.max(axis=1, keepdims=True)
        of_true = logits[np.arange(len(codes)), codes]
        return float((np.log(np.exp(logits).sum(axis=1)) - of_true).mean())
    true = codes.reshape(-1, 1) == (1 if boolean else np.arange(logits.shape[1]))
    return float(np.logaddexp(0, np.where(true, -logits, logits)).sum(axis=1).mean())
