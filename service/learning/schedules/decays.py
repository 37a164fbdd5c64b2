"""Rates that change while training goes on: formulas after the code of ParameterSchedulers.jl, t counted from 1."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated

from annotated_types import Le, Len

from service.learning.schedules.schedule import SCHEDULES, Schedule
from service.learning.terms import Count, Positive

StepSizes = Annotated[tuple[Count, ...], Len(1)]


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Constant(Schedule):
    """value"""

    name = "Constant"
    value: Positive

    def rate(self, t: int) -> float:
        return self.value


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Step(Schedule):
    """start decay^i, i the number of steps that end before t

    A single step size repeats for ever; after the last of a list the rate stays.
    """

    name = "Step"
    start: Positive
    decay: Positive
    step_sizes: Count | StepSizes

    def rate(self, t: int) -> float:
        if isinstance(self.step_sizes, int):
            return self.start * self.decay ** ((t - 1) // self.step_sizes)
        return float(self.start * self.decay ** sum(t > end for end in accumulate(self.step_sizes)))


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Exp(Schedule):
    """start decay^(t-1)"""

    name = "Exp"
    start: Positive
    decay: Annotated[Positive, Le(1)]

    def rate(self, t: int) -> float:
        return float(self.start * self.decay ** (t - 1))


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Poly(Schedule):
    """start (1 - (t-1)/max_iter)^degree

    After its code: the original's documentation divides. Past max_iter the rate stays 0, where the original fails.
    """

    name = "Poly"
    start: Positive
    degree: Positive
    max_iter: Count

    def rate(self, t: int) -> float:
        return float(self.start * max(0.0, 1 - (t - 1) / self.max_iter) ** self.degree)


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Inv(Schedule):
    """start / (1 + (t-1) decay)^degree"""

    name = "Inv"
    start: Positive
    decay: Positive
    degree: Positive

    def rate(self, t: int) -> float:
        return float(self.start / (1 + (t - 1) * self.decay) ** self.degree)
