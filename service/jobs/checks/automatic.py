"""Recipes that the service chooses: `"recipe": "auto"`."""

from dataclasses import replace
from typing import Any

from service.datasets.records import DatasetRecord
from service.errors import invalid
from service.jobs.recipe_schemas import NewJob, Recipe
from service.learning.losses import Loss
from service.learning.optimisers import Rule
from service.learning.planning.advice import Advice, figure
from service.learning.planning.chosen_recipe import FEWEST_TO_DRAW, SHARE_DRAWN, chosen
from service.learning.training import recipe as learning
from service.models.trained_network import TrainedNetwork
from service.vocabulary.kinds import from_json, to_json

KEPT = {"epochs", "seed", "sample_weights", "class_weight", "keep_every", "frozen"}
"""Fields of a recipe that may stand beside "auto"."""


def check_alone(new: NewJob) -> None:
    """Raise Invalid where fields stand beside "auto" that it decides."""
    beside = sorted((new.model_fields_set & Recipe.model_fields.keys()) - KEPT)
    if beside:
        detail = f'"recipe": "auto" chooses {beside[0]}: leave one of them out.'
        raise invalid(f"#/{beside[0]}", detail, "recipe_is_chosen")


def decided(new: NewJob, start: TrainedNetwork, dataset: DatasetRecord) -> tuple[NewJob, Advice]:
    """Return the job with all fields chosen, and the reasons.

    Raises:
        Invalid: the request decides some of them itself.
    """
    check_alone(new)
    draws = not dataset.validation_rows and dataset.train_rows >= FEWEST_TO_DRAW
    fields: dict[str, Any] = {"validation": {"fraction": SHARE_DRAWN, "seed": new.seed} if draws else None}
    rows = dataset.train_rows - round(SHARE_DRAWN * dataset.train_rows) if draws else dataset.train_rows
    kinds = [target.kind for target in dataset.targets]
    base = learning.Recipe(
        loss=from_json(Loss, "mse"),
        optimiser=from_json(Rule, "Adam"),
        epochs=new.epochs,
        seed=new.seed,
        frozen=tuple(new.frozen),
    )
    made = chosen(base, start.network, kinds, rows, validates=draws or dataset.validation_rows > 0)
    if "epochs" in new.model_fields_set:
        made = replace(made, epochs=new.epochs)
    fields |= {
        "loss": to_json(made.loss, "name"),
        "optimiser": to_json(made.optimiser, "rule"),
        "schedule": None if made.schedule is None else to_json(made.schedule, "name"),
        "epochs": made.epochs,
        "early_stopping": None if made.early_stopping is None else {"patience": made.early_stopping.patience},
    }
    fields |= {name: getattr(made, name) for name in ("batch_size", "partial", "shuffle", "keep", "standardise")}
    sent = new.model_dump(mode="json", exclude_unset=True, exclude={"recipe"})
    return NewJob.model_validate({**sent, **fields}), Advice("recipe_chosen", _reasons(made, draws, rows), "#/recipe")


def _reasons(made: learning.Recipe, draws: bool, rows: int) -> str:
    assert made.optimiser.rate is not None
    sentence = f"{made.loss.name} suits the targets; {made.optimiser.name} at {figure(made.optimiser.rate)}"
    sentence += ", halved while the validation loss does not fall," if made.schedule is not None else ""
    if made.standardise:
        what = "inputs and targets" if made.standardise == "both" else made.standardise
        sentence += (
            f" learns {what} of mean 0 and deviation 1" if made.standardise != "inputs" else " takes scaled inputs"
        )
    if made.early_stopping is None:
        return (
            f"{sentence}. {rows} rows are too few to draw some for validation: all {made.epochs} epochs are trained, "
            "and nothing tells when the network learns its rows by heart. More rows, or a validation part, would."
        )
    drawn = "a fifth of the training part, drawn by the seed (`validation`)," if draws else "the validation part"
    return f"{sentence}. Early stopping on {drawn} ends it, and the best parameters are kept."
