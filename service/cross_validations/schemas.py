"""Cross-validations on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.jobs.recipe_schemas import AnyJobOptions
from service.jobs.schemas import JobError
from service.jobs.states import State
from service.learning.rows.folds import MANY_ROWS
from service.wire import WHOLE, Advice, AnyValue, DescribedAs, Reference, Seed, Strict

MOST_FOLDS = 1000

Scores = Annotated[dict[str, Any], DescribedAs(dict[str, AnyValue])]


class NewCrossValidation(Strict):
    """One recipe, trained once a fold on all other rows, and judged on the rows of the fold."""

    model: Annotated[Reference, Field(description="the model, by its id or name; it gets no version")]
    dataset: Annotated[Reference, Field(description="the dataset, by its id or name; its test part stays out")]
    folds: Annotated[
        int,
        Field(
            strict=True,
            ge=2,
            le=MOST_FOLDS,
            description="trainings; as many as rows: leave one out",
        ),
        WHOLE,
    ] = 10
    recipe: Annotated[AnyJobOptions, Field(description="any field of a job beside its model, dataset and labels")] = {}  # noqa: RUF012 - pydantic copies it
    seed: Seed = 0

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"model": "straight", "dataset": "line", "folds": 3, "recipe": {"standardise": True}}]
        },
    )


class Fold(BaseModel):
    """A fold, and the scores of the network that was trained on all other rows."""

    fold: int = Field(description="its number, from 0")
    job: str = Field(description="the job that trains it; /api/jobs/{job}/parameters has its network")
    state: State = Field(description="of that job")
    rows: int | None = Field(description="rows of the fold; null before the training has ended")
    metrics: Scores | None = Field(
        description="loss and metrics on them, as those of an evaluation; null likewise. mae and max_error are "
        f"null where one pass over {MANY_ROWS:,} rows or more tells the rest"
    )


class CrossValidation(BaseModel):
    """The scores of a recipe on rows that its trainings have not seen."""

    id: str = Field(description="its id")
    state: Literal["running", "succeeded", "failed"] = Field(description="the last two are ends")
    model: str = Field(description="the id of the model that trainings begin from")
    dataset: str = Field(description="the id of the dataset")
    recipe: AnyJobOptions = Field(description="the recipe, as it was sent")
    seed: int = Field(description="by which rows were drawn")
    folds: list[Fold] = Field(description="all folds, by number")
    mean: Scores | None = Field(
        description="means of the numbers in `metrics` over all folds, null where one lacks it; null before the end"
    )
    deviation: Scores | None = Field(description="their standard deviations (n - 1)")
    advice: list[Advice] = Field(description="what to consider, each with its remedy")
    error: JobError | None = Field(description="the reason why a fold has failed")
    created_at: datetime = Field(description="when it was asked for")
    ended_at: datetime | None = Field(description="when the last fold ended")


class OutOfFold(BaseModel):
    """The prediction of a row by the network that has not seen it."""

    row: int = Field(description="its number in the uploaded data")
    fold: int = Field(description="the fold that it is in")
    outputs: list[float | None] = Field(description="raw; null where one is not finite")
    labels: Annotated[dict[str, Any], DescribedAs(dict[str, str | bool])] = Field(
        description="the likeliest class, by the name of the target; empty where no target is a class"
    )
