"""Whether a network can come to the targets of a dataset: their classes, their range and their size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from service.datasets.columns import Column, ColumnStatistics
from service.jobs.checks.case import Case
from service.learning.planning.advice import Advice, figure, highest_rate, pointer_to_rate
from service.learning.planning.curvature import sample_of, scaling_of_sample
from service.learning.planning.loss_fits_outputs import squeezed, suits
from service.learning.planning.reach import Reach, last_functions, reach
from service.learning.training.recipe import RecipeError, check_frozen, check_scaled

FAR = 100.0
"""Times the size that outputs begin with, which is about 1, from where targets are far."""
NEAR = 0.1
"""Share of the targets' size: outputs that begin with more have been trained on such targets."""
ROWS = 64
"""Rows whose first outputs are looked at."""
LIKELY = 0.02
"""Probabilities this near 0 and 1 are as good as 0 and 1."""


def one_value(case: Case) -> Iterator[Advice]:
    """Advise where a target is the same in every row that is learnt from."""
    for target in case.targets:
        seen = case.statistics[target.name]["train"]
        if seen["count"] < 2:
            continue
        if target.labels is None:
            if seen["min"] == seen["max"]:
                detail = f"Target {target.name!r} is {figure(seen['min'])} in every row of the training part"
                remedy = "there is nothing to learn. Choose another target, or upload rows where it differs"
                yield Advice("constant_target", f"{detail}: {remedy}.", "#/dataset")
        elif seen["categories"] and len(found := [each for each, count in seen["categories"].items() if count]) == 1:
            detail = f"Target {target.name!r} is {found[0]!r} in every row of the training part"
            yield Advice("one_class", f"{detail}: nothing is told apart. {_upload(target)}.", "#/dataset")


def unseen_classes(case: Case) -> Iterator[Advice]:
    """Advise where another part has a class of which training sees no row."""
    for target in case.targets:
        parts = case.statistics[target.name]
        for part, summary in parts.items():
            seen = summary["categories"] or {}
            absent = [name for name, count in seen.items() if count and not parts["train"]["categories"][name]]
            if absent:
                more = "" if len(absent) == 1 else f" and {len(absent) - 1} more"
                detail = f"The {part} part has rows of {target.name!r} {absent[0]!r}{more}, and the training part none"
                yield Advice("class_not_in_training", f"{detail}. {_upload(target)}.", "#/dataset")
                break


def _upload(target: Column) -> str:
    words = '"split": {"test": {"fraction": 0.2}, "stratify": true}'
    if target.kind == "boolean":
        return f"Upload rows of both, and let {words} draw from each alike"
    return f"Upload rows of every class, at least two, and let {words} draw from each alike"


def out_of_range(case: Case) -> Iterator[Advice]:
    """Advise where the function that a network ends in cannot give the targets, whatever the parameters."""
    network, loss = case.network, case.recipe.loss
    behind = loss.link if loss.link in ("softmax", "sigmoid") else None
    if behind is not None and squeezed(loss, network) is not None:
        return
    if suits(loss, network) is False:
        return
    possible = reach(network, behind)
    if possible is None or (loss.distances and possible.least != possible.greatest):
        return
    for target, least, greatest in case.ranges:
        if loss.domain is not None and not loss.domain.holds(np.array([least, greatest])).all():
            continue
        if possible.lacks(least, greatest, LIKELY if behind else 1e-6):
            yield Advice("targets_out_of_range", _beyond(case, target, least, greatest, possible, behind), "#/model")


def _beyond(case: Case, target: Column, least: float, greatest: float, possible: Reach, behind: str | None) -> str:
    functions, loss = last_functions(case.network), case.recipe.loss
    ends = " and then ".join(getattr(each, "expression", each.name) for each in functions)
    values = "outputs" if behind is None else f"probabilities, behind the {behind} of {loss.name},"
    wanted = f"numbers from {figure(least)} to {figure(greatest)}" if target.kind == "numeric" else "0 and 1 as targets"
    detail = f"The network ends in {ends}, so that its {values} are {_between(possible)}, but {target.name!r} has"
    if len(functions) > 1 and (alone := functions[-1].name) == loss.given_by:
        remedy = f"Leave {functions[0].name} out, and let it end in {alone} alone"
    elif behind is None and loss.accepts is not None and loss.given_by not in {each.name for each in functions}:
        remedy = f"Let it end in {loss.given_by}"
    elif behind is None and target.kind == "numeric":
        remedy = f"Let it end in a Dense without {ends}, or upload the target so that it lies there"
    else:
        remedy = f"Let it end in a Dense without {ends}"
    return f"{detail} {wanted}. {remedy}."


