"""Predictions and evaluations on the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from service.jobs.schemas import EpochReport, Receipt
from service.vocabulary.schemas import LossShape
from service.wire import EpochNumber, PartName, Reference, Strict, VersionNumber

Numbers = Annotated[
    Any, WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"type": "number"}}, "minItems": 1})
]
_VALUE = {"type": ["number", "boolean", "string", "null"]}
Objects = Annotated[
    Any,
    WithJsonSchema({"type": "array", "items": {"type": "object", "additionalProperties": _VALUE}, "minItems": 1}),
]
INPUTS = "rows of numbers, as many as the network takes: a category is one number for each that there is"
ROWS = "rows by the names of the columns that the version was trained on"


class NewPrediction(Strict):
    """Rows to compute: given as numbers, by the names of columns, or as a part of a dataset."""

    inputs: Annotated[Numbers, Field(description=INPUTS)] = None
    rows: Annotated[Objects, Field(description=ROWS)] = None
    dataset: Reference = ""
    part: PartName = "test"

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"inputs": [[6], [7]]}, {"rows": [{"x": 6}, {"x": 7}]}, {"dataset": "line", "part": "test"}]
        },
    )

    @model_validator(mode="after")
    def _one_source(self) -> "NewPrediction":
        given = self.model_fields_set
        if len(given & {"inputs", "rows", "dataset"}) != 1 or ("part" in given and "dataset" not in given):
            raise ValueError('say what to compute in one way: "inputs", "rows", or "dataset" with its "part"')
        return self


Labels = list[str] | list[bool]
Probabilities = list[list[float]] | None


class Outside(BaseModel):
    """A value outside of the range that the version was trained on."""

    row: int
    column: str
    value: float
    min: float
    max: float


class Prediction(BaseModel):
    """Raw outputs, and for targets that are classes what they mean: as it is of one target, by name of several."""

    model: str
    version: int
    epoch: int | None = Field(default=None, description="that was asked for; else it is left out, as all that follows")
    outputs: list[list[float]] = Field(description="one row of raw outputs for each row of inputs")
    labels: Labels | dict[str, Labels] = Field(
        default=[], description="of class targets: the likeliest class of each row"
    )
    probabilities: Probabilities | dict[str, Probabilities] = Field(
        default=None, description="of class targets, rows × classes; null where the loss makes none of the outputs"
    )
    classes: Labels | dict[str, Labels] = Field(default=[], description="the names, in the order of probabilities")
    extrapolation: list[Outside] = Field(
        default=[], description="the first hundred values outside of what was seen in training, if the version knows it"
    )
    extrapolation_count: int = Field(default=0, description="how many such values there are")


class Frame(BaseModel):
    """A table in pandas' orientation "split"."""

    columns: list[str] | None = None
    data: list[list[Any]]


class Invocation(BaseModel):
    """Rows as MLflow's and KServe's clients send them: one of these fields, and others that mean nothing here."""

    instances: list[Any] | None = Field(default=None, description="rows, as lists or by the names of columns")
    inputs: list[Any] | dict[str, Any] | None = Field(default=None, description="rows, or a list for each column")
    dataframe_split: Frame | None = None
    dataframe_records: list[dict[str, Any]] | None = Field(default=None, description="rows by the names of columns")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"instances": [[6], [7]]},
                {"inputs": {"x": [6, 7]}},
                {"dataframe_split": {"columns": ["x"], "data": [[6], [7]]}},
                {"dataframe_records": [{"x": 6}, {"x": 7}]},
            ]
        }
    )


class Invoked(BaseModel):
    """What scikit-learn's `predict` would give."""

    predictions: list[Any] = Field(description="a label or a number a row; of several targets or outputs, a list a row")


class NewEvaluation(Strict):
    """A check of a version on a part of a dataset."""

    dataset: Reference
    part: PartName = "test"
    version: Annotated[VersionNumber | None, Field(strict=True, description="null: the latest")] = None
    epoch: Annotated[
        EpochNumber | None, Field(strict=True, description="what the version's job had kept at the end of this epoch")
    ] = None
    loss: Annotated[LossShape | None, Field(description="null: what it was trained by; mse where it was not")] = None
    residuals: Annotated[
        int, Field(strict=True, ge=0, le=1000, description="so many of the rows that are farthest off")
    ] = 0

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dataset": "line", "part": "test"}]})


class Residual(BaseModel):
    """A row, and how far off its outputs are."""

    row: int = Field(description="its number in the data as it came")
    outputs: list[float | None] = Field(description="raw; null where they overflow")
    targets: list[Any] = Field(description="numbers, and the labels of classes")
    residual: float | None = Field(
        description="the largest of its targets: the distance from a number, or 1 less the score of the true class"
    )


class Evaluation(BaseModel):
    """How well a version does on a part of a dataset."""

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
    """How a version was trained."""

    version: int
    job: str
    dataset: str
    initial_loss: float | None
    final_loss: float | None
    epochs: int
    recipe: dict[str, Any]
    curve: list[EpochReport] = Field(description="thinned, peaks kept")
    receipt: Receipt | None = Field(description="what another training needs to give the same bytes")


class Metrics(BaseModel):
    """How a model was trained, and how good it was found to be."""

    model: str
    trainings: list[Trained] = Field(description="newest version first")
    next_trainings: str | None = Field(description="goes into `?after_training=`; null at the end")
    evaluations: list[Evaluation] = Field(description="newest first")
    next_evaluations: str | None = Field(description="goes into `?after_evaluation=`; null at the end")
