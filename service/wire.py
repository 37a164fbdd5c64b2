"""Shapes that several nouns share on the wire."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.database.columns import looks_like_an_id


class Strict(BaseModel):
    """A request's object: unknown fields are an error."""

    model_config = ConfigDict(extra="forbid")


def _check_name(name: str) -> str:
    if name == "stats":
        raise ValueError("'stats' is a word of the inference protocol's paths: choose another name")
    if looks_like_an_id(name):
        raise ValueError("this looks like an id: choose another name")
    return name


Name = Annotated[
    str,
    Field(
        strict=True,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="unique; without one the id serves",
    ),
    AfterValidator(_check_name),
]
Reference = Annotated[str, Field(strict=True, min_length=1, max_length=100, description="an id or a name")]
Dtype = Literal["float32", "float64"]
PartName = Literal["train", "validation", "test"]
Kind = Literal["numeric", "boolean", "categorical"]
"""Of a column: numbers; 0 and 1, false and true; or texts, each one of a few categories."""
ColumnName = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
MOST_COLUMNS = 4096
MOST_CATEGORIES = 256
"""Of one column; every one is an input or an output of a network."""
LONGEST_CATEGORY = 1000
"""Characters; longer texts are no categories."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Seed = Annotated[int, Field(strict=True, ge=0, le=2**53 - 1, description="decides every random choice")]
VersionNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
EpochNumber = Annotated[int, Field(ge=1, le=10_000_000)]
