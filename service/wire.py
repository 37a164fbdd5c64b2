"""Shapes that several nouns share on the wire."""

import re
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import TypeAliasType

from service.http.long_json.lists import LongList
from service.ids import looks_like_an_id
from service.pointers import MOST_FAULTS, OBJECTS

NULL: JsonDict = {"enum": [None]}
"""The schema of null; openapi-generator breaks off at a type of null alone."""


class FromAttributes(BaseModel):
    """A part of an answer, made from a dataclass."""

    model_config = ConfigDict(from_attributes=True)


class Advice(FromAttributes):
    """Something to consider, with its remedy."""

    code: str = Field(description="a stable word for programs", examples=["unstable_rate"])
    detail: str = Field(description="a sentence for people, with the remedy")
    pointer: str = Field(description="the place that it is about, as a JSON pointer")


class Strict(BaseModel):
    """A request's object: unknown fields are an error."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        OBJECTS[cls.__name__] = frozenset(field.alias or name for name, field in cls.model_fields.items())

    @model_validator(mode="before")
    @classmethod
    def _shows_few_unknown(cls, value: Any) -> Any:
        """Hide unknown fields past those that an answer lists: each would become an error."""
        if not isinstance(value, dict) or len(value) <= len(cls.model_fields) + MOST_FAULTS:
            return value
        known = {field.alias or name for name, field in cls.model_fields.items()}
        unknown = islice((name for name in value if name not in known), MOST_FAULTS + 1)
        return {name: value[name] for name in (*known & value.keys(), *unknown)}


class DescribedAs:
    """Marks what is JSON already: the OpenAPI document describes it by a shape that does not check it again."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape

    def __get_pydantic_json_schema__(self, _: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(TypeAdapter(self._shape).core_schema)


def _plain(value: Any) -> Any:
    return value.plain() if isinstance(value, LongList) else value


AnyValue: Any = TypeAliasType("AnyValue", float | bool | str | list[Any] | dict[str, Any] | None)
"""Any value of JSON; where its type named itself, clients would be made without all that has it."""


PLAIN = BeforeValidator(_plain)
"""Validator of a list that is short wherever it is right, though it may stand among long ones."""


NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


def _check_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise ValueError(
            "a name begins with a letter or a digit and goes on with letters, digits, '.', '_' and '-'; "
            "it has no blanks, and at most 100 characters"
        )
    if name == "stats":
        raise ValueError("'stats' is a word of the inference protocol's paths: choose another name")
    if looks_like_an_id(name):
        raise ValueError("this looks like an id: choose another name")
    return name


Name = Annotated[
    str,
    Field(
        strict=True,
        json_schema_extra={"pattern": NAME},
        description="unique; without one the id serves",
    ),
    AfterValidator(_check_name),
]
Reference = Annotated[str, Field(strict=True, min_length=1, max_length=100, description="an id or a name")]
Shared = Annotated[
    bool,
    Field(strict=True, description="whether other owners may read and use it, by its id"),
]
Dtype = Annotated[Literal["float32", "float64"], Field(description="the precision of the numbers")]
PartName = Annotated[
    Literal["train", "validation", "test", "calibration"], Field(description="a part of the dataset's rows")
]


def from_float(value: Any) -> Any:
    """Return the integer that a whole float is, and everything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(from_float)
"""Validator that takes 3.0 for 3, as JSON Schema does; it follows the bounds, so that these are of the integer."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Seed = Annotated[int, Field(strict=True, ge=0, le=2**53 - 1, description="decides every random choice"), WHOLE]
VersionNumber = Annotated[int, Field(ge=0, le=2**31 - 1, description="the number of a version")]
EpochNumber = Annotated[int, Field(ge=1, le=10_000_000)]
