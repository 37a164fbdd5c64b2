"""Statistics of columns on the wire."""

from pydantic import BaseModel, Field

from service.datasets.columns import Kind
from service.wire import PartName


class Histogram(BaseModel):
    """Counts of the values between one edge and the next."""

    edges: list[float] = Field(description="one more than there are counts, in order")
    counts: list[int] = Field(description="values from one edge to the next")


class ColumnStatistics(BaseModel):
    """Statistics of the values that are there, before missing ones are replaced."""

    count: int = Field(description="values that are there")
    missing: int = Field(description="values that are missing")
    mean: float | None = Field(description="of a boolean column: the share of true")
    std: float | None = Field(description="divided by n − 1")
    min: float | None = Field(description="the least value; null where there are no numbers")
    max: float | None = Field(description="the largest value; null where there are no numbers")
    quantiles: dict[str, float | None] = Field(
        description="of a numeric column; in parts of more than 1,048,576 rows those of 1,048,576, evenly spread"
    )
    histogram: Histogram | None = Field(description="of a numeric column")
    categories: dict[str, int] | None = Field(description="how often each occurs, in a boolean or categorical column")


class ColumnSummary(BaseModel):
    """The statistics of a column."""

    name: str = Field(description="its name")
    kind: Kind = Field(description="the kind of its values")
    parts: dict[PartName, ColumnStatistics] = Field(description="statistics by the name of a part")


class Statistics(BaseModel):
    """The statistics of a dataset."""

    columns: list[ColumnSummary] = Field(description="one of each column, in order")
