"""Advice on a recipe before it is followed, and remedies for a training that diverged."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from service.learning.network import Network
from service.learning.planning.loss_fits_outputs import mismatch, squeezed, suits
from service.learning.planning.plan import Plan
from service.learning.planning.stability import Rate
from service.learning.rows.gram import Gram
from service.learning.training.recipe import Recipe
from service.learning.training.scaling import first_dense, scaling_of
from service.learning.training.training import Training

CHECKED_RATES = 1000
WORSE = 1.5  # times the loss for standardised inputs, from where that of the version is told
NOTICED = 1e-6  # of the first loss: smaller differences are no matter
UNEQUAL = 100.0  # sizes of inputs this far apart make the loss at least 10⁴ times as curved one way as another


@dataclass(frozen=True, slots=True)
class Advice:
    """A stable word for programs, a sentence for people, and the place that it is about as a JSON pointer."""

    code: str
    detail: str
    pointer: str


def advice(
    plan: Plan, recipe: Recipe, *, network: Network | None = None, gram: Gram | None = None, validation_rows: int = 0
) -> tuple[Advice, ...]:
    """Return the advice, the most urgent first; `gram` are the sums over the training part, where they are known."""
    found = [
        unsuited_loss(recipe, network),
        logits_of_probabilities(recipe, network),
        unstable_rate(plan, recipe),
        badly_scaled(recipe, network, gram),
        no_validation_part(recipe, validation_rows),
    ]
    return tuple(each for each in found if each is not None)


def unsuited_loss(recipe: Recipe, network: Network | None) -> Advice | None:
    """Advise where the loss needs probabilities or positive numbers, and the network has other outputs too."""
    accepts = recipe.loss.accepts
    if network is None or accepts is None or suits(recipe.loss, network) is not False:
        return None
    return Advice(f"loss_takes_{accepts.name.replace(' ', '_')}", mismatch(recipe.loss, network), "#/loss")


def logits_of_probabilities(recipe: Recipe, network: Network | None) -> Advice | None:
    """Advise where the loss takes logits, and the network's outputs are always probabilities."""
    said = None if network is None else squeezed(recipe.loss, network)
    return None if said is None else Advice("logits_of_probabilities", said, "#/loss")


def unstable_rate(plan: Plan, recipe: Recipe) -> Advice | None:
    """Advise where the rate is beyond the largest stable one."""
    bound, best = plan.largest_stable_rate, plan.best_rate
    if bound is None or best is None:
        return None
    rate, epoch = highest_rate(recipe)
    if rate is None or rate <= bound.value:
        return None
    grows = (
        "makes the loss grow without end"
        if bound.exact
        else "will probably make the loss jump about, or grow without end"
    )
    if recipe.schedule is not None:
        said = f"The rate {figure(rate)} that {recipe.schedule.name} sets for epoch {epoch} {grows} if it stays"
    else:
        said = f"The rate {figure(rate)} {grows}"
    detail = f"{said}: the largest stable one is {described(bound)}, the best fixed one {described(best)}."
    return Advice("unstable_rate", detail, pointer_to_rate(recipe))


def highest_rate(recipe: Recipe) -> tuple[float | None, int]:
    """Return the highest rate and its epoch; a long schedule is tried at a thousand epochs."""
    if recipe.schedule is None:
        return recipe.optimiser.rate, 1
    epochs = range(1, recipe.epochs + 1, max(1, recipe.epochs // CHECKED_RATES))
    epoch = max(epochs, key=recipe.schedule.rate)
    return recipe.schedule.rate(epoch), epoch


def pointer_to_rate(recipe: Recipe) -> str:
    if recipe.schedule is not None:
        return "#/schedule"
    rules = recipe.optimiser.rules
    if recipe.optimiser in rules:
        return "#/optimiser/eta"
    return f"#/optimiser/rules/{next(i for i, rule in enumerate(rules) if hasattr(rule, 'eta'))}/eta"


def badly_scaled(recipe: Recipe, network: Network | None, gram: Gram | None) -> Advice | None:
    """Advise where inputs have very different sizes, which `standardise` would make equal."""
    if recipe.scales_inputs or network is None or gram is None or first_dense(network.root) is None:
        return None
    scaling, word = scaling_of(gram), '"both"' if recipe.scales_targets else "true"
    sizes = np.hypot(scaling.mean, scaling.deviation)
    ratio = max(float(sizes.max()), 1.0) / min(float(scaling.deviation.min()), 1.0)
    if ratio <= UNEQUAL:
        return None
    detail = (
        f"The inputs have sizes and spreads up to {ratio:.0f} times apart, which makes training slow and the choice of "
        f'a rate hard: "standardise": {word} learns from inputs of mean 0 and deviation 1.'
    )
    return Advice("badly_scaled", detail, "#/standardise")


def no_validation_part(recipe: Recipe, validation_rows: int) -> Advice | None:
    """Advise where early stopping sees only the rows that it learns from."""
    if recipe.early_stopping is None or validation_rows:
        return None
    detail = (
        "Without a validation part early stopping sees the very loss that training minimises, and does not notice when "
        "the network learns its rows by heart: split some rows off for validation."
    )
    return Advice("no_validation_part", detail, "#/early_stopping")


def rounded_parameters(training: Training) -> Iterator[Advice]:
    """Advise after a training whose result is much worse for raw inputs than it was for standardised ones."""
    scaled = training.recipe.scales_inputs, training.recipe.scales_targets
    what = " or ".join(name for name, is_scaled in zip(("inputs", "targets"), scaled, strict=True) if is_scaled)
    learnt, kept, first = training.standardised_loss, training.final_loss(), training.initial_loss
    if learnt is None or first is None or not kept > WORSE * learnt or kept - learnt < NOTICED * first:
        return
    detail = (
        f"For standardised {what} the trained network has the loss {learnt:.3g}, for raw ones, as its version takes "
        f"them, {kept:.3g}: {what} so far from 0 need parameters of more digits than its dtype has. A model with "
        '"dtype": "float64" keeps them; or subtract a start from such inputs before the upload.'
    )
    yield Advice("rounded_parameters", detail, "#/model")


def help_for_diverged(
    recipe: Recipe, network: Network, epoch: int, largest_stable: float | None, best: float | None
) -> str:
    """Return a remedy for a training whose loss or parameters were not finite after `epoch`; 0 is before any step."""
    fits = suits(recipe.loss, network)
    if fits is False or (fits is None and epoch == 0):
        return mismatch(recipe.loss, network)
    if epoch == 0:
        scaled = "Smaller" if recipe.scales_inputs else '"standardise": true where inputs are large, smaller'
        return f"{scaled} parameters to begin from, or targets in a larger unit may help."
    rate, _ = highest_rate(recipe)
    if largest_stable is not None and best is not None:
        beyond = f", which {figure(rate)} is beyond" if rate is not None and rate > largest_stable else ""
        return f"The largest stable rate is {figure(largest_stable)}{beyond}; the best fixed rate is {figure(best)}."
    smaller = "Smaller parameters to begin from" if rate is None else f"A rate below {figure(rate)}"
    scaled = "" if recipe.scales_inputs else ', "standardise": true where inputs are large'
    return f"{smaller}{scaled}, or ClipNorm before the rule may help."


def described(rate: Rate) -> str:
    return figure(rate.value) if rate.exact else f"about {figure(rate.value)}"


def figure(value: float) -> str:
    """Six significant digits."""
    return f"{value:.6g}"
