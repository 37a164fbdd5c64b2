"""A recipe that suits a network and its rows, for people who name none."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from service.learning.layers import nodes
from service.learning.losses import LOSSES, Loss
from service.learning.network import Network
from service.learning.optimisers import AdamW, LevenbergMarquardt, OptimiserChain, WeightDecay
from service.learning.planning.reach import last_functions
from service.learning.planning.second_order import MOST_PARAMETERS, is_smooth
from service.learning.schedules import Plateau
from service.learning.training.coordinates import Standardise
from service.learning.training.recipe import Average, EarlyStopping, Recipe, RecipeError, check_frozen, check_scaled
from service.learning.training.second_order.checks import check_second_order

Kind = Literal["numeric", "boolean", "categorical"]

FEWEST_TO_DRAW = 50
"""Rows of a training part from which some are drawn for validation."""
MANY_TO_DRAW = 1000
"""Rows of which a smaller share tells enough."""
RATE = 0.003
LEAST_RATE = 1e-5
WEIGHT_DECAY = 10.0
"""Of AdamW, which multiplies it by the rate; over the root of the rows, as many rows need less to hold a network."""
MOST_WEIGHT_DECAY = 2.0
FEWEST_AVERAGED = 50
"""Steps that an average remembers; more where an epoch has more."""
PATIENCE = 40
STEPS_IN_ALL = 60_000
ROWS_A_PARAMETER = 5
"""Rows for each parameter from which steps of second order are taken."""
EPOCHS_OF_STEPS = 100
PATIENCE_OF_STEPS = 10
DECAY_OF_STEPS = 1e-3
EPOCHS_WITHOUT_VALIDATION = 300
"""The most of which folds choose."""


def share_drawn(rows: int) -> float:
    """Return the share of so many rows that is drawn for validation."""
    return 0.2 if rows < MANY_TO_DRAW else 0.1


def chosen(
    base: Recipe, network: Network, kinds: Sequence[Kind], rows: int, *, validates: bool, draws: bool = False
) -> Recipe:
    """Return a recipe with the seed and frozen layers of `base`, for targets of these kinds and so many rows to learn
    from, without those that validate it; where these are drawn from the training part, it learns them at the end.
    """
    batch = min(_batch(rows), rows)
    steps = -(-rows // batch)
    epochs = max(20, min(1000, STEPS_IN_ALL // steps)) if validates else EPOCHS_WITHOUT_VALIDATION
    couples = any(node.layer.couples_rows for node in nodes(network.root))
    recipe = replace(
        base,
        loss=loss_for(network, kinds),
        optimiser=AdamW(RATE, lambda_=_weight_decay(rows)),
        schedule=Plateau(RATE, 0.5, PATIENCE // 4, 0.0, LEAST_RATE) if validates else None,
        epochs=epochs,
        batch_size=None if batch >= rows else batch,
        partial=not (couples and rows % batch == 1),
        shuffle=batch < rows,
        early_stopping=EarlyStopping(patience=PATIENCE) if validates else None,
        keep="best" if validates else "last",
        average=Average(decay=1 - 1 / max(FEWEST_AVERAGED, steps)),
        refit=draws,
    )
    recipe = replace(recipe, standardise=_scales(recipe, network, numbers="numeric" in kinds))
    return _by_whole_steps(recipe, network, rows) or recipe


def _by_whole_steps(recipe: Recipe, network: Network, rows: int) -> Recipe | None:
    """Return the recipe with LevenbergMarquardt, where a small smooth network is to learn from enough rows."""
    few = network.parameter_count <= min(MOST_PARAMETERS, rows / ROWS_A_PARAMETER)
    if recipe.early_stopping is None or not (few and is_smooth(network)):
        return None
    steps = replace(
        recipe,
        optimiser=OptimiserChain((WeightDecay(DECAY_OF_STEPS), LevenbergMarquardt())),
        schedule=None,
        epochs=EPOCHS_OF_STEPS,
        batch_size=None,
        partial=True,
        shuffle=False,
        early_stopping=EarlyStopping(patience=PATIENCE_OF_STEPS),
        average=None,
        refit=False,
    )
    try:
        check_second_order(steps, network, rows)
    except RecipeError:
        return None
    return steps


def loss_for(network: Network, kinds: Sequence[Kind]) -> Loss:
    """Return mse where a target is a number, else the crossentropy that suits what the network ends in."""
    if "numeric" in kinds:
        return LOSSES["mse"]()
    functions = last_functions(network)
    one = list(kinds) == ["categorical"]
    word, ending = ("crossentropy", "softmax") if one else ("binarycrossentropy", "sigmoid")
    return LOSSES[word if functions and functions[-1].name == ending else f"logit{word}"]()


def _weight_decay(rows: int) -> float:
    """Return it in two digits, as people would write it."""
    return float(f"{min(MOST_WEIGHT_DECAY, WEIGHT_DECAY / math.sqrt(rows)):.2g}")


def _batch(rows: int) -> int:
    return 32 if rows < 5000 else 128 if rows < 50_000 else 512


def _scales(recipe: Recipe, network: Network, *, numbers: bool) -> Standardise:
    """Return the most that can be scaled."""
    words: list[Standardise] = ["both", "inputs", "targets"] if numbers else ["inputs"]
    for word in words:
        scaled = replace(recipe, standardise=word)
        try:
            check_scaled(scaled, network, numbers)
            check_frozen(scaled, network, scaled.frozen, numbers)
        except RecipeError:
            continue
        return word
    return False
