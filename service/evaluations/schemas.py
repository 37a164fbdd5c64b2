"""Shapes of evaluations on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from service.jobs.schemas import EpochReport, Receipt
from service.vocabulary.schemas import LossShape
from service.wire import EpochNumber, PartName, Reference, Strict, VersionNumber


class NewEvaluation(Strict):
    """An evaluation of a version on a part of a dataset."""

    dataset: Reference
    part: PartName = "test"
    version: Annotated[VersionNumber | None, Field(strict=True, description="null: the served one")] = None
    epoch: Annotated[
        EpochNumber | None,
        Field(strict=True, description="the parameters that the version's job had kept at the end of this epoch"),
    ] = None
    loss: Annotated[LossShape | None, Field(description="null: that of its training; mse where there was none")] = None
    residuals: Annotated[
        int, Field(strict=True, ge=0, le=1000, description="number of the rows that are farthest off to list")
    ] = 0

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dataset": "line", "part": "test"}]})


class Residual(BaseModel):
    """A row, and the error of its outputs."""

    row: int = Field(description="its number in the uploaded data")
    outputs: list[float | None] = Field(description="raw; null where they overflow")
    targets: list[Any] = Field(description="numbers, and the labels of classes")
    residual: float | None = Field(
        description="the largest of its targets: the distance from a number, or 1 less the score of the true class"
    )


class Evaluation(BaseModel):
    """The loss and metrics of a version on a part of a dataset."""

    id: str
    model: str
    version: int
    epoch: int | None = Field(description="of the parameters that the version's job had kept; null: the version's own")
    dataset: str
    part: PartName
    loss: float | None = Field(description="null where it overflows; it counts weights, and metrics do not")
    metrics: dict[str, Any] = Field(
        description="of numbers: mse, rmse, mae, r2, max_error, explained_variance; of classes: accuracy, log_loss, "
        "roc_auc, macro averages, per_class and confusion_matrix (rows are true classes); where there are several "
        "targets and one of them is a class, an object of these for each target, under its name"
    )
    residuals: list[Residual] | None = Field(description="the rows that are farthest off, worst first")
    rows: int
    created_at: datetime


class Trained(BaseModel):
    """The training of a version."""

    version: int
    job: str
    dataset: str
    initial_loss: float | None
    final_loss: float | None
    epochs: int
    recipe: dict[str, Any]
    curve: list[EpochReport] = Field(description="thinned, peaks kept")
    receipt: Receipt | None = Field(description="all that another training needs to produce the same bytes")


class Metrics(BaseModel):
    """The trainings and evaluations of a model."""

    model: str
    trainings: list[Trained] = Field(description="newest version first")
    next_trainings: str | None = Field(description="goes into `?after_training=`; null at the end")
    evaluations: list[Evaluation] = Field(description="newest first")
    next_evaluations: str | None = Field(description="goes into `?after_evaluation=`; null at the end")
