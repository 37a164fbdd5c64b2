"""Jobs as the service answers them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from service.http.query import Labels
from service.jobs.recipe_schemas import AnyRecipe
from service.jobs.states import Asked, State
from service.learning.training import recipe
from service.learning.training.paths import PathName
from service.models.records import Serve
from service.models.schemas import LayerParameters
from service.wire import (
    Advice,
    FromAttributes,
)


class Rate(FromAttributes):
    """A rate that is known before training."""

    value: float = Field(description="the rate")
    exact: bool = Field(description="false: an estimate from a sample of rows")


class Plan(FromAttributes):
    """Facts about a training that are known before anything is computed."""

    parameter_count: int = Field(description="numbers that the network is made of")
    path: PathName = Field(description="how gradients are computed")
    operations: float = Field(description="multiplications and additions, in all")
    seconds: float = Field(description="an estimate for a worker of its own, from its claim to the end")
    bytes: int | None = Field(
        default=None,
        description="about the bytes a job adds to the database if it reaches its last epoch: a report an epoch, "
        "the parameters of `keep_every`, the version, a checkpoint; null for jobs from before this was counted",
    )
    memory: int | None = Field(
        default=None,
        description="about the bytes of memory that its worker needs at the most; null for jobs from before this was "
        "counted",
    )
    largest_stable_rate: Rate | None = Field(description="a larger one diverges; null where none is known")
    best_rate: Rate | None = Field(description="the fixed rate that converges fastest; null where none is known")
    optimum_loss: float | None = Field(description="the least loss there is, for quadratic problems")


class PlanOnly(BaseModel):
    """The answer to `validate_only`: the job could be created, and this is its plan."""

    plan: Plan = Field(description="facts that are known before training")
    advice: list[Advice] = Field(description="what to consider before training")
    recipe: AnyRecipe = Field(description="the recipe with all defaults")


class Best(BaseModel):
    """The least loss of all epochs so far."""

    epoch: int = Field(description="the epoch that had it")
    loss: float = Field(description="its value")
    of: recipe.Monitored = Field(
        description="which loss that is: the one that early stopping monitors, else that of the validation part where "
        "there is one, else that of the training part"
    )


class JobError(FromAttributes):
    """The reason why a job has failed."""

    code: str = Field(description="a stable word for programs", examples=["diverged"])
    detail: str = Field(description="a sentence for people, with the remedy")
    epoch: int | None = Field(description="the epoch in which it failed, where that is known")


class Blas(FromAttributes):
    """The library that multiplies matrices."""

    name: str = Field(description="its name", examples=["openblas"])
    version: str | None = Field(description="its version")
    kernel: str | None = Field(description="the kind of processor that it was tuned for")
    threading: str | None = Field(description="the kind of its threads")
    threads: int = Field(description="the number of its threads")


class Libraries(FromAttributes):
    """The versions of the programs that compute."""

    python: str = Field(description="the version of Python")
    numpy: str = Field(description="the version of NumPy")
    simd: str = Field(description="the instructions that NumPy uses")
    blas: Blas | None = Field(description="the library that multiplies matrices; null where it is not known")
    descent: str = Field(description="the version of this service")


class Receipt(FromAttributes):
    """All that must be the same for a training to produce the same bytes again; hashes are SHA-256, in hexadecimal."""

    dataset_sha256: str = Field(description="of the dataset's schema and arrays")
    seed: int = Field(description="the seed of all random choices")
    recipe: AnyRecipe = Field(description="with the path that was taken")
    start_sha256: str = Field(description="of the vector of parameters that it began from")
    parameters_sha256: str = Field(description="of the resulting vector of parameters")
    libraries: Libraries = Field(description="the programs that computed")
    cpu: str = Field(description="the model of the processor")


class Outcome(FromAttributes):
    """The outcome of training again."""

    identical: bool = Field(description="whether the parameters are the same, byte for byte")
    differs: list[str] = Field(
        description="what differs from the receipt: dataset, start, python, numpy, simd, blas, descent, cpu; "
        "parameters where nothing else differs",
        examples=[["cpu"]],
    )


class Verification(Outcome):
    """The same, and the job that trained again."""

    job: str = Field(description="the id of the job that trained again")


class Wish(FromAttributes):
    """Changes of a training that a client asked for."""

    rate: float | None = Field(description="null: it stays")
    frozen: list[str] | None = Field(description="the paths of layers that are to rest; null: as before")


class Job(BaseModel):
    """One training of one model on one dataset by one recipe."""

    id: str = Field(description="its id")
    model: str = Field(description="the id of the model that it trains")
    dataset: str = Field(description="the id of the dataset that it trains on")
    state: State = Field(description="the last three are ends")
    asked: Asked | None = Field(description="a request that the job has still to follow")
    pending: Wish | None = Field(description="changes that a client asked for and that have still to take hold")
    priority: int = Field(description="jobs with a larger one get a worker before others")
    max_seconds: float | None = Field(description="seconds of workers after which it stops")
    max_attempts: int = Field(description="losses of workers without a further checkpoint between them that fail it")
    ended_by: Literal["epochs", "early_stopping", "stop", "max_seconds"] | None = Field(
        description="the reason why a success ended"
    )
    progress: float = Field(description="0 to 1, of both trainings with `refit`; 1 of every job that has succeeded")
    epochs_done: int = Field(description="passes that are over")
    initial_loss: float | None = Field(description="of the parameters it began from, on the training part")
    final_loss: float | None = Field(
        description="of the version it added, on the training part, as an evaluation computes it (which knows nothing "
        "of class weights)"
    )
    best: Best | None = Field(description="the least loss so far")
    version: int | None = Field(description="the version it added; it may have been deleted since")
    serve: Serve = Field(description="the wish whether that version is served")
    path: PathName = Field(description="how gradients are computed")
    attempt: int = Field(description="workers that began or continued it")
    losses_of_worker: int = Field(description="in all")
    plan: Plan = Field(description="facts that were known before training")
    advice: list[Advice] = Field(description="what to consider, each with its remedy")
    error: JobError | None = Field(description="the reason of a failure")
    recipe: AnyRecipe = Field(description="everything that decides the result, with all defaults")
    receipt: Receipt | None = Field(
        description="all that another training needs to produce the same bytes; once it succeeded"
    )
    verifies: str | None = Field(description="the job that this one trains again; it adds no version and no reports")
    verification: Outcome | None = Field(description="the outcome of that training")
    sweep: str | None = Field(description="the sweep that it is a trial of; it adds no version unless it is the best")
    cross_validation: str | None = Field(description="the cross-validation that it is a fold of; it adds no version")
    labels: Labels
    owner: str = Field(description="whom it belongs to: the owner of the key that made it")
    created_at: datetime = Field(description="when it was asked for")
    started_at: datetime | None = Field(description="when a worker began")
    ended_at: datetime | None = Field(description="when it ended")
    estimated_finish_at: datetime | None = Field(description="while it runs: when it may end")


class EpochReport(BaseModel):
    """The report of one pass over the training part; epoch 0 is the untrained network."""

    epoch: int = Field(description="passes that are over")
    train_loss: float = Field(description="the loss of the training part")
    validation_loss: float | None = Field(description="the loss of the validation part; null where there is none")
    rate: float | None = Field(description="of the next step; null for a rule without one")
    gradient_norm: float | None = Field(description="of the gradient of the training loss, where it is known")
    seconds: float = Field(description="since the training began")


class LastParameters(BaseModel):
    """The last finite parameters of a job that added no version."""

    job: str = Field(description="the job's id")
    layers: LayerParameters = Field(description="the parameters, one object a layer")
