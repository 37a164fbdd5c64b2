"""Whether a loss means something for the targets of a dataset, before anything is trained by it."""

import math
from collections.abc import Iterator

import numpy as np

from service.datasets.arrangement import Arrangement
from service.datasets.columns import Column, ColumnStatistics, with_type
from service.errors import invalid
from service.jobs.checks.case import Case, ranges
from service.learning.losses import SIGNS, Domain, Loss
from service.learning.network import Network
from service.learning.planning.advice import Advice
from service.learning.rows.one_hot import unexpanded

POINTER = "#/loss"
BETTER = "logitcrossentropy"
"""The loss of several classes, of outputs that are any numbers."""
BINARY = "logitbinarycrossentropy"
"""That of classes each of which is true or false."""
MOST_ROWS = 10_000
"""Rows of targets that are looked at."""
FEWEST = 10
"""Rows that have two values in all by no accident."""
EXACT = 1e-9
"""Share by which a variance may differ by rounding; one value of ten that is far from all others makes 2e-7."""
UNEVEN = 0.01
"""Difference between the sums of two rows above which they are no shares that were rounded."""


def check_loss(columns: Arrangement, network: Network, loss: Loss) -> None:
    """Refuse a loss that means nothing for any row.

    Raises:
        Invalid: it compares the outputs of a row, and there is one; or it takes none of the targets.
    """
    if loss.compares and loss.link == "softmax" and network.outputs == 1:
        detail = f"{loss.name} compares the outputs of a row: of one output it is 0, whatever that is."
        raise invalid(POINTER, f"{detail} {_wider(columns)}", "loss_does_not_fit")
    for target, least, greatest in ranges(columns, network.dtype):
        domain = loss.domain
        if domain is not None and (greatest < domain.least or least > domain.greatest):
            detail = f"{_outside(target, least, greatest, loss, domain)}. mse takes any numbers."
            raise invalid(POINTER, detail, "loss_does_not_fit")


def advice(case: Case) -> Iterator[Advice]:
    """Yield what cannot mean what its sender wants, with the remedy."""
    columns, network, loss = case.view.columns, case.network, case.recipe.loss
    if loss.compares and network.outputs == 1:
        detail = f"{loss.name} compares the outputs of a row, and here is one: rows whose target is 0 count nothing."
        yield Advice("one_output", f"{detail} {_wider(columns)}", POINTER)
    kinds = {target.kind for target in columns.target_columns}
    if loss.compares and "numeric" in kinds and len(kinds) > 1:
        number = next(target.name for target in columns.target_columns if target.kind == "numeric")
        detail = f"{loss.name} takes all outputs of a row for shares of one whole, and {number!r} is a number"
        yield Advice("targets_of_two_kinds", f"{detail}: train a model for each target, or use mse.", POINTER)
    elif loss.compares and len(columns.target_columns) > 1 and kinds - {"categorical"}:
        yield from _of_shares(case)
    for target, least, greatest in case.ranges:
        yield from _of_target(target, least, greatest, loss)
    if loss.unit_power is not None:
        for name, summary in case.numbers.items():
            yield from _of_two_values(name, summary, loss)


def _of_shares(case: Case) -> Iterator[Advice]:
    """Advise where the targets of some rows make more than those of others, as several that are true at once do."""
    loss, targets = case.recipe.loss, unexpanded(case.view.part("train").targets)
    numbers = [place for place, target in enumerate(case.targets) if target.kind != "categorical"]
    seen = targets.take(np.arange(0, len(targets), -(-len(targets) // MOST_ROWS)), axis=0)[:, numbers]
    sums = seen.sum(axis=1, dtype=np.float64) + len(case.targets) - len(numbers)
    if not sums.max() - sums.min() > UNEVEN:
        return
    detail = f"{loss.name} takes the targets of a row for shares of one whole, as one class of several is all of it"
    differ = f"in some rows they add up to {sums.min():.3g}, in others to {sums.max():.3g}"
    end = " and a network that does not end in softmax" if loss.given_by == "softmax" else ""
    remedy = f"Where each target is true or false by itself, use {BINARY}{end}"
    yield Advice("targets_of_no_whole", f"{detail}; {differ}. {remedy}.", POINTER)


def _of_target(target: Column, least: float, greatest: float, loss: Loss) -> Iterator[Advice]:
    domain = loss.domain
    if domain is None:
        return
    if not domain.holds(np.array([least, greatest])).all():
        detail = f"{_outside(target, least, greatest, loss, domain)}. {_numbers_that_fit(target, loss)}."
        yield Advice("targets_outside_loss", detail, POINTER)
    elif target.kind == "numeric" and not loss.compares and loss.link is not None and (least, greatest) == (0, 1):
        detail = f"Target {target.name!r} is numeric, from 0 to 1, and {loss.name} is about classes"
        remedy = f"where it is 0 or 1 alone, upload the dataset with {with_type(target.name, 'boolean')}"
        yield Advice("target_is_numeric", f"{detail}: {remedy}, and accuracy and probabilities come with it.", POINTER)


def _of_two_values(name: str, summary: ColumnStatistics, loss: Loss) -> Iterator[Advice]:
    """Advise where a number that is learnt has two values alone: its variance is the greatest between them."""
    count, mean, least, most = summary["count"], summary["mean"], summary["min"], summary["max"]
    if count < FEWEST or mean is None or summary["std"] is None or least == most:
        return
    variance, greatest = summary["std"] * summary["std"] * (count - 1) / count, (mean - least) * (most - mean)
    if not abs(variance - greatest) <= EXACT * greatest < math.inf:
        return
    detail = f"Target {name!r} is {least:.6g} or {most:.6g} in every row, and {loss.name} learns it as a number"
    is_truth = (least, most) == (0, 1)
    upload, better = with_type(name, "boolean" if is_truth else "categorical"), BINARY if is_truth else BETTER
    remedy = f"where it is a class, upload it with {upload} and use {better}"
    yield Advice("target_is_numeric", f"{detail}: {remedy}; accuracy and probabilities come with it.", POINTER)


def _numbers_that_fit(target: Column, loss: Loss) -> str:
    if target.kind == "categorical":
        return f"Use {BETTER}, or upload a column of numbers -1 and 1 for each class"
    if target.kind == "boolean":
        return f"Upload the target as numbers -1 and 1, or use {BINARY}"
    if loss.domain is SIGNS:
        return "Upload the target as numbers -1 and 1, or use mse"
    if loss.link is None:
        return "Use mse, or other numbers"
    classes = f"where they are codes of classes, upload them with {with_type(target.name, 'categorical')}"
    return f"Use mse, which takes any numbers; {classes}, for a network of one output for each code and {BETTER}"


def _outside(target: Column, least: float, greatest: float, loss: Loss, domain: Domain) -> str:
    numbers = f"numbers from {least:.9g} to {greatest:.9g}"
    return f"{loss.name} takes targets that are {domain.name}, but {target.name!r} has {numbers}: {domain.outside}"


def _wider(columns: Arrangement) -> str:
    """Return the remedy for one output under a loss that compares several."""
    (target,) = columns.target_columns
    if target.kind == "boolean":
        return f"{BINARY} takes one output for a boolean target."
    if target.kind == "categorical":
        return f"Target {target.name!r} has one category: there is nothing to tell apart."
    wider = f"uploaded with {with_type(target.name, 'categorical')}, it has one output for each of its values"
    return f"Target {target.name!r} is {target.kind}: {wider}; {BINARY} takes one output for two values."
