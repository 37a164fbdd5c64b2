"""Numbers with a derivative, in as many digits as mpmath is told to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpmath import mp, mpf

Number = Any
"""A Dual, or a plain number, whose derivative is 0."""


@dataclass(frozen=True)
class Dual:
    """A value and its derivative."""

    value: Any
    slope: Any = 0

    def __add__(self, other: Number) -> Dual:
        other = dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Number) -> Dual:
        other = dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other: Number) -> Dual:
        other = dual(other)
        quotient = self.value / other.value
        return Dual(quotient, (self.slope - quotient * other.slope) / other.value)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Number) -> Dual:
        return self + -dual(other)

    def __rsub__(self, other: Number) -> Dual:
        return dual(other) - self

    def __rtruediv__(self, other: Number) -> Dual:
        return dual(other) / self

    def __abs__(self) -> Dual:
        return Dual(abs(self.value), self.slope * mp.sign(self.value))

    def __pow__(self, exponent: float) -> Dual:
        """For a plain exponent."""
        if exponent == 0:
            return dual(1)
        return Dual(self.value**exponent, exponent * self.value ** (exponent - 1) * self.slope)

    __radd__ = __add__
    __rmul__ = __mul__


def dual(number: Number) -> Dual:
    return number if isinstance(number, Dual) else Dual(mpf(number))


def lifted(function: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> Callable[[Number], Dual]:
    """The function of dual numbers, from that of plain ones and its derivative."""

    def of(x: Number) -> Dual:
        x = dual(x)
        return Dual(function(x.value), derivative(x.value) * x.slope if x.slope else mpf(0))

    return of


exp = lifted(mp.exp, mp.exp)
log = lifted(mp.log, lambda x: 1 / x)
sqrt = lifted(mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)))
sin = lifted(mp.sin, mp.cos)
cos = lifted(mp.cos, lambda x: -mp.sin(x))
tan = lifted(mp.tan, lambda x: 1 + mp.tan(x) ** 2)
atan = lifted(mp.atan, lambda x: 1 / (1 + x * x))
sinh = lifted(mp.sinh, mp.cosh)
cosh = lifted(mp.cosh, mp.sinh)
tanh = lifted(lambda x: 1 - 2 / (mp.exp(2 * x) + 1), lambda x: 1 / mp.cosh(x) ** 2)
erfc = lifted(
    lambda x: mp.erfc(x) if abs(x) < 100 else mpf(2 if x < 0 else 0),
    lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
)
