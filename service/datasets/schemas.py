"""Datasets on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from service.datasets.columns import LONGEST_NAME, MOST_COLUMNS, DateOrder, Kind, WantedKind
from service.datasets.statistics_schemas import Statistics
from service.http.long_json.lists import LongList
from service.http.query import Labels
from service.pointers import WITHOUT_CONTROLS
from service.wire import PLAIN, WHOLE, Advice, Dtype, Name, Number, PartName, Seed, Shared, Strict

ColumnName = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_NAME, pattern=WITHOUT_CONTROLS)
]
NewNames = Annotated[dict[ColumnName, ColumnName], Field(max_length=MOST_COLUMNS)]
"""The names that a version has for columns of a dataset, by their own."""
Count = Annotated[int, Field(strict=True, ge=0), WHOLE]


class Fraction(Strict):
    """A share of all rows, drawn by the seed."""

    fraction: Annotated[Number, Field(ge=0, lt=1, description="the share of all rows")]


class First(Strict):
    """The first rows of the data."""

    first: Annotated[Count, Field(description="the number of rows")]


class Last(Strict):
    """The last rows of the data."""

    last: Annotated[Count, Field(description="the number of rows")]


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
        custom_error_message='choose the rows in one way: {"fraction": 0.2}, {"first": 10} or {"last": 10}',
    ),
]
_NONE = First(first=0)


class Split(Strict):
    """The rows that are kept from training. Without it, all rows train."""

    validation: Annotated[PartSpec, Field(description="rows that judge while a job trains; none by default")] = _NONE
    test: Annotated[PartSpec, Field(description="rows that judge what has been trained; none by default")] = _NONE
    calibration: Annotated[
        PartSpec, Field(description="rows that tell how sure predictions are, and decide nothing else; none by default")
    ] = _NONE
    seed: Seed = 0
    stratify: Annotated[bool, Field(strict=True, description="draw each fraction from every target class")] = False

    @property
    def kept(self) -> dict[PartName, PartSpec]:
        """The rows of each part in the order of the draws, which decides what a seed draws: new parts come last."""
        return {"test": self.test, "validation": self.validation, "calibration": self.calibration}


class PartOfColumn(Strict):
    """The column with the part of each row: train, validation, test or calibration. It is neither feature nor
    target.
    """

    column: Annotated[ColumnName, Field(description="the name of the column")]


def _kind_of_split(value: Any) -> str:
    by_column = isinstance(value, PartOfColumn) or (isinstance(value, dict) and "column" in value)
    return "by column" if by_column else "by parts"


AnySplit = Annotated[
    Annotated[Split, Tag("by parts")] | Annotated[PartOfColumn, Tag("by column")], Discriminator(_kind_of_split)
]


class MissingByKind(Strict):
    """Ways for numeric columns, for categorical and boolean ones, and for targets; without one they are refused."""

    numeric: Literal["mean", "drop"] | None = Field(None, description="the mean of the training part; or no such rows")
    categorical: Literal["mode", "category", "drop"] | None = Field(
        None, description="the most frequent class of the training part; a category of its own; or no such rows"
    )
    targets: Literal["drop"] | None = Field(None, description="no such rows: no target is made up")


Missing = Annotated[
    Annotated[Literal["mean", "drop"], Tag("for all")] | Annotated[MissingByKind, Tag("by kind")],
    Discriminator(lambda value: "by kind" if isinstance(value, dict | MissingByKind) else "for all"),
]
MISSING = (
    "what is done about missing values: `mean` puts in the mean of the training part, or its most frequent class, and "
    "leaves out rows without a target; `drop` leaves out all such rows. Without it they are refused"
)


def plain_missing(missing: "Missing | None") -> str | dict[str, str] | None:
    """Return a dataset's `missing` as JSON has it."""
    return missing.model_dump(exclude_none=True) if isinstance(missing, MissingByKind) else missing


def _is_a_list(values: Any) -> Any:
    if not isinstance(values, list | LongList):
        raise PydanticCustomError("list_type", "this is not a list")
    return values


Values = Annotated[
    Any,
    AfterValidator(_is_a_list),
    WithJsonSchema({"type": "array", "items": {"type": ["number", "boolean", "string", "null"]}}),
]


class NewDataset(Strict):
    """Named columns of one length, some of them targets. Each holds numbers, true and false, or texts."""

    name: Annotated[Name | None, Field(description="unique; without one the id serves")] = None
    columns: Annotated[
        dict[ColumnName, Values],
        Field(
            min_length=1,
            max_length=MOST_COLUMNS,
            description="texts are categories, at most 256 different ones a column, and 16,384 of an input whose kind "
            "in `types` is categorical; null is a missing value",
        ),
    ]
    targets: Annotated[
        list[ColumnName],
        PLAIN,
        Field(min_length=1, max_length=MOST_COLUMNS, description="the columns to learn; all others are inputs"),
    ]
    types: dict[ColumnName, WantedKind] = Field(
        {},
        max_length=MOST_COLUMNS,
        description="kinds of columns, where they are not those of the values; texts that are dates become numbers, "
        "days since 1970-01-01 UTC",
    )
    missing: Annotated[Missing | None, Field(description=MISSING)] = None
    split: Annotated[AnySplit, Field(description="the parts that do not train; without it all rows train")] = Split()
    dtype: Dtype = "float32"
    labels: Labels = Field(default_factory=dict)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "line",
                    "columns": {"x": [*range(11)], "y": [4 * x + 2 for x in range(11)]},
                    "targets": ["y"],
                    "split": {"test": {"last": 5}},
                }
            ]
        },
    )