def _between(possible: Reach) -> str:
    if possible.least == possible.greatest:
        return f"always {figure(possible.least)}"
    if possible.greatest == np.inf:
        return f"at least {figure(possible.least)}"
    if possible.least == -np.inf:
        return f"at most {figure(possible.greatest)}"
    return f"between {figure(possible.least)} and {figure(possible.greatest)}"


def far_away(case: Case) -> Iterator[Advice]:
    """Advise where targets are so much larger than the first outputs that the steps hardly come to them."""
    far = {name: seen for name, seen in case.numbers.items() if _size(seen) > FAR and seen["min"] != seen["max"]}
    loss, rule = case.recipe.loss, case.recipe.optimiser
    if (
        not far
        or case.recipe.scales_targets
        or loss.link is not None
        or (loss.domain is not None and loss.domain.greatest <= 1)
    ):
        return
    if case.plan.optimum_loss is not None and rule.recurrence is not None:
        return  # each step takes a share of the error off, however large it is
    possible = reach(case.network)
    first = _first_outputs(case)
    rate, _ = highest_rate(case.recipe)
    place = 0
    for target in case.targets:
        begun = first[:, place : place + target.width]
        place += target.width
        seen = far.get(target.name)
        if seen is None or (possible is not None and possible.lacks(seen["min"], seen["max"])):
            continue
        size, start = _size(seen), float(np.sqrt(np.mean(np.square(begun))))
        if start > NEAR * size or (rate is not None and rate * case.steps >= size):
            continue
        positive = possible is not None and possible.least >= 0
        positive = positive or (loss.domain is not None and loss.domain.least >= 0)
        scaled = _scales_them(case)
        detail = _scale(case, target.name, start, scaled, positive=positive)
        yield Advice("targets_far_away", detail, "#/standardise" if scaled else _pointer(case))


def _scales_them(case: Case) -> Literal["targets", "both"] | None:
    """Return the `standardise` under which the network would learn scaled targets; None where it cannot."""
    word: Literal["targets", "both"] = "both" if case.recipe.scales_inputs else "targets"
    changed = replace(case.recipe, standardise=word)
    try:
        check_scaled(changed, case.network)
        check_frozen(changed, case.network, changed.frozen)
    except RecipeError:
        return None
    return None if case.recipe.path == "quadratic" else word


def _pointer(case: Case) -> str:
    return "#/optimiser" if case.recipe.optimiser.rate is None else pointer_to_rate(case.recipe)


def _scale(case: Case, name: str, start: float, scaled: str | None, *, positive: bool) -> str:
    seen, (rate, _) = case.numbers[name], highest_rate(case.recipe)
    mean, deviation = _short(seen["mean"]), _short(seen["std"])
    detail = f"Target {name!r} has mean {mean} and deviation {deviation}, and the network begins with outputs of about"
    grows = case.recipe.loss.quadratic and case.recipe.optimiser.recurrence is not None  # as the error does
    steps = "" if rate is None or grows else f", which {case.steps:,} steps at a rate of {figure(rate)} change by less"
    written = f"({name} {'-' if seen['mean'] >= 0 else '+'} {mean.lstrip('-')}) / {deviation}"
    if positive:
        written = f"{name} / {_short(_size(seen))}"
    remedy = f"Scale it before the upload, as {written}, and turn predictions back"
    if scaled is not None:
        remedy = f'"standardise": "{scaled}" learns it with mean 0 and deviation 1; the version is in raw units'
    return f"{detail} {_short(start)}{steps}. {remedy}."


def _short(value: float) -> str:
    return f"{float(f'{value:.3g}'):g}"


def _size(seen: ColumnStatistics) -> float:
    return float(np.hypot(seen["mean"] or 0.0, seen["std"] or 0.0))


def _first_outputs(case: Case) -> Any:
    """Return the outputs for some rows, as training begins."""
    train = case.view.part("train")
    sample = sample_of(train, min(ROWS, len(train)), case.recipe)
    inputs = sample.inputs[:]
    if case.recipe.scales_inputs and case.start.fresh:
        scaling_of_sample(sample, case.recipe).apply(inputs)
    return case.network.predict(case.start.vector, inputs.astype(case.network.dtype)).astype(np.float64)
