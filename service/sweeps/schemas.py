"""Sweeps on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from service.jobs.recipe_schemas import AnyJobOptions, JobOptions
from service.jobs.schemas import JobError
from service.jobs.states import State
from service.learning.training.recipe import Monitored
from service.sweeps.axes import ARCHITECTURE, Axis, Between, Listed
from service.sweeps.records import Method, SweepState
from service.wire import (
    NULL,
    WHOLE,
    Advice,
    AnyValue,
    DescribedAs,
    FromAttributes,
    Name,
    Number,
    Reference,
    Seed,
    Strict,
)

Varied = Annotated[dict[str, Any], DescribedAs(dict[str, AnyValue])]
MOST_TRIALS = 1000
MOST_PLACES = 20
"""Places of a recipe that one sweep may vary."""
PLACE = rf"^({'|'.join([ARCHITECTURE, *JobOptions.model_fields])})(\..+)?$"
"""The pattern of a place: a field of a recipe, and what leads on from there."""


_MOST = Field(min_length=1, max_length=MOST_TRIALS)
_LISTED = DescribedAs(Annotated[list[AnyValue], _MOST])


class Values(Strict):
    """Values that are named one by one."""

    values: Annotated[
        list[Any],
        _MOST,
        _LISTED,
        Field(description="of any kind that fits there"),
    ]

    def axis(self) -> Axis:
        return Listed(self.values)


def _check_ends(ends: list[float]) -> list[float]:
    if not ends[0] < ends[1]:
        raise ValueError("the first number must be below the second")
    return ends


class Log(Strict):
    """Numbers between two ends, whose logarithms are evenly spread."""

    log: Annotated[
        list[Annotated[Number, Field(gt=0)]],
        Field(min_length=2, max_length=2, description="the least and the greatest; above 0"),
    ]

    _ends = field_validator("log")(_check_ends)

    def axis(self) -> Axis:
        least, greatest = self.log
        return Between(least, greatest, "log")


class Range(Strict):
    """Numbers between two ends, evenly spread."""

    range: Annotated[list[Number], Field(min_length=2, max_length=2, description="the least and the greatest")]

    _ends = field_validator("range")(_check_ends)

    def axis(self) -> Axis:
        least, greatest = self.range
        return Between(least, greatest, "range")


Listing = Annotated[list[Any], _MOST, _LISTED]
Place = Values | Log | Range | Listing
FORMS: dict[str, type[Values | Log | Range]] = {"values": Values, "log": Log, "range": Range}


class NewSweep(Strict):
    """Many trainings of a model on a dataset, which differ in what `vary` names."""

    name: Annotated[Name | None, Field(description="unique; without one the id serves")] = None
    model: Annotated[
        Reference | None, Field(description="the model to train, by its id or name; none where `architecture` varies")
    ] = None
    dataset: Annotated[Reference, Field(description="the dataset to train on, by its id or name")]
    recipe: Annotated[
        AnyJobOptions,
        Field(
            description="all that trials share: any field of a job beside its model, dataset and labels. Trials that "
            "are ranked by the loss of validation rows keep the best epoch, unless `keep` says last"
        ),
    ] = {}  # noqa: RUF012 - pydantic copies it
    vary: Annotated[
        dict[str, Place],
        Field(
            min_length=1,
            max_length=MOST_PLACES,
            json_schema_extra={"propertyNames": {"pattern": PLACE}},
            description="places of the recipe, such as `optimiser.eta`, each with the values that it takes: a list, or "
            '`{"values": [...]}`; for `random` and `asha` also `{"log": [least, greatest]}` or `{"range": ...}`. '
            "`architecture` has a list of networks in Flux's notation",
        ),
    ]
    method: Annotated[
        Method,
        Field(
            description="`grid`: all combinations; `random`: so many drawn ones; `asha`: drawn ones, of which the best "
            "three tenths go on from epochs/16 and epochs/2"
        ),
    ] = "random"
    trials: Annotated[
        int, Field(strict=True, ge=1, le=MOST_TRIALS, description="trainings; of a grid, the most there may be"), WHOLE
    ] = 100
    monitor: Annotated[Monitored, Field(description="the loss by which trials are ranked")] = "validation_loss"
    seed: Seed = 0

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "rates",
                    "model": "straight",
                    "dataset": "line",
                    "vary": {"optimiser.eta": [0.001, 0.01, 0.1]},
                    "method": "grid",
                    "monitor": "train_loss",
                },
                {
                    "dataset": "line",
                    "recipe": {"optimiser": "Adam", "epochs": 81},
                    "vary": {
                        "architecture": ["Dense(1 => 1)", "Chain(Dense(1 => 8, tanh), Dense(8 => 1))"],
                        "optimiser.eta": {"log": [1e-4, 1e-1]},
                    },
                    "method": "asha",
                    "trials": 12,
                    "monitor": "train_loss",
                },
            ],
            "if": {"properties": {"vary": {"required": [ARCHITECTURE]}}},
            "then": {"properties": {"model": NULL}},
            "else": {"properties": {"model": {"type": "string"}}, "required": ["model"]},
        },
    )

    @field_validator("vary", mode="before")
    @classmethod
    def _one_form_a_place(cls, vary: Any) -> Any:
        """Read each place as the form that its key names: a union would answer one fault for each member."""
        if not isinstance(vary, dict):
            return vary
        return {place: _read_place(place, given) for place, given in vary.items()}

    @model_validator(mode="after")
    def _model_or_architecture(self) -> "NewSweep":
        if (self.model is None) != (ARCHITECTURE in self.vary):
            if self.model is None:
                raise ValueError('give the "model" to train, or networks in "vary": {"architecture": [...]}')
            raise ValueError('where "architecture" varies, each trial has a model of its own: leave "model" out')
        return self

    def axes(self) -> dict[str, Axis]:
        """Return what varies, by its place."""
        return {place: Listed(given) if isinstance(given, list) else given.axis() for place, given in self.vary.items()}


def _read_place(place: str, sent: Any) -> Any:
    if isinstance(sent, dict) and len(sent) == 1 and (form := FORMS.get(next(iter(sent)))):
        try:
            return TypeAdapter(form).validate_python(sent)
        except ValidationError as error:
            raise ValueError(f"{place}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    if isinstance(sent, list) and sent:
        return sent
    raise ValueError(
        f'{place}: give a list of values, {{"values": [...]}}, {{"log": [least, greatest]}} or '
        '{"range": [least, greatest]}'
    )


class SweepPlan(FromAttributes):
    """Sums over all trials, known before any is trained."""

    trials: int = Field(description="trainings")
    epochs: int = Field(description="passes in all; with `asha` about, as the best three tenths go on from each rung")
    seconds: float = Field(description="of one worker")
    bytes: int = Field(description="about the most that they add to the database, checkpoints of all trials included")


class BestTrial(BaseModel):
    """The best trial; before the end, the best so far."""

    job: str = Field(description="its job")
    model: str | None = Field(description="the model that has its result; null before the end where models vary")
    version: int | None = Field(description="the version that it became; null before the end")


class Ranked(BaseModel):
    """A trial in its place among the others, the best first."""

    job: str = Field(description="its job")
    varied: Varied = Field(description="the values that it has, by their places")
    loss: float | None = Field(description="the monitored loss so far; null where there is none that is finite")
    epochs_done: int = Field(description="passes that are over")
    state: State = Field(description="of its job; `paused` at a rung of `asha`, until it goes on or the sweep ends")


class SweepPlanOnly(BaseModel):
    """The answer to `validate_only`: the sweep could be created, and this is its plan."""

    plan: SweepPlan = Field(description="sums that are known before training")
    advice: list[Advice] = Field(description="what to consider before training")
    varied: list[Varied] = Field(description="the values of each trial")


class Sweep(BaseModel):
    """Many trainings as one object, ranked."""

    id: str = Field(description="its id")
    name: str = Field(description="its unique name")
    state: SweepState = Field(description="the last two are ends")
    asked: Literal["stop"] | None = Field(description="a request that it has still to follow")
    model: str | None = Field(description="the id of the model; where the architecture varies, of the best, at the end")
    dataset: str = Field(description="the id of the dataset")
    recipe: AnyJobOptions = Field(description="all that trials share, as it was sent")
    vary: Varied = Field(description="what differs, as it was sent")
    method: Method = Field(description="how trials are chosen")
    monitor: Monitored = Field(description="the loss by which they are ranked")
    seed: int = Field(description="of the draws")
    trials: int = Field(description="trainings in all")
    done: int = Field(description="trainings that have ended, or rest while better ones go on")
    best: BestTrial | None = Field(description="null while no trial has a loss")
    ranked: list[Ranked] = Field(description="all trials, the least loss first")
    plan: SweepPlan = Field(description="sums that were known before training")
    advice: list[Advice] = Field(description="what to consider, each with its remedy")
    error: JobError | None = Field(description="the reason of a failure")
    created_at: datetime = Field(description="when it was asked for")
    ended_at: datetime | None = Field(description="when it ended")