class DatasetChange(Strict):
    """Changes of a dataset; what is left out stays as it is."""

    labels: Labels = Field(default_factory=dict)
    shared: Shared = False

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"labels": {"team": "blue"}}, {"shared": True}], "minProperties": 1},
    )

    @model_validator(mode="after")
    def _changes_something(self) -> "DatasetChange":
        if not self.model_fields_set:
            raise ValueError('give "labels" or "shared"')
        return self


class PreviewedDataset(NewDataset):
    """A dataset to look at: its targets may be chosen later."""

    targets: Annotated[list[ColumnName], PLAIN] = Field([], max_length=MOST_COLUMNS, description="the columns to learn")


_DATES = "left out but for dates, now days since 1970-01-01: how such as 1/2/2020 were read, and are in rows"
ReadDates = Annotated[DateOrder | None, Field(description=_DATES, exclude_if=lambda order: order is None)]


class Column(BaseModel):
    """A column of a dataset."""

    name: str = Field(description="its name")
    kind: Kind = Field(description="the kind of its values")
    width: int = Field(description="inputs or outputs of a network that this column takes")
    categories: list[str] | None = Field(description="of a categorical column, in the order of its inputs or outputs")
    dates: ReadDates = None


class Parts(BaseModel):
    """Rows of each part."""

    train: int = Field(description="rows that train")
    validation: int = Field(description="rows that judge while a job trains")
    test: int = Field(description="rows that judge what has been trained")
    calibration: int = Field(
        default=0,
        description="rows that tell how sure predictions are; left out where there are none",
        exclude_if=lambda rows: rows == 0,
    )


State = Literal["loading", "ready"]


class Dataset(BaseModel):
    """An immutable, named table of typed columns, split into parts."""

    id: str = Field(description="its id")
    name: str = Field(description="its name, by default the id")
    state: State = Field(description="a dataset that is loading cannot be used yet")
    progress: float | None = Field(description="while it is loading: the share that has arrived, where known")
    rows: int = Field(description="rows of all parts")
    features: list[Column] = Field(description="the columns that are inputs, in order")
    targets: list[Column] = Field(description="the columns to learn, in order")
    inputs: int = Field(description="the width that a network's first layer must take")
    outputs: int = Field(description="the width that a network's last layer must have")
    parts: Parts = Field(description="rows of each part")
    dtype: Dtype
    missing: Missing | None = Field(description="the treatment of missing values; null: they were refused")
    ignored: list[str] = Field(description="columns of the body that are left out, as asked or as of no use")
    advice: list[Advice] = Field(description="advice on how the body was read, each with its remedy")
    sha256: str | None = Field(
        description="of the schema and the stored arrays: equal data, equal hash; null while it is loading"
    )
    labels: Labels
    owner: str = Field(description="whom it belongs to: the owner of the key that made it")
    shared: bool = Field(description="whether other owners may read and use it, by its id")
    created_at: datetime = Field(description="when it was sent")


class Row(BaseModel):
    """A row of a dataset."""

    row: int = Field(description="the row's number in the uploaded data, from 0")
    part: PartName
    values: dict[str, bool | float | str] = Field(description="the values, by the names of columns")


class PreviewFault(BaseModel):
    """A reason for which the dataset would be refused."""

    pointer: str = Field(description="JSON pointer into the data, or the name of a parameter")
    detail: str = Field(description="the fault, in words, with its remedy where there is one")


class Preview(BaseModel):
    """The answer to `validate_only`: what the first megabyte of the data would become."""

    features: list[Column] = Field(description="the columns that a network takes")
    targets: list[Column] = Field(description="those of the named targets that are there")
    inputs: int = Field(description="the width that a network's first layer must take")
    outputs: int = Field(description="the width that a network's last layer must have")
    parts: Parts | None = Field(description="null where the whole body would be needed, or parts are impossible")
    first: list[dict[str, bool | float | str | None]] = Field(
        description="the first ten rows by the names of the columns; null where a value is missing or at fault"
    )
    rows_read: int = Field(description="the rows that were looked at")
    complete: bool = Field(description="whether these are all rows of the body")
    statistics: Statistics = Field(description="of the rows read; where the parts are not known, all of them train")
    sampled: bool = Field(description="whether the statistics are of the first rows, and not of all")
    advice: list[Advice] = Field(description="advice on how the body was read, each with its remedy")
    faults: list[PreviewFault] = Field(
        description="all reasons for which the dataset would be refused, the first ten of a kind, at most 20"
    )
