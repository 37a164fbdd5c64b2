"""Cyclic schedules: triangles, sines and cosines, after the code of ParameterSchedulers.jl."""

from dataclasses import dataclass
from math import asin, cos, pi, sin
from typing import Annotated

from annotated_types import Le

from service.learning.schedules.schedule import SCHEDULES, Schedule
from service.learning.terms import Count, NonNegative, Positive


@dataclass(frozen=True, slots=True)
class Cycle(Schedule):
    """|l0 - l1| wave(t) + min(l0, l1)"""

    l0: NonNegative
    l1: NonNegative
    period: Count

    def rate(self, t: int) -> float:
        return abs(self.l0 - self.l1) * self.wave(t) + min(self.l0, self.l1)

    def wave(self, t: int) -> float:
        """A number from 0 to 1."""
        raise NotImplementedError

    def triangle(self, t: int) -> float:
        return 2 / pi * abs(asin(sin(pi * (t - 1) / self.period)))

    def sine(self, t: int) -> float:
        return abs(sin(pi * (t - 1) / self.period))

    def halvings(self, t: int) -> float:
        return 0.5 ** ((t - 1) // self.period)


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Triangle(Cycle):
    """|l0 - l1| (2/π) |asin(sin(π (t-1)/period))| + min(l0, l1)"""

    name = "Triangle"

    def wave(self, t: int) -> float:
        return self.triangle(t)


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class TriangleDecay2(Cycle):
    """|l0 - l1| (2/π) |asin(sin(π (t-1)/period))| / 2^⌊(t-1)/period⌋ + min(l0, l1)"""

    name = "TriangleDecay2"

    def wave(self, t: int) -> float:
        return self.triangle(t) * self.halvings(t)


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class TriangleExp(Cycle):
    """|l0 - l1| (2/π) |asin(sin(π (t-1)/period))| decay^(t-1) + min(l0, l1)"""

    name = "TriangleExp"
    decay: Annotated[Positive, Le(1)]

    def wave(self, t: int) -> float:
        return float(self.triangle(t) * self.decay ** (t - 1))


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Sin(Cycle):
    """|l0 - l1| |sin(π (t-1)/period)| + min(l0, l1)"""

    name = "Sin"

    def wave(self, t: int) -> float:
        return self.sine(t)


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class SinDecay2(Cycle):
    """|l0 - l1| |sin(π (t-1)/period)| / 2^⌊(t-1)/period⌋ + min(l0, l1)"""

    name = "SinDecay2"

    def wave(self, t: int) -> float:
        return self.sine(t) * self.halvings(t)


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class SinExp(Cycle):
    """|l0 - l1| |sin(π (t-1)/period)| decay^(t-1) + min(l0, l1)"""

    name = "SinExp"
    decay: Annotated[Positive, Le(1)]

    def wave(self, t: int) -> float:
        return float(self.sine(t) * self.decay ** (t - 1))


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class CosAnneal(Cycle):
    """|l0 - l1| (1 + cos(π t̂/period))/2 + min(l0, l1), t̂ = (t-1) mod period

    Loshchilov and Hutter 2017, "SGDR". With `restart` false t̂ = t-1: the rate comes up again as slowly as it went
    down. (The original's documentation has the two the wrong way round; this follows its code.)
    """

    name = "CosAnneal"
    restart: bool = True

    def wave(self, t: int) -> float:
        since = (t - 1) % self.period if self.restart else t - 1
        return (1 + cos(pi * since / self.period)) / 2
