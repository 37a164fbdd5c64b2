"""Datasets on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, WithJsonSchema

from service.errors import invalid
from service.wire import Dtype, Name, Number, PartName, Seed, Strict

ColumnName = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Count = Annotated[int, Field(strict=True, ge=0)]


class Fraction(Strict):
    """A share of all rows, drawn by the seed."""

    fraction: Annotated[Number, Field(ge=0, lt=1)]


class First(Strict):
    """The first rows of the data."""

    first: Count


class Last(Strict):
    """The last rows of the data."""

    last: Count


def _kind_of_part(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return next(iter(type(value).model_fields))
    known = {"fraction", "first", "last"} & set(value) if isinstance(value, dict) else set()
    return known.pop() if len(known) == 1 else None


PartSpec = Annotated[
    Annotated[Fraction, Tag("fraction")] | Annotated[First, Tag("first")] | Annotated[Last, Tag("last")],
    Discriminator(
        _kind_of_part,
        custom_error_type="part",
        custom_error_message='say which rows, in one way: {"fraction": 0.2}, {"first": 10} or {"last": 10}',
    ),
]


class Split(Strict):
    """What is kept from training. Nothing said: all rows train."""

    validation: PartSpec = First(first=0)
    test: PartSpec = First(first=0)
    seed: Seed = 0


MOST_COLUMNS = 4096

NumberList = Annotated[list[Any], WithJsonSchema({"type": "array", "items": {"type": "number"}})]


class NewDataset(Strict):
    """Named columns of numbers, all of one length, some of them targets."""

    name: Name | None = None
    columns: Annotated[dict[ColumnName, NumberList], Field(min_length=1, max_length=MOST_COLUMNS)]
    targets: Annotated[list[ColumnName], Field(min_length=1, description="the columns to learn; all others are inputs")]
    split: Split = Split()
    dtype: Dtype = "float32"

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "line",
                    "columns": {
                        "x": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
                        "y": [2, 6, 10, 14, 18, 22, 26, 30, 34, 38, 42],
                    },
                    "targets": ["y"],
                    "split": {"test": {"last": 5}},
                }
            ]
        },
    )


Share = Annotated[float | None, Field(ge=0, lt=1, description="share of all rows, drawn by the seed")]
RowCount = Annotated[int | None, Field(ge=0)]


class CsvOptions(Strict):
    """What a CSV body, which holds rows alone, takes as query parameters."""

    name: Name | None = None
    targets: Annotated[
        list[str], Field(description="a column to learn; repeat for several", default_factory=list, examples=[["y"]])
    ]
    validation_fraction: Share = None
    validation_first: RowCount = None
    validation_last: RowCount = None
    test_fraction: Share = None
    test_first: RowCount = None
    test_last: RowCount = None
    seed: Annotated[int, Field(ge=0, le=2**53 - 1, description="of the fractions")] = 0
    dtype: Dtype = "float32"

    def split(self) -> Split:
        """The parts that these parameters describe.

        Raises:
            Invalid: one part is described in two ways.
        """
        parts: dict[str, Any] = {"seed": self.seed}
        for part in ("validation", "test"):
            given = {kind: getattr(self, f"{part}_{kind}") for kind in ("fraction", "first", "last")}
            chosen = {kind: value for kind, value in given.items() if value is not None}
            if len(chosen) > 1:
                names = [f"{part}_{kind}" for kind in chosen]
                raise invalid(f"query/{names[1]}", f"Say which rows in one way: {' or '.join(names)}.")
            if chosen:
                parts[part] = chosen
        return Split.model_validate(parts)


class Column(BaseModel):
    name: str
    kind: Literal["numeric"]
    width: int = Field(description="inputs or outputs of a network that this column takes")
    categories: list[str] | None = None


class Parts(BaseModel):
    """Rows of each part."""

    train: int
    validation: int
    test: int


class Dataset(BaseModel):
    """An immutable, named table of typed columns, split into parts."""

    id: str
    name: str
    state: Literal["ready"] = "ready"
    rows: int
    features: list[Column]
    targets: list[Column]
    inputs: int = Field(description="the width that a network's first layer must take")
    outputs: int = Field(description="the width that a network's last layer must give")
    parts: Parts
    dtype: Dtype
    sha256: str = Field(description="of the schema and the stored arrays: equal data, equal hash")
    created_at: datetime


class Row(BaseModel):
    row: int = Field(description="the row's number in the data as it came, from 0")
    part: PartName
    values: dict[str, float]


class Histogram(BaseModel):
    edges: list[float]
    counts: list[int]


class ColumnStatistics(BaseModel):
    count: int
    missing: int
    mean: float | None
    std: float | None = Field(description="divided by n − 1")
    min: float | None
    max: float | None
    quantiles: dict[str, float | None]
    histogram: Histogram | None
    categories: dict[str, int] | None = None


class ColumnSummary(BaseModel):
    name: str
    kind: Literal["numeric"]
    parts: dict[PartName, ColumnStatistics]


class Statistics(BaseModel):
    columns: list[ColumnSummary]
