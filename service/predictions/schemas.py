"""Predictions and evaluations on the wire."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from service.wire import NULL, Advice, DescribedAs, PartName, Reference, Strict

Numbers = Annotated[
    Any, WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"type": "number"}}, "minItems": 1})
]
_VALUE = {"type": ["number", "boolean", "string", "null"]}
Objects = Annotated[
    Any,
    WithJsonSchema({"type": "array", "items": {"type": "object", "additionalProperties": _VALUE}, "minItems": 1}),
]
INPUTS = "rows of numbers, as many as the network takes: a categorical column is one number for each category"
ROWS = "rows by the names of the columns that the version was trained on"


def _without_default(schema: dict[str, Any]) -> None:
    """Drop a default that holds beside another member only: makers of clients would send it with all bodies."""
    del schema["default"]


Level = Annotated[float, Field(strict=True, gt=0, lt=1)]


class NewPrediction(Strict):
    """Rows to compute: given as numbers, by the names of columns, or as a part of a dataset."""

    inputs: Annotated[Numbers, Field(description=INPUTS)] = None
    rows: Annotated[Objects, Field(description=ROWS)] = None
    dataset: Annotated[Reference, Field(description="a dataset with the rows, by its id or name")] = ""
    part: PartName = Field(
        "test", description="the part of the dataset; `test` where it is left out", json_schema_extra=_without_default
    )

    interval: Level = Field(
        0,
        description="for numbers: the chance with which the true value is to lie between `lower` and `upper`",
        json_schema_extra=_without_default,
    )
    sets: Level = Field(
        0,
        description="for classes: the chance with which the true one is to be in the set of a row",
        json_schema_extra=_without_default,
    )

    method: Literal["split_conformal", "leave_one_out", "jackknife_plus"] = Field(
        "split_conformal",
        description="the way to an `interval`; where it is left out, `split_conformal` where the version has rows of "
        "calibration, else `leave_one_out` where it is a least-squares fit. `jackknife_plus` takes at most 2,000 "
        "training rows of such a fit",
        json_schema_extra=_without_default,
    )
    explain: Annotated[
        bool, Field(strict=True, description="whether to tell what each column adds to each output, in JSON alone")
    ] = False

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "minProperties": 1,
            "examples": [{"inputs": [[6], [7]]}, {"rows": [{"x": 6}, {"x": 7}]}, {"dataset": "line", "part": "test"}],
        },
    )

    @model_validator(mode="after")
    def _one_source(self) -> "NewPrediction":
        given = self.model_fields_set
        if len(given & {"inputs", "rows", "dataset"}) != 1 or ("part" in given and "dataset" not in given):
            raise ValueError('choose the rows in one way: "inputs", "rows", or "dataset" with its "part"')
        if "method" in given and "interval" not in given:
            raise ValueError('"method" is about an "interval": ask for one')
        return self


Labels = list[str] | list[bool]
Probabilities = list[list[float]] | None


class Outside(BaseModel):
    """A value outside of the range that the version was trained on."""

    row: int = Field(description="the number of the row, from 0")
    column: str = Field(description="the name of the column")
    value: float = Field(description="the value")
    min: float = Field(description="the least value in training")
    max: float = Field(description="the largest value in training")


class Intervals(BaseModel):
    """An interval around each output that is a number."""

    level: float = Field(description="the chance with which the true value lies in it, as it was asked for")
    method: str = Field(
        description="split_conformal: as wide as the errors on the calibration or validation part of its training; "
        "leave_one_out: as those on its training rows, each left out in turn; jackknife_plus: from each of these fits"
    )
    lower: list[list[float | None]] = Field(description="its least value; null for outputs of classes")
    upper: list[list[float | None]] = Field(description="its greatest value")


Sets = list[list[str]] | list[list[bool]]


class LabelSets(BaseModel):
    """A set of classes for each row, never empty."""

    level: float = Field(description="the chance with which the true class is in it, as it was asked for")
    sets: Sets | dict[str, Sets] = Field(description="of the one class target, or of several by their names")
    temperature: float | dict[str, float] = Field(
        default=1.0,
        description="the divisor of logits, where the validation part told one and the calibration part the sets; else "
        "it is left out, as all that follows",
    )
    probabilities: Probabilities | dict[str, Probabilities] = Field(
        default=None, description="those at this temperature, of which the sets are made"
    )


class Contributions(BaseModel):
    """The contribution of each column to each output, by integrated gradients: with `baseline` they add up to the
    output, or to the logit of a class whose probability the network computes itself.
    """

    baseline: list[float] = Field(description="the outputs at the means, and frequencies, of the training part")
    columns: list[str] = Field(description="the names of the columns, in the order of the innermost lists")
    values: list[list[list[float]]] = Field(description="rows × outputs × columns")


class Prediction(BaseModel):
    """Raw outputs, and for class targets labels and probabilities: plain for one target, by name for several."""

    model: str = Field(description="the model's id")
    version: int = Field(description="the version that computed")
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
        default=[], description="the first hundred values outside the range seen in training, if the version knows it"
    )
    extrapolation_count: int = Field(default=0, description="how many such values there are")
    intervals: Intervals | None = Field(default=None, description="where `interval` asks for them")
    label_sets: LabelSets | None = Field(default=None, description="where `sets` asks for them")
    contributions: Contributions | None = Field(default=None, description="where `explain` asks for them")
    advice: list[Advice] = Field(
        default=[], description="`calibration_reused` where the training chose by the rows that levels are from"
    )


Value = float | bool | str | None
"""A value of a row, as JSON has it."""
Rows = Annotated[list[Value | list[Value] | dict[str, Value]], Field(min_length=1)]
Records = Annotated[list[dict[str, Value]], Field(min_length=1)]


class Frame(BaseModel):
    """A table in pandas' orientation "split"."""

    columns: list[str] | None = Field(default=None, description="the names of the columns")
    data: Annotated[list[list[Any]], DescribedAs(Annotated[list[list[Value]], Field(min_length=1)])] = Field(
        description="the rows"
    )


