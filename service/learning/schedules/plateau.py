"""The schedule that follows the losses, and its state."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Lt

from service.learning.schedules.schedule import SCHEDULES, Schedule
from service.learning.terms import Count, NonNegative, Positive


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Plateau(Schedule):
    """start decay^d, d counting how often `patience` epochs in a row brought no loss below best - min_change

    The loss is that of the validation part where there is one, else of the training part. Flux's `plateau` compares
    with the last score instead of the best, and lets one noisy epoch hide a plateau.
    """

    name = "Plateau"
    follows_losses = True

    start: Positive
    decay: Annotated[Positive, Lt(1)] = 0.1
    patience: Count = 10
    min_change: NonNegative = 1e-6
    least: NonNegative = 0.0
    per: Literal["epoch"] = field(default="epoch", kw_only=True)  # losses are known once an epoch

    def rate(self, t: int) -> float:
        return self.start
