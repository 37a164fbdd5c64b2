"""What a training is asked to do, and what it says on the way."""

import math
from dataclasses import dataclass
from time import monotonic
from typing import Literal

from service.learning.loss import Loss
from service.learning.rule import Rule

QUIET_SECONDS = 0.2  # a little less than the quarter of a second within which something is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that decides a training's result besides network, parameters and rows.

    `epochs` are passes over the training part. `batch_size` None takes all rows at once; with `partial` a last, shorter
    batch counts, without it is left out. `seed` decides the order of rows where `shuffle` is on, and what layers draw.
    `keep` says which parameters are the result.
    """

    loss: Loss
    optimiser: Rule
    epochs: int
    batch_size: int | None = None
    partial: bool = True
    shuffle: bool = False
    seed: int = 0
    keep: Literal["last", "best"] = "last"


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What an epoch leaves; epoch 0 is the beginning.

    Where a pass is one batch, loss and gradient norm are those after `epoch` passes. Otherwise the loss is the mean of
    the batches' losses during the pass, and the norm the root of the mean of their squared norms, both weighted by
    rows; report 0 then has no norm. `rate` is the one that the next step will use; None for a rule without.
    """

    epoch: int
    train_loss: float
    validation_loss: float | None
    rate: float | None
    gradient_norm: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Said inside a long epoch, the one after the last report: what part of it is done."""

    epoch: int
    fraction: float


class Diverged(ArithmeticError):
    """The loss or a parameter would no longer be finite in the network's dtype."""

    def __init__(self, epoch: int, detail: str) -> None:
        super().__init__(f"epoch {epoch}: {detail}")
        self.epoch = epoch
        self.detail = detail


class Silence:
    """How long nothing has been said."""

    def __init__(self) -> None:
        self.broken()

    def broken(self) -> None:
        self._until = monotonic() + QUIET_SECONDS

    def too_long(self) -> bool:
        return monotonic() > self._until


def finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
