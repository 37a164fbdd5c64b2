"""Schedules made of others: one after the other, repeated, warmed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Len

from service.learning.schedules.decays import StepSizes
from service.learning.schedules.schedule import SCHEDULES, Schedule
from service.learning.terms import Count, NonNegative, TermError


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Sequence(Schedule):
    """schedules[i](t - Σ step_sizes before i), i the step that t is in

    The last schedule continues after its step, as where the original is iterated; a call of the original restarts it.
    """

    name = "Sequence"
    schedules: Annotated[tuple[Schedule, ...], Len(1)]
    step_sizes: StepSizes

    def __post_init__(self) -> None:
        Schedule.__post_init__(self)
        if len(self.schedules) != len(self.step_sizes):
            raise TermError(self.name, "step_sizes", f"must have one value for each of {len(self.schedules)} schedules")
        self.require_same_period("schedules", *self.schedules)

    def rate(self, t: int) -> float:
        for schedule, size in zip(self.schedules[:-1], self.step_sizes[:-1], strict=True):
            if t <= size:
                return schedule.rate(t)
            t -= size
        return self.schedules[-1].rate(t)


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Loop(Schedule):
    """cycle((t-1) mod period + 1)"""

    name = "Loop"
    cycle: Schedule
    period: Count

    def __post_init__(self) -> None:
        Schedule.__post_init__(self)
        self.require_same_period("cycle", self.cycle)

    def rate(self, t: int) -> float:
        return self.cycle.rate((t - 1) % self.period + 1)


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class WarmUp(Schedule):
    """start + (then(1) - start) (t-1)/length while t ≤ length, afterwards then(t - length)

    Goyal et al. 2017, "Accurate, Large Minibatch SGD".
    """

    name = "WarmUp"
    length: Count
    then: Schedule
    start: NonNegative = 0.0

    def __post_init__(self) -> None:
        Schedule.__post_init__(self)
        self.require_same_period("then", self.then)

    def rate(self, t: int) -> float:
        if t > self.length:
            return self.then.rate(t - self.length)
        return self.start + (self.then.rate(1) - self.start) * (t - 1) / self.length
