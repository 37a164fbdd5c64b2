"""Jobs on the wire; a recipe's parts come from the vocabulary of `service.learning`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.learning import training
from service.vocabulary.schemas import LossShape, OptimiserShape
from service.wire import Reference, Seed, Strict, VersionNumber

Flag = Annotated[bool, Field(strict=True)]
PathName = Literal["batches"]


class Recipe(Strict):
    """Everything that decides the result of a training, beside the data and the parameters it begins from."""

    epochs: Annotated[int, Field(strict=True, ge=1, le=10_000_000, description="passes to add")] = 200
    loss: LossShape = Field(default="mse", validate_default=True)
    optimiser: OptimiserShape = Field(default={"rule": "Descent", "eta": 0.1}, validate_default=True)
    batch_size: Annotated[
        int | None, Field(strict=True, ge=1, description="rows a step; null: all rows of the training part")
    ] = None
    partial: Annotated[Flag, Field(description="whether a last, shorter batch is used")] = True
    shuffle: Annotated[Flag, Field(description="whether rows are drawn anew in each epoch")] = False
    seed: Seed = 0

    def term(self) -> training.Recipe:
        """The same in the words of the learning core."""
        return training.Recipe(
            loss=self.loss.term(),
            optimiser=self.optimiser.term(),
            epochs=self.epochs,
            batch_size=self.batch_size,
            partial=self.partial,
            shuffle=self.shuffle,
            seed=self.seed,
        )


class NewJob(Recipe):
    """A training to run: which model, on which dataset, how."""

    model: Reference
    dataset: Reference
    from_version: Annotated[VersionNumber | None, Field(strict=True, description="null: the latest")] = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"model": "straight", "dataset": "line", "epochs": 201, "optimiser": {"rule": "Descent", "eta": 0.1}}
            ]
        },
    )


class Plan(BaseModel):
    """What is known before anything is computed."""

    parameter_count: int
    path: PathName = Field(description="how gradients are computed")
    operations: float = Field(description="multiplications and additions, in all")
    seconds: float = Field(description="an estimate")


class PlanOnly(BaseModel):
    """The answer to `validate_only`: the job could be created, and this is its plan."""

    plan: Plan
    recipe: dict[str, Any]


class Best(BaseModel):
    epoch: int
    loss: float


class JobError(BaseModel):
    code: str = Field(description="a stable word for programs", examples=["diverged"])
    detail: str
    epoch: int | None


class Job(BaseModel):
    """One training of one model on one dataset by one recipe."""

    id: str
    model: str
    dataset: str
    state: Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
    asked: Literal["cancel"] | None = Field(description="what a client asked of a running job")
    ended_by: Literal["epochs"] | None
    progress: float = Field(description="0 to 1")
    epochs_done: int
    initial_loss: float | None = Field(description="of the parameters it began from, on the training part")
    final_loss: float | None = Field(description="of the version it added, on the training part")
    best: Best | None
    version: int | None = Field(description="the version it added")
    path: PathName
    attempt: int = Field(description="workers that began or continued it")
    losses_of_worker: int
    plan: Plan
    error: JobError | None
    recipe: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    estimated_finish_at: datetime | None


class EpochReport(BaseModel):
    """What one pass over the training part left; epoch 0 is the untrained network."""

    epoch: int
    train_loss: float
    validation_loss: float | None
    rate: float | None = Field(description="of the next step; null for a rule without one")
    gradient_norm: float | None
    seconds: float


class LastParameters(BaseModel):
    """The last finite parameters of a job that added no version."""

    job: str
    layers: list[dict[str, Any]]
