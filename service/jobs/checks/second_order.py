"""Whether a rule of second order would learn more in less time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from service.jobs.checks.case import Case
from service.learning.optimisers import LevenbergMarquardt
from service.learning.planning.advice import Advice
from service.learning.planning.second_order import CURVES, MOST_PARAMETERS, functions_of, is_smooth
from service.learning.training.paths import choose_path
from service.learning.training.recipe import Recipe, RecipeError, check

MANY_EPOCHS = 1000
"""Epochs by rules of first order, from where the passes of all rows count."""
EPOCHS_OF_A_STEP = 20
"""Epochs of Adam that a step of LevenbergMarquardt stands for; most small trainings come further with as many fewer."""


def second_order_fits(case: Case) -> Iterator[Advice]:
    """Advise LevenbergMarquardt where a small, smooth network is to see all of many rows in each of many epochs."""
    recipe, network = case.recipe, case.network
    asked = case.plan.path == "batches" and recipe.epochs >= MANY_EPOCHS and not _deliberate(recipe)
    if not asked or not network.parameter_count <= min(MOST_PARAMETERS, case.view.count("train") - 1):
        return
    if not (is_smooth(network) and functions_of(network) & CURVES):
        return
    steps = recipe.epochs // EPOCHS_OF_A_STEP
    if not _can_be_followed(case, replace(recipe, optimiser=LevenbergMarquardt(), epochs=steps)):
        return
    detail = (
        f"For {network.parameter_count} parameters LevenbergMarquardt usually comes further in {steps:,} steps than "
        f"{recipe.optimiser.name} in {recipe.epochs:,} epochs of all rows, and in less time: "
        f'"optimiser": {{"rule": "LevenbergMarquardt"}}, "epochs": {steps}.'
    )
    yield Advice("second_order_fits", detail, "#/optimiser")


def _deliberate(recipe: Recipe) -> bool:
    """Whether the recipe has what goes with the rule that it names, or ends before its epochs do."""
    rule = recipe.optimiser
    tuned = recipe.schedule is not None or recipe.early_stopping is not None or recipe.backoff is not None
    return tuned or recipe.path is not None or rule not in rule.rules or getattr(rule, "lambda_", 0.0) > 0


def _can_be_followed(case: Case, recipe: Recipe) -> bool:
    rows, validation, weighted = case.view.count("train"), case.view.count("validation"), case.view.is_weighted
    try:
        check(recipe, case.network, rows, validation, weighted=weighted, numbers=any(case.view.columns.numbers))
        choose_path(case.network, rows, validation, recipe, weighted=weighted, sums_are_known=False)
    except RecipeError:
        return False
    return True
