"""Whether a recipe and a network are for rules of second order, and what helps where they are not."""

from service.learning.network import Network
from service.learning.optimisers import LevenbergMarquardt, Rule, WeightDecay, second_order_rule
from service.learning.training.recipe import Recipe, RecipeError
from service.learning.training.second_order.together import LOGITS, changes_logarithms, taken_together


def check_second_order(recipe: Recipe, network: Network, train_rows: int) -> None:
    """Raise RecipeError where the recipe has a rule of second order that it, or the network, is not for."""
    rule = second_order_rule(recipe.optimiser)
    if rule is None:
        return
    _check_chain(recipe, rule)
    if recipe.average is not None:
        message = f"cannot go with {rule.name}, whose every step lowers the loss: leave it out, or use AdamW"
        raise RecipeError("average", message)
    _check_steps(recipe, rule, train_rows)
    _check_layers(network, rule)
    if isinstance(rule, LevenbergMarquardt):
        _check_curvature(recipe, network)
    elif recipe.loss.jumps:
        smooth = "huber_loss" if recipe.loss.name == "mae" else "squared_hinge_loss"
        message = f"cannot be {recipe.loss.name}, whose slope jumps: LBFGS takes {smooth}, and Adam both"
        raise RecipeError("loss", message)


def _check_chain(recipe: Recipe, rule: Rule) -> None:
    rules = recipe.optimiser.rules
    for index, each in enumerate(rules):
        if each is rule and index < len(rules) - 1:
            raise RecipeError(f"optimiser/rules/{index}", f"must come last: {rule.name} takes the loss, not a gradient")
        if each is not rule and not isinstance(each, WeightDecay):
            message = (
                f"cannot go with {rule.name}, which takes the loss of all rows, not a gradient: only WeightDecay can"
            )
            raise RecipeError(f"optimiser/rules/{index}", message)


def _check_steps(recipe: Recipe, rule: Rule, train_rows: int) -> None:
    if recipe.batch_size is not None and recipe.batch_size < train_rows:
        message = (
            f'cannot be {recipe.batch_size}: {rule.name} takes all {train_rows} rows a step, as "batch_size": null does'
        )
        raise RecipeError("batch_size", f"{message}; Adam takes batches")
    if recipe.path == "batches":
        raise RecipeError("path", f'cannot be batches with {rule.name}: "path": null takes the one that it is for')


def _check_layers(network: Network, rule: Rule) -> None:
    for path, node in network.layers_by_path.items():
        name = node.layer.name
        if node.layer.draws or node.layer.differs_in_training:
            instead = "leave it out and use WeightDecay" if node.layer.draws else "LayerNorm can take its place"
            message = f"needs a loss that is the same in every pass, and {path} is {name}: {instead}, or use Adam"
            raise RecipeError("optimiser", message)
        if isinstance(rule, LevenbergMarquardt) and node.slots and not node.layer.has_gradients_by_row:
            raise RecipeError("optimiser", f"needs each row's gradients, which {name} at {path} has not: use LBFGS")


def _check_curvature(recipe: Recipe, network: Network) -> None:
    loss, needed = recipe.loss, LOGITS.get(recipe.loss.name)
    if needed is not None:
        if taken_together(network, loss)[1] is loss:
            message = f"{loss.name} goes with LevenbergMarquardt where the network ends in {needed}"
            raise RecipeError("loss", f"{message}: let it, use {loss.twin} of its outputs as they are, or use LBFGS")
        if changes_logarithms(loss, network.dtype):
            message = f"of {loss.name} changes the logarithms, and LevenbergMarquardt takes these at the logits"
            raise RecipeError("loss/eps", f'{message}: "eps": null, or LBFGS')
    elif not loss.has_roots:
        message = "is for mse, msle and the cross-entropies of softmax and sigmoid"
        raise RecipeError("optimiser", f"LevenbergMarquardt {message}; with {loss.name} use LBFGS")
