"""Recipes that the service chooses: `"recipe": "auto"`."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from service.datasets.records import DatasetRecord
from service.datasets.view import DatasetView
from service.errors import invalid
from service.jobs.recipe_schemas import NewJob, Recipe
from service.learning.losses import Loss
from service.learning.optimisers import Rule
from service.learning.planning.advice import Advice, figure
from service.learning.planning.chosen_recipe import EPOCHS_WITHOUT_VALIDATION, FEWEST_TO_DRAW, chosen, share_drawn
from service.learning.planning.folded_epochs import folded_epochs, folds_of
from service.learning.rows.drawn import DrawnValidation
from service.learning.training import recipe as learning
from service.learning.training.problem import Problem
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


def decided(
    new: NewJob,
    start: TrainedNetwork,
    dataset: DatasetRecord,
    view_of: Callable[[NewJob], DatasetView],
    fold_seconds: float,
) -> tuple[NewJob, Advice]:
    """Return the job with all fields chosen, and the reasons; `view_of` has the rows of a job.

    Folds of few rows are trained where that takes at most `fold_seconds`.

    Raises:
        Invalid: the request decides some of them itself.
    """
    check_alone(new)
    draws = not dataset.validation_rows and dataset.train_rows >= FEWEST_TO_DRAW
    drawn = DrawnValidation(share_drawn(dataset.train_rows), new.seed) if draws else None
    fields: dict[str, Any] = {"validation": None if drawn is None else asdict(drawn)}
    rows = dataset.train_rows - (drawn.count(dataset.train_rows) if drawn is not None else 0)
    kinds = [target.kind for target in dataset.targets]
    base = learning.Recipe(
        loss=from_json(Loss, "mse"),
        optimiser=from_json(Rule, "Adam"),
        epochs=new.epochs,
        seed=new.seed,
        frozen=tuple(new.frozen),
    )
    made = chosen(base, start.network, kinds, rows, validates=draws or dataset.validation_rows > 0, draws=draws)
    asked = "epochs" in new.model_fields_set
    if asked:
        made = replace(made, epochs=new.epochs)
    fields |= {
        "loss": to_json(made.loss, "name"),
        "optimiser": to_json(made.optimiser, "rule"),
        "schedule": None if made.schedule is None else to_json(made.schedule, "name"),
        "epochs": made.epochs,
        "early_stopping": None if made.early_stopping is None else {"patience": made.early_stopping.patience},
        "average": None if made.average is None else {"decay": made.average.decay},
    }
    plain = ("batch_size", "partial", "shuffle", "keep", "standardise", "refit")
    fields |= {name: getattr(made, name) for name in plain}
    sent = new.model_dump(mode="json", exclude_unset=True, exclude={"recipe"})
    job = NewJob.model_validate({**sent, **fields})
    by_folds = not asked and made.early_stopping is None
    folds = _epochs_by_folds(view_of(job), start, made, fold_seconds) if by_folds else None
    if folds is not None:
        job, made = job.model_copy(update={"epochs": folds}), replace(made, epochs=folds)
    return job, Advice("recipe_chosen", _reasons(made, draws, rows, by_folds=folds is not None), "#/recipe")


def _epochs_by_folds(view: DatasetView, start: TrainedNetwork, made: learning.Recipe, seconds: float) -> int | None:
    problem = Problem(start.network, view.part("train", sums=False), None, made)
    return folded_epochs(problem, start.vector, fresh=start.fresh, seconds=seconds)


def _reasons(made: learning.Recipe, draws: bool, rows: int, *, by_folds: bool) -> str:
    rule, rate = made.optimiser.rules[-1], made.optimiser.rate
    sentence = f"{made.loss.name} suits the targets; {rule.name}"
    sentence += (
        f" at {figure(rate)}" if rate is not None else ", which takes all rows a step and suits so few parameters,"
    )
    sentence += ", halved while the validation loss does not fall," if made.schedule is not None else ""
    if made.standardise:
        what = "inputs and targets" if made.standardise == "both" else made.standardise
        sentence += (
            f" learns {what} of mean 0 and deviation 1" if made.standardise != "inputs" else " takes scaled inputs"
        )
    sentence += "; the result is the average of the last steps" if made.average is not None else ""
    if by_folds:
        folds = folds_of(rows)
        held = "each row by itself" if folds == rows else f"{folds} folds"
        return (
            f"{sentence}. {rows} rows are too few to draw some for validation: trainings that left out {held} did best "
            f"on what they had not seen after {made.epochs} of {EPOCHS_WITHOUT_VALIDATION} epochs, and so "
            "long all rows are learnt."
        )
    if made.early_stopping is None:
        return (
            f"{sentence}. {rows} rows are too few to draw some for validation: all {made.epochs} epochs are trained, "
            "and nothing tells when the network learns its rows by heart. More rows, or a validation part, would."
        )
    drawn = "rows of the training part, drawn by the seed (`validation`)," if draws else "the validation part"
    last = "all rows train anew for as many epochs as were best" if made.refit else "the best parameters are kept"
    return f"{sentence}. Early stopping on {drawn} ends it, and {last}."