ROWS_AS = ("instances", "inputs", "dataframe_split", "dataframe_records")


class Invocation(BaseModel):
    """Rows as MLflow's and KServe's clients send them: one of these fields, and others that mean nothing here."""

    instances: Annotated[list[Any] | None, DescribedAs(Rows | None)] = Field(
        default=None, description="rows, as lists or by the names of columns"
    )
    inputs: Annotated[list[Any] | dict[str, Any] | None, DescribedAs(Rows | dict[str, list[Value]] | None)] = Field(
        default=None, description="rows, or a list for each column"
    )
    dataframe_split: Frame | None = Field(default=None, description='a table in pandas\' orientation "split"')
    dataframe_records: Annotated[list[dict[str, Any]] | None, DescribedAs(Records | None)] = Field(
        default=None, description="rows by the names of columns"
    )

    model_config = ConfigDict(
        json_schema_extra={
            "not": {"properties": dict.fromkeys(ROWS_AS, NULL)},
            "examples": [
                {"instances": [[6], [7]]},
                {"inputs": {"x": [6, 7]}},
                {"dataframe_split": {"columns": ["x"], "data": [[6], [7]]}},
                {"dataframe_records": [{"x": 6}, {"x": 7}]},
            ],
        }
    )


class ModelReadiness(BaseModel):
    """Whether a model answers, in the words of KServe's V1 protocol."""

    name: str = Field(description="as it was asked for")
    ready: bool = Field(description="whether it answers")


class Invoked(BaseModel):
    """Predictions in the form of scikit-learn's `predict`."""

    predictions: Annotated[list[Any], DescribedAs(list[Value | list[Value]])] = Field(
        description="a label or a number a row; for several targets or outputs, a list a row"
    )
