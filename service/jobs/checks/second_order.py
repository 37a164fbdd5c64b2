"""Whether a rule of second order would learn more in less time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from service.jobs.checks.case import Case
from service.learning.optimisers import LBFGS, LevenbergMarquardt
from service.learning.planning.advice import Advice
from service.learning.planning.second_order import CURVES, MOST_PARAMETERS, functions_of, is_smooth
from service.learning.training.paths import choose_path
from service.learning.training.recipe import Recipe, RecipeError, check

EPOCHS_OF_A_SEARCH = 2
"""Epochs of Adam that a step of LBFGS stands for, with the passes of its search."""
MANY_EPOCHS = 1000
"""Epochs by rules of first order, from where the passes of all rows count."""
EPOCHS_OF_A_STEP = 20
"""Epochs of Adam that a step of LevenbergMarquardt stands for; most small trainings come further with as many fewer."""


def second_order_fits(case: Case) -> Iterator[Advice]:
    """Advise LevenbergMarquardt where a small, smooth network is to see all rows in each of many epochs; LBFGS where it
    is larger, or the loss is for that alone.
    """
    recipe, network = case.recipe, case.network
    asked = case.plan.path == "batches" and recipe.epochs >= MANY_EPOCHS and not _deliberate(recipe)
    if not asked or not (is_smooth(network) and functions_of(network) & CURVES):
        return
    few = network.parameter_count <= min(MOST_PARAMETERS, case.view.count("train") - 1)
    steps = recipe.epochs // EPOCHS_OF_A_STEP
    if few and _can_be_followed(case, replace(recipe, optimiser=LevenbergMarquardt(), epochs=steps)):
        yield _advice(case, "LevenbergMarquardt", steps, " of all rows, and in less time")
        return
    steps = recipe.epochs // EPOCHS_OF_A_SEARCH
    if _can_be_followed(case, replace(recipe, optimiser=LBFGS(), epochs=steps)):
        yield _advice(case, "LBFGS", steps, " of all rows")


def _advice(case: Case, rule: str, steps: int, costs: str) -> Advice:
    detail = (
        f"For {case.network.parameter_count:,} parameters {rule} usually comes further in {steps:,} steps than "
        f"{case.recipe.optimiser.name} in {case.recipe.epochs:,} epochs{costs}: "
        f'"optimiser": {{"rule": "{rule}"}}, "epochs": {steps}.'
    )
    return Advice("second_order_fits", detail, "#/optimiser")


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
