"""The recipe of a training, and the check that it fits network and rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from service.learning.layers import nodes
from service.learning.losses import LOSSES, Loss
from service.learning.network import Network
from service.learning.optimisers import Rule
from service.learning.schedules import Schedule
from service.learning.synonyms import listed
from service.learning.training.coordinates import Standardise, last_dense, scales_inputs, scales_targets
from service.learning.training.scaling import first_dense

Monitored = Literal["validation_loss", "train_loss"]
MOST_LISTED = 50  # layers in a message
MOST_TRIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """Stop after `patience` epochs in a row that did not bring the monitored loss down by more than `min_change`."""

    monitor: Monitored = "validation_loss"
    patience: int = 10
    min_change: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Go back up to `tries` times where the training would diverge, each time with all rates times `factor`.

    It goes on with the parameters of the best epoch so far (the least monitored loss), those of frozen layers included,
    a fresh optimiser state and the next epoch's number.
    """

    factor: float = 0.5
    tries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """Take the exponential moving average of the parameters after each step for those of the training.

    Reports, `keep`, early stopping and the result are about the average; steps go on from where the last one led.
    """

    decay: float = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that decides a training's result besides network, parameters and rows.

    `epochs` are passes over the training part. `batch_size` None takes all rows at once; with `partial` a last, shorter
    batch counts, without it is left out. `seed` decides the order of rows with `shuffle`, and the draws of layers.
    `schedule` sets the rate in the optimiser's place. `standardise` names what the network sees with mean 0 and
    deviation 1: inputs (which True means, too), targets that are numbers, or both. `path` None takes the cheaper one.
    `keep` decides which parameters are the result; early stopping keeps the best. `frozen` has the paths of layers that
    stay as they are, such as layers.0 or layers.1.layers.0, with all that is inside them. With `refit` validation rows
    choose the best epoch, and then all rows train for as many.
    """

    loss: Loss
    optimiser: Rule
    epochs: int
    batch_size: int | None = None
    partial: bool = True
    shuffle: bool = False
    seed: int = 0
    schedule: Schedule | None = None
    standardise: Standardise = False
    path: Literal["quadratic", "batches", "second_order"] | None = None
    early_stopping: EarlyStopping | None = None
    keep: Literal["last", "best"] = "last"
    frozen: tuple[str, ...] = ()
    backoff: Backoff | None = None
    average: Average | None = None
    refit: bool = False

    @property
    def keeps_best(self) -> bool:
        return self.keep == "best" or self.early_stopping is not None

    @property
    def scales_inputs(self) -> bool:
        return scales_inputs(self.standardise)

    @property
    def scales_targets(self) -> bool:
        return scales_targets(self.standardise)


class RecipeError(ValueError):
    """A recipe that does not fit network or rows; `field` of the recipe is at fault, `message` has the reason."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def check(
    recipe: Recipe,
    network: Network,
    train_rows: int,
    validation_rows: int,
    weighted: bool = False,
    numbers: bool = True,
) -> None:
    """Raise RecipeError where the recipe cannot be followed; `numbers` tells whether a target is a number."""
    if recipe.early_stopping and recipe.early_stopping.monitor == "validation_loss" and not validation_rows:
        raise RecipeError("early_stopping", "needs a validation part, or train_loss to monitor")
    watches = recipe.early_stopping is None or recipe.early_stopping.monitor == "validation_loss"
    if recipe.refit and not watches:
        raise RecipeError("refit", "needs early stopping that monitors validation_loss, or none")
    if recipe.refit and not (recipe.keeps_best and validation_rows):
        raise RecipeError("refit", 'needs validation rows that choose the best epoch: add "keep": "best"')
    if recipe.schedule is not None and recipe.optimiser.rate is None:
        raise RecipeError(
            "schedule", f"has no rate to set: {recipe.optimiser.name} has none. Leave it out, or use Adam"
        )
    check_rates(recipe, network.dtype)
    if recipe.backoff is not None:
        check_backoff(recipe.backoff, recipe)
    if recipe.average is not None and not 0 < recipe.average.decay < 1:
        raise RecipeError("average/decay", f"must be between 0 and 1, not {recipe.average.decay:g}")
    if weighted and not recipe.loss.separable:
        raise RecipeError("sample_weights", f"cannot go with {recipe.loss.name}, which is not a mean or sum over rows")
    check_scaled(recipe, network, numbers)
    check_frozen(recipe, network, recipe.frozen, numbers)
    learnt = {train_rows, train_rows + validation_rows} if recipe.refit else {train_rows}
    single_row = any(_leaves_one(recipe, rows) for rows in learnt)
    if single_row and any(node.layer.couples_rows for node in nodes(network.root)):
        raise RecipeError("batch_size", "leaves a batch of one row, over which BatchNorm has no variance")


