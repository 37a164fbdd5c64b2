"""Recipes on the wire; a recipe's parts come from the vocabulary of `service.learning`."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from service.datasets.schemas import NewNames
from service.http.query import Labels
from service.jobs.states import MAX_LOSSES_OF_WORKER
from service.learning.training import recipe
from service.learning.training.coordinates import Standardise
from service.learning.training.paths import PathName
from service.models.records import Serve
from service.vocabulary.schemas import LossShape, OptimiserShape, ScheduleShape
from service.wire import (
    WHOLE,
    DescribedAs,
    EpochNumber,
    Number,
    Reference,
    Seed,
    Strict,
    VersionNumber,
)

Flag = Annotated[bool, Field(strict=True)]

WeightOfClass = Annotated[Number, Field(ge=0)]

MOST_FROZEN = 1000
"""Layers that a request may name."""
MOST_POINTS = 1000
"""Sets of parameters that one job may keep on its way."""


Priority = Annotated[
    int, Field(strict=True, ge=-100, le=100, description="jobs with a larger one get a worker before others"), WHOLE
]


class EarlyStopping(Strict):
    """End when the monitored loss has not fallen by more than `min_change` for `patience` epochs; keeps the best."""

    monitor: Annotated[recipe.Monitored, Field(description="the loss that is watched")] = "validation_loss"
    patience: Annotated[int, Field(strict=True, ge=1, description="epochs without a lower loss that end it"), WHOLE] = (
        10
    )
    min_change: Annotated[Number, Field(ge=0, description="a loss that falls by no more than this is not lower")] = 0.0


class Backoff(Strict):
    """Go back to the parameters of the best epoch where the training would diverge, with all rates times `factor`."""

    factor: Annotated[Number, Field(gt=0, lt=1, description="of all rates from there on")] = 0.5
    tries: Annotated[int, Field(strict=True, ge=1, le=100, description="times before the job fails"), WHOLE] = 3


class Average(Strict):
    """Take the moving average of the parameters after each step, instead of the last ones, for the network."""

    decay: Annotated[
        Number, Field(gt=0, lt=1, description="of the weight of a step with each later one; 0.999: some 1,000 count")
    ] = 0.999


class DrawnValidation(Strict):
    """Rows of the training part that are drawn by a seed to validate the training of the others."""

    fraction: Annotated[Number, Field(gt=0, lt=1, description="of the training part; halves round up")] = 0.2
    seed: Seed = 0


class Recipe(Strict):
    """Everything that decides the result of a training, beside the data and the parameters it begins from."""

    epochs: Annotated[int, Field(strict=True, ge=1, le=10_000_000, description="passes to add"), WHOLE] = 200
    loss: LossShape = Field(default="mse", validate_default=True, description="the loss that training lowers")
    optimiser: OptimiserShape = Field(
        default={"rule": "Descent", "eta": 0.1},
        validate_default=True,
        description="the rule that makes steps of gradients; Descent with the rate 0.1 where it is left out",
    )
    batch_size: Annotated[
        int | None, Field(strict=True, ge=1, description="rows a step; null: all rows of the training part"), WHOLE
    ] = None
    partial: Annotated[Flag, Field(description="whether a last, shorter batch is used")] = True
    shuffle: Annotated[Flag, Field(description="whether rows are drawn anew in each epoch")] = False
    seed: Seed = 0
    schedule: Annotated[ScheduleShape | None, Field(description="of the rate; null: that of the optimiser")] = None
    standardise: Annotated[
        Standardise,
        DescribedAs(bool | Literal["inputs", "targets", "both"]),  # one type for each choice, as makers of clients want
        Field(
            description="what the network learns from with mean 0 and deviation 1: `inputs` (the same as true), "
            "`targets` that are numbers, or `both`; the result is in raw units"
        ),
    ] = False
    path: Annotated[PathName | None, Field(description="how to compute gradients; null: the cheaper way")] = None
    sample_weights: Annotated[
        str | None, Field(strict=True, description="the column with the weight of each row; no input then")
    ] = None
    class_weight: Annotated[
        Literal["balanced"] | dict[str, WeightOfClass] | None,
        Field(
            description="factors of the weights of rows by their class, in the training loss alone: `balanced` takes "
            "rows / (classes × rows of the class) of those that train; a class that an object does not name has 1",
            examples=["balanced", {"true": 5}],
        ),
    ] = None
    validation: Annotated[
        DrawnValidation | None,
        Field(description="rows to draw from the training part, where the dataset has no validation part; null: none"),
    ] = None
    early_stopping: Annotated[EarlyStopping | None, Field(description="null: all epochs are trained")] = None
    keep: Annotated[Literal["last", "best"], Field(description="the parameters that become the new version")] = "last"
    keep_every: Annotated[
        int | None,
        Field(
            strict=True,
            ge=1,
            description="keep the parameters of every n-th epoch, at most "
            f"{MOST_POINTS:,} times: `?epoch=` beside the resulting version selects them",
        ),
        WHOLE,
    ] = None
    frozen: Annotated[
        list[str],
        Field(max_length=MOST_FROZEN, description="the paths of layers that stay as they are, such as `layers.0`"),
    ] = []  # noqa: RUF012 - pydantic copies it
    backoff: Annotated[
        Backoff | None, Field(description="a training that would diverge goes on with a smaller rate; null: it fails")
    ] = None
    average: Annotated[
        Average | None,
        Field(description="reports, early stopping and the result are about the averages; null: the parameters alone"),
    ] = None
    refit: Annotated[
        Flag,
        Field(
            description="whether all rows, those that `validation` draws too, train anew for as many epochs as were "
            "best, at a constant rate where the schedule follows losses; the reports are of the first training"
        ),
    ] = False

    @field_validator("class_weight", mode="before")
    @classmethod
    def _weighs_by_one_word_or_by_labels(cls, wanted: Any) -> Any:
        if wanted is not None and wanted != "balanced" and not isinstance(wanted, dict):
            raise ValueError('it is null, "balanced", or an object of labels and their weights, such as {"true": 5}')
        return wanted

    @field_validator("keep_every")
    @classmethod
    def _keeps_not_too_many_points(cls, every: int | None, others: ValidationInfo) -> int | None:
        epochs: int = others.data.get("epochs", 0)
        if every is not None and epochs // every > MOST_POINTS:
            enough = epochs // (MOST_POINTS + 1) + 1
            raise ValueError(
                f"this would keep {epochs // every:,} sets of parameters, and {MOST_POINTS:,} are allowed: "
                f"with {epochs:,} epochs, keep every {enough:,} or more"
            )
        return every

    @model_validator(mode="after")
    def _early_stopping_keeps_the_best(self) -> "Recipe":
        if self.early_stopping is not None:
            self.keep = "best"
        return self


class FrozenRecipe(Recipe):
    """The recipe of a job, with the parameters that it begins from."""

    from_version: Annotated[VersionNumber | None, Field(description="the version that it begins from")] = None
    from_epoch: Annotated[EpochNumber | None, Field(description="the kept epoch of it; null: the version's own")] = None
    rename: Annotated[
        NewNames | None,
        Field(
            description="the version's names for columns of the dataset, by their own; null in jobs from before there "
            "were such: columns went by their order"
        ),
    ] = None


AnyRecipe = Annotated[dict[str, Any], DescribedAs(FrozenRecipe)]


class JobOptions(Recipe):
    """A recipe, with where a training begins, its place in the queue and what becomes of its result."""

    recipe: Annotated[
        Literal["auto"] | None,
        Field(
            description="`auto` chooses loss, rule, rate, scaling, batches and early stopping for the data; the job "
            "shows them, and the same fields sent again give the same bytes"
        ),
    ] = None
    from_version: Annotated[VersionNumber | None, Field(strict=True, description="null: the latest"), WHOLE] = None
    from_epoch: Annotated[
        EpochNumber | None,
        Field(
            strict=True,
            description="begin from the parameters that the version's job had kept at the end of this epoch",
        ),
        WHOLE,
    ] = None
    rename: NewNames = Field(
        default_factory=dict,
        description="names that the version to begin from has for columns of the dataset, by their own",
        examples=[{"temp": "temperature"}],
    )
    serve: Annotated[
        Serve,
        Field(
            description="whether the version may be served as the latest one: always, never, or if its loss on the "
            "validation part, or without one on the training part, is below that of the version served by then"
        ),
    ] = "always"
    priority: Priority = 0
    max_seconds: Annotated[
        Number | None,
        Field(gt=0, description="seconds of workers after which the job stops and keeps what it has learned"),
    ] = None
    max_attempts: Annotated[
        int,
        Field(
            strict=True, ge=1, le=1000, description="losses of workers without a further checkpoint that fail the job"
        ),
        WHOLE,
    ] = MAX_LOSSES_OF_WORKER
    reject_unstable: Annotated[Flag, Field(description="422, not only advice, for a rate that cannot converge")] = False


AnyJobOptions = Annotated[dict[str, Any], DescribedAs(JobOptions)]


class NewJob(JobOptions):
    """A training to run: its model, dataset and recipe."""

    model: Annotated[Reference, Field(description="the model to train, by its id or name")]
    dataset: Annotated[Reference, Field(description="the dataset to train on, by its id or name")]
    labels: Labels = Field(default_factory=dict)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"model": "straight", "dataset": "line", "epochs": 201, "optimiser": {"rule": "Descent", "eta": 0.1}},
                {"model": "straight", "dataset": "line", "recipe": "auto"},
            ]
        },
    )
