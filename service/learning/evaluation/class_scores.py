"""Probabilities and labels from the raw outputs of a class target."""

import numpy as np

from service.learning.arrays import Array, Indices
from service.learning.layers.activations import Softmax, sigmoid
from service.learning.losses import Link


def class_scores(outputs: Array, link: Link | None, *, boolean: bool = False) -> Array:
    """Return the scores of each class (rows × classes), in the dtype of the outputs (rows × width) of one target.

    Scores are probabilities where there is a link: softmax over each row, sigmoid of each output, or the outputs
    themselves (identity). Without one, they are the outputs as they are. A boolean target has one output, p, and the
    scores [1 - p, p] of false and true.
    """
    with np.errstate(all="ignore"):
        p = _linked(outputs, link)
        return np.concatenate([1 - p, p], axis=1) if boolean else p


def _linked(outputs: Array, link: Link | None) -> Array:
    match link:
        case "softmax":
            return Softmax().value(outputs)
        case "sigmoid":
            return sigmoid(outputs)
        case _:
            return outputs


def labels(scores: Array) -> Indices:
    """Return the code of the class with the highest score in each row; of equal ones the first.

    For a boolean target that is p > 1/2: rounding never takes 1 - p to the other side of p.
    """
    codes: Indices = scores.argmax(axis=1)
    return codes