def _leaves_one(recipe: Recipe, rows: int) -> bool:
    """Whether some batch of so many rows has a single one."""
    size = min(recipe.batch_size or rows, rows)
    return size == 1 or (recipe.partial and rows % size == 1)


def check_scaled(recipe: Recipe, network: Network, numbers: bool = True) -> None:
    """Raise RecipeError where inputs or targets cannot be scaled."""
    if recipe.scales_inputs and first_dense(network.root) is None:
        raise RecipeError("standardise", "needs a network that begins with a Dense layer with bias")
    if not recipe.scales_targets or not numbers:
        return
    instead = '"inputs" scales these alone' if recipe.standardise == "both" else "false leaves targets as they are"
    if recipe.loss.unit_power is None:
        known = ", ".join(name for name, loss in LOSSES.items() if loss.unit_power is not None)
        said = f"cannot scale targets under {recipe.loss.name}, which would be another loss of scaled ones"
        raise RecipeError("standardise", f"{said}: {known} are the same but for a factor; {instead}")
    if last_dense(network.root) is None:
        said = "needs a network that ends in a Dense layer with bias and without a function to scale targets"
        raise RecipeError("standardise", f"{said}; {instead}")


def check_backoff(backoff: Backoff, recipe: Recipe) -> None:
    """Raise RecipeError where going back could not help."""
    if recipe.optimiser.rate is None:
        raise RecipeError("backoff", f"has no rate to lower: {recipe.optimiser.name} has none")
    if not 0 < backoff.factor < 1:
        raise RecipeError("backoff/factor", f"must be between 0 and 1, not {backoff.factor:g}")
    if not 1 <= backoff.tries <= MOST_TRIES:
        raise RecipeError("backoff/tries", f"must be from 1 to {MOST_TRIES}, not {backoff.tries}")


def check_rates(recipe: Recipe, dtype: str) -> None:
    """Raise RecipeError where a rate is too large for the dtype."""
    rules = recipe.optimiser.rules
    for index, rule in enumerate(rules):
        within = "" if recipe.optimiser in rules else f"rules/{index}/"
        check_size(f"optimiser/{within}eta", rule.rate or 0.0, dtype)
    if recipe.schedule is not None:
        check_size("schedule", recipe.schedule.rate(1), dtype)


def check_size(field: str, rate: float, dtype: str) -> None:
    """Raise RecipeError where a rate is too large for the dtype."""
    largest = float(np.finfo(dtype).max)
    if rate > largest:
        raise RecipeError(field, f"is too large for {dtype}, whose largest number is {largest:.3g}: {rate:g}")


def check_rate(recipe: Recipe, rate: float, dtype: str) -> None:
    """Raise RecipeError where this rate cannot be set on the way."""
    if recipe.optimiser.rate is None:
        raise RecipeError("rate", f"cannot be changed: {recipe.optimiser.name} has none")
    if not 0 < rate < math.inf:
        raise RecipeError("rate", f"must be a finite number greater than 0, not {rate:g}")
    check_size("rate", rate, dtype)


def check_frozen(recipe: Recipe, network: Network, frozen: Sequence[str], numbers: bool = True) -> None:
    """Raise RecipeError where these layers cannot be frozen."""
    layers = network.layers_by_path
    for index, path in enumerate(frozen):
        if path not in layers:
            known = listed(list(layers), MOST_LISTED)
            raise RecipeError(f"frozen/{index}", f"names no layer of this network, which has {known}")
    arrays = network.arrays_of(frozen)
    slots = [slot for node in nodes(network.root) for slot in node.slots if slot.trainable]
    if frozen and all(slot.start in arrays for slot in slots):
        raise RecipeError("frozen", "leaves no parameter to train: at least one layer that has some must stay out")
    first = first_dense(network.root) if recipe.scales_inputs else None
    last = last_dense(network.root) if recipe.scales_targets and numbers else None
    for node, place in ((first, "first"), (last, "last")):
        if node is not None and node.slots[0].start in arrays:
            said = f"has the {place} Dense layer, whose parameters standardise converts"
            raise RecipeError("frozen", f"{said}: go without the one or the other")
