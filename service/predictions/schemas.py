"""Predictions and evaluations on the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from service.vocabulary.schemas import LossShape
from service.wire import PartName, Reference, Strict, VersionNumber

Rows = Annotated[
    Any, WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"type": "number"}}, "minItems": 1})
]


class NewPrediction(Strict):
    """Rows to compute: given as numbers, or a part of a dataset."""

    inputs: Rows = None
    dataset: Reference = ""
    part: PartName = "test"

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"inputs": [[6], [7]]}, {"dataset": "line", "part": "test"}]}
    )

    @model_validator(mode="after")
    def _one_source(self) -> "NewPrediction":
        given = self.model_fields_set
        if ("inputs" in given) == ("dataset" in given) or ("part" in given and "dataset" not in given):
            raise ValueError('say what to compute in one way: "inputs", or "dataset" with its "part"')
        return self


class Prediction(BaseModel):
    model: str
    version: int
    outputs: list[list[float]] = Field(description="one row of raw outputs for each row of inputs")


class NewEvaluation(Strict):
    """A check of a version on a part of a dataset."""

    dataset: Reference
    part: PartName = "test"
    version: Annotated[VersionNumber | None, Field(strict=True, description="null: the latest")] = None
    loss: Annotated[LossShape | None, Field(description="null: that of the version's job; mse without one")] = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dataset": "line", "part": "test"}]})


class Evaluation(BaseModel):
    """How well a version does on a part of a dataset."""

    id: str
    model: str
    version: int
    dataset: str
    part: PartName
    loss: float | None
    metrics: dict[str, float | None]
    rows: int
    created_at: datetime


class Curve(BaseModel):
    """How a version was trained."""

    version: int
    job: str
    initial_loss: float | None
    final_loss: float | None
    epochs: int
    recipe: dict[str, Any]


class Metrics(BaseModel):
    """How a model was trained, and every evaluation of it, newest first."""

    model: str
    trainings: list[Curve]
    evaluations: list[Evaluation]
