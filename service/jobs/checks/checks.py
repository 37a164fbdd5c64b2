"""All advice on a training that needs its data."""

from __future__ import annotations

from collections.abc import Iterator

from service.jobs.checks import digits, loss_fits_targets, second_order, steps, targets
from service.jobs.checks.case import Case
from service.learning.planning.advice import Advice

CHECKS = (
    targets.one_value,
    targets.unseen_classes,
    loss_fits_targets.advice,
    digits.digits_lost,
    targets.out_of_range,
    targets.far_away,
    steps.dead_rate,
    steps.wild_rate,
    steps.oversized_batch,
    second_order.second_order_fits,
)
"""In the order of their advice."""


def advice_on_data(case: Case) -> Iterator[Advice]:
    """Yield what cannot mean what its sender wants, or will not come to it, with the remedy."""
    for check in CHECKS:
        yield from check(case)
