"""The recipe and the plan of a job, as its row keeps them."""

from dataclasses import dataclass
from typing import Any, Literal

from service.learning.losses import Loss
from service.learning.optimisers import Rule
from service.learning.planning import plan
from service.learning.rows.drawn import DrawnValidation
from service.learning.schedules import Schedule
from service.learning.training import recipe
from service.learning.training.coordinates import Standardise
from service.learning.training.paths import PathName
from service.vocabulary.kinds import from_json


@dataclass(frozen=True, kw_only=True)
class JobRecipe:
    """A recipe with the parameters that it begins from; terms are as clients write them.

    Jobs of earlier versions lack some of the fields with defaults.
    """

    from_version: int
    from_epoch: int | None = None
    rename: dict[str, str] | None = None
    """The version's names for columns of the dataset. None: they go by their order, as in jobs of earlier versions."""
    epochs: int
    loss: Any
    optimiser: Any
    batch_size: int | None = None
    partial: bool = True
    shuffle: bool = False
    seed: int = 0
    schedule: Any = None
    standardise: Standardise = False
    path: PathName | None = None
    sample_weights: str | None = None
    class_weight: Literal["balanced"] | dict[str, float] | None = None
    validation: DrawnValidation | None = None
    early_stopping: recipe.EarlyStopping | None = None
    keep: Literal["last", "best"] = "last"
    keep_every: int | None = None
    frozen: tuple[str, ...] = ()
    backoff: recipe.Backoff | None = None
    average: recipe.Average | None = None
    refit: bool = False

    def to_learning(self) -> recipe.Recipe:
        """The recipe in the words of the learning core."""
        return recipe.Recipe(
            loss=from_json(Loss, self.loss),
            optimiser=from_json(Rule, self.optimiser),
            epochs=self.epochs,
            batch_size=self.batch_size,
            partial=self.partial,
            shuffle=self.shuffle,
            seed=self.seed,
            schedule=None if self.schedule is None else from_json(Schedule, self.schedule),
            standardise=self.standardise,
            path=self.path,
            early_stopping=self.early_stopping,
            keep=self.keep,
            frozen=tuple(self.frozen),
            backoff=self.backoff,
            average=self.average,
            refit=self.refit,
        )


@dataclass(frozen=True, slots=True)
class Plan(plan.Plan):
    """A plan, and the bytes that the job writes and its worker needs; None in jobs from before these were counted."""

    bytes: int | None = None
    memory: int | None = None
