"""The plan of a training: its path, its cost and the rates it allows, known before it begins."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from service.learning.arrays import Array
from service.learning.network import Network
from service.learning.planning.curvature import sampled_curvature
from service.learning.planning.stability import (
    Rate,
    RateBounds,
    bounds_of_quadratic,
    estimated_bounds,
)
from service.learning.rows.coded import Coding
from service.learning.rows.gram import Gram
from service.learning.rows.part import Part
from service.learning.training.paths import PathName, choose_path
from service.learning.training.quadratic.form import QuadraticLoss
from service.learning.training.quadratic.path import obstacle, quadratic_form
from service.learning.training.recipe import Recipe, check
from service.learning.training.scaling import scaling_of


@dataclass(frozen=True, slots=True)
class Plan:
    """The number of trainable parameters, the path, all operations, and an estimate of the seconds they take.

    The rates are None for rules without a bound, and where they depend on rows that are not known. The least loss is
    known where the loss is a quadratic form.
    """

    parameter_count: int
    path: PathName
    operations: int
    seconds: float
    largest_stable_rate: Rate | None = None
    best_rate: Rate | None = None
    optimum_loss: float | None = None


def plan(
    network: Network,
    train_rows: int,
    validation_rows: int,
    recipe: Recipe,
    *,
    gram: Gram | None = None,
    validation_gram: Gram | None = None,
    weighted: bool = False,
    numbers: bool = True,
    fresh: bool = False,
    parameters: Array | None = None,
    train: Callable[[], Part] | None = None,
    coding: Coding | None = None,
) -> Plan:
    """Return the plan of training `network` by `recipe` on this number of rows.

    `gram` and `validation_gram` are the sums over the parts' rows where they are known: rates and the least loss of a
    quadratic problem are then exact. Otherwise rates are estimated from a sample of the rows that `train` returns,
    within 10⁸ operations, at the `parameters` that training begins from (`fresh` as `Training` takes it).
    `coding` is how rows travel to the network.

    Raises:
        RecipeError: the recipe contradicts itself, the network or the rows; or forces a path that cannot be taken.
    """
    check(recipe, network, train_rows, validation_rows, weighted=weighted, numbers=numbers)
    sums_are_known = gram is not None and (validation_rows == 0 or validation_gram is not None)
    path, cost = choose_path(
        network,
        train_rows,
        validation_rows,
        recipe,
        weighted=weighted,
        sums_are_known=sums_are_known,
        coding=coding,
    )
    passes = 1 + (1 + validation_rows / train_rows if recipe.refit else 0)
    form = None if gram is None else known_form(network, train_rows, recipe, gram, weighted)
    bounds = RateBounds(None, None)
    if form is not None:
        bounds = bounds_by_form(form, train_rows, recipe)
    elif train is not None and parameters is not None and recipe.optimiser.recurrence is not None:
        curvature = sampled_curvature(network, parameters, train(), recipe, fresh=fresh)
        bounds = RateBounds(None, None) if curvature is None else estimated_bounds(recipe.optimiser, curvature)
    return Plan(
        network.parameter_count,
        path,
        round(cost.operations * passes),
        cost.seconds * passes,
        bounds.largest_stable,
        bounds.best,
        None if form is None else form.optimum_loss,
    )


def known_form(network: Network, train_rows: int, recipe: Recipe, gram: Gram, weighted: bool) -> QuadraticLoss | None:
    """Return the loss over the whole training part, where it is a quadratic form, whatever the batches.

    Scaled targets change neither its curvature nor its least value.
    """
    recipe = replace(recipe, standardise="inputs" if recipe.scales_inputs else False)
    if obstacle(network, train_rows, replace(recipe, batch_size=None), weighted=weighted) is not None:
        return None
    return quadratic_form(network, gram, recipe, scaling_of(gram, network.dtype) if recipe.scales_inputs else None)


def bounds_by_form(form: QuadraticLoss, train_rows: int, recipe: Recipe) -> RateBounds:
    """Exact where each step takes the loss of all rows; for batches, the bounds of one with the same curvature."""
    batch = min(recipe.batch_size or train_rows, train_rows)
    if batch == train_rows:
        return bounds_of_quadratic(recipe.optimiser, form)
    eigenvalues = form.spectrum.eigenvalues
    share = batch / train_rows if recipe.loss.agg == "sum" else 1.0
    return estimated_bounds(recipe.optimiser, float(eigenvalues.max(initial=0.0)) * share)
