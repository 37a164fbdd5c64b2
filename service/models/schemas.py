"""Models on the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from service.vocabulary.schemas import LayerShape
from service.wire import Dtype, Name, Seed, Strict

LayerParameters = Annotated[
    list[dict[str, Any]],
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "object", "additionalProperties": {"type": "array", "items": {}}},
            "description": "one object a layer, in order: weight (out × in) and bias (out) of a Dense, {} for a layer "
            'without any, {"layers": [...]} for a container',
        }
    ),
]


class NewModel(Strict):
    """A network, in Flux's notation or as a list of layers, with parameters by seed or as given."""

    name: Name | None = None
    architecture: Annotated[
        str,
        Field(strict=True, min_length=1, max_length=100_000, description="Flux's notation", examples=["Dense(1 => 1)"]),
    ] = ""
    layers: Annotated[
        list[LayerShape], Field(min_length=1, description="instead of `architecture`", default_factory=list)
    ]
    seed: Seed = 0
    dtype: Dtype = "float32"
    parameters: LayerParameters | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "straight", "architecture": "Dense(1 => 1)"},
                {"architecture": "Chain(Dense(4 => 16, tanh), Dense(16 => 3))", "seed": 1},
                {"layers": [{"type": "Dense", "in": 1, "out": 1}], "parameters": [{"weight": [[4]], "bias": [2]}]},
            ]
        },
    )

    @model_validator(mode="after")
    def _one_form(self) -> "NewModel":
        if bool(self.architecture) == bool(self.layers):
            raise ValueError('give the network in one form: "architecture" or "layers"')
        return self


class ModelChange(Strict):
    name: Name

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "straighter"}]})


class NewParameters(Strict):
    layers: LayerParameters

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"layers": [{"weight": [[0.9066542]], "bias": [0]}]}]}
    )


class Model(BaseModel):
    """A network's architecture; its parameters are in its numbered versions."""

    id: str
    name: str
    architecture: str
    layers: list[dict[str, Any]]
    parameter_count: int
    version: int = Field(description="the latest")
    versions: int = Field(description="how many there are")
    dtype: Dtype
    created_at: datetime


class Version(BaseModel):
    """One immutable set of parameters."""

    version: int
    job: str | None = Field(description="the job that made it")
    created_at: datetime


class Parameters(BaseModel):
    """The parameters of one version."""

    version: int
    layers: LayerParameters
