"""Whether the steps of a recipe are of a size that learns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from service.jobs.checks.case import Case
from service.learning.planning.advice import Advice, figure, highest_rate, pointer_to_rate

DEAD = 0.01
"""Share of the largest stable rate: rates whose sum over all steps is less hardly change the loss."""
STILL = 1e-4
"""The length of all steps of a rule that ignores the gradient's size, below which hardly anything changes."""


def dead_rate(case: Case) -> Iterator[Advice]:
    """Advise where the rate is so small that nothing is learnt."""
    rate, _ = highest_rate(case.recipe)
    if rate is None:
        return
    way, stable, best = rate * case.steps, case.plan.largest_stable_rate, case.plan.best_rate
    if stable is not None and best is not None and way < DEAD * stable.value:
        remedy = f"the best fixed rate is {'' if best.exact else 'about '}{figure(best.value)}"
    elif case.recipe.optimiser.ignores_size and way < STILL:
        remedy = "0.001 to 0.1 is usual"
    else:
        return
    detail = f"With the rate {figure(rate)}, {case.steps:,} steps hardly change the network: {remedy}."
    yield Advice("rate_too_small", detail, pointer_to_rate(case.recipe))


def wild_rate(case: Case) -> Iterator[Advice]:
    """Advise where each step is larger than all that is to be learnt, for rules whose steps are about as the rate."""
    rate, _ = highest_rate(case.recipe)
    if rate is None or rate < 1 or not case.recipe.optimiser.ignores_size:
        return
    largest = max([1.0, *(np.hypot(seen["mean"] or 0, seen["std"] or 0) for seen in case.numbers.values())])
    if rate > largest:
        detail = f"{case.recipe.optimiser.name} changes each parameter by about the rate in a step, whatever the slope"
        remedy = f"{figure(rate)} is more than the targets are large. 0.001 to 0.1 is usual"
        yield Advice("rate_too_large", f"{detail}: {remedy}.", pointer_to_rate(case.recipe))


def oversized_batch(case: Case) -> Iterator[Advice]:
    """Advise where a batch is to have more rows than there are."""
    size, rows = case.recipe.batch_size, case.view.count("train")
    if size is not None and size > rows:
        detail = f"batch_size is {size:,}, and the training part has {rows:,} rows: an epoch is one step over all"
        remedy = "as with null. Smaller ones take more steps"
        yield Advice("batch_size_above_rows", f"{detail}, {remedy}.", "#/batch_size")
