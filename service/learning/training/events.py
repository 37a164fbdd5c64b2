"""Events of a training: reports, progress, divergence, and the heartbeat between them."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

HEARTBEAT_SECONDS = 0.2  # a little less than the quarter of a second that may pass between two events


class EpochReport(NamedTuple):
    """The report of an epoch; epoch 0 is the beginning.

    Where a pass is one batch, loss and gradient norm are those after `epoch` passes. Otherwise the loss is the mean of
    the batches' losses during the pass, and the norm the root of the mean of their squared norms, both weighted by
    rows; report 0 then has the loss of all rows and the norm of the first batch. Where the recipe averages
    parameters, both losses are those of the average over all rows of a part. `rate` is the one that the next step will
    use; None for a rule without.
    """

    epoch: int
    train_loss: float
    validation_loss: float | None
    rate: float | None
    gradient_norm: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress after the last report: the fraction of the next epoch that is done, or behind the last epoch of the
    training of all rows.
    """

    epoch: int
    fraction: float


@dataclass(frozen=True, slots=True)
class BackedOff(Progress):
    """A training's return to its best parameters, those of `from_epoch`, where it would have diverged.

    It is the `number`-th of its training, from 1. The next report is still that of the epoch after the last one,
    `epoch`. `rate` is the one that the next step will use, and `detail` says what happened.
    """

    from_epoch: int
    number: int
    rate: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class Refit(Progress):
    """The beginning of the training of all rows, for the `best` number of epochs; or, where it has a reason, the news
    that its result is not taken: the parameters of the best epoch stay.
    """

    best: int
    rows: int
    reason: str | None = None


class Diverged(ArithmeticError):
    """The loss or a parameter would no longer be finite in the network's dtype."""

    def __init__(self, epoch: int, detail: str) -> None:
        super().__init__(f"epoch {epoch}: {detail}")
        self.epoch = epoch
        self.detail = detail


def place_of(event: EpochReport | Progress) -> float:
    """Return the epochs that are done at an event, with the fraction of the next one."""
    return event.epoch + event.fraction if isinstance(event, Progress) else float(event.epoch)


class Heartbeat:
    """Time since the last event."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._until = monotonic() + HEARTBEAT_SECONDS

    def due(self) -> bool:
        return monotonic() > self._until


LOSS = "the loss is no longer finite"
FIRST_LOSS = "the loss is not finite for the parameters that training begins from"
PARAMETER = "a parameter is no longer finite"


def loss_diverged(epoch: int) -> Diverged:
    """Return the error that the loss after this epoch is not finite; after epoch 0 no step can be to blame."""
    return Diverged(epoch, LOSS if epoch else FIRST_LOSS)
