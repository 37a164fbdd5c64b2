"""Rates that change while training goes on: formulas after the code of ParameterSchedulers.jl, t counted from 1.

Decays and compositions are defined here, cyclic schedules in cycles.py, the one that follows losses in plateau.py.
"""

from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated

from annotated_types import Le, Len

from service.learning.cycles import CosAnneal, Sin, SinDecay2, SinExp, Triangle, TriangleDecay2, TriangleExp
from service.learning.plateau import Plateau, ScheduledRate
from service.learning.schedule import SCHEDULES, Schedule
from service.learning.vocabulary import Count, NonNegative, Positive, TermError

__all__ = [
    "SCHEDULES",
    "Constant",
    "CosAnneal",
    "Exp",
    "Inv",
    "Loop",
    "Plateau",
    "Poly",
    "Schedule",
    "ScheduledRate",
    "Sequence",
    "Sin",
    "SinDecay2",
    "SinExp",
    "Step",
    "Triangle",
    "TriangleDecay2",
    "TriangleExp",
    "WarmUp",
]

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


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Sequence(Schedule):
    """schedules[i](t - Σ step_sizes before i), i the step that t is in

    The last schedule goes on after its step, as where the original is iterated; its call would begin it again.
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
