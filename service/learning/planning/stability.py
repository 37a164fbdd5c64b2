"""Bounds of the learning rate, known before training from the largest curvature of the loss."""

import math
from dataclasses import dataclass
from math import sqrt

from service.learning.optimisers import Recurrence, Rule
from service.learning.training.quadratic.form import QuadraticLoss


@dataclass(frozen=True)
class Rate:
    """A rate, and whether it is exact or an estimate from a sample of rows."""

    value: float
    exact: bool


@dataclass(frozen=True)
class RateBounds:
    """Beyond `largest_stable` the loss grows without end; `best` shrinks the slowest part of the error fastest."""

    largest_stable: Rate | None
    best: Rate | None


def bounds_of_quadratic(rule: Rule, form: QuadraticLoss) -> RateBounds:
    """Exact bounds: the loss is its quadratic form everywhere. None for a rule without a recurrence."""
    eigenvalues = form.spectrum.eigenvalues
    if not len(eigenvalues):
        return RateBounds(None, None)
    largest, smallest = float(eigenvalues[0]), float(eigenvalues[-1])
    stable, best = largest_stable_rate(rule, largest), best_rate(rule, smallest, largest)
    if stable is None or best is None:
        return RateBounds(None, None)
    return bounded(stable, best, exact=True)


def estimated_bounds(rule: Rule, largest: float) -> RateBounds:
    """Bounds for a loss whose largest curvature, where training begins, is about `largest`.

    Curvature changes on the way, and the smallest is unknown: the best rate is taken as half the largest stable one,
    for Descent the 1/λ that promises the greatest decrease of any loss with curvature up to λ.
    """
    stable = largest_stable_rate(rule, largest)
    if stable is None:
        return RateBounds(None, None)
    return bounded(stable, stable / 2, exact=False)


def bounded(stable: float, best: float, *, exact: bool) -> RateBounds:
    """Return the bounds where they are known: not for a loss so flat that any rate would do."""
    if not (math.isfinite(stable) and math.isfinite(best) and best > 0):
        return RateBounds(None, None)
    return RateBounds(Rate(stable, exact), Rate(best, exact))


def largest_stable_rate(rule: Rule, largest: float) -> float | None:
    """2(1+ρ)/λ, or 2(1+ρ)/((1+2ρ)λ) for gradients taken ahead, λ > 0 the Hessian's largest eigenvalue times the gain.

    There the error along that eigenvector keeps its size for ever: z = −1 solves the rule's recurrence. None for a rule
    without one.
    """
    recurrence = rule.recurrence
    if recurrence is None or not largest > 0:
        return None
    rho, λ = recurrence.rho, recurrence.gain * largest
    return 2 * (1 + rho) / ((1 + 2 * rho) * λ if recurrence.ahead else λ)


def best_rate(rule: Rule, smallest: float, largest: float) -> float | None:
    """Return the fixed rate with the smallest `contraction` over all curvatures from `smallest` > 0 to `largest`.

    Contraction falls and then rises with curvature, so the two ends decide, and the best rate makes them equal:
    2(1 + ρ) / (smallest + largest), for momentum by Polyak (1964); for gradients taken ahead found by bisection.
    """
    recurrence, stable = rule.recurrence, largest_stable_rate(rule, largest)
    if recurrence is None or stable is None or not 0 < smallest <= largest:
        return None
    least, most = recurrence.gain * smallest, recurrence.gain * largest
    if not recurrence.ahead:
        return 2 * (1 + recurrence.rho) / (least + most)
    low, high = 1 / most, min(1 / least, stable)
    for _ in range(60):
        rate = (low + high) / 2
        too_high = contraction(recurrence, rate * least) < contraction(recurrence, rate * most)
        low, high = (low, rate) if too_high else (rate, high)
    return low


def contraction(recurrence: Recurrence, u: float) -> float:
    """The share of the error that an epoch leaves in the long run: the largest |z| that solves the recurrence."""
    rho = recurrence.rho
    total, product = ((1 + rho) * (1 - u), rho * (1 - u)) if recurrence.ahead else (1 + rho - u, rho)
    discriminant = total * total / 4 - product
    return sqrt(product) if discriminant < 0 else abs(total) / 2 + sqrt(discriminant)
